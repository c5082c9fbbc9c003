"""After a call: the weakest criterion, and what to practise and read again for it."""

from __future__ import annotations

from typing import Any

from ...models import Clause, GradeScore, SessionGrade, TrainingSession

STRONG = 80  # a call whose weakest score is this much needs no practice
# Whose view counts: a person's before a model's before what was measured.
_RANK = {SessionGrade.Grader.HUMAN: 0, SessionGrade.Grader.MODEL: 1, SessionGrade.Grader.RULE: 2}


def next_practice(session: TrainingSession) -> dict[str, Any] | None:
    """{"criterion": {key, name}, "score", "grader", "reason", "category": {id, name} or None, "clauses": [{id, number,
    title, edition}]}: of the criterion with the lowest score; of equals the heavier. None: nothing is weak, or nothing
    was scored. Of each criterion the score of the grader that counts most. Two queries."""
    weakest = _weakest(session)
    if weakest is None or weakest.score is None or weakest.score >= STRONG:
        return None
    clauses = Clause.objects.filter(pk__in=weakest.criterion.clauses.values("pk"))
    rows = clauses.select_related("edition__standard").defer("text", "search").order_by("edition_id", "position")
    category = session.template.category if session.template else None
    return {
        "criterion": {"key": weakest.criterion.key, "name": weakest.criterion.name},
        "score": weakest.score,
        "grader": weakest.grade.grader,
        "reason": weakest.reason,
        "category": {"id": str(category.pk), "name": category.name} if category else None,
        "clauses": [
            {"id": str(row.pk), "number": row.number, "title": row.title, "edition": str(row.edition)} for row in rows
        ],
    }


def _weakest(session: TrainingSession) -> GradeScore | None:
    rows = GradeScore.objects.filter(grade__session=session, grade__is_current=True, score__isnull=False)
    if session.rubric_id:
        rows = rows.filter(grade__rubric_id=session.rubric_id)
    counting: dict[str, GradeScore] = {}
    for row in rows.select_related("grade", "criterion"):
        held = counting.get(row.criterion.key)
        if held is None or _rank(row) < _rank(held):
            counting[row.criterion.key] = row
    return min(counting.values(), key=_weakness, default=None)


def _rank(row: GradeScore) -> int:
    return _RANK[SessionGrade.Grader(row.grade.grader)]


def _weakness(row: GradeScore) -> tuple[int, int, int]:
    return row.score or 0, -row.criterion.weight, row.criterion.position
