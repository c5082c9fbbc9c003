"""Flagged questions, the work list: what each waits for, what may take its clause's place, and deciding."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from config import cache
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import EditionMissing, EditionRefused
from ..models import Citation, Clause, Edition, Question
from . import editions, storing

MOVE = "quiz.move_citations"
INLINE = 200  # questions of which proposals are worked out while one waits
Report = Callable[[int, int, str], None]
RETIRED = "Its clause has changed, or is gone."
# To the clause of the same number in the current edition of the same standard, where the question does not cite it yet.
SAME_NUMBER = """
UPDATE quiz_citation t
SET clause_id = n.id, moved_from_id = o.id, is_waiting = false, decided_at = %s, decided_by_id = %s
FROM quiz_clause o JOIN quiz_edition oe ON oe.id = o.edition_id
JOIN quiz_edition ne ON ne.standard_id = oe.standard_id AND ne.is_current
JOIN quiz_clause n ON n.edition_id = ne.id AND n.number = o.number
WHERE t.clause_id = o.id AND t.is_waiting AND t.question_id = ANY(%s)
    AND NOT EXISTS (SELECT 1 FROM quiz_citation x WHERE x.question_id = t.question_id AND x.clause_id = n.id)
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A clause that a waiting citation may move to. `score`: how alike the texts are, 0 to 1; a heuristic."""

    clause: Clause
    score: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """A citation that waits. `new`: the clause of its number in the current edition, None where it is gone; `targets`,
    the best first, that clause included."""

    citation: Citation
    new: Clause | None
    current: Edition | None
    targets: list[Target] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Flagged:
    question: Question
    waiting: list[Waiting]


def flagged_questions(*, actor: User) -> QuerySet[Question]:
    """The work list in its order. EditionMissing."""
    editions.check_keeper(actor)
    rows = Question.objects.changeable_by(actor).flagged().select_related("current", "bank", "category")
    return rows.order_by("bank__name", "edition", "external_id", "pk")


def told(questions: Iterable[Question]) -> list[Flagged]:
    """Each with what it waits for. Of every pair of editions both are read whole: proposals need them."""
    shown = list(questions)
    citations = Citation.objects.filter(question__in=shown, is_waiting=True)
    rows = list(
        citations.select_related("clause__edition__standard").defer("clause__search").order_by("clause__position")
    )
    waiting = waiting_of(rows)
    return [Flagged(each, [w for w in waiting if w.citation.question_id == each.pk]) for each in shown]


def waiting_of(citations: Iterable[Citation]) -> list[Waiting]:
    """Each citation, which has its clause, edition and standard at hand, with what is proposed for it."""
    rows = list(citations)
    current = {
        each.standard_id: each
        for each in Edition.objects.filter(
            standard__in={row.clause.edition.standard_id for row in rows}, is_current=True
        ).select_related("standard")
    }
    held = {
        edition.pk: editions.clauses_of(edition)
        for edition in {*current.values(), *(row.clause.edition for row in rows)}
    }
    found: dict[int, Waiting] = {}
    for edition_id in {row.clause.edition_id for row in rows}:
        here = [row for row in rows if row.clause.edition_id == edition_id]
        newest = current.get(here[0].clause.edition.standard_id)
        if newest is None or newest.pk == edition_id:
            found |= {row.pk: Waiting(row, None, newest) for row in here}
            continue
        found |= _proposed(here, held[edition_id], held[newest.pk], newest)
    return [found[row.pk] for row in rows]


def still_right(*, actor: User, question_ids: Collection[UUID]) -> int:
    """Their answers are right under the new words, too: the flags go; how many. Waiting citations move to the clause of
    the same number; where that is gone they stay with the old edition. EditionMissing."""
    with transaction.atomic():
        ids = _locked(actor, question_ids)
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(SAME_NUMBER, [now, actor.pk, ids])
        rest = Citation.objects.filter(question__in=ids, is_waiting=True)
        rest.update(is_waiting=False, decided_at=now, decided_by=actor)
        _clear(ids)
    return len(ids)


def move_citations(*, actor: User, targets: Mapping[int, UUID]) -> int:
    """Move waiting citations, by id, to clauses of the current edition of the same standard; how many. Where nothing
    waits any more the question's flag goes. Citations that wait no longer are passed over.

    EditionMissing; EditionRefused: a target is not such a clause.
    """
    editions.check_keeper(actor)
    with transaction.atomic():
        asked = Citation.objects.filter(pk__in=targets, is_waiting=True).values_list("question_id", flat=True)
        ids = _locked(actor, set(asked))
        rows = list(
            Citation.objects.filter(pk__in=targets, question__in=ids, is_waiting=True).select_related("clause__edition")
        )
        clauses = Clause.objects.select_related("edition").defer("search", "text").in_bulk(list(targets.values()))
        for row in rows:
            _check_target(row, clauses.get(targets[row.pk]))
        _move(rows, targets, actor)
        open_ones = Citation.objects.filter(question__in=ids, is_waiting=True).values_list("question_id", flat=True)
        _clear([each for each in ids if each not in set(open_ones)])
    return len(rows)


def move_to_best(*, actor: User, question_ids: Collection[UUID]) -> tuple[int, int]:
    """Move what waits of these questions to the best that is proposed; how many citations moved, and how many questions
    stay flagged because nothing is proposed. EditionMissing."""
    questions = list(flagged_questions(actor=actor).filter(pk__in=question_ids))
    waiting = [each for one in told(questions) for each in one.waiting]
    moved = move_citations(
        actor=actor, targets={each.citation.pk: each.targets[0].clause.pk for each in waiting if each.targets}
    )
    return moved, Question.objects.flagged().filter(pk__in=[each.pk for each in questions]).count()


def start_moving(*, actor: User) -> Job | tuple[int, int]:
    """`move_to_best` for the whole list: of a short one at once, of a long one by a job. EditionMissing."""
    ids = list(flagged_questions(actor=actor).values_list("pk", flat=True))
    if len(ids) <= INLINE:
        return move_to_best(actor=actor, question_ids=ids)
    return enqueue(kind=MOVE, params={}, actor=actor, dedupe_key=f"{MOVE}:{actor.pk}")


def move_all(*, actor: User, report: Report | None = None) -> tuple[int, int]:
    """`move_to_best`, a part of the list after the other."""
    ids = list(flagged_questions(actor=actor).values_list("pk", flat=True))
    moved = left = 0
    for at in range(0, len(ids), INLINE):
        some, stay = move_to_best(actor=actor, question_ids=ids[at : at + INLINE])
        moved, left = moved + some, left + stay
        if report is not None:
            report(min(at + INLINE, len(ids)), len(ids), "Moving citations")
    return moved, left


def retire(*, actor: User, question_ids: Collection[UUID]) -> int:
    """They are asked no more; how many. Asked again one day, they are flagged still. EditionMissing."""
    ids = list(flagged_questions(actor=actor).filter(pk__in=question_ids).values_list("pk", flat=True))
    return storing.retire(question_ids=ids, reason=RETIRED)


def _proposed(
    rows: list[Citation], old: Mapping[str, Clause], new: Mapping[str, Clause], newest: Edition
) -> dict[int, Waiting]:
    compared = editions.compared(dict(old), dict(new), successors_of={row.clause.number for row in rows})
    proposed = {gone.key: [(each.key, each.score) for each in gone.successors] for gone in compared.removed}
    for change in compared.changed:
        others = [(each.key, each.score) for each in change.successors]
        proposed[change.key] = [*others, (change.key, change.score)]
    found = {}
    for row in rows:
        number = row.clause.number
        # What reads the same by now (the new edition was mended since) may simply go along.
        keys = proposed.get(number, [(number, 1.0)] if number in new else [])
        targets = [Target(new[key], score) for key, score in keys if key in new]
        found[row.pk] = Waiting(row, new.get(number), newest, targets)
    return found


def _locked(actor: User, question_ids: Collection[UUID]) -> list[UUID]:
    """Those of them that are flagged and the actor's to change, locked until the transaction ends."""
    editions.check_keeper(actor)
    rows = Question.objects.changeable_by(actor).exclude(flag="").filter(pk__in=list(question_ids))
    return list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))


