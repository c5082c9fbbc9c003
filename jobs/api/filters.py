"""What lists of jobs can be narrowed to."""

from __future__ import annotations

from uuid import UUID

import django_filters
from django.db.models import QuerySet

from ..models import Job, WebhookDelivery


class JobFilter(django_filters.FilterSet):
    """`?status=` may be given several times; `active=true` is queued, running or retrying; `subject=project:{id}`."""

    status = django_filters.MultipleChoiceFilter(choices=Job.Status.choices)
    subject = django_filters.CharFilter(method="by_subject", label="type:id, for example project:{uuid}")
    batch = django_filters.UUIDFilter(field_name="batch_id")
    active = django_filters.BooleanFilter(method="by_activity", label="Not yet ended")
    code = django_filters.CharFilter(field_name="error__code", label="Why it failed: the code of its error")

    class Meta:
        model = Job
        fields = ["kind", "queue"]

    def by_subject(self, jobs: QuerySet[Job], name: str, value: str) -> QuerySet[Job]:
        subject_type, _, subject_id = value.partition(":")
        try:
            return jobs.filter(subject_type=subject_type, subject_id=UUID(subject_id))
        except ValueError:
            return jobs.none()

    def by_activity(self, jobs: QuerySet[Job], name: str, value: bool) -> QuerySet[Job]:
        return jobs.filter(status__in=Job.ACTIVE if value else Job.ENDED)


class DeliveryFilter(django_filters.FilterSet):
    """`?status=` may be given several times."""

    endpoint = django_filters.UUIDFilter(field_name="endpoint_id")
    status = django_filters.MultipleChoiceFilter(choices=WebhookDelivery.Status.choices)

    class Meta:
        model = WebhookDelivery
        fields = ["event_type"]


class BatchFilter(django_filters.FilterSet):
    """`?status=running` and `active=true`, as of jobs."""

    status = django_filters.MultipleChoiceFilter(choices=Job.Status.choices)
    active = django_filters.BooleanFilter(method="by_activity", label="Not yet ended")

    class Meta:
        model = Job
        fields: list[str] = []

    def by_activity(self, batches: QuerySet[Job], name: str, value: bool) -> QuerySet[Job]:
        return batches.filter(status__in=Job.ACTIVE if value else Job.ENDED)
