"""Clauses of a standard's edition from a file; questions find what they cite anew afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import IO
from uuid import UUID

from django.db import transaction

from accounts.models import Organisation
from config import cache

from ..entities import tell_standards
from ..exceptions import NotAQuestionFile
from ..exchange import Clause as Read
from ..exchange import NotReadable, Rejected, read_clauses
from ..models import Clause, Edition, Standard
from . import citing, editions
from .rows import new_id

LONGEST_NUMBER, LONGEST_TITLE = 80, 500


@dataclass(slots=True)
class ClauseCounts:
    """`read` = created + updated + unchanged + rejected; `removed` were there and are not in the file. `citations` were
    found; `flagged` questions cite a clause that has other words now, or is gone."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    citations: int = 0
    flagged: int = 0


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
    are to cite this edition; the first one of a standard is that anyway. Questions whose clause has other words now, or
    is gone, are flagged: no citation moves onto changed text by itself. One transaction.

    Raises NotAQuestionFile for no such file, and for one without a clause.
    """
    counts = ClauseCounts()
    found = _read(stream, counts)
    with transaction.atomic():
        standard, _ = Standard.objects.get_or_create(code=standard_code[:60], organisation=organisation)
        Standard.objects.select_for_update().get(pk=standard.pk)  # one import of a standard at a time
        edition, before = _edition(standard, edition_name[:60], published_on, is_current=is_current)
        _merge(edition, found, counts)
        if before is not None:
            counts.flagged += editions.leave_behind(old=before, new=edition)
        counts.citations = citing.cite_again(organisation_id=organisation.pk if organisation else None)
        cache.invalidate("clauses")
        tell_standards(standard.pk)
    return edition, counts


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


def _edition(
    standard: Standard, name: str, published_on: date | None, *, is_current: bool
) -> tuple[Edition, Edition | None]:
    """The edition, and the one that was current until now, if another one is from now on."""
    edition = Edition.objects.filter(standard=standard, name=name).first()
    before = Edition.objects.filter(standard=standard, is_current=True).exclude(name=name).first()
    is_current = is_current or before is None
    if is_current and before is not None:
        Edition.objects.filter(pk=before.pk).update(is_current=False)
    left = before if is_current else None
    if edition is None:
        made = Edition.objects.create(standard=standard, name=name, published_on=published_on, is_current=is_current)
        return made, left
    if (is_current and not edition.is_current) or (published_on and edition.published_on != published_on):
        edition.is_current = is_current or edition.is_current
        edition.published_on = published_on or edition.published_on
        edition.save()
    return edition, left


def _merge(edition: Edition, found: list[Read], counts: ClauseCounts) -> None:
    """By number. Parents come before what is under them, so their ids are known."""
    known = {each.number: each for each in Clause.objects.filter(edition=edition).defer("search")}
    ids: dict[str, UUID] = {number: each.pk for number, each in known.items()}
    created: list[Clause] = []
    updated: list[Clause] = []
    reworded: list[UUID] = []
    for position, each in enumerate(found, 1):
        there = known.pop(each.number, None)
        clause = there or Clause(pk=UUID(new_id()), edition=edition, number=each.number)
        ids[each.number] = clause.pk
        wanted = (position, ids.get(each.parent), each.title[:LONGEST_TITLE], each.text)
        if there and (there.position, there.parent_id, there.title, there.text) == wanted:
            counts.unchanged += 1
            continue
        if there and _one(there.title, there.text) != _one(wanted[2], wanted[3]):
            reworded.append(there.pk)
        clause.position, clause.parent_id, clause.title, clause.text = wanted
        (updated if there else created).append(clause)
    counts.created, counts.updated, counts.removed = len(created), len(updated), len(known)
    counts.flagged = editions.flag_reworded(
        edition=edition, reworded=reworded, gone=[each.pk for each in known.values()]
    )
    if known:
        Clause.objects.filter(pk__in=[each.pk for each in known.values()]).delete()
    Clause.objects.bulk_update(updated, ["position", "parent", "title", "text"], batch_size=500)
    Clause.objects.bulk_create(created, batch_size=500)


def _one(title: str, text: str) -> list[str]:
    """What two wordings are compared by: blanks do not count."""
    return [" ".join(each.split()) for each in (title, text)]
