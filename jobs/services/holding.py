"""What a worker writes about many of its rows at once: that it still holds them, and that they are completed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connections, router
from django.utils import timezone

from ..models import Job
from .claiming import lease_from

Held = tuple[UUID, int]  # id, attempt

# A row that is locked is just being finished, by this very process: it needs no longer lease, and waiting for it would
# let the others' run out.
BEAT = """
UPDATE jobs_job SET heartbeat_at = %(now)s, lease_until = %(lease)s
WHERE id IN (
    SELECT job.id FROM jobs_job AS job
    JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt) USING (id)
    WHERE job.attempt = held.attempt AND job.status = 'running' FOR UPDATE OF job SKIP LOCKED
)
RETURNING id, cancel_requested_at IS NOT NULL
"""
STILL_HELD = """
SELECT job.id FROM jobs_job AS job JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt) USING (id)
WHERE job.attempt = held.attempt AND job.status = %(status)s
"""
# Locked in the order of their ids, as whoever asks for the cancellation of many does: else each could wait for the
# other.
COMPLETE = """
WITH held AS MATERIALIZED (
    SELECT job.id, ending.result, ending.started_at, ending.finished_at FROM jobs_job AS job
    JOIN unnest(%(ids)s::uuid[], %(attempts)s::int[], %(results)s::text[], %(started)s::timestamptz[],
                %(finished)s::timestamptz[]) AS ending (id, attempt, result, started_at, finished_at) USING (id)
    WHERE job.attempt = ending.attempt AND job.status = 'running' ORDER BY job.id FOR UPDATE OF job
)
UPDATE jobs_job SET status = 'completed', progress = 100, result = held.result::jsonb, lease_until = NULL,
       eta_s = NULL, started_at = held.started_at, heartbeat_at = held.finished_at, finished_at = held.finished_at
FROM held WHERE jobs_job.id = held.id RETURNING jobs_job.id
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """A completion that is to be written. `result`: JSON, None for null."""

    job_id: UUID
    attempt: int
    result: str | None
    started_at: datetime
    finished_at: datetime


def beat_many(*, held: Sequence[Held]) -> tuple[set[UUID], set[UUID]]:
    """Extend the leases of the rows; (those that are lost, those whose cancellation is asked for)."""
    now = timezone.now()
    values = _arrays(held) | {"now": now, "lease": lease_from(now)}
    with connections[router.db_for_write(Job)].cursor() as cursor:
        cursor.execute(BEAT, values)
        rows = cursor.fetchall()
    kept = {row[0] for row in rows}
    missing = [one for one in held if one[0] not in kept]
    lost = {job_id for job_id, _ in missing} - held_as(held=missing, status=Job.Status.RUNNING) if missing else set()
    return lost, {row[0] for row in rows if row[1]}


def held_as(*, held: Sequence[Held], status: str) -> set[UUID]:
    """Which of these attempts are the latest of their jobs, and in this state."""
    with connections[router.db_for_write(Job)].cursor() as cursor:
        cursor.execute(STILL_HELD, _arrays(held) | {"status": str(status)})
        return {row[0] for row in cursor.fetchall()}


def complete_many(*, endings: Sequence[Ending]) -> set[UUID]:
    """running → completed, in one statement; the ids of those that their attempt still held."""
    values = _arrays((one.job_id, one.attempt) for one in endings) | {
        "results": [one.result for one in endings],
        "started": [one.started_at for one in endings],
        "finished": [one.finished_at for one in endings],
    }
    with connections[router.db_for_write(Job)].cursor() as cursor:
        cursor.execute(COMPLETE, values)
        return {row[0] for row in cursor.fetchall()}


def _arrays(held: Iterable[Held]) -> dict[str, Any]:
    pairs = list(held)
    return {"ids": [job_id for job_id, _ in pairs], "attempts": [attempt for _, attempt in pairs]}
