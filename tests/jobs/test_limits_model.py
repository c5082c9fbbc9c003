"""The scripts of limits against a model in plain Python, through arbitrary histories on a clock of the test."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jobs.connections import queue_redis
from jobs.limits import ConcurrencyLimit, TokenBucket, scripts
from tests.jobs.limit_models import BucketModel, LimitModel, run_at

LEASE_MS, PATIENCE_MS = 3000, 5000
QUEUES = st.sampled_from(["high", "default", "low"])
MILLISECONDS = st.sampled_from([1, 50, 700, 1000, 1500, 2999, 3000, 3001, 7000])


class AnyHistoryOfALimit(RuleBasedStateMachine):
    limit: ConcurrencyLimit
    model: LimitModel

    @initialize(size=st.integers(3, 6), reserved=st.sampled_from([{}, {"high": 2}, {"high": 1, "low": 1}]))
    def begin(self, size: int, reserved: dict[str, int]) -> None:
        queue_redis().flushdb()
        self.limit = ConcurrencyLimit("m", size, LEASE_MS / 1000, reserved, raise_after=2)
        self.model = LimitModel(size, reserved, LEASE_MS, raise_after=2)
        self.tickets: dict[str, tuple[str, int | None]] = {}  # who asked and waits: queue, ticket
        self.known: list[str] = []  # every lease there ever was: the ended ones must stay ended
        self.count = 0

    def call(self, script: scripts.Script, *arguments: Any) -> Any:
        return run_at(self.model.now, self.limit._call(script, *arguments))

    def ask(self, name: str, queue: str, ticket: int | None, patience: int) -> None:
        number = {queue: number for number, queue in enumerate(self.model.reserved, 1)}.get(queue, 0)
        mark = "" if ticket is None else str(ticket)
        answer = self.call(scripts.ACQUIRE, name, LEASE_MS, number, mark, patience)
        expected = self.model.acquire(name, queue, ticket, patience)
        if expected is None:
            assert answer == self.model.now
            self.tickets.pop(name, None)
            self.known.append(name)
            assert len(self.model.held) <= self.model.effective
            return
        wait_ms, given, is_paused = answer
        assert wait_ms > 0 and bool(is_paused) == (self.model.paused_until > self.model.now)
        assert given == (b"" if expected == -1 else str(expected).encode())
        if patience:
            self.tickets[name] = (queue, expected)

    @rule(queue=QUEUES, patience=st.sampled_from([0, PATIENCE_MS]))
    def somebody_comes(self, queue: str, patience: int) -> None:
        self.count += 1
        self.ask(f"{queue}|tester|{self.count}", queue, None, patience)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def a_waiter_asks_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.tickets)))
        self.ask(name, *self.tickets[name], PATIENCE_MS)

    @precondition(lambda self: self.tickets)
    @rule(data=st.data())
    def a_waiter_gives_up(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.tickets)))
        del self.tickets[name]
        self.call(scripts.FORGET, name)
        self.model.line = [waiter for waiter in self.model.line if waiter.name != name]
        self.bells_ring()

    @precondition(lambda self: self.known)
    @rule(data=st.data(), went_well=st.booleans())
    def a_place_is_given_back(self, data: st.DataObject, went_well: bool) -> None:
        name = data.draw(st.sampled_from(self.known))
        was_held = self.call(scripts.RELEASE, name, int(went_well), 2)
        assert was_held == int(self.model.held.pop(name, None) is not None)
        if went_well:
            self.model.succeed()
        self.bells_ring()

    @precondition(lambda self: self.known)
    @rule(data=st.data())
    def leases_are_extended(self, data: st.DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(self.known), min_size=1, max_size=3, unique=True))
        lost = self.call(scripts.BEAT, LEASE_MS, *names)
        assert {name.decode() for name in lost} == self.model.beat(names)

    @rule(milliseconds=MILLISECONDS)
    def time_passes(self, milliseconds: int) -> None:
        self.model.now += milliseconds

    @rule(milliseconds=MILLISECONDS)
    def it_is_paused(self, milliseconds: int) -> None:
        self.model.pause(milliseconds)
        assert self.call(scripts.PAUSE, milliseconds, "why") == self.model.paused_until

    @rule()
    def it_is_resumed(self) -> None:
        self.call(scripts.RESUME)
        self.model.paused_until = 0
        self.bells_ring()

    @rule(stated=st.none() | MILLISECONDS, data=st.data())
    def a_call_is_refused(self, stated: int | None, data: st.DataObject) -> None:
        since = data.draw(st.sampled_from([0, *sorted(held.since for held in self.model.held.values())]))
        self.model.throttle(since, stated)
        answer = self.call(scripts.THROTTLED, since, -1 if stated is None else stated, "why", 1000, 60_000)
        assert answer == self.model.effective

    @rule()
    def a_call_succeeds(self) -> None:
        self.model.succeed()
        assert self.call(scripts.SUCCEEDED, 2) == self.model.effective
        self.bells_ring()

    def bells_ring(self) -> None:
        """Whoever would get in by asking was told to ask (leases that ran out unseen ring for nobody)."""
        prefix = self.limit._bell
        for name in self.model.rung():
            assert queue_redis().exists(prefix + name), f"{name} was not woken"

    @invariant()
    def it_looks_as_it_should(self) -> None:
        if not hasattr(self, "model"):
            return
        model = self.model
        _, effective, paused_until, _, waiting, held, _ = self.call(scripts.STATE)
        ends = dict(zip(held[::2], (int(float(end)) for end in held[1::2]), strict=True))
        assert ends == {name.encode(): lease.ends for name, lease in model.held.items() if lease.ends > model.now}
        assert effective == model.effective
        assert max(int(paused_until), model.now) == max(model.paused_until, model.now)
        assert waiting == sum(waiter.gone_at > model.now for waiter in model.line)
        assert len(ends) <= model.size
        others = sum(lease.queue not in model.reserved and lease.ends > model.now for lease in model.held.values())
        assert others <= model.size - sum(model.reserved.values())


class AnyHistoryOfABucket(RuleBasedStateMachine):
    model: BucketModel

    @initialize(burst=st.sampled_from([10.0, 60.0]), per_minute=st.sampled_from([7.0, 60.0, 3600.0]))
    def begin(self, burst: float, per_minute: float) -> None:
        queue_redis().flushdb()
        self.bucket = TokenBucket("b", per_minute, burst)
        self.model = BucketModel(per_minute, burst, stored=burst)
        self.waiting: dict[str, tuple[int, int | None]] = {}
        self.count = 0

    def call(self, script: scripts.Script, *arguments: Any) -> Any:
        return run_at(self.model.now, self.bucket._call(script, *arguments))

    def ask(self, name: str, n: int, ticket: int | None) -> None:
        answer = self.call(scripts.TAKE, name, n, "" if ticket is None else str(ticket), PATIENCE_MS)
        level, expected = self.model.level, self.model.take(name, n, ticket, PATIENCE_MS)
        if expected is None:
            assert answer == [1]
            self.waiting.pop(name, None)
            return
        taken, wait_ms, given = answer
        assert not taken and given == str(expected).encode()
        if self.model.line[0].name == name:  # who is first is told when there will be enough, to the millisecond
            missing = n - level
            assert wait_ms - 1 <= missing * 60_000 / self.model.per_minute <= wait_ms + 1e-6
        self.waiting[name] = (n, expected)

    @rule(n=st.integers(1, 10))
    def somebody_takes(self, n: int) -> None:
        self.count += 1
        self.ask(f"|tester|{self.count}", n, None)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def a_waiter_asks_again(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.waiting)))
        self.ask(name, *self.waiting[name])

    @rule(reserved=st.integers(0, 10), used=st.integers(0, 40))
    def a_call_is_settled(self, reserved: int, used: int) -> None:
        self.model.settle(reserved - used)
        self.call(scripts.SETTLE, reserved - used)

    @rule(milliseconds=st.sampled_from([1, 500, 1000, 4999, 5000, 60_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.model.now += milliseconds

    @invariant()
    def it_looks_as_it_should(self) -> None:
        if not hasattr(self, "model"):
            return
        level, waiting = self.call(scripts.BUCKET_STATE)
        assert abs(float(level) - self.model.level) < 1e-6
        assert -self.model.burst <= float(level) <= self.model.burst
        assert waiting == sum(waiter.gone_at > self.model.now for waiter in self.model.line)


# Each step is a few round trips: enough histories to meet every pair of rules, within seconds. The same ones each time,
# so that a red build is due to a change; PLUMBLINE_SOAK=1 looks for new ones.
is_soak = os.environ.get("PLUMBLINE_SOAK") == "1"
QUICK = settings(
    max_examples=1000 if is_soak else 40,
    stateful_step_count=40,
    deadline=None,
    derandomize=not is_soak,
    suppress_health_check=list(HealthCheck),
    database=None,
)
TestAnyHistoryOfALimit = AnyHistoryOfALimit.TestCase
TestAnyHistoryOfALimit.settings = QUICK
TestAnyHistoryOfABucket = AnyHistoryOfABucket.TestCase
TestAnyHistoryOfABucket.settings = QUICK
