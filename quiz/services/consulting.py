"""Clauses as one looks them up: one with what is above and under it, those met lately, whole editions."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Avg, Count, FloatField, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Left

from accounts.models import User

from ..models import Citation, Clause, Edition, Question
from .drawing import visible_clause
from .progress import told_answers
from .searching import asked_for

SHOWN = 8
MOST_CHILDREN = 200
LATEST_ANSWERS = 30
BEGINNING = 100
ABOVE = """
WITH RECURSIVE above AS (
  SELECT id, parent_id, number, title, 1 AS height FROM quiz_clause WHERE id = %s
  UNION ALL
  SELECT up.id, up.parent_id, up.number, up.title, height + 1 FROM quiz_clause up
  JOIN above ON up.id = above.parent_id WHERE height < 30
) SELECT id, number, title FROM above ORDER BY height DESC
"""


@dataclass(frozen=True, slots=True)
class Consulted:
    """A clause. `above`: id, number and title of what it stands under, the highest first; `under`: its direct parts,
    with `question_count`. `questions` cite it itself; of one's own `answers` to them `share` was right, 0 to 1."""

    clause: Clause
    above: list[tuple[UUID, str, str]]
    under: list[Clause]
    questions: int
    answers: int
    share: float | None


def consult(*, user: User, clause_id: UUID) -> Consulted:
    """It counts as asked for. Five queries. ClauseMissing."""
    clause = visible_clause(user=user, clause_id=clause_id)
    asked_for(str(clause.pk))
    mine = told_answers().filter(attempt__user=user, version__question__clauses=clause)
    told = mine.aggregate(answers=Count("pk"), share=Avg("share", output_field=FloatField()))
    return Consulted(
        clause=clause,
        above=_above(clause.parent_id),
        under=list(with_counts(user, Clause.objects.filter(parent=clause))[:MOST_CHILDREN]),
        questions=Question.objects.visible_to(user).live().filter(clauses=clause).count(),
        answers=told["answers"],
        share=told["share"],
    )


def editions_of(user: User) -> QuerySet[Edition]:
    """Current editions with `clause_count`, by standard."""
    rows = Edition.objects.visible_to(user).filter(is_current=True).select_related("standard")
    return rows.annotate(clause_count=Count("clauses")).filter(clause_count__gt=0).order_by("standard__code", "pk")


def contents_of(user: User, edition: Edition) -> QuerySet[Clause]:
    """The clauses of an edition that stand under no other, in their order, with `question_count`."""
    return with_counts(user, Clause.objects.filter(edition=edition, parent__isnull=True))


def asked_most(user: User) -> QuerySet[Clause]:
    rows = Clause.objects.visible_to(user).filter(popularity__gt=0, edition__is_current=True)
    return _shelved(rows).order_by("-popularity", "pk")[:SHOWN]


def met_lately(user: User) -> list[Clause]:
    """What one's latest questions cite, the latest first. Three queries."""
    latest = told_answers().filter(attempt__user=user).order_by("-answered_at")
    questions = list(dict.fromkeys(latest.values_list("version__question_id", flat=True)[:LATEST_ANSWERS]))
    cited = dict[UUID, list[UUID]]()
    for question, clause in Citation.objects.filter(question__in=questions).values_list("question_id", "clause_id"):
        cited.setdefault(question, []).append(clause)
    ids = list(dict.fromkeys(clause for question in questions for clause in cited.get(question, ())))
    found = _shelved(Clause.objects.visible_to(user)).in_bulk(ids) if ids else {}
    return [found[one] for one in ids if one in found][:SHOWN]


def with_counts(user: User, clauses: QuerySet[Clause]) -> QuerySet[Clause]:
    """`question_count`: how many questions this person may practise cite each, by itself."""
    live = Question.objects.visible_to(user).live().values("pk")
    cited = Citation.objects.filter(clause=OuterRef("pk"), question__in=live).order_by().values("clause")
    counted = Subquery(cited.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
    return _shelved(clauses).annotate(question_count=Coalesce(counted, 0)).order_by("position")


def _shelved(clauses: QuerySet[Clause]) -> QuerySet[Clause]:
    """For lists: with the edition's name, and of the text its `beginning`: many clauses have no title."""
    return (
        clauses.select_related("edition__standard").defer("text", "search").annotate(beginning=Left("text", BEGINNING))
    )


def _above(clause_id: UUID | None) -> list[tuple[UUID, str, str]]:
    if clause_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, [clause_id])
        return [(pk, number, title) for pk, number, title in cursor.fetchall()]
