"""Jobs of kinds that wait on the network: many at a time in one process, each in a thread."""

from __future__ import annotations

import threading
import time
from collections import Counter

import django.db
import structlog
from django.db import connections

from . import stopping
from .heart import Heart
from .models import Job
from .registry import kinds_with_places
from .runner import run_claimed
from .services import claiming

log = structlog.get_logger(__name__)


class Crew:
    """Each thread goes on with the next job of its kind until there is none, with a database connection of its own."""

    def __init__(self, heart: Heart) -> None:
        self._heart = heart
        self._changed = threading.Condition()
        self._at_work: Counter[str] = Counter()
        self._is_held = False

    def places(self) -> dict[str, int]:
        """Free ones by kind; 0: none may begin now."""
        with self._changed:
            return {
                kind: 0 if self._is_held else size - self._at_work[kind] for kind, size in kinds_with_places().items()
            }

    @property
    def is_busy(self) -> bool:
        return self._at_work.total() > 0

    @property
    def is_held(self) -> bool:
        return self._is_held

    def hold(self, *, held: bool = True) -> None:
        """Begin nothing new, so that this process is down to one thread when those that run have ended."""
        self._is_held = held

    def start(self, job: Job) -> None:
        with self._changed:
            self._at_work[job.kind] += 1
        threading.Thread(target=self._work, args=(job,), name=f"crew {job.kind}", daemon=True).start()

    def wait(self, *, at_most_s: float) -> bool:
        """Until nobody is at work any more; False: somebody still is."""
        end = time.monotonic() + at_most_s
        with self._changed:
            while self.is_busy:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def _work(self, first: Job) -> None:
        kind, job = first.kind, first
        try:
            while True:
                run_claimed(job, heart=self._heart, aside=True)
                following = self._next(queue=job.queue, kind=kind)
                if following is None:
                    break
                job = following
        finally:
            connections.close_all()
            with self._changed:
                self._at_work[kind] -= 1
                self._changed.notify_all()

    def _next(self, *, queue: str, kind: str) -> Job | None:
        if stopping.is_asked() or self._is_held:
            return None
        try:
            return claiming.claim_of_kinds(queue=queue, kinds=[kind], worker_id=self._heart.hand.worker_id)
        except django.db.Error as error:
            log.warning("claim_failed", queue=queue, error=str(error))
            return None
