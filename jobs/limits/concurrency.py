"""How many may do something at once, over all workers on all hosts."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import uuid4

from django.conf import settings

from . import scripts
from .calls import Call, Steps, Wait, adrive, arun, drive, run
from .exceptions import LimitBusy, LimitPaused, LimitUnreachable
from .keeper import Keeper, keeper
from .lease import Hold, Lease, clock
from .states import LimitState, limit_state

WhenDown = Literal["closed", "open"]

# Who waits asks again this often even if no bell rings: holders that were killed ring none, nor do lost bells.
ASK_EVERY_S = 1.0
# Waiters that were not heard of for this long are out of the line; if they live after all they get their turn back.
PATIENCE_MS = 5000
# Pauses after refusals that state none: doubled with each cut that follows without a recovery.
LEAST_PAUSE_MS, LONGEST_PAUSE_MS = 1000, 60_000


class ConcurrencyLimit:
    """At most `size` holders at once.

    `lease_s`: a holder that is killed, or does not reach Redis, has its place for this long at most.
    `reserved`: places of `size` that only the jobs of a queue may take, such as {"high": 4}. They may take the others
    too, for which everybody waits in one line.
    `raise_after`: calls that went well for each place that comes back after `throttled` (see `succeeded`).
    `when_redis_is_down`: "closed", nobody gets a place and LimitUnreachable is raised, or "open", nobody is held up.

    One object may be used by all threads and event loops of a process, and by its forked children.
    """

    def __init__(
        self,
        name: str,
        size: int,
        lease_s: float = 30.0,
        reserved: Mapping[str, int] | None = None,
        *,
        raise_after: int = 10,
        when_redis_is_down: WhenDown = "closed",
    ) -> None:
        reserved = {queue: places for queue, places in (reserved or {}).items() if places}
        if size < 1 or lease_s <= 0 or raise_after < 1 or min(reserved.values(), default=1) < 1:
            raise ValueError(f"Limit {name!r}: size, lease_s, raise_after and reserved places must be above 0.")
        if sum(reserved.values()) >= size:
            raise ValueError(f"Limit {name!r}: of {size} places at least one must not be reserved.")
        if when_redis_is_down not in ("closed", "open"):
            raise ValueError(f"Limit {name!r}: when_redis_is_down is 'closed' or 'open'.")
        self.name = name
        self.size = size
        self.lease_s = lease_s
        self.reserved = reserved
        self.raise_after = raise_after
        self.when_redis_is_down = when_redis_is_down
        self.keeper: Keeper = keeper
        self._lease_ms = round(lease_s * 1000)
        base = base_of(name)
        self._bell = f"{base}:bell:"
        self._keys = tuple(f"{base}:{part}" for part in ("held", "since", "state", "line", "alive"))
        self._keys += tuple(f"{base}:{part}:{queue}" for queue in reserved for part in ("held", "line"))
        self._arguments = (size, self._bell, len(reserved), *reserved.values())
        self._number = {queue: number for number, queue in enumerate(reserved, 1)}

    def __repr__(self) -> str:
        return f"ConcurrencyLimit({self.name!r}, {self.size})"

    # --- places ---

    def hold(self, *, timeout_s: float = 30.0, queue: str = "default", who: str = "") -> Hold:
        """`with limit.hold() as lease:` or `async with`. Waits for at most `timeout_s` s; 0: not at all.

        `queue`: the queue of the job, for reserved places. `who`: named on the operations page; host and process by
        default. Raises LimitBusy, LimitPaused, LimitUnreachable: all Temporary.
        """
        return Hold(self, timeout_s=timeout_s, queue=queue, who=who)

    def acquire(self, *, timeout_s: float = 30.0, queue: str = "default", who: str = "") -> Lease:
        """As `hold`, for callers whose work is no block; they call `lease.release()`."""
        return drive(self._acquiring(timeout_s, queue, who))

    async def aacquire(self, *, timeout_s: float = 30.0, queue: str = "default", who: str = "") -> Lease:
        return await adrive(self._acquiring(timeout_s, queue, who))

    def _acquiring(self, timeout_s: float, queue: str, who: str) -> Steps[Lease]:
        lease_id = new_id(queue, who)
        until = clock() + timeout_s
        ticket: bytes | str = ""
        try:
            while True:
                sent_at = clock()
                patience_ms = PATIENCE_MS if sent_at < until else 0
                answer = yield self._call(
                    scripts.ACQUIRE, lease_id, self._lease_ms, self._number.get(queue, 0), ticket, patience_ms
                )
                if isinstance(answer, int):
                    return self._leased(lease_id, queue, since_ms=answer, ends_at=sent_at + self.lease_s)
                wait_ms, ticket, is_paused = answer
                self._still_worth_waiting(until - clock(), wait_ms / 1000 if is_paused else 0.0, timeout_s)
                # At least 1 ms: to BLPOP 0 means for ever.
                wait_s = min(max(wait_ms, 1) / 1000, ASK_EVERY_S, max(until - clock(), 0.001))
                yield Wait(self._bell + lease_id, wait_s)
        except LimitUnreachable:
            if self.when_redis_is_down == "closed":
                raise
            return Lease(self, id=lease_id, queue=queue, since_ms=0, ends_at=clock() + self.lease_s)
        except BaseException as error:
            # Out of the line; and if an interruption hid the answer that gave us a place, out of that as well.
            if ticket or not isinstance(error, LimitBusy):
                yield from self._forgetting(lease_id)
            raise

    def _leased(self, lease_id: str, queue: str, *, since_ms: int, ends_at: float) -> Lease:
        lease = Lease(self, id=lease_id, queue=queue, since_ms=since_ms, ends_at=ends_at)
        self.keeper.keep(lease)
        return lease

    def _still_worth_waiting(self, left_s: float, pause_s: float, timeout_s: float) -> None:
        if pause_s > max(left_s, 0):
            raise LimitPaused(
                f"{self.name} is paused for another {pause_s:.0f} s; nobody starts before that.", retry_after_s=pause_s
            )
        if left_s <= 0:
            raise LimitBusy(f"All places of {self.name} stayed taken for {timeout_s:g} s. It is tried again.")

    def _forgetting(self, lease_id: str) -> Steps[None]:
        try:
            yield self._call(scripts.FORGET, lease_id)
        except LimitUnreachable:
            return  # what is left in Redis runs out by itself

    def releasing(self, lease: Lease, *, succeeded: bool) -> Steps[None]:
        """The steps of `Lease.release`."""
        yield self._call(scripts.RELEASE, lease.id, int(succeeded), self.raise_after)

    def beat(self, leases: Sequence[Lease]) -> None:
        """Extend leases of this limit; those that Redis does not hold any more are told. Raises LimitUnreachable."""
        sent_at = clock()
        call = self._call(scripts.BEAT, self._lease_ms, *(lease.id for lease in leases), persistent=True)
        lost = {_text(lease_id) for lease_id in run(call)}
        for lease in leases:
            if lease.id in lost:
                lease.revoked()
            else:
                lease.extended(sent_at + self.lease_s)

    # --- pause, slow down, recover ---

    def pause(self, seconds: float, reason: str) -> None:
        """Nobody gets a place for so long; those who have one keep it. Never shortens a pause that lasts longer."""
        run(self._call(scripts.PAUSE, round(seconds * 1000), reason))

    async def apause(self, seconds: float, reason: str) -> None:
        await arun(self._call(scripts.PAUSE, round(seconds * 1000), reason))

    def resume(self) -> None:
        """End a pause early: somebody knows that its reason is gone."""
        run(self._call(scripts.RESUME))

    async def aresume(self) -> None:
        await arun(self._call(scripts.RESUME))

    def throttled(self, retry_after_s: float | None = None, *, reason: str = "", lease: Lease | None = None) -> int:
        """The other side refused a call for being one too many (429, 529): halve the effective limit, to 1 at least,
        and pause for everyone, for `retry_after_s` or for 1 s, 2 s, 4 s … 60 s where it is not stated.

        Of calls refused together only the first halves: with the call's `lease`, those that began before the latest cut
        change nothing but the pause; without one, those within a second of it or during the pause.
        Returns the effective limit. Raises LimitUnreachable.
        """
        return int(run(self._throttled(retry_after_s, reason, lease)))

    async def athrottled(
        self, retry_after_s: float | None = None, *, reason: str = "", lease: Lease | None = None
    ) -> int:
        return int(await arun(self._throttled(retry_after_s, reason, lease)))

    def _throttled(self, retry_after_s: float | None, reason: str, lease: Lease | None) -> Call:
        return self._call(
            scripts.THROTTLED,
            lease.since_ms if lease else 0,
            -1 if retry_after_s is None else max(0, round(retry_after_s * 1000)),
            reason or "The service asked for fewer calls.",
            LEAST_PAUSE_MS,
            LONGEST_PAUSE_MS,
        )

    def succeeded(self) -> int:
        """A call went well: each `raise_after` of them give one place back, up to `size`. Returns the effective limit.

        `lease.succeeded()` does the same along with the release, without a call of its own.
        """
        return int(run(self._call(scripts.SUCCEEDED, self.raise_after)))

    async def asucceeded(self) -> int:
        return int(await arun(self._call(scripts.SUCCEEDED, self.raise_after)))

    # --- what is seen of it ---

    def state(self) -> LimitState:
        """Now, by Redis' clock. Raises LimitUnreachable."""
        return limit_state(self.name, self.size, self.reserved, run(self._call(scripts.STATE)))

    async def astate(self) -> LimitState:
        return limit_state(self.name, self.size, self.reserved, await arun(self._call(scripts.STATE)))

    def _call(self, script: scripts.Script, *arguments: Any, persistent: bool = False) -> Call:
        return Call(script, self._keys, self._arguments + arguments, persistent)


def base_of(name: str) -> str:
    """What the keys of a limit begin with; the braces keep them in one slot of a cluster."""
    return f"{settings.REDIS_KEY_PREFIX}:limits:{{{name}}}"


class _Names:
    """Ids that are unique in this process by their number and everywhere by their random part."""

    def __init__(self) -> None:
        self._renew()
        os.register_at_fork(after_in_child=self._renew)  # a child must not count on from its parent's numbers

    def _renew(self) -> None:
        self._counter = itertools.count(1)
        self._unique = uuid4().hex[:12]
        self._who = f"{socket.gethostname()}:{os.getpid()}"

    def make(self, queue: str, who: str) -> str:
        """`queue|who|unique`: what a lease or a waiter is called; the state shows the parts."""
        who = who.replace("|", "/") or self._who
        return f"{queue.replace('|', '/')}|{who}|{self._unique}-{next(self._counter)}"


new_id = _Names().make


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
