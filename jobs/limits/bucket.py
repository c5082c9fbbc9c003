"""How much of something may be used per minute, over all workers on all hosts: requests, tokens of a model."""

from __future__ import annotations

from typing import Any

from . import scripts
from .calls import Call, Steps, Wait, adrive, arun, drive, run
from .concurrency import ASK_EVERY_S, PATIENCE_MS, WhenDown, base_of, new_id
from .exceptions import LimitBusy, LimitUnreachable, TooLarge
from .lease import clock
from .states import BucketState, bucket_state


class TokenBucket:
    """Fills at `per_minute`, holds at most `burst` (a minute's worth by default), and begins full.

    Whoever asks first is served first: a large request is not overtaken for ever by small ones.
    """

    def __init__(
        self, name: str, per_minute: float, burst: float | None = None, *, when_redis_is_down: WhenDown = "closed"
    ) -> None:
        burst = per_minute if burst is None else burst
        if per_minute <= 0 or burst <= 0:
            raise ValueError(f"Limit {name!r}: per_minute and burst must be above 0.")
        if when_redis_is_down not in ("closed", "open"):
            raise ValueError(f"Limit {name!r}: when_redis_is_down is 'closed' or 'open'.")
        self.name = name
        self.per_minute = per_minute
        self.burst = burst
        self.when_redis_is_down = when_redis_is_down
        base = base_of(name)
        self._bell = f"{base}:bell:"
        self._keys = (f"{base}:bucket", f"{base}:line", f"{base}:alive")
        self._arguments = (per_minute, burst, self._bell)

    def __repr__(self) -> str:
        return f"TokenBucket({self.name!r}, {self.per_minute:g})"

    def take(self, n: float, timeout_s: float = 60.0) -> None:
        """Take `n`, waiting for at most `timeout_s` s; 0: not at all.

        Raises TooLarge for more than the bucket holds, LimitBusy, LimitUnreachable.
        """
        drive(self._taking(n, timeout_s))

    async def atake(self, n: float, timeout_s: float = 60.0) -> None:
        await adrive(self._taking(n, timeout_s))

    def settle(self, reserved: float, used: float) -> None:
        """After a call that had taken `reserved` and used `used`: give the rest back, or charge what is missing.

        Once per call. The bucket may go below zero by that, to minus `burst` at most, and fills up from there.
        """
        run(self._settled(reserved, used))

    async def asettle(self, reserved: float, used: float) -> None:
        await arun(self._settled(reserved, used))

    def state(self) -> BucketState:
        """Now, by Redis' clock. Raises LimitUnreachable."""
        return bucket_state(self.name, self.per_minute, self.burst, run(self._call(scripts.BUCKET_STATE)))

    async def astate(self) -> BucketState:
        return bucket_state(self.name, self.per_minute, self.burst, await arun(self._call(scripts.BUCKET_STATE)))

    def _taking(self, n: float, timeout_s: float) -> Steps[None]:
        if n < 0:
            raise ValueError("What is taken can't be negative.")
        if n > self.burst:
            raise TooLarge(f"{n:g} at once is more than {self.name} ever holds ({self.burst:g}). Split the request.")
        waiter = new_id("", "")
        until = clock() + timeout_s
        ticket: bytes | str = ""
        try:
            while True:
                patience_ms = PATIENCE_MS if clock() < until else 0
                answer = yield self._call(scripts.TAKE, waiter, n, ticket, patience_ms)
                if answer[0]:
                    return
                _, wait_ms, ticket = answer
                left_s = until - clock()
                if left_s <= 0:
                    raise LimitBusy(
                        f"{self.name}, {self.per_minute:g} a minute, could not give {n:g} within {timeout_s:g} s. "
                        "It is tried again."
                    )
                yield Wait(self._bell + waiter, min(max(wait_ms, 1) / 1000, ASK_EVERY_S, left_s))
        except LimitUnreachable:
            if self.when_redis_is_down == "closed":
                raise
        except BaseException as error:
            if ticket or not isinstance(error, LimitBusy):
                yield from self._leaving(waiter)
            raise

    def _leaving(self, waiter: str) -> Steps[None]:
        try:
            yield self._call(scripts.LEAVE_BUCKET, waiter)
        except LimitUnreachable:
            return  # out of the line by itself, in a while

    def _settled(self, reserved: float, used: float) -> Call:
        if reserved < 0 or used < 0:
            raise ValueError("What was reserved or used can't be negative.")
        return self._call(scripts.SETTLE, reserved - used)

    def _call(self, script: scripts.Script, *arguments: Any) -> Call:
        return Call(script, self._keys, self._arguments + arguments)
