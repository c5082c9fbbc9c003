"""Workers killed at random in the middle of a batch: each effect exactly once, each job ended, nothing left over."""

from __future__ import annotations

import pytest

from .books import assert_balanced, assert_batch_ended, assert_nothing_waits, assert_said
from .fleet import Fleet
from .scale import JOBS, KILLS, seeded
from .site import Site, some

pytestmark = pytest.mark.faults


def test_a_batch_whose_workers_are_killed_at_random_is_done_exactly_once(site: Site) -> None:
    rng = seeded("killed workers")
    site.scheduler()
    fleet = Fleet(site, 4)
    batch = site.ask_batch("faults.effect", some(JOBS))

    kills = fleet.kills(KILLS, of_jobs=JOBS, rng=rng)
    fleet.see_through(kills, lambda: site.has_ended(batch), "the batch ends")

    entries = assert_balanced(site, count=JOBS)
    assert_batch_ended(site, batch, completed=JOBS)
    assert_nothing_waits(site)
    assert_said(site, entries, unsaid=KILLS)
    site.stop_all()


def test_brief_jobs_claimed_together_are_all_done_and_cost_each_other_no_attempt(site: Site) -> None:
    """Whoever is killed had dozens of them in hand, begun or not, ended or not. What was not begun was not tried."""
    rng = seeded("killed workers, brief jobs")
    site.scheduler()
    fleet = Fleet(site, 3)
    batch = site.ask_batch("faults.returns", some(3 * JOBS))

    kills = fleet.kills(KILLS // 2, of_jobs=3 * JOBS, rng=rng)
    fleet.see_through(kills, lambda: site.has_ended(batch), "the batch ends")

    entries = assert_balanced(site, count=3 * JOBS, at_least_once=True)
    assert_batch_ended(site, batch, completed=3 * JOBS)
    assert_nothing_waits(site)
    assert_said(site, entries, unsaid=KILLS // 2 * 64)
    site.stop_all()
