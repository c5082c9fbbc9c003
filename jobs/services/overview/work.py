"""The table of jobs: what waits, what runs, what failed, how much gets done. Every statement follows an index that is
there for others already (claims, leases, failures, history)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from ...models import BATCH_KIND, Job, Process
from ...registry import kinds, title_of
from ..processes import ALIVE_WITHIN
from .guarded import rows_of
from .shapes import FailureGroup, Failures, Minute, ProcessState, QueueState, RunningJob, Work

RUNNING_SHOWN = 20
PROCESSES_SHOWN = 100
GROUPED = 1000  # the code is inside a JSON document with a traceback: reading more of them costs
GROUPS_SHOWN = 20
MINUTES = 60
RATE_WINDOW = timedelta(minutes=2)

# Due since: when it was asked for, or scheduled for, released for its retry, or last heard of. A job that a person
# asked for again (no attempt since) does not tell when that was, and is left out of the age.
STATES = """
SELECT queue, status, count(*),
       count(*) FILTER (WHERE status = 'queued' AND scheduled_for > %(now)s),
       min(greatest(created_at, scheduled_for, heartbeat_at))
           FILTER (WHERE status = 'queued' AND (scheduled_for IS NULL OR scheduled_for <= %(now)s)
                         AND (attempt = 0 OR attempt > attempts_before)),
       count(*) FILTER (WHERE status = 'running' AND lease_until < %(now)s)
FROM jobs_job WHERE status IN ('queued', 'running', 'retrying') AND kind <> %(batch)s
GROUP BY queue, status
"""
RATES = """
SELECT queue, count(*) FROM jobs_job
WHERE status = 'completed' AND kind = ANY(%(kinds)s) AND finished_at >= %(since)s GROUP BY queue
"""
FAILED = """
SELECT count(*) FILTER (WHERE finished_at >= %(hour)s),
       count(*) FILTER (WHERE finished_at >= %(two_hours)s AND finished_at < %(hour)s),
       count(*)
FROM jobs_job WHERE status = 'failed' AND finished_at >= %(day)s AND kind <> %(batch)s
"""
GROUPS = """
SELECT kind, code, count(*), max(finished_at), (array_agg(id ORDER BY finished_at DESC))[1],
       (array_agg(message ORDER BY finished_at DESC))[1], sum(count(*)) OVER ()
FROM (
    SELECT kind, coalesce(error->>'code', '') AS code, left(error->>'message', 300) AS message, finished_at, id
    FROM jobs_job WHERE status = 'failed' AND finished_at >= %(day)s AND kind <> %(batch)s
    ORDER BY finished_at DESC LIMIT %(grouped)s
) latest
GROUP BY kind, code ORDER BY count(*) DESC, max(finished_at) DESC LIMIT %(shown)s
"""
PER_MINUTE = """
SELECT date_trunc('minute', finished_at, 'UTC'), count(*) FILTER (WHERE status = 'completed'),
       count(*) FILTER (WHERE status = 'failed')
