"""Filters of the API of training calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_filters as filters
from django.utils import timezone

from accounts.pages import actor_of

from ..models import Assignment, TrainingSession

PERIODS = {"7d": 7, "30d": 30, "90d": 90}


class SessionFilter(filters.FilterSet):
    mine = filters.BooleanFilter(method="by_mine", label="One's own, also of those who coach")
    to_review = filters.BooleanFilter(method="by_waiting", label="Those that wait for a coach, longest waiting first")
    closed = filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull", exclude=True, label="Reviewed or not")
    organisation = filters.UUIDFilter(field_name="organisation_id", label="Id of the organisation")
    user = filters.UUIDFilter(field_name="user_id", label="Id of the learner")
    template = filters.UUIDFilter(field_name="template_id", label="Id of the template")
    assignment = filters.UUIDFilter(field_name="assignment_id", label="Id of the assignment")
    status = filters.ChoiceFilter(choices=TrainingSession.Status.choices)
    period = filters.ChoiceFilter(
        choices=[(name, f"The last {days} days") for name, days in PERIODS.items()], method="by_period",
        label="When it came in",
    )  # fmt: skip
    since = filters.DateFilter(field_name="created_at", lookup_expr="date__gte", label="Came in on this day or later")
    until = filters.DateFilter(field_name="created_at", lookup_expr="date__lte", label="Came in on this day or before")

    class Meta:
        model = TrainingSession
        fields = [
            "mine", "to_review", "closed", "organisation", "user", "template", "assignment", "status", "period",
            "since", "until",
        ]  # fmt: skip

    def by_mine(self, rows: Any, name: str, value: bool) -> Any:
        mine = {"user_id": actor_of(self.request).pk}
        return rows.filter(**mine) if value else rows.exclude(**mine)

    def by_waiting(self, rows: Any, name: str, value: bool) -> Any:
        return rows.to_review() if value else rows

    def by_period(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(created_at__gte=timezone.now() - timedelta(days=PERIODS[value]))


class AssignmentFilter(filters.FilterSet):
    mine = filters.BooleanFilter(method="by_mine", label="One's own, also of those who coach")
    open = filters.BooleanFilter(method="by_open", label="Neither completed nor withdrawn, or one of both")
    overdue = filters.BooleanFilter(method="by_overdue", label="Open, and its day has passed")
    user = filters.UUIDFilter(field_name="user_id", label="Id of the learner")
    template = filters.UUIDFilter(field_name="template_id", label="Id of the template")
    organisation = filters.UUIDFilter(field_name="organisation_id", label="Id of the organisation")

    class Meta:
        model = Assignment
        fields = ["mine", "open", "overdue", "user", "template", "organisation"]

    def by_mine(self, rows: Any, name: str, value: bool) -> Any:
        mine = {"user_id": actor_of(self.request).pk}
        return rows.filter(**mine) if value else rows.exclude(**mine)

    def by_open(self, rows: Any, name: str, value: bool) -> Any:
        return rows.open() if value else rows.exclude(completed_at__isnull=True, withdrawn_at__isnull=True)

    def by_overdue(self, rows: Any, name: str, value: bool) -> Any:
        late = rows.open().filter(due_at__lte=timezone.now())
        return late if value else rows.exclude(pk__in=late.values("pk"))
