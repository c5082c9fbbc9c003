"""Leases of places: they end by Redis' clock, and whoever has lost one learns it."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from jobs import limits
from jobs.connections import queue_redis
from jobs.limits import ConcurrencyLimit, PlaceLost
from tests.jobs.places import make_lost
from tests.jobs.processes import wait_until


def test_a_lease_ends_on_redis_clock_when_nobody_extends_it() -> None:
    limit = ConcurrencyLimit("t", 1, lease_s=1.5)
    lease = limit.acquire()
    limit.keeper.drop(lease)  # as a killed process would
    (holder,) = limit.state()["holders"]
    assert holder["until"].timestamp() - holder["since"].timestamp() == pytest.approx(1.5)
    with limit.hold(timeout_s=60) as second:
        assert second.since_ms >= holder["until"].timestamp() * 1000 - 1
        assert lease.lost
    with pytest.raises(PlaceLost):
        lease.check()


def test_a_lease_is_extended_while_its_holder_lives() -> None:
    limit = ConcurrencyLimit("t", 1, lease_s=5)
    with limit.hold() as lease:
        first_end = limit.state()["holders"][0]["until"]
        wait_until(lambda: limit.state()["holders"][0]["until"] > first_end, "the lease was extended")
        assert not lease.lost and [holder["id"] for holder in limit.state()["holders"]] == [lease.id]


def test_a_holder_whose_lease_ran_out_learns_it_and_does_not_get_the_place_back() -> None:
    limit = ConcurrencyLimit("t", 1, lease_s=30)
    lease = limit.acquire()
    make_lost(lease)
    other = limit.acquire(timeout_s=0)
    assert not lease.lost  # nobody told it yet
    limit.beat([lease])
    assert lease.lost and lease.remaining_s == 0
    limit.beat([lease])
    assert [holder["id"] for holder in limit.state()["holders"]] == [other.id]
    lease.release()
    assert limit.state()["held"] == 1
    other.release()


def test_a_lease_that_ran_out_is_not_revived_even_when_the_place_is_still_free(narrow: ConcurrencyLimit) -> None:
    lease = narrow.acquire()
    make_lost(lease)
    narrow.beat([lease])
    assert lease.lost
    assert narrow.state()["held"] == 0


def test_the_background_thread_tells_of_a_lost_place() -> None:
    limit = ConcurrencyLimit("t", 1, lease_s=3)
    lease = limit.acquire()
    make_lost(lease)
    wait_until(lambda: queue_redis().zscore(limit._keys[0], lease.id) is None, "the thread asked about the lease")
    wait_until(lambda: lease.lost, "the holder was told")
    with pytest.raises(PlaceLost):
        lease.check()
    lease.release()


def test_a_holder_cut_off_from_redis_knows_by_its_own_clock_that_its_time_is_over(
    narrow: ConcurrencyLimit, settings: Any
) -> None:
    lease = narrow.acquire()
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
    lease.ends_at = limits.lease.clock() - 0.001
    assert lease.lost
    lease.extended(limits.lease.clock() + 30)  # an answer that comes too late
    assert lease.lost


def test_a_lease_that_nobody_refers_to_is_not_kept(narrow: ConcurrencyLimit) -> None:
    lease = narrow.acquire()
    name = lease.id
    assert name in narrow.keeper._leases
    del lease
    gc.collect()
    assert name not in narrow.keeper._leases


def test_losing_all_of_redis_is_learned_by_holders(narrow: ConcurrencyLimit) -> None:
    lease = narrow.acquire()
    queue_redis().flushdb()
    queue_redis().script_flush()
    narrow.beat([lease])
    assert lease.lost
    lease.release()
    narrow.acquire(timeout_s=0).release()
