"""What the scripts of limits should do, said in plain Python; and a way to run the scripts on a clock of the test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from jobs.connections import queue_redis
from jobs.limits.calls import Call

CLOCK_KEY = "test:clock"
CLOCK = f"local now = tonumber(redis.call('GET', '{CLOCK_KEY}'))\n"


def run_at(now: int, call: Call) -> Any:
    """The body that is used in earnest, at the millisecond `now`."""
    client = queue_redis()
    client.set(CLOCK_KEY, now)
    return client.eval(CLOCK + call.script.body, len(call.keys), *call.keys, *call.arguments)


@dataclass
class Waiter:
    name: str
    queue: str
    ticket: int
    gone_at: int


@dataclass
class Held:
    queue: str
    since: int
    ends: int


@dataclass
class LimitModel:
    size: int
    reserved: dict[str, int]
    lease: int
    raise_after: int
    now: int = 1_000_000
    held: dict[str, Held] = field(default_factory=dict)
    line: list[Waiter] = field(default_factory=list)
    tickets: int = 0
    cut_to: int | None = None
    cut_at: int = 0
    cuts: int = 0
    successes: int = 0
    paused_until: int = 0

    @property
    def effective(self) -> int:
        return min(self.size, self.cut_to or self.size)

    def holders(self, queue: str) -> int:
        return sum(held.queue == queue for held in self.held.values())

    def own_places(self) -> dict[str, int]:
        """Reserved places of each queue; one place is always left for anybody."""
        spare, places = self.effective - 1, {}
        for queue, count in self.reserved.items():
            places[queue] = min(count, spare)
            spare -= places[queue]
        return places

    def free_for_all(self) -> int:
        own = self.own_places()
        taken = sum(1 for held in self.held.values() if held.queue not in own)
        taken += sum(max(0, self.holders(queue) - places) for queue, places in own.items())
        return self.effective - sum(own.values()) - taken

    def sweep(self) -> None:
        self.held = {name: held for name, held in self.held.items() if held.ends > self.now}
        self.line = [waiter for waiter in self.line if waiter.gone_at > self.now]

    def may_enter(self, queue: str, ticket: int | None) -> bool:
        if self.paused_until > self.now or len(self.held) >= self.effective:
            return False
        before = [waiter for waiter in self.line if ticket is None or waiter.ticket < ticket]
        own_left = self.own_places().get(queue, 0) - self.holders(queue)
        before_in_queue = sum(waiter.queue == queue for waiter in before)
        return self.free_for_all() > len(before) or own_left > before_in_queue

    def acquire(self, name: str, queue: str, ticket: int | None, patience: int) -> int | None:
        """The ticket of who has to wait; None for who is in. -1: neither in nor in line."""
        self.sweep()
        if self.may_enter(queue, ticket):
            self.line = [waiter for waiter in self.line if waiter.name != name]
            self.held[name] = Held(queue, self.now, self.now + self.lease)
            return None
        if not patience:
            return -1 if ticket is None else ticket
        if ticket is None:
            self.tickets += 1
            ticket = self.tickets
        self.line = [waiter for waiter in self.line if waiter.name != name]
        self.line.append(Waiter(name, queue, ticket, self.now + patience))
        self.line.sort(key=lambda waiter: waiter.ticket)
        return ticket

    def beat(self, names: list[str]) -> set[str]:
        lost = {name for name in names if name not in self.held or self.held[name].ends <= self.now}
        for name in names:
            if name in lost:
                self.held.pop(name, None)
            else:
                self.held[name].ends = self.now + self.lease
        return lost

    def succeed(self) -> None:
        if self.cut_to is None:
            return
        self.successes += 1
        if self.successes >= self.raise_after:
            self.successes = self.cuts = 0
            self.cut_to = None if self.cut_to + 1 >= self.size else self.cut_to + 1

    def pause(self, milliseconds: int) -> None:
        if milliseconds > 0:
            self.paused_until = max(self.paused_until, self.now + milliseconds)

    def throttle(self, since: int, stated: int | None) -> None:
        is_news = since > self.cut_at if since else self.paused_until <= self.now and self.now - self.cut_at >= 1000
        if is_news:
            self.cut_to, self.cut_at, self.successes = max(1, self.effective // 2), self.now, 0
            self.cuts += 1
            if stated is None:
                stated = min(60_000, 1000 * 2 ** (self.cuts - 1))
        self.pause(stated or 0)

    def rung(self) -> set[str]:
        """Who would get in by asking now."""
        return {waiter.name for waiter in self.line if self.may_enter(waiter.queue, waiter.ticket)}


@dataclass
class BucketModel:
    """`level` was so at `at`. Kept like this, not added to with time, so that doubles come out the same to the last
    digit."""

    per_minute: float
    burst: float
    stored: float
    at: int = 1_000_000
    now: int = 1_000_000
    line: list[Waiter] = field(default_factory=list)
    tickets: int = 0

    @property
    def level(self) -> float:
        return min(self.burst, self.stored + (self.now - self.at) * self.per_minute / 60_000)

    def store(self, level: float) -> None:
        self.stored, self.at = level, self.now

    def take(self, name: str, n: float, ticket: int | None, patience: int) -> int | None:
        self.line = [waiter for waiter in self.line if waiter.gone_at > self.now]
        is_first = not any(ticket is None or waiter.ticket < ticket for waiter in self.line)
        self.line = [waiter for waiter in self.line if waiter.name != name]
        if is_first and self.level >= n:
            self.store(self.level - n)
            return None
        if ticket is None:
            self.tickets += 1
            ticket = self.tickets
        self.line.append(Waiter(name, "", ticket, self.now + patience))
        self.line.sort(key=lambda waiter: waiter.ticket)
        return ticket

    def settle(self, given_back: float) -> None:
        self.store(max(-self.burst, min(self.burst, self.level + given_back)))
