"""Is this process well, and is what it needs there? For supervisors and load balancers: no sign-in, no secrets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import redis
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

log = structlog.get_logger(__name__)
REDIS_TIMEOUT_S = 1.0


class Part(TypedDict):
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
    """200 when requests can be served, 503 when not: `{"status", "parts": {name: {"ok", "detail"}}}`."""
    checks: dict[str, Callable[[], str]] = {"database": _database, "redis": _redis, "migrations": _migrations}
    parts = {name: _tried(name, check) for name, check in checks.items()}
    well = all(part["ok"] for part in parts.values())
    return JsonResponse({"status": "ok" if well else "failing", "parts": parts}, status=200 if well else 503)


def _tried(name: str, check: Callable[[], str]) -> Part:
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
    for url in sorted({settings.REDIS_CACHE_URL, settings.REDIS_QUEUE_URL, settings.REDIS_EVENTS_URL}):
        with redis.Redis.from_url(
            url, socket_connect_timeout=REDIS_TIMEOUT_S, socket_timeout=REDIS_TIMEOUT_S
        ) as connection:
            connection.ping()
    return ""


def _migrations() -> str:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} not applied: run manage.py migrate" if waiting else ""
