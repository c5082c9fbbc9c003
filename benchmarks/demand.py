"""Demand: how fast signals are published and counted exactly once, and how fast what was counted is read."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import Report

ENTITIES = 6408
EVENTS = int(os.environ.get("DEMAND_EVENTS", "1000000"))
CONSUMERS = 2
ROOT = Path(__file__).resolve().parent.parent


def measure() -> Iterator[Report]:
    yield publishing()
    yield counting()
    yield reading(ENTITIES, 1_000_000, 15.0)
    yield reading(1_000_000, 20_000_000, 25.0)


def lay_entities(count: int, *, source: str = "bench.thing") -> list[str]:
    """By COPY; their ids."""
    from uuid import UUID

    from django.db import connection

    ids = [str(UUID(int=number + 1)) for number in range(count)]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE analytics_entity CASCADE")
        cursor.execute("TRUNCATE analytics_demandbucket, analytics_demandday, analytics_entitytotal")
        with cursor.copy(
            "COPY analytics_entity (id, entity_type, source, source_id, name, code, url, text, data, content_hash, "
            "model_version, demand_score, needs_update, created_at, updated_at) FROM STDIN"
        ) as copy:
            for number, each in enumerate(ids):
                kind = ("clause", "tender", "document", "project")[number % 4]
                name = f"Entity {number}"
                copy.write_row(
                    (
                        each,
                        kind,
                        source,
                        str(number),
                        name,
                        "",
                        "",
                        name,
                        "{}",
                        "",
                        "",
                        0,
                        False,
                        "2026-01-01",
                        "2026-01-01",
                    )
                )
        cursor.execute("ANALYZE analytics_entity")
    return ids


def publishing() -> Report:
    from django.utils import timezone

    from analytics.services.signals import QuerySignal, publish_queries, queries_stream
    from jobs.connections import events_redis

    report = Report("Publishing a signal")
    took = []
    for number in range(2000):
        signal = QuerySignal(None, "clause", f"question {number}", None, None, timezone.now(), False)
        began = time.perf_counter()
        publish_queries([signal])
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    report.claim("publish, median", took[len(took) // 2], "ms", 1.0)
    report.figure("publish, p95", f"{took[int(len(took) * 0.95)]:.2f} ms")
    events_redis().delete(queries_stream())
    return report


def fill(ids: list[str], count: int) -> None:
    """Questions as people ask them: few things very often (Zipf, exponent 1), one in ten a question of its own."""
    from analytics.services.signals import queries_stream
    from jobs.connections import events_redis

    random.seed(1)
    weights = [1 / (rank + 1) for rank in range(len(ids))]
    chosen = random.choices(ids, weights, k=count)
    now_ms = int(time.time() * 1000)
    redis = events_redis()
    for start in range(0, count, 5000):
        with redis.pipeline(transaction=False) as pipe:
            for number, entity in enumerate(chosen[start : start + 5000], start):
                told = {
                    "entity_id": entity,
                    "entity_type": "clause",
                    "query": f"preheat {number % 400 if number % 10 else number % 5000}",
                    "user_id": None,
                    "organisation_id": None,
                    "timestamp": now_ms - random.randrange(3_600_000),
                    "found": True,
                    "asked": True,
                }
                pipe.execute_command("XADD", queries_stream(), "*", "signal", orjson.dumps(told))
            pipe.execute()


def consumers(program: list[str], environment: dict[str, str]) -> float:
    """Seconds from a common start until all have left."""
    from analytics.services.signals import queries_stream
    from jobs.connections import events_redis

    start_key = f"{queries_stream()}:go"
    events_redis().delete(start_key)
    children = [
        subprocess.Popen([sys.executable, "-c", *program, str(number)], cwd=ROOT, env=os.environ | environment)
        for number in range(CONSUMERS)
    ]
    while int(events_redis().get(start_key) or 0) < CONSUMERS:
        time.sleep(0.05)
    began = time.perf_counter()
    events_redis().set(f"{start_key}:now", 1)
    for child in children:
        assert child.wait() == 0
    took = time.perf_counter() - began
    events_redis().delete(start_key, f"{start_key}:now")
    return took


WAIT = """
import sys, time, django
django.setup()
from analytics.services.signals import queries_stream
from analytics.services.delivery import Delivery, GROUP
from analytics.services.consuming import Consumer
from jobs.connections import events_redis
key = queries_stream() + ":go"
delivery = Delivery("c" + sys.argv[2])
delivery.ensure_groups()
consumer = Consumer(name="c" + sys.argv[2], batch=int(sys.argv[1]))
events_redis().incr(key)
while not events_redis().get(key + ":now"): time.sleep(0.002)
"""
COUNT = WAIT + "consumer.work(once=True)\n"
BARE = (
    WAIT
    + """
