"""Workers told to leave in the middle of a batch, one after the other: they leave in good order, and nobody pays."""

from __future__ import annotations

import pytest

from .books import assert_balanced, assert_batch_ended, assert_nothing_waits, assert_said
from .fleet import Fleet
from .scale import JOBS, ROUNDS, seeded
from .site import Site, pick, some

pytestmark = pytest.mark.faults


def test_workers_replaced_during_a_batch_lose_nothing_and_count_no_attempt(site: Site) -> None:
    """A deployment: each worker, once it works, gets a successor and then SIGTERM."""
    rng = seeded("deploys")
    site.scheduler()
    fleet = Fleet(site, 3)
    long_ones = site.ask_batch("faults.long_effect", [{"n": number, "steps": 20} for number in range(12)])
    isolated = site.ask_batch("faults.isolated_effect", some(40))
    batch = site.ask_batch("faults.effect", some(JOBS))
    left = []

    def replace_one() -> None:
        site.wait_until(fleet.working, "a worker works", fleet.tend)
        leaving = pick(rng, fleet.working())
        fleet.members[fleet.members.index(leaving)] = site.worker()
        leaving.terminate()
        left.append(leaving)
        site.note(f"{leaving.name} (pid {leaving.pid}) is told to leave; {site.ended()} jobs have ended")

    replacements = [(point, replace_one) for point in sorted(rng.sample(range(5, JOBS), 12 * ROUNDS))]
    batches = (long_ones, isolated, batch)
    fleet.see_through(replacements, lambda: all(map(site.has_ended, batches)), "the batches end")

    assert [leaving.wait() for leaving in left] == [0] * len(left)
    entries = assert_balanced(site, count=JOBS + 52)
    assert_batch_ended(site, batch, completed=JOBS)
    tried_again = [entry for entry in entries if entry.tries != 1]
    assert not tried_again, f"A stop counted as a failed attempt: {tried_again}"
    assert_said(site, entries)
    assert_nothing_waits(site)
    site.stop_all()
