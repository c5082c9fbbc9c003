"""Is this process well, is what it needs there, how is the work going? For supervisors, load balancers and monitors.

`/health` and `/health/ready` ask for no sign-in and tell no secrets. The detailed ones hold counts only, no names and
no addresses; where METRICS_TOKEN is set they ask for it, or for a member of staff who may see jobs. All are read at
most once a second however often they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypedDict

import redis
import structlog
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.models import Process
from jobs.services.overview import Kept, Overview, overview
from jobs.services.overview.surroundings import missing_migrations, redis_urls
from jobs.services.processes import alive as living

from .cache import cache_health
from .metrics.access import guarded

log = structlog.get_logger(__name__)
REDIS_TIMEOUT_S = 1.0


class Check(TypedDict):
    ok: bool
    detail: str


@never_cache
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers: a restart would not mend a database that is down."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when requests can be served and the jobs that they ask for will run, 503 when not: `{"status", "parts":
    {name: {"ok", "detail"}}}`.

    `?exclude=workers` (repeatable) leaves a part out of the status, not of the answer: a balancer that should go on
    sending people to pages while no worker lives asks so.
    """
    parts = _ready.get()
    excluded = set(request.GET.getlist("exclude"))
    well = all(part["ok"] for name, part in parts.items() if name not in excluded)
    return JsonResponse({"status": "ok" if well else "failing", "parts": parts}, status=200 if well else 503)


@never_cache
@require_safe
@guarded
def jobs(request: HttpRequest) -> JsonResponse:
    """How the work is going; 503 when it is not, or when the table can't be read."""
    answer = _jobs_answer(overview())
    return JsonResponse(answer, status=200 if answer["status"] == "ok" else 503)


@never_cache
@require_safe
@guarded
def cache(request: HttpRequest) -> JsonResponse:
    """How the cache is doing: `enabled, ok, hit_rate, keyspace_hits, memory_bytes` and more. 200 also without Redis:
    pages are slower then, not broken."""
    return JsonResponse(dict(_cache.get()))


def _checks() -> dict[str, Check]:
    checks: dict[str, Callable[[], str]] = {
        "database": _database,
        "redis": _redis,
        "migrations": _migrations,
        "workers": _workers,
    }
    return {name: _tried(name, check) for name, check in checks.items()}


def _tried(name: str, check: Callable[[], str]) -> Check:
    """The reason goes to the log, not to the caller: connection errors name hosts and users."""
    try:
        detail = check()
    except Exception as error:
        log.warning("health.part_failed", part=name, error=str(error))
        return {"ok": False, "detail": f"{type(error).__name__}: see the log"}
    return {"ok": not detail, "detail": detail or "ok"}


def _database() -> str:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _redis() -> str:
    for url in redis_urls():
        with redis.Redis.from_url(
            url, socket_connect_timeout=REDIS_TIMEOUT_S, socket_timeout=REDIS_TIMEOUT_S
        ) as connection:
            connection.ping()
    return ""


def _migrations() -> str:
    waiting = missing_migrations()
    return f"{len(waiting)} not applied: run manage.py migrate" if waiting else ""


def _workers() -> str:
    is_there = living(Process.Kind.WORKER).exists()
    return "" if is_there else "No worker was seen in the last half minute: run manage.py work"


def _jobs_answer(seen: Overview) -> dict[str, Any]:
    work, failures, processes = seen.work.value, seen.failures.value, seen.processes.value
    if work is None or failures is None or processes is None:
        return {"status": "failing", "detail": seen.work.error or seen.failures.error or seen.processes.error}
    workers = [each for each in processes if each.is_alive and each.kind == Process.Kind.WORKER]
    schedulers = [each for each in processes if each.is_alive and each.kind == Process.Kind.SCHEDULER]
    return {
        "status": "ok" if workers and schedulers else "failing",
        "queues": {queue.name: {k: v for k, v in asdict(queue).items() if k != "name"} for queue in work.queues},
        "waiting": work.waiting,
        "running": work.running,
        "retrying": work.retrying,
        "open_batches": work.open_batches,
        "overdue_leases": work.overdue_leases,
        "completed_last_hour": seen.completed_last_hour,
        "failed_last_hour": failures.last_hour,
        "failed_last_day": failures.last_day,
        "workers": len(workers),
        "workers_busy": sum(bool(worker.busy_with) for worker in workers),
        "scheduler_alive": bool(schedulers),
        "events": {"sockets_here": seen.events.sockets, "lag_s": seen.events.lag_s},
    }


# Kept no longer than that costs: a balancer should hear soon that it is well again.
_ready = Kept(_checks, for_s=1.0, times_its_cost=2)
_cache = Kept(cache_health, for_s=2.0)


def forget() -> None:
    """The next answers are read anew."""
    _ready.forget()
    _cache.forget()
