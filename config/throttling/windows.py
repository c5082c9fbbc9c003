"""Counting calls in Redis: all windows of a call at once, atomically, in one round trip.

A sliding window counter as in `limits`, whose keys and rates these are: the running window's count, and the share of
the one before that still reaches into the last N seconds. A fixed window lets twice the limit pass around its boundary;
a moving window keeps a time for each call (10,000 for an organisation). This keeps two numbers, and errs by assuming
that the window before was used evenly.

`limits` asks once for each window, and again for what is left. The script here looks at all of them, counts the call in
all or in none (so what one window refuses uses up no other), and says how all of them stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from limits import RateLimitItem

from config.redis_access import LuaScript, RedisAway, key

ACQUIRE = LuaScript("""
local found, counts = {1}, redis.call('MGET', unpack(KEYS))
for i = 1, #KEYS, 2 do
  local limit, expiry = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local before, now = tonumber(counts[i] or 0), tonumber(counts[i + 1] or 0)
  local now_ttl = math.max(0, redis.call('PTTL', KEYS[i + 1]))
  if now_ttl > 0 and now_ttl < expiry then
    redis.call('RENAME', KEYS[i + 1], KEYS[i])
    before, now, now_ttl = now, 0, now_ttl + expiry
    redis.call('SET', KEYS[i + 1], 0, 'PX', now_ttl)
  end
  local before_ttl = math.max(0, now_ttl - expiry)  -- it ends one window before the running one
  if math.floor(before * before_ttl / expiry) + now >= limit then found[1] = 0 end
  for _, value in ipairs({before, before_ttl, now, now_ttl}) do found[#found + 1] = value end
end
if found[1] == 1 then
  for i = 1, #KEYS, 2 do
    local at = 2 * i
    if found[at + 3] > 0 then
      redis.call('INCR', KEYS[i + 1])
    else
      redis.call('SET', KEYS[i + 1], 1, 'PX', ARGV[i + 1] * 2)
      found[at + 3] = ARGV[i + 1] * 2
    end
    found[at + 2] = found[at + 2] + 1
  end
end
return found
""")

# Only one's own call is taken back: others' stay counted. It may meanwhile count in the window before.
GIVE_BACK = LuaScript("""
for i = 1, #KEYS, 2 do
  if tonumber(redis.call('GET', KEYS[i + 1]) or 0) > 0 then
    redis.call('DECR', KEYS[i + 1])
  elseif tonumber(redis.call('GET', KEYS[i]) or 0) > 0 then
    redis.call('DECR', KEYS[i])
  end
end
""")
FORGET = LuaScript("return redis.call('DEL', unpack(KEYS))")


@dataclass(frozen=True, slots=True)
class Window:
    """One limit for one caller. `who` is whatever tells callers apart: an id, an address."""

    limit: RateLimitItem
    who: str

    @property
    def keys(self) -> tuple[str, str]:
        """The count before and the running one; the braces keep them on one node."""
        name = key("throttle", "{" + self.limit.key_for(self.who) + "}")
        return f"{name}/-1", name

    @property
    def seconds(self) -> int:
        return self.limit.get_expiry()

    @property
    def name(self) -> str:
        """As headers and errors call it: `user-60`."""
        return f"{self.limit.namespace}-{self.seconds}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a window stands after a call. `reset_s`: when calls come back, in whole seconds, at least 1."""

    window: Window
    remaining: int
    reset_s: int
    is_full: bool

    @property
    def name(self) -> str:
        return self.window.name


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of counting a call in several windows."""

    is_allowed: bool
    standings: tuple[Standing, ...]

    @property
    def full(self) -> tuple[Standing, ...]:
        return () if self.is_allowed else tuple(standing for standing in self.standings if standing.is_full)

    @property
    def wait_s(self) -> int:
        """Seconds until the same call will be allowed; 0 if it was."""
        return max((standing.reset_s for standing in self.full), default=0)

    @property
    def tightest(self) -> Standing:
        """The one to tell a client that looks at one only: what it waits for, else what runs out first."""
        if self.full:
            return max(self.full, key=lambda standing: standing.reset_s)
        return min(self.standings, key=lambda standing: (standing.remaining, standing.window.limit.amount))


def count(windows: Sequence[Window]) -> Verdict | None:
    """Count one call in all windows, or in none if one of them is full. None: nothing to count, or Redis is away."""
    if not windows:
        return None
    try:
        return verdict_of(windows, ACQUIRE.run(keys_of(windows), arguments_of(windows)))
    except RedisAway:
        return None


def keys_of(windows: Sequence[Window]) -> list[str]:
    """For ACQUIRE, also as a part of another script."""
    return [name for window in windows for name in window.keys]


def arguments_of(windows: Sequence[Window]) -> list[int]:
    return [value for window in windows for value in (window.limit.amount, window.seconds * 1000)]


def verdict_of(windows: Sequence[Window], answer: Sequence[int]) -> Verdict:
    """Of what ACQUIRE answered for these windows."""
    allowed, *numbers = answer
    is_allowed = int(allowed) == 1
    standings = (
        _standing(window, is_allowed, *(int(number) for number in numbers[4 * index : 4 * index + 4]))
        for index, window in enumerate(windows)
    )
    return Verdict(is_allowed, tuple(standings))


def give_back(windows: Sequence[Window]) -> None:
    """Take one counted call back. Nothing happens if Redis is away: then it counts until its window has passed."""
    try:
        if windows:
            GIVE_BACK.run(keys_of(windows), [])
    except RedisAway:
        return


def forget(windows: Sequence[Window]) -> None:
    """These windows are empty again (unless Redis is away: then they pass)."""
    try:
        if windows:
            FORGET.run(keys_of(windows), [])
    except RedisAway:
        return


def left_of(amount: int, expiry_ms: int, before: int, before_ttl: int, now: int, now_ttl: int) -> tuple[int, int]:
    """Of what ACQUIRE tells of one window: how many calls are left, and in how many seconds calls come back."""
    remaining = amount - now - (floor(before * before_ttl / expiry_ms) if before else 0)
    until_end = now_ttl - expiry_ms if now_ttl > expiry_ms else 0
    if remaining > 0:
        return remaining, max(1, ceil(until_end / 1000))
    return 0, max(1, ceil(_wait_ms(amount, expiry_ms, before, before_ttl, now, until_end) / 1000))


def _standing(window: Window, is_allowed: bool, before: int, before_ttl: int, now: int, now_ttl: int) -> Standing:
    remaining, reset_s = left_of(window.limit.amount, window.seconds * 1000, before, before_ttl, now, now_ttl)
    return Standing(window, remaining, reset_s, not is_allowed and remaining == 0)


def _wait_ms(limit: int, expiry: int, before: int, before_ttl: int, now: int, until_end: int) -> float:
    """Milliseconds until a full window has room for one more: the call before fades evenly over one window."""
    if now < limit and before:
        return before_ttl - (limit - now) * expiry / before + 1
    return until_end + max(0.0, expiry - limit * expiry / max(now, 1)) + 1
