"""Removing what has ended long ago, in bounded pieces: whoever else writes waits for one piece at most.

Never what is active, what an estimate is reckoned from, or what the latest run of a scheduled task shows. Each piece is
a transaction of its own, so a run that is cut short has done that much, and may simply run again. Redis needs none of
this: streams of events, doorbells, sessions and caches expire there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from ..models import BATCH_KIND, Job, ReceivedWebhook, ScheduledRun, ScheduledTask, WebhookDelivery
from ..querysets import JobQuerySet
from .history import LATEST

AT_ONCE = 1000

Report = Callable[[int, int, str], None]


def trim(*, report: Report, now: datetime | None = None) -> dict[str, int]:
    """How many rows of each sort were removed. Jobs come after what refers to them."""
    now = now or timezone.now()
    webhooks_before = now - timedelta(days=settings.WEBHOOKS_KEPT_DAYS)
    runs_before = now - timedelta(days=settings.SCHEDULED_RUNS_KEPT_DAYS)
    jobs_before = now - timedelta(days=settings.JOBS_KEPT_DAYS)
    sorts: list[tuple[str, Iterator[int]]] = [
        ("webhook deliveries", _pieces(old_deliveries(webhooks_before))),
        ("received webhooks", _pieces(old_received(webhooks_before))),
        ("scheduled runs", _pieces(old_runs(runs_before))),
        ("batches", _pieces_of_batches(jobs_before)),
        ("jobs", _pieces_of_jobs(jobs_before)),
        ("sessions", _pieces(Session.objects.filter(expire_date__lt=now))),
        ("tokens", _pieces(OutstandingToken.objects.filter(expires_at__lt=now))),
    ]
    removed: dict[str, int] = {}
    for number, (sort, pieces) in enumerate(sorts):
        removed[sort] = 0
        report(number, len(sorts), f"Removing old {sort}")
        for piece in pieces:
            removed[sort] += piece
            report(number, len(sorts), f"Removing old {sort}: {removed[sort]:,} so far")
    report(len(sorts), len(sorts), f"{sum(removed.values()):,} old rows removed")
    return removed


def old_deliveries(before: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(created_at__lt=before).exclude(status=WebhookDelivery.Status.PENDING)


def old_received(before: datetime) -> QuerySet[ReceivedWebhook]:
    """Not those that nothing was made of yet, however old."""
    return ReceivedWebhook.objects.filter(received_at__lt=before).exclude(status=ReceivedWebhook.Status.STORED)


def old_runs(before: datetime) -> QuerySet[ScheduledRun]:
    """Each task keeps its latest, and those whose job is at work."""
    latest = ScheduledRun.objects.filter(task=OuterRef("pk")).order_by("-due_at", "-pk").values("pk")[:1]
    kept = ScheduledTask.objects.annotate(last_run=Subquery(latest)).filter(last_run__isnull=False)
    active = Job.objects.active().filter(scheduled_run__isnull=False)
    runs = ScheduledRun.objects.filter(created_at__lt=before)
    return runs.exclude(pk__in=kept.values("last_run")).exclude(job__in=active)


def old_jobs(before: datetime, kind: str) -> JobQuerySet:
    """Ended jobs of a kind, outside batches; without the completed ones that `estimate_seconds` reads."""
    completed = Job.objects.filter(kind=kind, status=Job.Status.COMPLETED, finished_at__isnull=False)
    read = completed.order_by("-finished_at").values_list("finished_at", flat=True)[LATEST - 1 : LATEST]
    oldest_read = next(iter(read), None)
    failed = Q(status__in=(Job.Status.FAILED, Job.Status.CANCELLED))
    which = failed | Q(status=Job.Status.COMPLETED, finished_at__lt=oldest_read) if oldest_read else failed
    return _ended_alone(before).filter(which, kind=kind).exclude(pk__in=_shown_jobs())


def _ended_alone(before: datetime) -> JobQuerySet:
    return Job.objects.ended().filter(batch=None, finished_at__lt=before).exclude(kind=BATCH_KIND)


def _shown_jobs() -> QuerySet[Any, Any]:
    """What the schedule's page shows as the last run of each task."""
    runs = ScheduledRun.objects.filter(task=OuterRef("pk"), job__isnull=False).order_by("-due_at", "-pk")
    tasks = ScheduledTask.objects.annotate(last_job=Subquery(runs.values("job")[:1]))
    return tasks.filter(last_job__isnull=False).values("last_job")


def _pieces_of_jobs(before: datetime) -> Iterator[int]:
    for kind in _ended_alone(before).order_by("kind").values_list("kind", flat=True).distinct():
        yield from _pieces(old_jobs(before, kind))


def _pieces_of_batches(before: datetime) -> Iterator[int]:
    """Each batch whole: its children, then itself. Its row stays locked while a piece of them goes, so that it is not
    retried at that moment; once it is, it is no longer among these."""
    active = Job.objects.active().filter(batch=OuterRef("pk"))
    old = Job.objects.ended().filter(kind=BATCH_KIND, finished_at__lt=before).exclude(Exists(active))
    while True:
        with transaction.atomic():
            batch = old.select_for_update(skip_locked=True).only("pk").order_by("finished_at").first()
            if batch is None:
                return
            removed = _remove(Job.objects.filter(batch=batch))
            if removed < AT_ONCE:
                removed += _remove(Job.objects.filter(pk=batch.pk))
        yield removed


def _pieces(old: QuerySet[Any]) -> Iterator[int]:
    """Rows that somebody else holds are left for the next night."""
    while True:
        with transaction.atomic():
            removed = _remove(old.select_for_update(skip_locked=True, of=("self",)))
        yield removed
        if removed < AT_ONCE:
            return


def _remove(rows: QuerySet[Any]) -> int:
    """In the caller's transaction; the ORM's delete, for references to the rows are set to null by it."""
    model: type[Model] = rows.model
    keys = list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE])
    model._default_manager.filter(pk__in=keys).delete()
    return len(keys)
