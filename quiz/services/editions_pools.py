"""Two editions of a bank's questions side by side, and what succeeds what.

A successor is told, nothing more: answers, cards and statistics stay with the wordings that people were asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, F, Q

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import EditionMissing, EditionRefused
from ..exchange import Item
from ..exchange.comparing import LEAST_SCORE, Comparison, compare_items
from ..models import Bank, Question, QuestionVersion
from . import editions
from .bodies import item_of

SUCCEED = "quiz.accept_successors"
INLINE = 1000  # questions of an edition up to which all proposals are worked out while one waits
AT_ONCE = 100
STATES = ("identical", "changed", "removed")
SET = """
UPDATE quiz_question q SET successor_id = s.successor_id, updated_at = now()
FROM unnest(%s::uuid[], %s::uuid[]) AS s(id, successor_id)
WHERE q.id = s.id AND q.successor_id IS DISTINCT FROM s.successor_id
"""
Report = Callable[[int, int, str], None]


class Pool(NamedTuple):
    """An edition of a bank's questions: "2022-2026" of "Technician"; `edition` may be empty."""

    bank_id: UUID
    edition: str


@dataclass(frozen=True, slots=True)
class Listed:
    pool: Pool
    bank: Bank
    questions: int
    asked: int

    @property
    def key(self) -> str:
        return f"{self.pool.bank_id}:{self.pool.edition}"


@dataclass(frozen=True, slots=True)
class Held:
    """The questions of a pool by external id, and what is compared of each."""

    questions: dict[str, Question]
    items: dict[str, Item]


@dataclass(frozen=True, slots=True)
class Compared:
    """Keys are external ids. `proposed`: for keys that were asked for, new keys with their likeness, the best first."""

    old: Held
    new: Held
    found: Comparison
    proposed: dict[str, list[tuple[str, float]]]

    def keys_of(self, state: str) -> list[str]:
        found = self.found
        if state == "identical":
            return list(found.identical)
        if state == "added":
            return list(found.added)
        return [each.key for each in (found.changed if state == "changed" else found.removed)]


def pools(*, actor: User) -> list[Listed]:
    """Every edition of every bank that has questions, retired ones too. EditionMissing."""
    editions.check_keeper(actor)
    rows = Question.objects.changeable_by(actor).filter(current__isnull=False).order_by("bank__name", "edition")
    counted = rows.values("bank_id", "edition").annotate(
        questions=Count("pk"), asked=Count("pk", filter=Q(retired_at__isnull=True))
    )
    banks = Bank.objects.in_bulk({row["bank_id"] for row in counted})
    return [
        Listed(Pool(row["bank_id"], row["edition"]), banks[row["bank_id"]], row["questions"], row["asked"])
        for row in counted
    ]


def pool_of(key: str) -> Pool:
    """Of an address: "<bank>:<edition>". EditionMissing."""
    bank_id, _, edition = key.partition(":")
    try:
        return Pool(UUID(bank_id), edition)
    except ValueError:
        raise EditionMissing("There is no such edition of a bank.") from None


def compare(*, actor: User, old: Pool, new: Pool, successors_of: Collection[str] | None = ()) -> Compared:
    """By external id; successors are proposed for these keys of `old` (None: all). EditionMissing, EditionRefused."""
    editions.check_keeper(actor)
    if old == new:
        raise EditionRefused("Pick two different editions.")
    before, after = _held(actor, old), _held(actor, new)
    found = compare_items(before.items.values(), after.items.values(), successors_of=successors_of)
    return Compared(before, after, found, _proposed(found, successors_of))


