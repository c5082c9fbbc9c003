"""Named reads of jobs, and who may see or change which."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Count, Min, Q
from django.db.models.fields.json import KT

from accounts.querysets import organisation_ids_of, organisation_ids_owned_by

if TYPE_CHECKING:
    from accounts.models import User

    from .models import (  # noqa: F401 - ruff does not see names in QuerySet["…"]
        Job,
        ScheduledTask,
        WebhookDelivery,
        WebhookEndpoint,
    )


class Failures(TypedDict):
    """Failed jobs of one reason. `message` is that of all of them where `messages` is 1, else of one among them."""

    code: str
    count: int
    message: str
    messages: int


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: User | AnonymousUser) -> JobQuerySet:
        """Those of one's organisations, and one's own that belong to none. Whoever leaves one leaves its jobs."""
        if not user.is_authenticated:
            return self.none()
        own = Q(actor_id=user.pk, organisation_id=None)
        return self.filter(own | Q(organisation_id__in=organisation_ids_of(user)))

    def changeable_by(self, user: User | AnonymousUser) -> JobQuerySet:
        """Those one may cancel or retry: not where one only looks on. Staff with the permission: all."""
        if not user.is_authenticated:
            return self.none()
        if user.has_perm("jobs.change_job"):
            return self
        writable = organisation_ids_of(user, may_write=True)
        return self.filter(Q(actor_id=user.pk, organisation_id=None) | Q(organisation_id__in=writable))

    def of_subject(self, subject_type: str, subject_id: UUID | str) -> JobQuerySet:
        return self.filter(subject_type=subject_type, subject_id=subject_id)

    def active(self) -> JobQuerySet:
        return self.filter(status__in=self.model.ACTIVE)

    def ended(self) -> JobQuerySet:
        return self.filter(status__in=self.model.ENDED)

    def failures(self, limit: int = 20) -> list[Failures]:
        """Why those that failed did: by code, the most frequent first. One query."""
        told = self.filter(status="failed").order_by().values(code=KT("error__code"))
        counted = told.annotate(
            count=Count("pk"), message=Min(KT("error__message")), messages=Count(KT("error__message"), distinct=True)
        )
        return [
            Failures(code=row["code"] or "", count=row["count"], message=row["message"] or "", messages=row["messages"])
            for row in counted.order_by("-count", "code")[:limit]
        ]

    def top_level(self) -> JobQuerySet:
        """Without the children of batches, which are seen on their batch's page."""
        return self.filter(batch=None)

    def without_payload(self) -> JobQuerySet:
        """For lists: leaves out what may be large."""
        return self.defer("params", "result", "channels")


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def visible_to(self, user: User | AnonymousUser) -> WebhookEndpointQuerySet:
        """Those of the organisations that one owns: an endpoint is told everything, so only owners set it."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(organisation_id__in=organisation_ids_owned_by(user))

    def listening(self, organisation_id: UUID, event_type: str) -> WebhookEndpointQuerySet:
        """Those that want to be told of this."""
        return self.listening_to(event_type).filter(organisation_id=organisation_id)

    def listening_to(self, event_type: str) -> WebhookEndpointQuerySet:
        """The same, of all organisations."""
        wanted = Q(event_types__contains=[event_type]) | Q(event_types__contains=["*"])
        return self.filter(wanted, is_active=True)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, user: User | AnonymousUser) -> WebhookDeliveryQuerySet:
        if not user.is_authenticated:
            return self.none()
        return self.filter(endpoint__organisation_id__in=organisation_ids_owned_by(user))


class ScheduledTaskQuerySet(models.QuerySet["ScheduledTask"]):
    def with_last_run(self) -> ScheduledTaskQuerySet:
        """`last_runs`: a list of the latest run, with its job, or of none. Two queries, along the index."""
        from .models import ScheduledRun, ScheduledTask

        latest = ScheduledRun.objects.filter(task=models.OuterRef("pk")).order_by("-due_at", "-pk").values("pk")[:1]
        ids = ScheduledTask.objects.annotate(last_run=models.Subquery(latest)).values("last_run")
        runs = ScheduledRun.objects.filter(pk__in=ids).select_related("job", "started_by")
        return self.prefetch_related(models.Prefetch("runs", queryset=runs, to_attr="last_runs"))
