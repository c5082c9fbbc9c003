"""What people look at of sources: how much each holds, how its last runs went, when the next one is due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from jobs.models import Job, ScheduledTask

from ..models import Import, Rejection, Source, Tender
from . import fetching, uploads
from .removing import REMOVE

if TYPE_CHECKING:
    from accounts.models import User

SCHEDULE = "sync-tenders"
_KINDS = (fetching.SYNC, uploads.IMPORT, REMOVE)


def sources_of(user: User) -> QuerySet[Source]:
    """Those that the user may see, by name, each with `tenders_count`, `open_rejections`, and of its newest import
    `newest_at`, `newest_status`, `newest_error`. One query."""
    newest = Import.objects.filter(source=OuterRef("pk")).order_by("-started_at")
    return (
        Source.objects.visible_to(user)
        .select_related("organisation")
        .annotate(
            tenders_count=_count(Tender.objects.filter(source=OuterRef("pk"))),
            open_rejections=_count(Rejection.objects.filter(source=OuterRef("pk"), mended_at=None)),
            newest_at=Subquery(newest.values("started_at")[:1]),
            newest_status=Subquery(newest.values("status")[:1]),
            newest_error=Subquery(newest.values("error")[:1]),
        )
        .order_by("name", "pk")
    )


def _count(rows: QuerySet[Tender] | QuerySet[Rejection]) -> Coalesce:
    """By subquery: joined, tenders and rejections would multiply each other."""
    counted = rows.order_by().values("source").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def next_run_at() -> datetime | None:
    """When scheduled sources are fetched next. None: the schedule is paused, or no scheduler has run yet."""
    task = ScheduledTask.objects.filter(name=SCHEDULE, is_listed=True, is_paused=False).first()
    return task.next_due_at if task else None


def jobs_under_way(source_ids: Iterable[UUID], *, user: User) -> dict[UUID, Job]:
    """The job that reads, fetches or removes each source just now, where there is one that the user may see."""
    jobs = Job.objects.visible_to(user).filter(
        subject_type="tender_source", subject_id__in=list(source_ids), kind__in=_KINDS, status__in=Job.ACTIVE
    )
    return {job.subject_id: job for job in jobs.order_by("created_at") if job.subject_id}
