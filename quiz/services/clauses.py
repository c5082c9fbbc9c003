"""Clauses of a standard's edition from a file; questions find what they cite anew afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.models import Organisation
from config import cache

from ..exceptions import NotAQuestionFile
from ..exchange import Clause as Read
from ..exchange import NotReadable, Rejected, read_clauses
from ..models import Clause, Edition, QuestionVersion, Standard
from . import citing
from .rows import new_id

LONGEST_NUMBER, LONGEST_TITLE = 80, 500


@dataclass(slots=True)
class ClauseCounts:
    """`read` = created + updated + unchanged + rejected; `removed` were there and are not in the file."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    citations: int = 0


def import_clauses(
    *,
    stream: IO[bytes],
    standard_code: str,
    edition_name: str,
    is_current: bool,
    published_on: date | None = None,
    organisation: Organisation | None = None,
) -> tuple[Edition, ClauseCounts]:
    """Make an edition what the file says, clause by clause; a second time nothing is written. `is_current`: questions
    are to cite this edition; the first one of a standard is that anyway. One transaction.

    Raises NotAQuestionFile for no such file, and for one without a clause.
    """
    counts = ClauseCounts()
    found = _read(stream, counts)
    with transaction.atomic():
        standard, _ = Standard.objects.get_or_create(code=standard_code[:60], organisation=organisation)
        Standard.objects.select_for_update().get(pk=standard.pk)  # one import of a standard at a time
        edition = _edition(standard, edition_name[:60], published_on, is_current=is_current)
        _merge(edition, found, counts)
        counts.citations = cite_again(organisation_id=organisation.pk if organisation else None)
        cache.invalidate("clauses")
    return edition, counts


def cite_again(*, organisation_id: UUID | None) -> int:
    """Citations of all questions that could cite the organisation's clauses (None: anybody's); how many there are."""
    versions = QuestionVersion.objects.filter(question__current__pk=F("pk")).exclude(references=[])
    if organisation_id is not None:
        versions = versions.filter(question__bank__organisation_id=organisation_id)
    by_organisation: dict[UUID | None, dict[UUID | str, Sequence[str]]] = {}
    for owner, question, references in versions.values_list(
        "question__bank__organisation_id", "question_id", "references"
    ):
        by_organisation.setdefault(owner, {})[question] = references
    return sum(citing.cite(cited=cited, organisation_id=owner) for owner, cited in by_organisation.items())


def _read(stream: IO[bytes], counts: ClauseCounts) -> list[Read]:
    found: list[Read] = []
    try:
        for each in read_clauses(stream):
            counts.read += 1
            if isinstance(each, Rejected) or len(each.number) > LONGEST_NUMBER:
                counts.rejected += 1
            else:
                found.append(each)
    except NotReadable as error:
        raise NotAQuestionFile(str(error)) from error
    if not found:
        raise NotAQuestionFile("There is no clause in this file that could be read.")
    return found


def _edition(standard: Standard, name: str, published_on: date | None, *, is_current: bool) -> Edition:
    edition = Edition.objects.filter(standard=standard, name=name).first()
    others = Edition.objects.filter(standard=standard, is_current=True).exclude(name=name)
    is_current = is_current or not others.exists()
    if is_current:
        others.update(is_current=False)
    if edition is None:
        return Edition.objects.create(standard=standard, name=name, published_on=published_on, is_current=is_current)
    if (is_current and not edition.is_current) or (published_on and edition.published_on != published_on):
        edition.is_current = is_current or edition.is_current
        edition.published_on = published_on or edition.published_on
        edition.save()
    return edition


def _merge(edition: Edition, found: list[Read], counts: ClauseCounts) -> None:
    """By number. Parents come before what is under them, so their ids are known."""
    known = {each.number: each for each in Clause.objects.filter(edition=edition).defer("search")}
    ids: dict[str, UUID] = {number: each.pk for number, each in known.items()}
    created: list[Clause] = []
    updated: list[Clause] = []
    for position, each in enumerate(found, 1):
        there = known.pop(each.number, None)
        clause = there or Clause(pk=UUID(new_id()), edition=edition, number=each.number)
        ids[each.number] = clause.pk
        wanted = (position, ids.get(each.parent), each.title[:LONGEST_TITLE], each.text)
        if there and (there.position, there.parent_id, there.title, there.text) == wanted:
            counts.unchanged += 1
            continue
        clause.position, clause.parent_id, clause.title, clause.text = wanted
        (updated if there else created).append(clause)
    counts.created, counts.updated, counts.removed = len(created), len(updated), len(known)
    if known:
        Clause.objects.filter(pk__in=[each.pk for each in known.values()]).delete()
    Clause.objects.bulk_update(updated, ["position", "parent", "title", "text"], batch_size=500)
    Clause.objects.bulk_create(created, batch_size=500)
