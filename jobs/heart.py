"""A thread that keeps what this process has in hand while handlers are busy: leases, reports held back, completions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import django.db
import structlog
from django.db import connections

from . import stopping, tuning
from .hand import Hand
from .run import Run
from .services import batches
from .services.processes import Presence

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.2
PAUSE_S = 1.0


class Heart:
    """One per worker process. Started by the first job, stopped before a fork: a child must not inherit its locks.

    Its thread survives whatever goes wrong: what fails is done anew at the next look.
    """

    def __init__(self, hand: Hand | None = None, *, presence: Presence | None = None) -> None:
        self.hand = hand or Hand()
        self.presence = presence
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating_for(self, run: Run, *, aside: bool = False) -> Iterator[None]:
        """`aside`: the run is in a thread of its own."""
        self.start()
        # The thread is not woken: a short job must not pay for that, and it looks up by itself soon enough.
        self.hand.begin(run, aside=aside)
        try:
            yield
        finally:
            self.hand.end(run)

    def start(self) -> None:
        if self._thread is not None:
            return
        with self._wake:
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(target=self._live, name="heart", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Returns when the thread has ended and its database connection is closed."""
        thread = self._thread
        if thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread.join()
        self._thread = None

    def _live(self) -> None:
        try:
            while not self._stopping:
                # Without the database the rest would fail as well: leases come first again at the next look.
                is_well = all(self._tend(work) for work in self._due())
                with self._wake:
                    if not self._stopping:
                        self._wake.wait(LOOK_EVERY_S if is_well else PAUSE_S)
        finally:
            connections.close_all()

    def _due(self) -> Iterator[Callable[[], None]]:
        """What to do now. Leases first: nothing else is as urgent."""
        hand = self.hand
        if hand.is_beat_due():
            yield hand.beat
        for run in hand.runs():
            yield run.tend
        if hand.front_for_s() >= tuning.SAID_AFTER_S:
            yield hand.flush
        if stopping.is_asked() or hand.front_for_s() >= tuning.GIVEN_BACK_AFTER_S:
            yield hand.give_back
        yield batches.settle_due
        if self.presence is not None:
            yield self._be_seen

    def _be_seen(self) -> None:
        if self.presence is not None:
            self.presence.beat(
                jobs_run=self.hand.jobs_run, busy_with=self.hand.busy_with(), is_stopping=stopping.is_asked()
            )

    def _tend(self, work: Callable[[], None]) -> bool:
        """False: the database is away. The lease outlives two missed beats; the next one uses a fresh connection."""
        try:
            work()
        except django.db.Error as error:
            log.warning("heartbeat_failed", error=str(error))
            connections.close_all()
            return False
        except Exception as error:
            log.error("heartbeat_failed", exc_info=error)
        return True