def _check_target(row: Citation, clause: Clause | None) -> None:
    if clause is None:
        raise EditionMissing("There is no such clause.")
    if not clause.edition.is_current or clause.edition.standard_id != row.clause.edition.standard_id:
        raise EditionRefused("A citation moves to a clause of the current edition of the same standard.")


def _move(rows: list[Citation], targets: Mapping[int, UUID], actor: User) -> None:
    """What would be cited twice is cited once."""
    now = timezone.now()
    questions = {row.question_id for row in rows}
    cited = set(Citation.objects.filter(question__in=questions).values_list("question_id", "clause_id"))
    moved, doubled = [], []
    for row in rows:
        target = (row.question_id, targets[row.pk])
        if target in cited:
            doubled.append(row.pk)
            continue
        cited.add(target)
        row.moved_from_id, row.clause_id, row.is_waiting = row.clause_id, targets[row.pk], False
        row.decided_at, row.decided_by = now, actor
        moved.append(row)
    Citation.objects.filter(pk__in=doubled).delete()
    fields = ["moved_from", "clause", "is_waiting", "decided_at", "decided_by"]
    Citation.objects.bulk_update(moved, fields, batch_size=500)


def _clear(question_ids: Collection[UUID]) -> None:
    Question.objects.filter(pk__in=question_ids).update(flag="", updated_at=timezone.now())
    cache.invalidate("quiz")
