"""The nightly tidying: calls whose process ended without a word, answers that are no longer kept, old rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from ..models import ModelBatch, ModelCall, ProviderPause, SpendingDay

AT_ONCE = 1000
LOST_AFTER = timedelta(hours=6)  # no question takes so long, its waits included

Report = Callable[[int, int, str], None]


def trim(*, report: Report, now: datetime | None = None) -> dict[str, int]:
    """How many rows of each sort. In pieces: whoever else writes waits for one piece at most; may simply run again."""
    now = now or timezone.now()
    before = now - timedelta(days=settings.AI_CALLS_KEPT_DAYS)
    report(0, 3, "Looking for calls that were lost")
    running = ModelCall.objects.filter(status=ModelCall.Status.RUNNING, created_at__lt=now - LOST_AFTER)
    running = running.exclude(batch__status__in=(ModelBatch.Status.SUBMITTING, ModelBatch.Status.UNDER_WAY))
    lost = running.update(
        status=ModelCall.Status.LOST,
        error_code="lost",
        error="Its process ended without a word. The cost is an estimate.",
        finished_at=now,
    )
    report(1, 3, "Removing answers that are no longer kept")
    expired = _emptied(ModelCall.objects.filter(cached_until__lte=now))
    report(2, 3, "Removing old calls")
    removed = _removed(ModelCall.objects.filter(created_at__lt=before).exclude(status=ModelCall.Status.RUNNING))
    SpendingDay.objects.filter(day__lt=before.date()).delete()
    ProviderPause.objects.filter(ended_at__lt=before).delete()
    ModelBatch.objects.filter(submitted_at__lt=before).delete()
    report(3, 3, f"{removed:,} old calls removed")
    return {"lost": lost, "expired": expired, "removed": removed}


def _emptied(rows: QuerySet[ModelCall]) -> int:
    done = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        done += ModelCall.objects.filter(pk__in=keys).update(result=None, cached_until=None)
    return done


def _removed(rows: QuerySet[ModelCall]) -> int:
    done = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:AT_ONCE]):
        done += ModelCall.objects.filter(pk__in=keys).delete()[0]
    return done