while entries := delivery.read(int(sys.argv[1]), block_ms=0):
    for stream, rows in entries.items():
        delivery.acknowledge(stream, [row[0] for row in rows])
"""
)


def counting() -> Report:
    from django.db.models import Sum

    from analytics.models import AppliedBatch, EntityDemand
    from analytics.services.consuming import BATCH
    from analytics.services.signals import queries_stream, updates_stream
    from jobs.connections import events_redis

    report = Report("Counting signals, exactly once")
    ids = lay_entities(ENTITIES)
    redis = events_redis()
    redis.delete(queries_stream(), updates_stream())
    fill(ids, EVENTS)
    bare_s = consumers([BARE, str(BATCH)], {})
    bare = EVENTS / bare_s
    rates: list[float] = []
    for _ in range(2):  # the first makes the rows
        redis.delete(queries_stream())  # what was counted is trimmed as they work
        fill(ids, EVENTS)
        EntityDemand.objects.update(query_count=0)
        AppliedBatch.objects.all().delete()
        redis.delete(updates_stream())
        took = consumers([COUNT, str(BATCH)], {})
        counted: Any = EntityDemand.objects.aggregate(Sum("query_count"))["query_count__sum"]
        assert counted == EVENTS, f"{counted} of {EVENTS} counted"
        rates.append(EVENTS / took)
    rate = max(rates)
    distribution = f"{EVENTS:,} events, Zipf over {ENTITIES:,} entities, {CONSUMERS} consumers, up to {BATCH:,} a batch"
    report.claim("counted exactly once", rate, "/s", 60_000, at_least=True, reference=distribution)
    report.claim("of reading and acknowledging alone", rate / bare, "x", 0.3, at_least=True, reference=f"{bare:,.0f}/s")
    report.figure("runs", ", ".join(f"{each:,.0f}/s" for each in rates))
    redis.delete(queries_stream(), updates_stream())
    return report


HOURS = """
INSERT INTO analytics_demandbucket (entity_id, hour, count)
SELECT lpad(to_hex(e + 1), 32, '0')::uuid, date_trunc('hour', now()) - make_interval(hours => h),
    {each} + 1000 / (e + 1)
FROM generate_series(0, {hours} - 1) h, LATERAL (
    SELECT DISTINCT ((h * 7919::bigint + n * 104729::bigint) % {entities})::bigint AS e
    FROM generate_series(1, {a_hour}) n
) chosen
"""
# Counts and windows are those of the hours, so that the proof has nothing to mend; ranks follow Zipf's law.
DEMAND = """
INSERT INTO analytics_entitydemand (entity_id, organisation_id, entity_type, rank, query_count, first_queried_at,
    last_queried_at, current_1d, previous_1d, growth_1d, current_7d, previous_7d, growth_7d, current_30d, previous_30d,
    growth_30d, needs_update, refreshed_at)
SELECT e.id, NULL, e.entity_type, {origin} + log(2, (1 + {most} / (e.n + 1))::numeric)::float8, coalesce(b.n, 0),
    now() - interval '50 days', now(),
    coalesce(c1, 0), coalesce(p1, 0), coalesce((c1 - p1) / sqrt(c1 + p1 + 1), 0),
    coalesce(c7, 0), coalesce(p7, 0), coalesce((c7 - p7) / sqrt(c7 + p7 + 1), 0),
    coalesce(c30, 0), coalesce(p30, 0), coalesce((c30 - p30) / sqrt(c30 + p30 + 1), 0),
    e.n % 50 = 0, now() - make_interval(days => (e.n % 45)::int)
