"""Redis stopped, frozen and flushed in the middle of a batch whose workers are killed as well: slower, not wrong."""

from __future__ import annotations

import time

import pytest

from .books import assert_balanced, assert_batch_ended, assert_nothing_waits, assert_said
from .fleet import Fleet
from .scale import JOBS, KILLS, REDIS_AWAY_S, SOAK, seeded
from .site import Site, some

pytestmark = pytest.mark.faults


def test_a_batch_is_done_exactly_once_while_redis_is_stopped_restarted_and_flushed(site: Site) -> None:
    rng = seeded("lost redis")
    site.scheduler()
    fleet = Fleet(site, 4)
    batch = site.ask_batch("faults.effect", some(JOBS))

    def away() -> None:
        """Not so long that a fast machine does all of the batch without it."""
        site.stop_redis(kill=rng.random() < 0.5)
        end = time.monotonic() + REDIS_AWAY_S
        site.wait_until(lambda: time.monotonic() > end or site.ended() >= JOBS * 2 // 5, "Redis comes back", fleet.tend)
        site.start_redis()

    kills = fleet.kills(KILLS, of_jobs=JOBS, rng=rng)
    faults = [(JOBS // 5, away), (JOBS * 3 // 5, site.flush_redis)]
    fleet.see_through(kills + faults, lambda: site.has_ended(batch), "the batch ends")

    entries = assert_balanced(site, count=JOBS)
    assert_batch_ended(site, batch, completed=JOBS)
    assert_nothing_waits(site)
    assert_said(site, entries, unsaid=JOBS)
    site.stop_all()


def test_jobs_asked_for_while_redis_is_away_are_done_by_idle_workers(site: Site) -> None:
    """Asking does not fail, workers look at the table by themselves; the same workers hear doorbells again later."""
    site.scheduler()
    fleet = Fleet(site, 2)
    first = site.ask_batch("faults.effect", some(20))
    fleet.see_through([], lambda: site.has_ended(first), "the first batch ends")
    with site.redis() as client:  # both sit in their wait for a doorbell, as idle workers do
        fleet.see_through([], lambda: client.info("clients")["blocked_clients"] >= 2, "the workers wait")
    site.stop_redis()
    second = site.ask_batch("faults.effect", some(50))
    fleet.see_through([], lambda: site.has_ended(second), "the batch asked for without Redis ends")
    site.start_redis()
    third = site.ask_batch("faults.effect", some(50))
    fleet.see_through([], lambda: site.has_ended(third), "the batch asked for afterwards ends")

    assert_balanced(site, count=120)
    assert_nothing_waits(site)
    site.stop_all()


def test_a_frozen_redis_holds_up_nothing_for_good(site: Site) -> None:
    """It takes connections and says nothing: each call has to give up by itself."""
    rng = seeded("frozen redis")
    jobs = JOBS if SOAK else JOBS // 5
    site.scheduler()
    fleet = Fleet(site, 3)
    batch = site.ask_batch("faults.effect", some(jobs))

    def freeze() -> None:
        site.freeze_redis(is_frozen=True)
        time.sleep(REDIS_AWAY_S)
        site.freeze_redis(is_frozen=False)

    faults = [(jobs // 4, freeze), *fleet.kills(3, of_jobs=jobs, rng=rng)]
    fleet.see_through(faults, lambda: site.has_ended(batch), "the batch ends")

    assert_balanced(site, count=jobs)
    assert_batch_ended(site, batch, completed=jobs)
    assert_nothing_waits(site)
    site.stop_all()