def accept(*, actor: User, old: Pool, new: Pool, chosen: Mapping[UUID, UUID | None]) -> int:
    """Say what succeeds what: by question of `old` one of `new`, or None, which takes it back. How many changed.
    EditionMissing; EditionRefused: a question is not of its edition."""
    editions.check_keeper(actor)
    mine = Question.objects.changeable_by(actor)
    olds = mine.filter(bank=old.bank_id, edition=old.edition, pk__in=chosen).count()
    wanted = {each for each in chosen.values() if each is not None}
    news = mine.filter(bank=new.bank_id, edition=new.edition, pk__in=wanted).count()
    if olds != len(chosen) or news != len(wanted):
        raise EditionRefused(
            "A question of the old edition is succeeded by one of the new edition. Load the page again."
        )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SET, [list(chosen), list(chosen.values())])
        return int(cursor.rowcount)


def of(*, actor: User, pool: Pool, ids: Collection[UUID]) -> list[UUID]:
    """Those of them that are of the pool. EditionMissing."""
    editions.check_keeper(actor)
    mine = Question.objects.changeable_by(actor).filter(bank=pool.bank_id, edition=pool.edition, pk__in=ids)
    return list(mine.values_list("pk", flat=True))


def accept_best(*, actor: User, old: Pool, new: Pool, states: Collection[str], report: Report | None = None) -> int:
    """Accept the best proposal of every question in these states (of STATES) that has no successor yet; how many."""
    told = compare(actor=actor, old=old, new=new)
    open_ones = [
        key
        for state in STATES
        if state in states
        for key in told.keys_of(state)
        if told.old.questions[key].successor_id is None
    ]
    done = 0
    for at in range(0, len(open_ones), AT_ONCE):
        keys = open_ones[at : at + AT_ONCE]
        found = compare_some(told, keys)
        chosen = {told.old.questions[key].pk: told.new.questions[found[key][0][0]].pk for key in keys if found.get(key)}
        done += accept(actor=actor, old=old, new=new, chosen=chosen) if chosen else 0
        if report is not None:
            report(min(at + AT_ONCE, len(open_ones)), len(open_ones), "Looking for successors")
    return done


def compare_some(told: Compared, keys: Collection[str]) -> dict[str, list[tuple[str, float]]]:
    """Proposals for these keys of a comparison that is at hand."""
    found = compare_items(told.old.items.values(), told.new.items.values(), successors_of=keys)
    return _proposed(found, keys)


def start_accepting(*, actor: User, old: Pool, new: Pool, states: Collection[str]) -> Job | int:
    """Accept the best proposals: of a short edition at once, how many; of a long one by a job. EditionMissing."""
    editions.check_keeper(actor)
    amount = Question.objects.filter(bank=old.bank_id, edition=old.edition).count()
    if amount <= INLINE:
        return accept_best(actor=actor, old=old, new=new, states=states)
    params = {"old": [str(old.bank_id), old.edition], "new": [str(new.bank_id), new.edition], "states": sorted(states)}
    return enqueue(kind=SUCCEED, params=params, actor=actor)


def _held(actor: User, pool: Pool) -> Held:
    mine = Question.objects.changeable_by(actor).filter(bank=pool.bank_id, edition=pool.edition)
    rows = QuestionVersion.objects.filter(question__in=mine, question__current=F("pk")).select_related("question")
    rows = rows.order_by("question__external_id")
    items = {row.question.external_id: item_of(row, external_id=row.question.external_id) for row in rows}
    if not items:
        raise EditionMissing("There is no such edition of a bank.")
    return Held({row.question.external_id: row.question for row in rows}, items)


def _proposed(found: Comparison, wanted: Collection[str] | None) -> dict[str, list[tuple[str, float]]]:
    """Its own key where that asks the same, or nearly; else what the comparison proposes."""
    proposed = {key: [(key, 1.0)] for key in found.identical}
    for change in found.changed:
        own = [(change.key, change.score)] if change.score >= LEAST_SCORE else []
        proposed[change.key] = [*own, *((each.key, each.score) for each in change.successors)]
    for gone in found.removed:
        proposed[gone.key] = [(each.key, each.score) for each in gone.successors]
    return {key: keys for key, keys in proposed.items() if wanted is None or key in wanted}
