"""What search and demand know of quizzes: the clauses of current editions.

Questions are no entities: what is found of one is quoted, and could give its answer away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db import transaction
from django.urls import reverse

from analytics.registry import Described, EntitySource, register
from analytics.services.signals import publish_updates

from .models import Clause

CLAUSES = "quiz.clause"
LONGEST = 20_000


def clause_keys() -> Iterator[str]:
    rows = Clause.objects.filter(edition__is_current=True).order_by("pk").values_list("pk", flat=True)
    return (str(key) for key in rows.iterator(2000))


def read_clauses(keys: Sequence[str]) -> Iterable[Described]:
    rows = Clause.objects.filter(pk__in=list(map(UUID, keys)), edition__is_current=True)
    for clause in rows.select_related("edition__standard").defer("search"):
        edition = clause.edition
        yield Described(
            source_id=str(clause.pk),
            name=f"{edition.standard.code} {clause.number} {clause.title}".strip(),
            text=clause.text[:LONGEST],
            url=reverse("quiz:clause", args=[clause.pk]),
            code=clause.number,
            organisation_id=edition.standard.organisation_id,
            data={"standard": edition.standard.code, "edition": edition.name, "number": clause.number},
        )


def refresh_clauses(keys: Sequence[str]) -> str:
    """Clauses come from files: there is nothing to fetch them from. Read again are the banks whose questions cite them;
    what is being done, in words."""
    from .services import banks  # editions, imported by it in the end, tell of changes by this module

    started = banks.start_wanted(clause_ids=list(map(UUID, keys)))
    return f"{len(started)} banks of questions that cite them being read" if started else ""


def tell_standards(*standard_ids: UUID) -> None:
    """On commit: clauses of these standards have changed, or other editions are current. Those of all their editions
    are read again: of one that is no longer current they go."""

    def tell() -> None:
        keys = Clause.objects.filter(edition__standard_id__in=standard_ids).values_list("pk", flat=True)
        publish_updates(source=CLAUSES, source_ids=[str(key) for key in keys])

    transaction.on_commit(tell)


register(
    EntitySource(
        name=CLAUSES,
        entity_type="clause",
        label="Clause",
        read=read_clauses,
        keys=clause_keys,
        refresh=refresh_clauses,
        is_public=True,
    )
)
