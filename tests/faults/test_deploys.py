"""Workers told to leave in the middle of a batch, one after the other: they leave in good order, and nobody pays."""

from __future__ import annotations

import signal

import pytest

from .books import assert_balanced, assert_batch_ended, assert_batch_said_once, assert_nothing_waits, assert_said
from .fleet import Fleet
from .program import Program
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
    for each in batches:
        assert_batch_said_once(site, each)
    assert_nothing_waits(site)
    site.stop_all()


def test_a_worker_told_to_leave_at_any_moment_leaves(site: Site) -> None:
    """While it waits for a doorbell, answers one, runs a job in this process or in a child, or ends one."""
    rng = seeded("leaving")
    count = 0
    for _ in range(12 * ROUNDS):
        worker = site.worker()
        kind = rng.choice(["faults.effect", "faults.isolated_effect", "faults.returns"])
        site.ask_batch(kind, [{"n": number} for number in range(3)])
        count += rng.randrange(1, 4)
        site.wait_until(lambda: site.ended() >= count, "some jobs end", lambda: None)  # noqa: B023 - asked at once
        worker.terminate()
        assert worker.wait() == 0
        count = site.ended()
    site.worker()
    site.wait_until(lambda: site.ended() == 36 * ROUNDS, "what was left is done")
    entries = assert_balanced(site, count=36 * ROUNDS, at_least_once=True)
    assert {entry.tries for entry in entries} == {1}
    site.stop_all()


def test_a_worker_told_to_leave_while_it_makes_itself_known_to_redis_does_not_wait_for_a_doorbell(site: Site) -> None:
    (job,) = site.ask_jobs([("faults.returns", {"n": 0})])
    site.freeze_redis(is_frozen=True)
    worker = site.worker()
    site.wait_until(lambda: is_in(worker, "_listen"), "the worker talks to the frozen Redis")
    worker.terminate()
    site.freeze_redis(is_frozen=False)
    assert worker.wait() == 0
    assert site.status(job) == "completed"


def is_in(worker: Program, function: str) -> bool:
    """Whether a stack that it wrote when asked (apps.py) is in that function."""
    if f" in {function}" in worker.said():
        return True
    if worker.hears(signal.SIGUSR1):  # until Django has set it up, the signal would end it
        worker.signal(signal.SIGUSR1)
    return False
