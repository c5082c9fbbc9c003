"""What jobs depend on and what depends on them: the schedule, webhooks, PostgreSQL, Redis, the disk."""

from __future__ import annotations

import shutil
import time
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from ... import tuning
from ...models import ScheduledRun, ScheduledTask, WebhookDelivery, WebhookEndpoint
from .guarded import rows_of
from .shapes import DatabaseState, DiskState, RedisState, TaskState, Webhooks, WebhookTrouble

SHOWN = 20
DATABASE = """
SELECT pg_database_size(current_database()), current_setting('max_connections')::int, count(*),
       coalesce(extract(epoch FROM max(now() - xact_start) FILTER (WHERE pid <> pg_backend_pid())), 0)
FROM pg_stat_activity WHERE backend_type = 'client backend'
"""


def tasks() -> list[TaskState]:
    """What the schedule holds, the next due first, each with its latest run."""
    latest = ScheduledRun.objects.order_by("task_id", "-due_at").distinct("task_id").select_related("job")
    runs = {run.task_id: run for run in latest}
    states = []
    for task in ScheduledTask.objects.filter(is_listed=True):
        run = runs.get(task.name)
        job = run.job if run else None
        states.append(
            TaskState(
                name=task.name,
                description=task.description,
                cron=task.cron,
                is_paused=task.is_paused,
                next_due_at=task.next_due_at,
                last_at=run.due_at if run else None,
                last_status=job.status if job else "",
                last_job_id=job.id if job else None,
            )
        )
    never = timezone.now() + timedelta(days=10_000)
    return sorted(states, key=lambda state: (state.is_paused, state.next_due_at or never, state.name))


def webhooks() -> Webhooks:
    bad = Q(disabled_at__isnull=False) | Q(failing_since__isnull=False)
    endpoints = (
        WebhookEndpoint.objects.filter(bad).select_related("organisation").order_by("-disabled_at", "-failing_since")
    )
    since = timezone.now() - timedelta(days=1)
    lately = WebhookDelivery.objects.filter(created_at__gte=since)
    return Webhooks(
        pending=lately.filter(status=WebhookDelivery.Status.PENDING).count(),
        given_up_last_day=lately.filter(status=WebhookDelivery.Status.FAILED).count(),
        troubled=[
            WebhookTrouble(
                id=endpoint.pk,
                host=urlsplit(endpoint.url).hostname or "?",
                organisation=str(endpoint.organisation),
                disabled_at=endpoint.disabled_at,
                reason=endpoint.disabled_reason,
                failing_since=endpoint.failing_since,
                failures_in_a_row=endpoint.failures_in_a_row,
            )
            for endpoint in endpoints[:SHOWN]
        ],
    )


def database() -> DatabaseState:
    size, most, count, longest_s = rows_of(DATABASE)[0]
    return DatabaseState(
        size_bytes=size,
        connections=count,
        max_connections=most,
        longest_s=float(longest_s),
        migrations_missing=len(missing_migrations()),
    )


@lru_cache(maxsize=1)
def _known_migrations() -> frozenset[tuple[str, str]]:
    """Those of this release. Read from disk once: the program does not change while it runs."""
    return frozenset(MigrationLoader(None).graph.nodes)


def missing_migrations() -> list[str]:
    """Migrations of this release that the database has not seen, as "app.name". One statement."""
    applied = set(MigrationRecorder(connection).applied_migrations())
    return sorted(f"{app}.{name}" for app, name in _known_migrations() - applied)


def redis_urls() -> dict[str, list[str]]:
    """What each server is used for, by address."""
    roles: dict[str, list[str]] = {}
    for role, url in (
        ("cache", settings.REDIS_CACHE_URL),
        ("queue", settings.REDIS_QUEUE_URL),
        ("events", settings.REDIS_EVENTS_URL),
    ):
        roles.setdefault(str(url), []).append(role)
    return roles


def redis_servers() -> list[RedisState]:
    """Raises RedisError as soon as one of them can't be reached."""
    return [_redis_state(url, roles) for url, roles in redis_urls().items()]


def _redis_state(url: str, roles: list[str]) -> RedisState:
    with redis.Redis.from_url(
        url,
        socket_connect_timeout=tuning.REDIS_CONNECT_TIMEOUT_S,
        socket_timeout=tuning.REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    ) as server:
        server.ping()  # connects
        began = time.perf_counter()
        server.ping()
        ping_ms = (time.perf_counter() - began) * 1000
        info: dict[str, Any] = server.info()
        keys = int(server.dbsize())
    return RedisState(
        roles=roles,
        version=str(info.get("valkey_version") or info.get("redis_version", "?")),
        used_bytes=int(info.get("used_memory", 0)),
        max_bytes=int(info.get("maxmemory", 0)),
        policy=str(info.get("maxmemory_policy", "?")),
        clients=int(info.get("connected_clients", 0)),
        keys=keys,
        ping_ms=round(ping_ms, 2),
    )


def disk() -> DiskState:
    """Of the folder for uploads, or the nearest that exists above it."""
    folder = Path(settings.MEDIA_ROOT)
    while not folder.exists():
        folder = folder.parent
    usage = shutil.disk_usage(folder)
    return DiskState(free_bytes=usage.free, total_bytes=usage.total)
