"""Figures that are read, not counted: from the table of jobs, Redis, the cache. Read when scraped, at most once a
second (timings every ten): scraping often costs nothing more. A figure that can't be read is left out, never zero."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from analytics import alarms as demand
from jobs.events.stream import published
from jobs.models import Process
from jobs.services.overview import Overview, Part, overview
from jobs.services.overview.guarded import part
from jobs.services.overview.timings import WINDOW, timings

from ..cache import stats
from ..redis_access import RedisAway

MINUTES = f"{int(WINDOW.total_seconds() // 60)} minutes"
Rows = Iterable[tuple[tuple[str, ...], float | None]]


class SharedCollector(Collector):
    """One family after the other; a part of the overview that is not known yields nothing but its `up` of 0."""

    def collect(self) -> Iterator[Metric]:
        seen = overview()
        yield from _readable(seen)
        yield from _work(seen)
        yield from _processes(seen)
        yield from _timings()
        yield from _stores(seen)
        yield from _limits(seen)
        yield from _events()
        yield from _cache()
        yield from _signals()


def _family(name: str, help_text: str, labels: tuple[str, ...], rows: Rows) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, number in rows:
        if number is not None:
            family.add_metric(values, number)
    return family


def _readable(seen: Overview) -> Iterator[Metric]:
    parts: dict[str, Part[Any]] = {
        "work": seen.work,
        "redis": seen.redis,
        "database": seen.database,
        "limits": seen.limits,
    }
    rows = [((name,), float(each.is_known)) for name, each in parts.items()]
    yield _family("plumbline_readable", "1: the part could be read.", ("part",), rows)


def _work(seen: Overview) -> Iterator[Metric]:
    work, failures = seen.work.value, seen.failures.value
    if work is not None:
        queues = work.queues
        yield _family(
            "plumbline_queue_depth", "Jobs due and not claimed.", ("queue",), (((q.name,), q.depth) for q in queues)
        )
        oldest = (((q.name,), q.oldest_s) for q in queues)
        yield _family("plumbline_queue_oldest_seconds", "How long the first of them has been due.", ("queue",), oldest)
        later = (((q.name,), q.later) for q in queues)
        yield _family("plumbline_jobs_scheduled", "Jobs that are due later.", ("queue",), later)
        states = [("running", q.name, q.running) for q in queues] + [("retrying", q.name, q.retrying) for q in queues]
        active = (((queue, status), count) for status, queue, count in states)
        yield _family("plumbline_jobs_active", "Jobs running, or waiting to be retried.", ("queue", "status"), active)
        overdue = [((), work.overdue_leases)]
        yield _family(
            "plumbline_jobs_overdue_leases", "Running jobs not heard of since their lease ran out.", (), overdue
        )
    if failures is not None:
        rows = [(("1h",), failures.last_hour), (("24h",), failures.last_day)]
        yield _family("plumbline_jobs_failed_lately", "Jobs that failed.", ("window",), rows)


def _processes(seen: Overview) -> Iterator[Metric]:
    if seen.processes.value is None:
        return
    alive = [process for process in seen.processes.value if process.is_alive]
    rows = [((kind,), sum(process.kind == kind for process in alive)) for kind in Process.Kind.values]
    yield _family("plumbline_processes_alive", "Seen within half a minute.", ("kind",), rows)
    busy = sum(bool(process.busy_with) for process in alive)
    yield _family("plumbline_workers_busy", "Workers with a job at hand.", (), [((), busy)])


def _timings() -> Iterator[Metric]:
    found = timings().value
    if found is None:
        return
    of = f"over the last {MINUTES}"
    done = (((kind.kind,), kind.completed) for kind in found.completed)
    yield _family("plumbline_jobs_completed_recent", f"Jobs completed {of}.", ("kind",), done)
    failed = (((each.kind, each.code), each.count) for each in found.failed)
    yield _family("plumbline_jobs_failed_recent", f"Jobs failed {of}.", ("kind", "code"), failed)
    retries: dict[str, int] = {}
    for kind, more in [(e.kind, e.retries) for e in found.completed] + [(e.kind, e.retries) for e in found.failed]:
        retries[kind] = retries.get(kind, 0) + more
    yield _family(
        "plumbline_job_retries_recent",
        f"Retries of jobs that ended {of}.",
        ("kind",),
        (((k,), n) for k, n in retries.items()),
    )
    durations = [((kind.kind, str(q)), s) for kind in found.completed for q, s in kind.duration_s.items()]
    yield _family("plumbline_job_duration_seconds", f"Latest attempt, {of}.", ("kind", "quantile"), durations)
    waits = [((kind.kind, str(q)), s) for kind in found.completed for q, s in kind.wait_s.items()]
    yield _family("plumbline_job_wait_seconds", f"From due to started, {of}.", ("kind", "quantile"), waits)


def _stores(seen: Overview) -> Iterator[Metric]:
    database = seen.database.value
    if database is not None:
        yield _family("plumbline_database_bytes", "Size of the database.", (), [((), database.size_bytes)])
        rows = [(("used",), database.connections), (("most",), database.max_connections)]
        yield _family("plumbline_database_connections", "In use, and how many there may be.", ("which",), rows)
    servers = [(("+".join(server.roles),), server) for server in seen.redis.value or ()]
    used = ((label, server.used_bytes) for label, server in servers)
    yield _family("plumbline_redis_bytes", "Memory in use.", ("roles",), used)
    most = ((label, server.max_bytes) for label, server in servers)
    yield _family("plumbline_redis_max_bytes", "Memory it may use; 0: no limit of its own.", ("roles",), most)
    if seen.disk.value is not None:
        yield _family("plumbline_disk_free_bytes", "Where uploads lie.", (), [((), seen.disk.value.free_bytes)])


def _limits(seen: Overview) -> Iterator[Metric]:
    places = [limit for limit in seen.limits.value or () if limit["kind"] == "concurrency"]
    label = ("limit",)
    size = [((each["name"],), each["size"]) for each in places]
    yield _family("plumbline_limit_size", "Places as configured.", label, size)
    effective = [((each["name"],), each["effective"]) for each in places]
    yield _family("plumbline_limit_effective", "Places at present, after slowing down.", label, effective)
    held = [((each["name"],), each["held"]) for each in places]
    yield _family("plumbline_limit_held", "Places taken.", label, held)
    paused = [((each["name"],), int(each["paused_until"] is not None)) for each in places]
    yield _family("plumbline_limit_paused", "1: nobody may begin for now.", label, paused)
    waiting = [((each["name"],), each["waiting"]) for each in seen.limits.value or ()]
    yield _family("plumbline_limit_waiting", "Waiting for a place or for tokens.", label, waiting)
    buckets = [limit for limit in seen.limits.value or () if limit["kind"] == "bucket"]
    available = [((each["name"],), each["available"]) for each in buckets]
    yield _family("plumbline_limit_tokens", "Tokens available; below 0 when calls used more.", label, available)


def _events() -> Iterator[Metric]:
    count = part("events", published)
    if count.value is not None:
        family = CounterMetricFamily("plumbline_events_published", "Events said on any channel, by all processes.")
        family.add_metric((), count.value)
        yield family


def _cache() -> Iterator[Metric]:
    families = {
        result: CounterMetricFamily(
            f"plumbline_cache_{result}", f"Reads of the cache: {result}.", labels=("namespace",)
        )
        for result in ("hits", "misses")
    }
    try:
        found = stats()
    except RedisAway:
        return  # what can't be read is left out; plumbline_readable says so
    for namespace, counts in found.items():
        families["hits"].add_metric((namespace,), counts["hits"])
        families["misses"].add_metric((namespace,), counts["misses"])
    yield from families.values()


def _signals() -> Iterator[Metric]:
    found = demand.state().value
    if found is None:
        return
    label = ("stream",)
    each = [((stream.name.rpartition(":")[2],), stream) for stream in found.streams]
    lag = ((name, stream.lag_s or 0) for name, stream in each)
    yield _family("plumbline_signals_lag_seconds", "Age of the oldest that waits.", label, lag)
    yield _family("plumbline_signals_pending", "Handed out, not counted yet.", label, ((n, s.pending) for n, s in each))
    yield _family("plumbline_signals_length", "Entries in the stream.", label, ((n, s.length) for n, s in each))
    yield _family("plumbline_signals_consumers", "Heard of lately.", label, ((n, s.alive) for n, s in each))
    yield _family("plumbline_signals_dead", "Waiting for somebody to look.", (), [((), found.dead)])
    rows = [(("publishers",), found.lost_by_publishers), (("redis",), found.lost_by_redis)]
    yield _family("plumbline_signals_lost_known", "Lost, as far as is known, by where.", ("where",), rows)
