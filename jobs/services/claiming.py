"""Taking queued rows for this process, many in one statement, and giving back those that it did not begin."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, models, router
from django.db.models import Q
from django.utils import timezone

from .. import tuning
from ..models import Job

# The top rows of the queue are locked in order, and taken up to the first that has to be run alone; if that is the very
# first, it is taken by itself. Rows of a kind that runs many at a time are taken as far as there are places.
# `started_at` stays empty in rows that wait for others taken with them: they do not count as an attempt if this process
# dies. The planner must not repeat the locking SELECT, hence MATERIALIZED.
CLAIM = """
WITH top AS MATERIALIZED (
    SELECT id, kind, attempt, priority, created_at FROM jobs_job
    WHERE status = 'queued' AND {which} AND (scheduled_for IS NULL OR scheduled_for <= %(now)s)
    ORDER BY priority DESC, created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), sorted AS (
    SELECT top.id, wide.places IS NOT NULL AS is_wide,
           wide.places IS NULL AND NOT (top.attempt = 0 AND top.kind = ANY(%(brief)s::text[])) AS is_alone,
           row_number() OVER in_order AS place,
           row_number() OVER (PARTITION BY top.kind ORDER BY top.priority DESC, top.created_at) <= wide.places AS fits
    FROM top LEFT JOIN unnest(%(wide)s::text[], %(places)s::int[]) AS wide (kind, places) ON wide.kind = top.kind
    WINDOW in_order AS (ORDER BY top.priority DESC, top.created_at)
), chosen AS (
    SELECT id, place, is_wide, is_alone, count(*) FILTER (WHERE is_alone) OVER (ORDER BY place) AS alone_so_far
    FROM sorted WHERE fits IS NOT FALSE
)
UPDATE jobs_job SET status = 'running', attempt = attempt + 1, lease_until = %(lease)s, worker_id = %(worker)s,
       started_at = CASE WHEN is_wide OR is_alone OR %(limit)s = 1 THEN %(now)s::timestamptz END,
       heartbeat_at = %(now)s, next_retry_at = NULL, finished_at = NULL, error = NULL
FROM chosen WHERE jobs_job.id = chosen.id AND (alone_so_far = 0 OR (place = 1 AND is_alone))
RETURNING {columns}
"""
GIVE_BACK = """
UPDATE jobs_job SET status = 'queued', attempts_before = attempts_before + 1, started_at = NULL, lease_until = NULL,
       worker_id = NULL
FROM unnest(%(ids)s::uuid[], %(attempts)s::int[]) AS held (id, attempt)
WHERE jobs_job.id = held.id AND jobs_job.attempt = held.attempt AND jobs_job.status = 'running'
RETURNING jobs_job.id, queue, cancel_requested_at IS NOT NULL
"""

_fields = Job._meta.concrete_fields
_names = [field.attname for field in _fields]
_columns = ", ".join(f'jobs_job."{field.column}"' for field in _fields)
_json = [number for number, field in enumerate(_fields) if isinstance(field, models.JSONField)]


def lease_from(now: datetime) -> datetime:
    return now + timedelta(seconds=tuning.LEASE_S)


def claim_next(*, queue: str) -> Job | None:
    """Take the queue's most urgent, then oldest, queued job that is due; None: there is none.

    Two workers never get the same row: the inner SELECT locks it and others skip it.
    """
    return next(iter(claim_many(queue=queue, limit=1)), None)


def claim_one(*, job_id: UUID) -> Job | None:
    """Take this very job; None: it is not queued (any more), or not due."""
    return next(iter(_claim("id = %(job_id)s", job_id=job_id)), None)


def claim_many(
    *,
    queue: str,
    limit: int,
    brief: Sequence[str] = (),
    places: Mapping[str, int] | None = None,
    without: Sequence[str] = (),
    worker_id: UUID | None = None,
) -> list[Job]:
    """Take up to `limit` jobs of the queue, most urgent first: those of `brief` kinds that were never claimed before
    and those of kinds with free `places`, up to the first that is neither; that one only if it comes first, and then
    alone. `without`: kinds that are passed over.
    """
    which = "queue = %(queue)s" + (" AND kind <> ALL(%(without)s::text[])" if without else "")
    jobs = _claim(
        which,
        queue=queue,
        limit=limit,
        brief=list(brief),
        places=places or {},
        without=list(without),
        worker_id=worker_id,
    )
    return sorted(jobs, key=lambda job: (-job.priority, job.created_at)) if len(jobs) > 1 else jobs


def claim_of_kinds(*, queue: str, kinds: Sequence[str], worker_id: UUID | None = None) -> Job | None:
    """Take the most urgent job of these kinds."""
    which = "queue = %(queue)s AND kind = ANY(%(kinds)s::text[])"
    return next(iter(_claim(which, queue=queue, kinds=list(kinds), worker_id=worker_id)), None)


def is_any_due(*, queue: str, kinds: Sequence[str]) -> bool:
    """Is a job of these kinds waiting to be claimed?"""
    queued = Job.objects.filter(queue=queue, status=Job.Status.QUEUED, kind__in=kinds)
    return queued.filter(Q(scheduled_for=None) | Q(scheduled_for__lte=timezone.now())).exists()


def _claim(
    which: str,
    *,
    limit: int = 1,
    brief: list[str] | None = None,
    places: Mapping[str, int] | None = None,
    worker_id: UUID | None = None,
    **params: Any,
) -> list[Job]:
    now, using = timezone.now(), router.db_for_write(Job)
    wide = places or {}
    values = params | {"now": now, "lease": lease_from(now), "limit": limit, "worker": worker_id}
    values |= {"brief": brief or [], "wide": list(wide), "places": list(wide.values())}
    with connections[using].cursor() as cursor:
        cursor.execute(CLAIM.format(which=which, columns=_columns), values)
        return [_job(using, row) for row in cursor.fetchall()]


def _job(using: str, row: Sequence[Any]) -> Job:
    """As the ORM would load it, without its compiler: half of what a claim cost."""
    values = list(row)
    for number in _json:
        if values[number] is not None:
            values[number] = json.loads(values[number])
    return Job.from_db(using, _names, values)


def give_back(*, held: Sequence[tuple[UUID, int]]) -> list[tuple[UUID, str, bool]]:
    """running → queued for rows (id, attempt) that were claimed and never begun: that claim counts as no attempt.
    (id, queue, was its cancellation asked for?) of each that was still held."""
    values: dict[str, Any] = {"ids": [one[0] for one in held], "attempts": [one[1] for one in held]}
    with connections[router.db_for_write(Job)].cursor() as cursor:
        cursor.execute(GIVE_BACK, values)
        return list(cursor.fetchall())
