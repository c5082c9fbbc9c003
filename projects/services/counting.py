"""The cached aggregates of a project, counted in SQL wherever one of them may have changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from ..models import Position
from ..models.findings import Grade

GRADED = (Grade.GREEN, Grade.AMBER, Grade.RED)


def current_counts(*, project_id: UUID) -> dict[str, Any]:
    """Of the current positions, by the project's own field names. One no audit has seen counts as not checked."""
    counts: dict[str, Any] = Position.objects.filter(project_id=project_id, removed_in__isnull=True).aggregate(
        total_positions=Count("id"),
        total_cost=Sum("total", filter=~Q(billing__in=Position.UNCOUNTED_BILLINGS), default=Decimal(0)),
        money_at_stake=Sum("verdict__money_at_stake", default=Decimal(0)),
        **{f"count_{grade}": Count("id", filter=Q(verdict__grade=grade)) for grade in GRADED},
    )
    graded = sum(counts[f"count_{grade}"] for grade in GRADED)
    return counts | {"count_not_checked": counts["total_positions"] - graded}


def by_grade(counts: dict[str, Any]) -> dict[str, int]:
    """`{"green": 3, …}` of what `current_counts` gave."""
    return {str(grade): counts[f"count_{grade}"] for grade in Grade}
