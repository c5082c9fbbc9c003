"""Every transition of a job, each one conditional UPDATE: whoever comes second changes nothing and is told so.

A worker's writes carry `attempt = token AND status = 'running'` (the fence). None of these functions runs a handler
or waits.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, router, transaction
from django.utils import timezone

from ..exceptions import LeaseLost
from ..models import Job
from ..querysets import JobQuerySet
from .aftermath import ended_badly, ended_well
from .claiming import claim_next as claim_next
from .claiming import claim_one as claim_one
from .claiming import lease_from

Backoff = tuple[float, float]  # seconds: shortest, longest
State = dict[str, Any]  # fields of the row that hold the progress


def held(job_id: UUID, attempt: int) -> JobQuerySet:
    """The row, if this attempt still holds it: the fence."""
    return Job.objects.filter(pk=job_id, attempt=attempt, status=Job.Status.RUNNING)


def fenced_update(job_id: UUID, attempt: int, values: dict[str, Any], *, returning: str = "*") -> Job | None:
    """The one statement behind every write of a worker: change the row if this attempt still holds it, and return it.

    The ORM has no UPDATE … RETURNING; two statements here would double what a short job costs. `values` by field name.
    """
    using = router.db_for_write(Job)
    fields = {field.name: field for field in Job._meta.concrete_fields}
    prepared = [fields[name].get_db_prep_save(value, connections[using]) for name, value in values.items()]
    assignments = ", ".join(f'"{fields[name].column}" = %s' for name in values)
    held_by_us = "WHERE id = %s AND attempt = %s AND status = 'running'"
    sql = f"UPDATE jobs_job SET {assignments} {held_by_us} RETURNING {returning}"  # noqa: S608 - our own names
    rows = list(Job.objects.raw(sql, [*prepared, job_id, attempt], using=using))
    return rows[0] if rows else None


def beat(*, job_id: UUID, attempt: int, state: State | None = None) -> bool:
    """Extend the lease and store the progress; True: somebody asked for the job to be cancelled. Raises LeaseLost."""
    now = timezone.now()
    values = {"heartbeat_at": now, "lease_until": lease_from(now), **(state or {})}
    job = fenced_update(job_id, attempt, values, returning="id, cancel_requested_at")
    if job is None:
        raise LeaseLost(f"Attempt {attempt} of job {job_id} was taken back.")
    return job.cancel_requested_at is not None


def lock_held(*, job_id: UUID, attempt: int) -> Job:
    """Lock the row for the rest of the transaction, if this attempt still holds it. Raises LeaseLost.

    While the lock is held the sweeper skips the row, so a long transaction needs no heartbeat.
    """
    job = held(job_id, attempt).select_for_update().first()
    if job is None:
        raise LeaseLost(f"Attempt {attempt} of job {job_id} was taken back.")
    return job


def complete(*, job_id: UUID, attempt: int, result: Any, state: State | None = None) -> Job | None:
    """running → completed; None when the fence fails. `state`: the last progress, stored along."""
    values = {"status": Job.Status.COMPLETED, "result": result, "progress": 100}
    return ended_well(lambda: _end(job_id, attempt, (state or {}) | values))


def completed_by(*, job_id: UUID, attempt: int) -> Job | None:
    """The job, if it is completed, and by this very attempt."""
    return Job.objects.filter(pk=job_id, attempt=attempt, status=Job.Status.COMPLETED).first()


def fail(*, job_id: UUID, attempt: int, error: dict[str, Any], state: State | None = None) -> Job | None:
    """running → failed; None when the fence fails."""
    values = {"status": Job.Status.FAILED, "error": error}
    return ended_badly(lambda: _end(job_id, attempt, (state or {}) | values))


def confirm_cancelled(*, job_id: UUID, attempt: int, state: State | None = None) -> Job | None:
    """running → cancelled; None when the fence fails."""
    return ended_badly(lambda: _end(job_id, attempt, (state or {}) | {"status": Job.Status.CANCELLED}))


def cancel_waiting(*, job_id: UUID) -> Job | None:
    """queued, retrying → cancelled; None when it is in no such state (any more)."""

    def write() -> Job | None:
        waiting = Job.objects.filter(pk=job_id, status__in=(Job.Status.QUEUED, Job.Status.RETRYING))
        values = {"status": Job.Status.CANCELLED, "finished_at": timezone.now(), "next_retry_at": None}
        return Job.objects.get(pk=job_id) if waiting.update(**values) else None

    return ended_badly(write)


def _end(job_id: UUID, attempt: int, values: State) -> Job | None:
    ended = {"finished_at": timezone.now(), "lease_until": None, "eta_s": None}
    return fenced_update(job_id, attempt, values | ended)


def retry_later(
    *,
    job_id: UUID,
    attempt: int,
    error: dict[str, Any],
    backoff_s: Backoff,
    state: State | None = None,
    at_least_s: float = 0,
) -> Job | None:
    """running → retrying, if a retry is left, else failed; None when the fence fails. Waits `at_least_s` seconds,
    whatever the backoff."""
    with transaction.atomic():
        job = held(job_id, attempt).select_for_update().first()
        return _retry_or_end(job, error, backoff_s, state or {}, at_least_s) if job else None


def take_back(*, job_id: UUID, attempt: int, now: datetime, error: dict[str, Any], backoff_s: Backoff) -> Job | None:
    """The same for a job whose worker is gone; None when it has reported meanwhile, or is just being finished.

    A row that had not been begun (`started_at` is empty: it waited for others claimed with it) goes back to the queue
    and the claim does not count as an attempt. The next one counts, for it takes the row alone.
    """
    with transaction.atomic():
        job = held(job_id, attempt).filter(lease_until__lt=now).select_for_update(skip_locked=True).first()
        if job is None:
            return None
        return _retry_or_end(job, error, backoff_s, {}) if job.started_at else _queue_again(job)


def hand_back(*, job_id: UUID, attempt: int) -> Job | None:
    """running → queued, for a worker that is told to stop: the claim does not count as an attempt. Cancelled instead,
    if that was asked for. None when the fence fails."""
    with transaction.atomic():
        job = held(job_id, attempt).select_for_update().first()
        return _queue_again(job) if job else None


def _queue_again(job: Job) -> Job | None:
    """On a locked row."""
    if job.cancel_requested_at:
        return confirm_cancelled(job_id=job.id, attempt=job.attempt)
    values = {"status": Job.Status.QUEUED, "attempts_before": job.attempts_before + 1, "started_at": None}
    gone = {"lease_until": None, "worker_id": None, "progress": 0, "done": 0, "current_step": "", "eta_s": None}
    return fenced_update(job.id, job.attempt, values | gone)


def _retry_or_end(
    job: Job, error: dict[str, Any], backoff_s: Backoff, state: State, at_least_s: float = 0
) -> Job | None:
    """On a locked row."""
    if job.cancel_requested_at:
        return confirm_cancelled(job_id=job.id, attempt=job.attempt, state=state)
    if job.retries_used >= job.max_retries:
        return fail(job_id=job.id, attempt=job.attempt, error=error, state=state)
    due = timezone.now() + timedelta(seconds=max(at_least_s, backoff(job.retries_used + 1, backoff_s)))
    waiting = {"status": Job.Status.RETRYING, "error": error, "next_retry_at": due, "lease_until": None}
    return fenced_update(job.id, job.attempt, state | waiting | {"eta_s": None})


def backoff(retry: int, bounds_s: Backoff) -> float:
    """Seconds before the n-th retry (from 1): drawn evenly between the shortest wait and an upper bound that doubles
    each time, up to the longest. The jitter keeps jobs that failed together from coming back together."""
    shortest, longest = bounds_s
    return random.uniform(shortest, min(longest, shortest * 2.0**retry))  # noqa: S311 - not a secret


def release_due(*, now: datetime) -> list[tuple[str, UUID, int]]:
    """retrying → queued for those whose wait is over: (queue, id, attempt) of each. Two schedulers share them between
    them."""
    with transaction.atomic():
        due = Job.objects.filter(status=Job.Status.RETRYING, next_retry_at__lte=now)
        rows = list(due.select_for_update(skip_locked=True).values_list("queue", "id", "attempt")[:1000])
        ids = [row[1] for row in rows]
        # heartbeat_at: it waits from now on, not since its last attempt, which may be hours ago (queue-old would lie).
        released = {"status": Job.Status.QUEUED, "next_retry_at": None, "heartbeat_at": now}
        Job.objects.filter(pk__in=ids, status=Job.Status.RETRYING).update(**released)
    return rows


def lapsed(*, now: datetime, limit: int = 500) -> list[tuple[UUID, int, str]]:
    """(id, attempt, kind) of running jobs whose lease has run out. Batches have no lease."""
    rows = Job.objects.filter(status=Job.Status.RUNNING, lease_until__lt=now)
    return list(rows.order_by("lease_until").values_list("id", "attempt", "kind")[:limit])
