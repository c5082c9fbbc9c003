"""Putting right what a crash, a lost doorbell or a flushed Redis left behind. Safe to run twice at once: every step
is conditional."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from . import doorbell
from .connections import RedisError
from .exceptions import WorkerLost
from .models import BATCH_KIND, Job
from .runner import take_back
from .services import batches, lifecycle, processes

log = structlog.get_logger(__name__)

# A queued row this old should have been claimed, if a worker was free: ring again.
OVERDUE = timedelta(seconds=1)
LOST = "The worker that ran this job stopped answering (killed, or cut off)."


@dataclass
class Swept:
    """What one sweep did."""

    retries_released: int = 0
    taken_back: int = 0
    rung: int = 0
    batches_settled: int = 0
    processes_forgotten: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


def sweep(now: datetime | None = None) -> Swept:
    """One round: release due retries, take back jobs whose lease ran out, ring for overdue rows, end finished
    batches."""
    now = now or timezone.now()
    swept = Swept()
    for job_id, attempt, kind in lifecycle.lapsed(now=now):
        swept.taken_back += take_back(job_id, attempt, kind, error=WorkerLost(LOST), now=now) is not None
    released = lifecycle.release_due(now=now)
    swept.retries_released = len(released)
    swept.rung = _ring_overdue(now, {queue for queue, _, _ in released})
    batches.settle_owed()
    swept.batches_settled = _settle_batches()
    swept.processes_forgotten = processes.forget_dead(now=now)
    if swept:
        log.info("swept", **asdict(swept))
    return swept


def _ring_overdue(now: datetime, released_in: set[str]) -> int:
    """One doorbell per queue that has work due and no doorbell waiting: workers drain a queue, not a row."""
    rung = 0
    for queue in Job.Queue.values:
        queued = Job.objects.filter(queue=queue, status=Job.Status.QUEUED)
        if queue not in released_in:
            queued = queued.filter(created_at__lt=now - OVERDUE)
        due = queued.filter(Q(scheduled_for=None) | Q(scheduled_for__lte=now))
        first = due.order_by("-priority", "created_at").only("id", "attempt").first()
        try:
            if first is not None and not doorbell.waiting(queue):
                rung += doorbell.ring(queue, job_id=first.id, attempt=first.attempt)
        except (RedisError, OSError):
            return rung  # the next round asks again; workers without Redis look at the table by themselves
    return rung


def _settle_batches() -> int:
    """Batches whose last child ended in a worker that died before it could say so."""
    active = Job.objects.filter(batch=OuterRef("pk"), status__in=Job.ACTIVE)
    running = Job.objects.filter(kind=BATCH_KIND, status=Job.Status.RUNNING, created_at__lt=timezone.now() - OVERDUE)
    ids = list(running.filter(~Exists(active)).values_list("pk", flat=True)[:100])
    for batch_id in ids:
        batches.settle(batch_id)
    return len(ids)
