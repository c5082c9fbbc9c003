"""A place of a limit, held for a while at a time."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

import structlog

from .calls import adrive, drive
from .exceptions import LimitUnreachable, PlaceLost

if TYPE_CHECKING:
    from .concurrency import ConcurrencyLimit

log = structlog.get_logger(__name__)

# A machine that was suspended must find its leases ended when it wakes; CLOCK_MONOTONIC stands still meanwhile.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Seconds, for lengths of time on this machine."""
    return time.clock_gettime(_CLOCK)


class Lease:
    """One place, until it is released or its time is over.

    A thread extends it while the process lives (`keeper.py`). It counts as lost when Redis says so, and also when its
    time is over by this machine's clock: the time is counted from before the request to Redis was sent, so it never
    ends later here than there. A lost lease never comes back.
    """

    __slots__ = (
        "__weakref__",
        "_is_lost",
        "_is_over",
        "_pid",
        "_succeeded",
        "ends_at",
        "id",
        "limit",
        "queue",
        "since_ms",
    )

    def __init__(self, limit: ConcurrencyLimit, *, id: str, queue: str, since_ms: int, ends_at: float) -> None:
        self.limit = limit
        self.id = id
        self.queue = queue
        # By Redis' clock; 0: taken without Redis, of a limit that is open while Redis is away.
        self.since_ms = since_ms
        # By `clock()`; what has to end before another may start must end by then.
        self.ends_at = ends_at
        self._pid = os.getpid()
        self._is_lost = False
        self._is_over = False
        self._succeeded = False

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.since_ms / 1000, UTC)

    @property
    def is_shared(self) -> bool:
        """False for a place taken without Redis: nobody else counts it."""
        return self.since_ms > 0

    @property
    def lost(self) -> bool:
        """Somebody else may have the place. Checked without asking Redis."""
        if self._is_lost:
            return True
        if self.is_shared and not self._is_over and clock() >= self.ends_at:
            self._is_lost = True
        return self._is_lost

    @property
    def remaining_s(self) -> float:
        """Time for which the place is ours for certain: a bound for the timeout of one request."""
        return 0.0 if self.lost else max(0.0, self.ends_at - clock())

    def check(self) -> None:
        """Raise PlaceLost if the place is lost: before each further step of work that holds it."""
        if self.lost:
            raise PlaceLost(
                f"The place of {self.limit.name} was lost: this worker was stopped or cut off from Redis for longer "
                f"than {self.limit.lease_s:g} s. The work is tried again."
            )

    def extended(self, ends_at: float) -> None:
        """The keeper's: Redis extended it. One that ran out here meanwhile stays lost."""
        if not self.lost:
            self.ends_at = ends_at

    def revoked(self) -> None:
        """The keeper's: Redis does not know it any more."""
        if not self._is_over and not self._is_lost:
            self._is_lost = True
            log.warning("limit_place_lost", limit=self.limit.name, lease=self.id)

    def succeeded(self) -> None:
        """The call went well: counted with the release, at no cost. See `ConcurrencyLimit.succeeded`."""
        self._succeeded = True

    def throttled(self, retry_after_s: float | None = None, reason: str = "") -> int:
        """The call was refused for being one too many. See `ConcurrencyLimit.throttled`."""
        return self.limit.throttled(retry_after_s, reason=reason, lease=self)

    async def athrottled(self, retry_after_s: float | None = None, reason: str = "") -> int:
        return await self.limit.athrottled(retry_after_s, reason=reason, lease=self)

    def release(self) -> None:
        """Give the place back. A second time does nothing. If Redis is away the lease runs out by itself."""
        if self._ends():
            try:
                drive(self.limit.releasing(self, succeeded=self._succeeded))
            except LimitUnreachable as error:
                log.warning("limit_place_not_released", limit=self.limit.name, lease=self.id, error=str(error))

    async def arelease(self) -> None:
        if self._ends():
            try:
                await adrive(self.limit.releasing(self, succeeded=self._succeeded))
            except LimitUnreachable as error:
                log.warning("limit_place_not_released", limit=self.limit.name, lease=self.id, error=str(error))

    def _ends(self) -> bool:
        """Whether there is something to give back: once, and not by a forked child, which has only a copy."""
        if self._is_over or self._pid != os.getpid():
            return False
        self._is_over = True
        self.limit.keeper.drop(self)
        return self.is_shared


class Hold:
    """`with` or `async with`: a place for the length of the block."""

    __slots__ = ("_lease", "_limit", "_queue", "_timeout_s", "_who")

    def __init__(self, limit: ConcurrencyLimit, *, timeout_s: float, queue: str, who: str) -> None:
        self._limit = limit
        self._timeout_s = timeout_s
        self._queue = queue
        self._who = who
        self._lease: Lease | None = None

    def __enter__(self) -> Lease:
        self._lease = self._limit.acquire(timeout_s=self._timeout_s, queue=self._queue, who=self._who)
        return self._lease

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lease is not None:
            self._lease.release()

    async def __aenter__(self) -> Lease:
        self._lease = await self._limit.aacquire(timeout_s=self._timeout_s, queue=self._queue, who=self._who)
        return self._lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lease is not None:
            await self._lease.arelease()
