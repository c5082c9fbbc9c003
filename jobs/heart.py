"""A thread that keeps the lease of the job at hand while its handler is busy, and says what `report` held back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import connections

from .run import Run
from .services import batches

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.2


class Heart:
    """One per worker process. Started by the first job, stopped before a fork: a child must not inherit its locks."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._run: Run | None = None
        self._stopping = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def beating_for(self, run: Run) -> Iterator[None]:
        with self._wake:
            if self._thread is None:
                self._stopping = False
                self._thread = threading.Thread(target=self._live, name="heart", daemon=True)
                self._thread.start()
            # Not notified: a short job must not pay for waking this thread, which looks up by itself soon enough.
            self._run = run
        try:
            yield
        finally:
            with self._wake:
                self._run = None

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
            while True:
                with self._wake:
                    if self._stopping:
                        return
                    run = self._run
                if run is not None:
                    self._tend(batches.settle_owed)
                    if run.due_in() <= 0:
                        self._tend(run.tend)
                with self._wake:
                    if not self._stopping:
                        self._wake.wait(LOOK_EVERY_S)
        finally:
            connections.close_all()

    def _tend(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            # The database is away, perhaps. The lease outlives two missed beats; the next one uses a fresh connection.
            log.warning("heartbeat_failed", error=str(error))
            connections.close_all()
            with self._wake:
                if not self._stopping:
                    self._wake.wait(1.0)
