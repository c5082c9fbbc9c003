"""Editions of a standard: what is different, which questions it touches, and taking them over to a new one.

No citation moves onto changed text by itself. When another edition becomes current, citations of clauses that read the
same go along; the others wait at the clause they were written for, and their questions are flagged: kept out of exams
until a person decides (editions_deciding).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q

from accounts.models import User
from config import cache

from ..entities import tell_standards
from ..exceptions import EditionMissing, EditionRefused
from ..exchange import Clause as Read
from ..exchange.comparing import Comparison, compare_clauses
from ..models import Clause, Edition, Question, Standard
from ..querysets import may_migrate
from . import citing

LONGEST_FLAG = 300
FLAG = """
UPDATE quiz_question q
SET flag = left(concat_ws('; ', NULLIF(q.flag, ''), said.text), %s), updated_at = now()
FROM (
    SELECT told.question_id, %s || string_agg(told.words, ', ' ORDER BY told.position) AS text FROM (
        SELECT t.question_id, c.position,
            c.number || CASE WHEN c.number = ANY(%s) THEN ' is gone' ELSE ' has other words' END AS words
        FROM quiz_citation t JOIN quiz_clause c ON c.id = t.clause_id
        WHERE c.edition_id = %s AND c.number = ANY(%s) AND NOT t.is_waiting
    ) told GROUP BY told.question_id
) said WHERE said.question_id = q.id
"""
WAIT = """
UPDATE quiz_citation t SET is_waiting = true, decided_at = NULL, decided_by_id = NULL
FROM quiz_clause c WHERE c.id = t.clause_id AND c.edition_id = %s AND c.number = ANY(%s) AND NOT t.is_waiting
"""
GO_ALONG = """
UPDATE quiz_citation t SET clause_id = n.id
FROM quiz_clause o JOIN quiz_clause n ON n.number = o.number
WHERE o.id = t.clause_id AND o.edition_id = %s AND n.edition_id = %s AND o.number = ANY(%s) AND NOT t.is_waiting
    AND NOT EXISTS (SELECT 1 FROM quiz_citation x WHERE x.question_id = t.question_id AND x.clause_id = n.id)
"""


@dataclass(frozen=True, slots=True)
class Going:
    """What taking questions over has done: `flagged` questions wait for a person, `citations` are found now."""

    flagged: int
    citations: int


def check_keeper(actor: User) -> None:
    """EditionMissing: this is for staff who keep questions."""
    if not may_migrate(actor):
        raise EditionMissing("There is no such page, or it is not for you.")


def standards_with_editions(*, actor: User) -> list[Standard]:
    """Those with two editions or more, each with `editions` at hand, the newest first. EditionMissing."""
    check_keeper(actor)
    editions = Count("editions", distinct=True)
    return list(Standard.objects.annotate(held=editions).filter(held__gte=2).prefetch_related("editions"))


def pair_of(*, actor: User, old_id: UUID, new_id: UUID) -> tuple[Edition, Edition]:
    """Two editions of one standard. EditionMissing, EditionRefused."""
    check_keeper(actor)
    found = Edition.objects.select_related("standard__organisation").in_bulk([old_id, new_id])
    if old_id not in found or new_id not in found:
        raise EditionMissing("There is no such edition.")
    old, new = found[old_id], found[new_id]
    if old.pk == new.pk or old.standard_id != new.standard_id:
        raise EditionRefused("Pick two different editions of one standard.")
    return old, new


def clauses_of(edition: Edition) -> dict[str, Clause]:
    """By number, in the edition's order."""
    rows = Clause.objects.filter(edition=edition).only("number", "title", "text", "edition_id").order_by("position")
    return {each.number: each for each in rows}


def compared(
    old: dict[str, Clause], new: dict[str, Clause], *, successors_of: Collection[str] | None = ()
) -> Comparison:
    """As `compare_clauses`; unless told otherwise nothing is proposed."""
    return compare_clauses(map(_read, old.values()), map(_read, new.values()), successors_of=successors_of)


def citing_counts(edition: Edition) -> dict[UUID, int]:
    """By clause of the edition: how many questions that are asked cite it."""
    live = Q(citations__question__retired_at__isnull=True)
    rows = Clause.objects.filter(edition=edition, citations__isnull=False)
    counted = rows.order_by().annotate(asked=Count("citations", filter=live))
    return dict(counted.values_list("pk", "asked"))


def go_over(*, actor: User, old_id: UUID, new_id: UUID) -> Going:
    """Make `new` the current edition of its standard: questions that cite clauses of `old` go along, or are flagged and
    wait. One transaction; a second time nothing changes. EditionMissing, EditionRefused."""
    old, new = pair_of(actor=actor, old_id=old_id, new_id=new_id)
    with transaction.atomic():
        Standard.objects.select_for_update().get(pk=old.standard_id)  # as imports do
        Edition.objects.filter(standard=old.standard_id, is_current=True).exclude(pk=new.pk).update(is_current=False)
        Edition.objects.filter(pk=new.pk, is_current=False).update(is_current=True)
        flagged = leave_behind(old=old, new=new)
        found = citing.cite_again(organisation_id=old.standard.organisation_id)
        cache.invalidate("clauses")
        tell_standards(old.standard_id)
    return Going(flagged, found)


def leave_behind(*, old: Edition, new: Edition) -> int:
    """Of citations of `old`, those whose clause reads the same in `new` go along; the others wait, and their questions
    are flagged. How many were. In the caller's transaction, which has locked the standard."""
    found = compared(clauses_of(old), clauses_of(new))
    gone = [each.key for each in found.removed]
    waiting = [each.key for each in found.changed] + gone
    head = f"{old.standard.code} {new.name}: "
    with connection.cursor() as cursor:
        cursor.execute(FLAG, [LONGEST_FLAG, head, gone, old.pk, waiting])
        flagged = int(cursor.rowcount)
        cursor.execute(WAIT, [old.pk, waiting])
        cursor.execute(GO_ALONG, [old.pk, new.pk, list(found.identical)])
    if flagged:
        cache.invalidate("quiz")
    return flagged


def flag_reworded(*, edition: Edition, reworded: Sequence[UUID], gone: Sequence[UUID]) -> int:
    """Flag the questions that cite clauses of which the edition's own file says something else now; how many. Nothing
    waits: the words they were written for are not kept. In the caller's transaction, before the clauses change."""
    clauses = Clause.objects.filter(pk__in=[*reworded, *gone], citations__isnull=False)
    numbers = dict(clauses.order_by().values_list("pk", "number").distinct())
    if not numbers:
        return 0
    lost = [numbers[each] for each in gone if each in numbers]
    head = f"{edition.standard.code} {edition.name}, another file: "
    with connection.cursor() as cursor:
        cursor.execute(FLAG, [LONGEST_FLAG, head, lost, edition.pk, list(numbers.values())])
        flagged = int(cursor.rowcount)
    cache.invalidate("quiz")
    return flagged


def flagged_count(*, actor: User) -> int:
    """How long the work list is; 0 for whom it is not."""
    return Question.objects.changeable_by(actor).flagged().count() if may_migrate(actor) else 0


def _read(clause: Clause) -> Read:
    return Read(clause.number, clause.title, clause.text)
