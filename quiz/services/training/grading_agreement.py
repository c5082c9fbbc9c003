"""How far rules, model and coaches agree about the calls of a template."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from ...calls.agreement import LEAST, Agreement
from ...calls.agreement import agreement as agreement_of
from ...models import Criterion, SessionGrade
from .access import changeable_template

if TYPE_CHECKING:
    from accounts.models import User

Grader = SessionGrade.Grader
# What a model says of behaviours it takes over from the rules: that is no agreement.
_PAIRS = ((Grader.RULE, Grader.HUMAN), (Grader.MODEL, Grader.HUMAN), (Grader.RULE, Grader.MODEL))
_APART = "They judge different criteria: rules measure behaviours, the model judges qualities."
# Read by index: grades of the template's sessions. The result has at most 101 x 101 rows a criterion and pair.
_SQL = """
SELECT first.grader, second.grader, criterion.key, one.score, other.score, count(*)
FROM quiz_trainingsession session
JOIN quiz_sessiongrade first ON first.session_id = session.id AND first.is_current
JOIN quiz_sessiongrade second ON second.session_id = session.id AND second.is_current
    AND second.rubric_id = first.rubric_id AND second.transcript_hash = first.transcript_hash
JOIN quiz_gradescore one ON one.grade_id = first.id AND one.score IS NOT NULL
JOIN quiz_gradescore other ON other.grade_id = second.id AND other.criterion_id = one.criterion_id
    AND other.score IS NOT NULL
JOIN quiz_criterion criterion ON criterion.id = one.criterion_id
WHERE session.template_id = %s
  AND ((first.grader = 'rule' AND second.grader = 'human' AND criterion.kind = 'behaviour')
    OR (first.grader = 'model' AND second.grader = 'human' AND criterion.kind = 'quality'))
GROUP BY 1, 2, 3, 4, 5
"""
Pairs = Counter[tuple[int, int]]


def agreement(*, template_id: UUID, user: User) -> dict[str, Any]:
    """{"least": calls needed, "pairs": [{"first", "second", n, kappa, reason, same, apart, "criteria": [{key, name, n,
    kappa, reason, same, apart}]}]}, of the grades that count, of all versions of the rubric: criteria are the same by
    their keys. Kappa is by the criterion's levels, over all of them by tenths of the scale. For coaches.

    Raises TemplateMissing (404), CoachesOnly (403).
    """
    template = changeable_template(template_id=template_id, user=user)
    told = _scores(template.pk)
    rows = Criterion.objects.filter(rubric__template=template).order_by("rubric__number", "position")
    newest = {row.key: row for row in rows}
    return {"least": LEAST, "pairs": [_pair(first, second, told[first, second], newest) for first, second in _PAIRS]}


def _scores(template_id: UUID) -> defaultdict[tuple[str, str], dict[str, Pairs]]:
    """By pair of graders and key, how often they gave which scores. One query."""
    found: defaultdict[tuple[str, str], dict[str, Pairs]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [template_id])
        for first, second, key, one, other, count in cursor.fetchall():
            found[first, second].setdefault(key, Counter())[one, other] += count
    return found


def _pair(first: str, second: str, told: dict[str, Pairs], criteria: dict[str, Criterion]) -> dict[str, Any]:
    names = {"first": first, "second": second}
    if Grader.HUMAN not in (first, second):
        return names | Agreement(0, None, _APART).to_json() | {"criteria": []}
    all_of_them: Pairs = sum(told.values(), Counter())
    each = [
        {"key": key, "name": row.name}
        | agreement_of(told[key], levels=[level["score"] for level in row.levels]).to_json()
        for key, row in criteria.items()
        if key in told
    ]
    return names | agreement_of(all_of_them).to_json() | {"criteria": each}
