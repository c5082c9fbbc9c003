"""Limits on how many at once: places, waiting, leases, pauses, slowing down. Time is Redis' own."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.checks import run_checks

from jobs import limits
from jobs.connections import breaker_of, queue_redis, queue_url
from jobs.failures import is_transient
from jobs.limits import ConcurrencyLimit, LimitBusy, LimitPaused, LimitUnreachable, UnknownLimit, scripts
from jobs.limits import calls as limit_calls
from tests.jobs.places import redis_now
from tests.jobs.processes import wait_until


def test_no_more_than_the_size_are_held_at_once() -> None:
    limit = ConcurrencyLimit("t", 2)
    with limit.hold(timeout_s=0), limit.hold(timeout_s=0):
        with pytest.raises(LimitBusy):
            limit.acquire(timeout_s=0)
        assert limit.state()["held"] == 2
    assert limit.state()["held"] == 0


def test_being_refused_is_temporary_so_a_job_is_tried_again(narrow: ConcurrencyLimit) -> None:
    with narrow.hold(), pytest.raises(LimitBusy) as refused:
        narrow.acquire(timeout_s=0.05)
    assert is_transient(refused.value)


def test_who_gives_up_leaves_the_line(narrow: ConcurrencyLimit) -> None:
    with narrow.hold():
        with pytest.raises(LimitBusy):
            narrow.acquire(timeout_s=0.05)
        assert narrow.state()["waiting"] == 0
    narrow.acquire(timeout_s=0).release()


def test_a_place_is_given_back_when_the_block_fails(narrow: ConcurrencyLimit) -> None:
    with pytest.raises(RuntimeError), narrow.hold():
        raise RuntimeError
    assert narrow.state()["held"] == 0


def test_a_second_release_takes_nobody_elses_place(narrow: ConcurrencyLimit) -> None:
    first = narrow.acquire()
    first.release()
    second = narrow.acquire(timeout_s=0)
    first.release()
    assert [holder["id"] for holder in narrow.state()["holders"]] == [second.id]
    second.release()


def test_waiting_threads_get_in_one_after_the_other(narrow: ConcurrencyLimit) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> int:
        with narrow.hold(timeout_s=60):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(40))) == list(range(40))
    assert max(most) == 1


def test_who_came_first_gets_in_first(narrow: ConcurrencyLimit) -> None:
    order: list[int] = []

    def wait_in_line(number: int) -> None:
        with narrow.hold(timeout_s=60):
            order.append(number)

    first = narrow.acquire()
    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=wait_in_line, args=(number,)))
        threads[-1].start()
        wait_until(lambda expected=number + 1: narrow.state()["waiting"] == expected, f"{number} is in line")
    with pytest.raises(LimitBusy):
        narrow.acquire(timeout_s=0)
    first.release()
    for thread in threads:
        thread.join(60)
    assert order == [0, 1, 2, 3]


def test_a_newcomer_does_not_overtake_those_who_wait(narrow: ConcurrencyLimit) -> None:
    first = narrow.acquire()
    in_line = narrow._call(scripts.ACQUIRE, "default|somebody|1", 30_000, 0, "", 600_000)
    ticket = limit_calls.run(in_line)[1]
    first.release()
    with pytest.raises(LimitBusy):
        narrow.acquire(timeout_s=0)
    limit_calls.run(narrow._call(scripts.ACQUIRE, "default|somebody|1", 30_000, 0, ticket, 600_000))
    assert [holder["who"] for holder in narrow.state()["holders"]] == ["somebody"]


def test_a_killed_waiter_holds_the_line_up_for_a_moment_only(narrow: ConcurrencyLimit) -> None:
    first = narrow.acquire()
    limit_calls.run(narrow._call(scripts.ACQUIRE, "default|killed|1", 30_000, 0, "", 300))
    first.release()
    with narrow.hold(timeout_s=60) as second:
        assert [holder["id"] for holder in narrow.state()["holders"]] == [second.id]


def test_reserved_places_are_for_their_queue_only() -> None:
    limit = ConcurrencyLimit("t", 3, reserved={"high": 1})
    held = [limit.acquire(timeout_s=0), limit.acquire(timeout_s=0, queue="low")]
    with pytest.raises(LimitBusy):
        limit.acquire(timeout_s=0)
    held.append(limit.acquire(timeout_s=0, queue="high"))
    with pytest.raises(LimitBusy):
        limit.acquire(timeout_s=0, queue="high")
    for lease in held:
        lease.release()


def test_the_high_queue_may_take_the_other_places_too() -> None:
    limit = ConcurrencyLimit("t", 3, reserved={"high": 1})
    held = [limit.acquire(timeout_s=0, queue="high") for _ in range(3)]
    held.pop().release()  # one of the two that are for everybody
    held.append(limit.acquire(timeout_s=0))
    assert limit.state()["held"] == 3
    for lease in held:
        lease.release()


def test_one_place_is_left_for_everybody_however_small_the_limit_becomes() -> None:
    limit = ConcurrencyLimit("t", 4, reserved={"high": 3})
    for _ in range(3):
        limit.throttled(0)
        queue_redis().hset(limit._keys[2], "cut_at", 1)  # the next refusal is news again
    assert limit.state()["effective"] == 1
    limit.acquire(timeout_s=0).release()


# --- pause, slow down, recover ---


def test_a_pause_is_for_everybody_and_says_when_it_ends() -> None:
    ConcurrencyLimit("t", 5).pause(100, "The provider asked for it.")
    limit = ConcurrencyLimit("t", 5)
    with pytest.raises(LimitPaused) as refused:
        limit.acquire(timeout_s=0.1)
    assert refused.value.retry_after_s is not None and 60 < refused.value.retry_after_s <= 100
    state = limit.state()
    assert state["reason"] == "The provider asked for it."
    assert state["paused_until"] is not None and state["paused_until"] > datetime.now(UTC)


def test_a_shorter_pause_does_not_shorten_a_longer_one(narrow: ConcurrencyLimit) -> None:
    narrow.pause(100, "long")
    until = narrow.state()["paused_until"]
    narrow.pause(1, "short")
    assert narrow.state()["paused_until"] == until
    assert narrow.state()["reason"] == "long"


def test_a_pause_that_ends_in_time_is_waited_for(narrow: ConcurrencyLimit) -> None:
    narrow.pause(0.5, "soon over")
    until = narrow.state()["paused_until"]
    assert until is not None
    with narrow.hold(timeout_s=60) as lease:
        assert lease.since >= until
    assert narrow.state()["paused_until"] is None


def test_resume_wakes_those_who_wait(narrow: ConcurrencyLimit) -> None:
    narrow.pause(50, "the key was refused")
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(lambda: narrow.acquire(timeout_s=600))
        wait_until(lambda: narrow.state()["waiting"] == 1, "somebody waits")
        assert narrow.state()["held"] == 0
        narrow.resume()
        lease = waiter.result(40)
    assert not lease.lost and narrow.state()["waiting"] == 0
    lease.release()


def test_holders_keep_their_places_during_a_pause(narrow: ConcurrencyLimit) -> None:
    with narrow.hold() as lease:
        narrow.pause(100, "why")
        narrow.beat([lease])
        assert not lease.lost


def test_calls_refused_together_halve_the_limit_once() -> None:
    limit = ConcurrencyLimit("t", 20)
    leases = [limit.acquire() for _ in range(8)]
    time.sleep(0.002)  # by Redis' clock they began before the cut
    for lease in leases:
        assert lease.throttled(2) == 10
    for lease in leases:
        lease.release()
    limit.resume()
    time.sleep(0.002)
    with limit.hold() as later:
        assert later.throttled(2) == 5


def test_each_further_refusal_without_a_stated_time_doubles_the_pause() -> None:
    limit = ConcurrencyLimit("t", 20)
    lengths = []
    for _ in range(3):
        queue_redis().hset(limit._keys[2], "cut_at", 1)
        limit.throttled()
        until = limit.state()["paused_until"]
        cut_at = int(queue_redis().hget(limit._keys[2], "cut_at") or 0)
        assert until is not None
        lengths.append(round(until.timestamp() * 1000 - cut_at))
        limit.resume()
    assert lengths == [1000, 2000, 4000]
    assert limit.state()["effective"] == 2


def test_the_limit_never_falls_below_one(narrow: ConcurrencyLimit) -> None:
    assert narrow.throttled(0) == 1
    narrow.acquire(timeout_s=0).release()


def test_successes_raise_a_cut_limit_step_by_step_up_to_its_size() -> None:
    limit = ConcurrencyLimit("t", 4, raise_after=2)
    assert limit.throttled(0) == 2
    assert [limit.succeeded() for _ in range(6)] == [2, 3, 3, 4, 4, 4]


def test_successes_are_counted_with_the_release() -> None:
    limit = ConcurrencyLimit("t", 4, raise_after=2)
    limit.throttled(0)
    for _ in range(2):
        with limit.hold() as lease:
            lease.succeeded()
    assert limit.state()["effective"] == 3


def test_the_cut_limit_holds_for_other_workers() -> None:
    ConcurrencyLimit("t", 4).throttled(0)
    limit = ConcurrencyLimit("t", 4)
    held = [limit.acquire(timeout_s=0) for _ in range(2)]
    with pytest.raises(LimitBusy):
        limit.acquire(timeout_s=0)
    for lease in held:
        lease.release()


# --- event loops ---


async def test_threads_and_event_loops_share_the_places(closing: None) -> None:
    limit = ConcurrencyLimit("t", 3)
    inside, most = [], []

    def note(name: str) -> None:
        inside.append(name)
        most.append(len(inside))

    async def in_loop(number: int) -> None:
        async with limit.hold(timeout_s=60):
            note(f"a{number}")
            await asyncio.sleep(0.002)
            inside.remove(f"a{number}")

    def in_thread(number: int) -> None:
        with limit.hold(timeout_s=60):
            note(f"s{number}")
            time.sleep(0.002)
            inside.remove(f"s{number}")

    work = [in_loop(number) for number in range(20)]
    work += [asyncio.to_thread(in_thread, number) for number in range(20)]
    await asyncio.gather(*work)
    assert len(most) == 40 and max(most) <= 3
    assert (await limit.astate())["held"] == 0


async def test_a_cancelled_task_leaves_neither_place_nor_line(closing: None, narrow: ConcurrencyLimit) -> None:
    async with narrow.hold():
        waiter = asyncio.create_task(narrow.aacquire(timeout_s=60))
        while (await narrow.astate())["waiting"] == 0:
            await asyncio.sleep(0.01)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert (await narrow.astate())["waiting"] == 0
    async with narrow.hold(timeout_s=0):
        pass


async def test_pause_and_refusals_work_in_a_loop(closing: None) -> None:
    limit = ConcurrencyLimit("t", 4, raise_after=1)
    async with limit.hold() as lease:
        assert await lease.athrottled(100) == 2
    with pytest.raises(LimitPaused):
        await limit.aacquire(timeout_s=0)
    await limit.aresume()
    assert await limit.asucceeded() == 3
    await limit.apause(100, "why")
    assert (await limit.astate())["reason"] == "why"


# --- Redis away ---


def test_without_redis_nobody_gets_a_place(redis_is_down: None, narrow: ConcurrencyLimit) -> None:
    with pytest.raises(LimitUnreachable) as refused:
        narrow.acquire(timeout_s=60)
    assert is_transient(refused.value)
    assert "Redis" in str(refused.value)


async def test_without_redis_nobody_gets_a_place_in_a_loop(
    redis_is_down: None, closing: None, narrow: ConcurrencyLimit
) -> None:
    with pytest.raises(LimitUnreachable):
        await narrow.aacquire(timeout_s=60)


def test_an_open_limit_holds_nobody_up_without_redis(redis_is_down: None) -> None:
    limit = ConcurrencyLimit("t", 1, when_redis_is_down="open")
    with limit.hold() as first, limit.hold() as second:
        assert not first.is_shared and not second.lost


def test_redis_going_away_while_a_place_is_held_does_not_hide_the_work(narrow: ConcurrencyLimit, settings: Any) -> None:
    with narrow.hold() as lease:
        settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
        assert not lease.lost


def test_a_waiter_is_told_when_redis_goes_away(narrow: ConcurrencyLimit, settings: Any) -> None:
    lease = narrow.acquire()
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(narrow.acquire, timeout_s=600)
        wait_until(lambda: narrow.state()["waiting"] == 1, "somebody waits")
        real = queue_url()
        settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
        with pytest.raises(LimitUnreachable):
            waiter.result(60)
    settings.REDIS_QUEUE_URL = real
    breaker_of(real).worked()
    lease.release()


def test_a_mistake_in_a_script_is_not_told_as_an_outage(narrow: ConcurrencyLimit) -> None:
    from redis.exceptions import ResponseError

    with pytest.raises(ResponseError):
        limit_calls.run(limit_calls.Call(limits.scripts.Script("return redis.call('NONSENSE')"), (), ()))


# --- settings ---


def test_limits_come_from_the_settings_and_are_shown_all(settings: Any) -> None:
    settings.JOBS_LIMITS = {"b": {"size": 3, "reserved": {"high": 1}}, "a": {"per_minute": 60}}
    assert limits.get("b") is limits.get("b")
    with limits.get("b").hold(queue="high", who="job 17"):
        bucket, limit = limits.states()
        assert (bucket["kind"], bucket["name"]) == ("bucket", "a")
        assert limit["kind"] == "concurrency"
        (holder,) = limit["holders"]
        assert (holder["queue"], holder["who"]) == ("high", "job 17")
        assert abs(holder["since"].timestamp() - redis_now()) < 60


def test_an_unknown_limit_is_said_so(settings: Any) -> None:
    settings.JOBS_LIMITS = {"a": {"per_minute": 60}, "b": {"size": 3}}
    for get, name in ((limits.get, "c"), (limits.get, "a"), (limits.get_bucket, "b")):
        with pytest.raises(UnknownLimit, match="JOBS_LIMITS"):
            get(name)


@pytest.mark.parametrize(
    "options",
    [{"size": 0}, {"size": 2, "reserved": {"high": 2}}, {"size": 2, "lease_s": 0}, {"per_minute": 0}, {"siez": 3}],
)
def test_a_senseless_limit_is_found_at_the_start(settings: Any, options: dict[str, Any]) -> None:
    settings.JOBS_LIMITS = {"t": options}
    assert [message.id for message in run_checks() if message.id == "jobs.E020"] == ["jobs.E020"]


def test_the_limits_of_this_site_make_sense() -> None:
    assert not [message for message in run_checks() if message.id == "jobs.E020"]
    assert limits.get("model:anthropic").size > 0
