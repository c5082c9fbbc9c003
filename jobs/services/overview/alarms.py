"""What needs attention, in words: each alarm says what is wrong, what it means, what to do. docs/operations.md has a
section per alarm, under its `id`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from ...models import Process
from .reading import Overview
from .shapes import QueueState
from .words import age, count

Severity = Literal["urgent", "soon"]

# Somebody waits in front of a page for what is in these queues; in "low" nobody does.
OLDEST_S = {"high": 60, "default": 300, "low": 3600}
# A few failures an hour are people's files; more than this, and a tenth of all work, is a fault.
FAILURES_PER_HOUR = 10
FAILURE_SHARE = 0.1
REDIS_FULL = 0.8
CONNECTIONS_FULL = 0.8
DISK_FREE_SHARE = 0.1
DISK_FREE_BYTES = 1024**3
CACHE_COLD = 0.3
CACHE_READS = 1000  # below this a rate says nothing
TASK_LATE = timedelta(minutes=5)
LONG_TRANSACTION_S = 3600
EVENT_LAG_S = 2.0


@dataclass(frozen=True)
class Alarm:
    """`id`: the section in docs/operations.md. urgent: work stands still or is about to; soon: today."""

    id: str
    severity: Severity
    title: str
    meaning: str
    action: str


Finder = Callable[[Overview], Iterator[Alarm]]
_more: list[Finder] = []


def add_finder(find: Finder) -> None:
    """What another app knows to be wrong. It raises nothing, and keeps what it reads for a moment."""
    if find not in _more:
        _more.append(find)


def alarms_of(seen: Overview) -> list[Alarm]:
    """Of an overview, the urgent ones first. No reading happens here but what other apps keep for a moment."""
    found = [alarm for find in (*FINDERS, *_more) for alarm in find(seen)]
    return sorted(found, key=lambda alarm: alarm.severity != "urgent")


def _database_away(seen: Overview) -> Iterator[Alarm]:
    if seen.work.error:
        yield Alarm(
            "database-away",
            "urgent",
            "The table of jobs can't be read",
            f"{seen.work.error} Nothing is lost: what was committed is on its disk, and work goes on when it is back.",
            "Look at the database server and its log.",
        )


def _migrations(seen: Overview) -> Iterator[Alarm]:
    missing = seen.database.value.migrations_missing if seen.database.value else 0
    if missing:
        yield Alarm(
            "migrations-missing",
            "urgent",
            f"{count(missing, 'migration')} not applied",
            "The program is newer than the database: pages and jobs that need the new columns fail.",
            "Run: manage.py migrate",
        )


def _processes(seen: Overview) -> Iterator[Alarm]:
    if seen.processes.value is None:
        return
    alive = [process for process in seen.processes.value if process.is_alive]
    workers = [process for process in alive if process.kind == Process.Kind.WORKER]
    if not workers:
        waiting = seen.work.value.waiting if seen.work.value else 0
        yield Alarm(
            "no-worker",
            "urgent",
            "No worker is running",
            f"{count(waiting, 'job')} waiting; nothing is read or audited until a worker starts.",
            "Start one: manage.py work high default low",
        )
    else:
        yield from _unserved(seen, {queue for worker in workers for queue in worker.queues})
    if not any(process.kind == Process.Kind.SCHEDULER for process in alive):
        yield Alarm(
            "no-scheduler",
            "urgent",
            "No scheduler is running",
            "Retries are not released, nothing runs by the clock, and jobs of killed workers are not taken back.",
            "Start one: manage.py schedule",
        )


def _unserved(seen: Overview, served: set[str]) -> Iterator[Alarm]:
    for queue in seen.work.value.queues if seen.work.value else ():
        if queue.depth and queue.name not in served:
            yield Alarm(
                "no-worker",
                "urgent",
                f"No worker serves the queue “{queue.name}”",
                f"{count(queue.depth, 'job')} waiting there, and no living worker listens to it.",
                f"Start one: manage.py work {queue.name}",
            )


def _old_queues(seen: Overview) -> Iterator[Alarm]:
    for queue in seen.work.value.queues if seen.work.value else ():
        if queue.oldest_s > OLDEST_S.get(queue.name, 300):
            yield Alarm(
                "queue-old",
                "soon",
                f"The queue “{queue.name}” is {age(queue.oldest_s)} behind",
                f"{count(queue.depth, 'job')} waiting. {_outlook(queue)}",
                "See what the workers are busy with below; start more workers if all of them are.",
            )


def _outlook(queue: QueueState) -> str:
    if queue.empty_in_s is None:
        return "Nothing of it has ended in the last two minutes."
    return f"At the present rate it is empty in about {age(queue.empty_in_s)}."


def _failures(seen: Overview) -> Iterator[Alarm]:
    failures, completed = seen.failures.value, seen.completed_last_hour
    if failures is None or failures.last_hour < FAILURES_PER_HOUR:
        return
    share = failures.last_hour / (failures.last_hour + (completed or 0))
    if share >= FAILURE_SHARE or failures.last_hour >= 3 * max(1, failures.hour_before):
        yield Alarm(
            "failures-rising",
            "soon",
            f"{count(failures.last_hour, 'job')} failed in the last hour",
            f"That is {share:.0%} of what ended; in the hour before it were {failures.hour_before}.",
            "Open the largest group under “Failures” and read its reason; retry the group once that is mended.",
        )


def _stuck(seen: Overview) -> Iterator[Alarm]:
    overdue = seen.work.value.overdue_leases if seen.work.value else 0
    if overdue:
        yield Alarm(
            "lease-lapsed",
            "soon",
            f"{count(overdue, 'running job')} not heard of",
            "Their workers were killed or can't reach the database. The scheduler takes them back within seconds.",
            "If this stays, see whether the scheduler runs, and look at its log.",
        )


def _redis(seen: Overview) -> Iterator[Alarm]:
    if seen.redis.error:
        yield Alarm(
            "redis-away",
            "urgent",
            "Redis can't be reached",
            "No work is lost, but it is slower to start, pages are not live, and caches and limits are off.",
            "Look at the Redis server; everything catches up by itself when it is back.",
        )
    for server in seen.redis.value or ():
        if server.max_bytes and server.used_bytes > REDIS_FULL * server.max_bytes:
            yield Alarm(
                "redis-memory",
                "soon",
                f"Redis is {server.used_bytes / server.max_bytes:.0%} full ({', '.join(server.roles)})",
                "When it is full it refuses writes (noeviction): no doorbells, no live events, no caches.",
                "Give it more memory, or find what fills it.",
            )
        if "queue" in server.roles and server.max_bytes and server.policy != "noeviction":
            yield Alarm(
                "redis-memory",
                "soon",
                f"Redis may throw away what we rely on ({server.policy})",
                "Doorbells, limits and events could vanish under memory pressure.",
                "Set maxmemory-policy noeviction.",
            )


def _database(seen: Overview) -> Iterator[Alarm]:
    state = seen.database.value
    if state is None:
        return
    if state.connections > CONNECTIONS_FULL * state.max_connections:
        yield Alarm(
            "database-connections",
            "soon",
            f"{state.connections} of {state.max_connections} database connections in use",
            "When none is left, pages and workers fail to connect.",
            "Fewer web threads or workers, or a PgBouncer in front; see who holds them.",
        )
    if state.longest_s > LONG_TRANSACTION_S:
        yield Alarm(
            "long-transaction",
            "soon",
            f"A database transaction has been open for {age(state.longest_s)}",
            "It keeps PostgreSQL from cleaning up, and may hold locks that others wait for.",
            "Find it in pg_stat_activity and end it if nobody needs it.",
        )


def _disk(seen: Overview) -> Iterator[Alarm]:
    state = seen.disk.value
    if state is not None and (
        state.free_bytes < DISK_FREE_BYTES or state.free_bytes < DISK_FREE_SHARE * state.total_bytes
    ):
        yield Alarm(
            "disk-full",
            "soon",
            f"{state.free_bytes / 1024**3:.1f} GB of disk left",
            "Uploads are refused when it is full, and embedded PostgreSQL and Redis stop writing.",
            "Free some space, or make the volume larger.",
        )


def _schedule(seen: Overview) -> Iterator[Alarm]:
    for task in seen.tasks.value or ():
        if not task.is_paused and task.next_due_at is not None and task.next_due_at < seen.at - TASK_LATE:
            yield Alarm(
                "task-late",
                "soon",
                f"“{task.name}” should have run at {task.next_due_at:%H:%M} UTC",
                "The schedule is behind.",
                "See whether the scheduler runs, and look at its log.",
            )
        elif task.last_status == "failed":
            yield Alarm(
                "task-failed",
                "soon",
                f"The latest run of “{task.name}” failed",
                task.description or "It runs again at its next time.",
                "Open its job under “Schedule” and read why.",
            )


def _webhooks(seen: Overview) -> Iterator[Alarm]:
    disabled = [
        trouble for trouble in (seen.webhooks.value.troubled if seen.webhooks.value else ()) if trouble.disabled_at
    ]
    if disabled:
        hosts = ", ".join(sorted({trouble.host for trouble in disabled})[:3])
        yield Alarm(
            "webhook-disabled",
            "soon",
            f"{count(len(disabled), 'webhook endpoint')} disabled after repeated failure",
            f"Their organisations are not told anything: {hosts}.",
            "Tell the owner; they enable it again on their page once their server answers.",
        )


def _limits(seen: Overview) -> Iterator[Alarm]:
    for limit in seen.limits.value or ():
        if limit["kind"] == "concurrency" and limit["paused_until"] is not None:
            yield Alarm(
                "limit-paused",
                "soon",
                f"“{limit['name']}” is paused",
                f"The service behind it asked everybody to wait{': ' + limit['reason'] if limit['reason'] else ''}.",
                "Usually nothing: it goes on by itself. If it comes again and again, lower its size or rate.",
            )


def _cache(seen: Overview) -> Iterator[Alarm]:
    cache = seen.cache.value or {}
    reads = sum(of["hits"] + of["misses"] for of in cache.get("namespaces", {}).values())
    rate = cache.get("hit_rate")
    if cache.get("enabled") and cache.get("ok") and reads >= CACHE_READS and rate is not None and rate < CACHE_COLD:
        yield Alarm(
            "cache-cold",
            "soon",
            f"Only {rate:.0%} of cache reads find something",
            "Pages are slower than they need to be, and the database is asked more.",
            "Normal after a restart or FLUSHALL. Else see which namespace misses.",
        )


def _events(seen: Overview) -> Iterator[Alarm]:
    if seen.events.lag_s is not None and seen.events.lag_s > EVENT_LAG_S:
        yield Alarm(
            "event-lag",
            "soon",
            f"Live events arrive {seen.events.lag_s:.1f} s late",
            "Pages show progress late; the work itself is not slowed down.",
            "Look at the CPU of the web processes and of Redis; compare the clocks of the hosts.",
        )


FINDERS: tuple[Finder, ...] = (
    _database_away,
    _migrations,
    _processes,
    _redis,
    _old_queues,
    _stuck,
    _failures,
    _database,
    _disk,
    _schedule,
    _webhooks,
    _limits,
    _cache,
    _events,
)
