"""The cached aggregates of a project, counted in SQL wherever one of them may have changed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from ..models import Position
from ..models.findings import Grade
from ..querysets import PositionQuerySet

GRADED = (Grade.GREEN, Grade.AMBER, Grade.RED)
# The project's fields that hold them.
COUNTED = ("total_positions", "total_cost", "money_at_stake", *(f"count_{grade}" for grade in Grade))


def current_counts(*, project_id: UUID) -> dict[str, Any]:
    """Of the current positions, by the project's own field names. One no audit has seen counts as not checked."""
    return _with_rest(_current([project_id]).aggregate(**_aggregates()))


def counts_of_many(*, project_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """The same of each of these projects, in one statement; zeros for one that has no positions."""
    rows: Any = _current(project_ids).order_by().values("project_id").annotate(**_aggregates())
    nothing: dict[str, Any] = dict.fromkeys(COUNTED, 0)
    return dict.fromkeys(project_ids, nothing) | {row.pop("project_id"): _with_rest(row) for row in rows}


def by_grade(counts: dict[str, Any]) -> dict[str, int]:
    """`{"green": 3, …}` of what `current_counts` gave."""
    return {str(grade): counts[f"count_{grade}"] for grade in Grade}


def _current(project_ids: Sequence[UUID]) -> PositionQuerySet:
    return Position.objects.filter(project_id__in=project_ids, removed_in__isnull=True)


def _aggregates() -> dict[str, Any]:
    return {
        "total_positions": Count("id"),
        "total_cost": Sum("total", filter=~Q(billing__in=Position.UNCOUNTED_BILLINGS), default=Decimal(0)),
        "money_at_stake": Sum("verdict__money_at_stake", default=Decimal(0)),
        **{f"count_{grade}": Count("id", filter=Q(verdict__grade=grade)) for grade in GRADED},
    }


def _with_rest(counts: Any) -> dict[str, Any]:
    graded = sum(counts[f"count_{grade}"] for grade in GRADED)
    return {**counts, "count_not_checked": counts["total_positions"] - graded}