FROM (SELECT id, entity_type, source_id::bigint AS n FROM analytics_entity) e LEFT JOIN (
    SELECT entity_id, sum(count) AS n, {windows} FROM analytics_demandbucket GROUP BY 1
) b ON b.entity_id = e.id
"""


def windows() -> str:
    """Sums over hours, as the clock's windows have them: current and previous of each span."""
    from analytics.services.counting import clock

    end, made = clock().windows_at, []
    for name, hours in (("1", 24), ("7", 7 * 24), ("30", 30 * 24)):
        new, old = (
            f"'{end - timedelta(hours=hours)}'::timestamptz",
            f"'{end - timedelta(hours=2 * hours)}'::timestamptz",
        )
        made.append(f"coalesce(sum(count) FILTER (WHERE hour > {new}), 0)::int AS c{name}")
        made.append(f"coalesce(sum(count) FILTER (WHERE hour > {old} AND hour <= {new}), 0)::int AS p{name}")
    return ", ".join(made)


PATHS = (
    "stats",
    "top?limit=10",
    "top?limit=10&entity_type=clause",
    "trending?limit=10&timeframe=7d",
    "stale?limit=10",
    "entity/00000000-0000-0000-0000-000000000007",
)


def lay_demand(entities: int, events: int) -> None:
    """A row of windows for each entity, by Zipf, and hours over 60 days that hold the events."""
    from django.db import connection

    from analytics.services.counting import clock
    from analytics.services.proving import prove
    from analytics.streams.scoring import half_lives

    lay_entities(entities)
    hours = 60 * 24
    a_hour = min(entities, max(1, events // hours // 5))
    told = {
        "origin": half_lives(time.time(), clock().half_life_days) - 1,
        "most": float(events / 30),
        "each": 5,
        "hours": hours,
        "entities": entities,
        "a_hour": a_hour,
        "windows": windows(),
    }
    with connection.cursor() as cursor:
        cursor.execute(HOURS.format(**told))
        cursor.execute("ANALYZE analytics_demandbucket")
        cursor.execute(DEMAND.format(**told))
    prove()
    with connection.cursor() as cursor:
        for table in ("analytics_entitydemand", "analytics_demandbucket", "analytics_entity"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")  # else it is written while reading is measured


def reading(entities: int, events: int, limit_ms: float) -> Report:
    import http.client

    from accounts.models import Membership, Organisation, User
    from accounts.services import tokens_for
    from benchmarks.ground import web

    report = Report(f"Reading demand: {entities:,} entities, {events:,} events behind them, over HTTP, uncached")
    began = time.perf_counter()
    lay_demand(entities, events)
    report.figure("laid down in", f"{time.perf_counter() - began:.0f} s")
    organisation, _ = Organisation.objects.get_or_create(name="Bench demand")
    user, is_new = User.objects.get_or_create(email="demand@bench.example", defaults={"email_verified": True})
    if is_new:
        Membership.objects.create(organisation=organisation, user=user)
    headers = {"Authorization": f"Bearer {tokens_for(user=user).access}"}
    os.environ["CACHES_ENABLED"] = "0"
    try:
        with web() as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for path in PATHS:
                took = sorted([_asked(connection, path, headers) for _ in range(220)][20:])  # the first warm up
                report.claim(f"{path.partition('/')[0]}, p95", took[int(len(took) * 0.95)], "ms", limit_ms)
                report.figure(f"{path.partition('/')[0]}, median", f"{statistics.median(took):.1f} ms")
    finally:
        del os.environ["CACHES_ENABLED"]
    return report


def _asked(connection: Any, path: str, headers: dict[str, str]) -> float:
    began = time.perf_counter()
    connection.request("GET", f"/api/analytics/demand/{path}", headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, (path, answer.status)
    return (time.perf_counter() - began) * 1000
