"""One thread per process that extends all leases held there, whatever their holders are busy with.

It knows leases weakly: one that nobody refers to any more, because an interruption struck between taking the place and
entering the block, is not extended and runs out.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

import structlog

from .exceptions import LimitUnreachable

if TYPE_CHECKING:
    from .concurrency import ConcurrencyLimit
    from .lease import Lease

log = structlog.get_logger(__name__)

# The thread looks up six times a lease and extends what has less than two thirds left: so a lease never has less than
# half of its time left while all is well, and several looks may fail before it is lost.
LOOKS_PER_LEASE = 6
EXTEND_BELOW = 2 / 3


class Keeper:
    def __init__(self) -> None:
        self._forget_everything()
        # Locks and threads of the parent are of no use to a forked child, and its leases are not the child's.
        os.register_at_fork(after_in_child=self._forget_everything)

    def _forget_everything(self) -> None:
        self._wake = threading.Condition()
        self._leases: weakref.WeakValueDictionary[str, Lease] = weakref.WeakValueDictionary()
        self._thread: threading.Thread | None = None
        self._looks_in_s: float | None = None  # None: sleeps until it is woken
        self._came = False  # a lease since the last look

    def keep(self, lease: Lease) -> None:
        due_s = lease.limit.lease_s / LOOKS_PER_LEASE
        with self._wake:
            self._leases[lease.id] = lease
            self._came = True
            if self._looks_in_s is None or due_s < self._looks_in_s:
                self._looks_in_s = due_s
                self._wake.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._live, name="limits", daemon=True)
                self._thread.start()

    def drop(self, lease: Lease) -> None:
        with self._wake:
            self._leases.pop(lease.id, None)

    def _live(self) -> None:
        while True:
            with self._wake:
                held = list(self._leases.values())
            self._extend(held)
            held.clear()  # a reference kept while sleeping would keep an orphaned lease alive
            with self._wake:
                # Looked up again under the lock: a lease that came meanwhile may need the next look sooner.
                shortest_s = min((lease.limit.lease_s for lease in self._leases.values()), default=None)
                if shortest_s is not None:
                    self._looks_in_s = shortest_s / LOOKS_PER_LEASE
                elif not self._came:
                    self._looks_in_s = None
                # Where places are held for a moment each, none may be held now: looking on for a while is cheaper than
                # being woken by each of them.
                self._came = False
                self._wake.wait(self._looks_in_s)

    def _extend(self, held: list[Lease]) -> None:
        due: dict[ConcurrencyLimit, list[Lease]] = {}
        for lease in held:
            if not lease.lost and lease.remaining_s < lease.limit.lease_s * EXTEND_BELOW:
                due.setdefault(lease.limit, []).append(lease)
        for limit, leases in due.items():
            try:
                limit.beat(leases)
            except LimitUnreachable as error:
                log.warning("limit_heartbeat_failed", limit=limit.name, leases=len(leases), error=str(error))
            except Exception:
                # The thread must live: the leases of other limits depend on it.
                log.exception("limit_heartbeat_failed", limit=limit.name, leases=len(leases))


keeper = Keeper()
