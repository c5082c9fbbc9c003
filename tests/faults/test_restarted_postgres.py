"""PostgreSQL restarted in the middle of a batch whose workers are killed as well. Nothing that was committed is lost,
nothing that was not is done; the workers outlive it."""

from __future__ import annotations

import pytest

from .books import assert_balanced, assert_batch_ended, assert_nothing_waits, assert_said
from .fleet import Fleet
from .scale import JOBS, KILLS, seeded
from .site import Site, some

pytestmark = pytest.mark.faults


def test_a_batch_is_done_exactly_once_while_postgres_is_restarted_and_killed(site: Site) -> None:
    """Shut down fast and started again; later killed, which it recovers from."""
    rng = seeded("restarted postgres")
    scheduler = site.scheduler()
    fleet = Fleet(site, 4)
    batch = site.ask_batch("faults.effect", some(JOBS))

    kills = fleet.kills(KILLS, of_jobs=JOBS, rng=rng)
    faults = [(JOBS // 4, site.restart_postgres), (JOBS * 3 // 4, lambda: site.restart_postgres(kill=True))]
    fleet.see_through(kills + faults, lambda: site.has_ended(batch), "the batch ends")

    entries = assert_balanced(site, count=JOBS)
    assert_batch_ended(site, batch, completed=JOBS)
    assert_nothing_waits(site)
    # Each of the four workers may have been cut off twice between a commit and its answer.
    assert_said(site, entries, unsaid=KILLS + 2 * 4)
    assert scheduler.is_running
    site.stop_all()


def test_idle_workers_outlive_a_restart(site: Site) -> None:
    """They wait for a doorbell while the database goes away under them, and need a new connection afterwards."""
    site.scheduler()
    fleet = Fleet(site, 2)
    first = site.ask_batch("faults.effect", some(20))
    fleet.see_through([], lambda: site.has_ended(first), "the first batch ends")
    site.restart_postgres()
    second = site.ask_batch("faults.effect", some(50))
    fleet.see_through([], lambda: site.has_ended(second), "the batch after the restart ends")

    entries = assert_balanced(site, count=70)
    assert_said(site, entries)
    site.stop_all()