FROM (
    SELECT finished_at, status FROM jobs_job
    WHERE status = 'completed' AND kind = ANY(%(kinds)s) AND finished_at >= %(since)s
    UNION ALL
    SELECT finished_at, status FROM jobs_job
    WHERE status = 'failed' AND kind <> %(batch)s AND finished_at >= %(since)s
) ended GROUP BY 1
"""


def work() -> Work:
    now = timezone.now()
    queues: dict[str, dict[str, float]] = {name: {} for name in Job.Queue.values}
    overdue = 0
    for queue, status, count, later, since, lapsed in rows_of(STATES, {"now": now, "batch": BATCH_KIND}):
        of = queues.setdefault(queue, {})
        of[status] = count
        overdue += lapsed
        if status == Job.Status.QUEUED:
            of["later"] = later
            of["oldest_s"] = max(0.0, (now - since).total_seconds()) if since else 0.0
    since = {"kinds": _kinds(), "since": now - RATE_WINDOW}
    rates = {queue: count / (RATE_WINDOW.total_seconds() / 60) for queue, count in rows_of(RATES, since)}
    states = [_queue(name, of, rates.get(name, 0.0)) for name, of in queues.items()]
    return Work(
        queues=states,
        running=sum(queue.running for queue in states),
        retrying=sum(queue.retrying for queue in states),
        waiting=sum(queue.depth for queue in states),
        overdue_leases=overdue,
        open_batches=Job.objects.filter(kind=BATCH_KIND, status=Job.Status.RUNNING).count(),
    )


def _queue(name: str, of: dict[str, float], rate: float) -> QueueState:
    later = int(of.get("later", 0))
    depth = int(of.get("queued", 0)) - later
    return QueueState(
        name=name,
        depth=depth,
        oldest_s=of.get("oldest_s", 0.0),
        later=later,
        running=int(of.get("running", 0)),
        retrying=int(of.get("retrying", 0)),
        rate_per_min=rate,
        empty_in_s=0.0 if not depth else depth / rate * 60 if rate else None,
    )


def processes() -> list[ProcessState]:
    """Workers and schedulers of the last hour, the living ones first."""
    now = timezone.now()
    rows = Process.objects.order_by("-seen_at")[:PROCESSES_SHOWN]
    states = [
        ProcessState(
            kind=row.kind,
            host=row.host,
            pid=row.pid,
            queues=row.queues,
            release=row.release,
            started_at=row.started_at,
            seen_at=row.seen_at,
            is_alive=row.seen_at >= now - ALIVE_WITHIN,
            is_stopping=row.is_stopping,
            jobs_run=row.jobs_run,
            busy_with=[str(job_id) for job_id in row.busy_with],
        )
        for row in rows
    ]
    return sorted(states, key=lambda state: (not state.is_alive, state.kind, state.host, state.pid))


def running() -> list[RunningJob]:
    """The longest running first: what is stuck is on top."""
    now = timezone.now()
    jobs = Job.objects.filter(status=Job.Status.RUNNING).without_payload().defer("detail", "error")
    return [
        RunningJob(
            id=job.id,
            title=title_of(job.kind),
            about=job.about,
            queue=job.queue,
            percent=int(job.fraction * 100) if job.total or job.progress else None,
            step=job.current_step,
            attempt=job.attempt,
            started_at=job.started_at,
            eta_s=job.eta_s,
            is_overdue=job.lease_until is not None and job.lease_until < now,
            is_cancelling=job.cancel_requested_at is not None,
            is_batch=job.is_batch,
        )
        for job in jobs.order_by("started_at", "created_at")[:RUNNING_SHOWN]
    ]


def failures() -> Failures:
    now = timezone.now()
    params = {
        "hour": now - timedelta(hours=1),
        "two_hours": now - timedelta(hours=2),
        "day": now - timedelta(days=1),
        "batch": BATCH_KIND,
        "grouped": GROUPED,
        "shown": GROUPS_SHOWN,
    }
    last_hour, hour_before, last_day = rows_of(FAILED, params)[0]
    groups = rows_of(GROUPS, params) if last_day else []
    return Failures(
        last_hour=last_hour,
        hour_before=hour_before,
        last_day=last_day,
        grouped=int(groups[0][6]) if groups else 0,
        groups=[
            FailureGroup(kind, title_of(kind), code, count, last_at, last_id, message or "")
            for kind, code, count, last_at, last_id, message, _ in groups
        ],
    )


def minutes() -> list[Minute]:
    """Ended jobs per minute of the last hour, the oldest first, minutes without any included."""
    last = datetime.now(UTC).replace(second=0, microsecond=0)
    first = last - timedelta(minutes=MINUTES - 1)
    params = {"kinds": _kinds(), "since": first, "batch": BATCH_KIND}
    found = {at: (completed, failed) for at, completed, failed in rows_of(PER_MINUTE, params)}
    every = [first + timedelta(minutes=number) for number in range(MINUTES)]
    return [Minute(at, *found.get(at, (0, 0))) for at in every]


def _kinds() -> list[str]:
    """Those that this release knows: naming them lets PostgreSQL follow the index on kind and end, whatever its
    version."""
    return [kind.name for kind in kinds()]
