"""Consumers of demand signals killed in the middle of batches while Redis restarts: every signal is counted once."""

from __future__ import annotations

import json
import random
import time
import uuid

import pytest

from .program import Program
from .scale import SOAK, seeded
from .site import Site

pytestmark = pytest.mark.faults

EVENTS = 60_000 if SOAK else 12_000
KILLS = 12
CONSUMERS = 3
ENTITIES = 300
STREAM, UPDATES, GROUP = "faults:query_signals", "faults:update_requests", "plumbline_workers"
COUNTED = "SELECT coalesce(sum(query_count), 0)::int FROM analytics_entitydemand"


def consumer(site: Site) -> Program:
    options = ("--batch", "400", "--claim-after", "2", "--skip-checks")
    return site.start("consumer", "manage.py", "consume_signals", *options)


def make_entities(site: Site) -> list[uuid.UUID]:
    """And nothing counted from tests before."""
    site.rows(
        "WITH gone AS (DELETE FROM analytics_appliedbatch), dead AS (DELETE FROM analytics_deadsignal), "
        "hours AS (DELETE FROM analytics_demandbucket) DELETE FROM analytics_demandclock RETURNING 1"
    )
    made = site.rows(
        "INSERT INTO analytics_entity (id, entity_type, source, source_id, name, code, url, text, data, "
        "content_hash, model_version, demand_score, needs_update, created_at, updated_at) "
        "SELECT gen_random_uuid(), 'clause', 'faults.thing', n, 'Thing', '', '', '', '{}', "
        "'', '', 0, false, now(), now() FROM generate_series(1, %s) n RETURNING id",
        ENTITIES,
    )
    return [row[0] for row in made]


def publish(site: Site, ids: list[uuid.UUID], count: int, rng: random.Random) -> None:
    """Few are asked for often: consumers meet at the same rows."""
    now_ms = int(time.time() * 1000)
    with site.redis() as client, client.pipeline(transaction=False) as pipe:
        for number in range(count):
            entity = ids[min(int(rng.paretovariate(0.6)) - 1, len(ids) - 1)]
            told = {"entity_id": str(entity), "query": f"q{number % 50}", "timestamp": now_ms - rng.randrange(10**7)}
            pipe.execute_command("XADD", STREAM, "*", "signal", json.dumps(told))
        pipe.execute()


def pending(site: Site) -> int:
    with site.redis() as client:
        return int(client.xpending(STREAM, GROUP)["pending"])


def test_every_signal_is_counted_once_whoever_is_killed(site: Site) -> None:
    rng = seeded("signals")
    ids = make_entities(site)
    deadlocks = site.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    publish(site, ids, EVENTS // 2, rng)
    running = [consumer(site) for _ in range(CONSUMERS)]

    for kill in range(1, KILLS + 1):
        reached = EVENTS // 2 * (kill - 1) // KILLS
        if kill > KILLS // 2:
            reached = EVENTS // 2 + reached // 2
        if kill == KILLS // 2 + 1:
            site.stop_redis()
            site.start_redis()
            publish(site, ids, EVENTS - EVENTS // 2, rng)
        site.wait_until(lambda least=reached: site.value(COUNTED) > least or None, f"{reached} are counted")  # type: ignore[misc]
        time.sleep(rng.random() / 5)
        victim = rng.randrange(CONSUMERS)
        running[victim].kill()
        running[victim] = consumer(site)
    site.wait_until(lambda: site.value(COUNTED) >= EVENTS and not pending(site), "all are counted and acknowledged")

    assert site.value(COUNTED) == EVENTS
    assert site.value("SELECT sum(count)::int FROM analytics_demandbucket") == EVENTS
    assert site.value("SELECT sum(asked)::int FROM analytics_askedquestion") == EVENTS
    assert site.value("SELECT sum(queries)::int FROM analytics_entitytotal") == EVENTS
    assert site.value("SELECT sum(cardinality(entries))::int FROM analytics_appliedbatch") == EVENTS
    assert site.value("SELECT count(*) FROM analytics_deadsignal") == 0
    now = site.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert now == deadlocks
    site.stop_all()


def test_a_consumer_outlives_both_servers_and_counts_what_it_had_in_hand_once(site: Site) -> None:
    rng = seeded("signals and servers")
    ids = make_entities(site)
    publish(site, ids, 1000, rng)
    program = consumer(site)
    site.wait_until(lambda: site.value(COUNTED) > 0, "it counts")
    site.restart_postgres(kill=True)
    publish(site, ids, 1000, rng)
    site.wait_until(lambda: site.value(COUNTED) >= 2000, "it goes on after PostgreSQL was killed")
    site.wait_until(lambda: not pending(site), "all is acknowledged")
    site.flush_redis()
    publish(site, ids, 1000, rng)
    site.wait_until(lambda: site.value(COUNTED) >= 3000, "it goes on after Redis lost everything")

    assert site.value(COUNTED) == 3000
    assert program.is_running
    site.stop_all()
    assert program.code == 0
