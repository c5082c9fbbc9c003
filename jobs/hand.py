"""What this process has in hand: rows claimed and not begun, jobs that run, completions not written yet."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import django.db
import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from . import announce, doorbell, tuning
from .exceptions import Cancelled, LeaseLost
from .failures import describe
from .models import Job
from .pace import Pace
from .run import Run
from .services import batches, claiming, holding, lifecycle
from .services.aftermath import is_listened_to

log = structlog.get_logger(__name__)


class Hand:
    """Shared by the thread that runs jobs, those of kinds that run many at a time, and the heart.

    `_lock` guards the lists and is held for moments only; `_writing` is held while many rows are written, so that two
    threads of this process never wait for each other's rows. Whoever holds both took `_writing` first.
    """

    def __init__(self, *, keeps_completions: bool = False) -> None:
        """`keeps_completions`: its owner flushes; else each is written at once."""
        self.worker_id: UUID | None = None
        self.jobs_run = 0
        self.pace = Pace()
        self._keeps = keeps_completions
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._runs: dict[UUID, Run] = {}
        self._front: Run | None = None  # the one that what waits is waiting for
        self._supervised: dict[UUID, int] = {}  # run by a child of ours
        self._kept: list[tuple[Run, holding.Ending]] = []
        self._kept_since = 0.0
        self._beaten_at = time.monotonic()

    # --- rows claimed and not begun -----------------------------------------------------------------------------------

    def take(self, jobs: Sequence[Job]) -> None:
        with self._lock:
            if not (self._waiting or self._runs or self._supervised or self._kept):
                self._beaten_at = time.monotonic()  # nothing else was held: these leases are new
            self._waiting.extend(jobs)

    def next(self) -> Job | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def give_back(self) -> None:
        """Put what was not begun back into the queue, for others to take at once. Raises django.db.Error; then the rows
        are taken back after their lease."""
        with self._writing:
            with self._lock:
                rows = [(job.id, job.attempt) for job in self._waiting]
                self._waiting.clear()
            given = claiming.give_back(held=rows) if rows else []
        for job_id, _, is_unwanted in given:
            if is_unwanted:
                ended = lifecycle.cancel_waiting(job_id=job_id)
                if ended is not None:
                    announce.say_state(ended)
        attempts = dict(rows)
        for queue, job_id in {queue: job_id for job_id, queue, _ in given}.items():
            doorbell.ring(queue, job_id=job_id, attempt=attempts[job_id])

    # --- jobs that run ------------------------------------------------------------------------------------------------

    def begin(self, run: Run, *, aside: bool = False) -> None:
        """`aside`: in a thread of its own, so that nothing waits for it."""
        with self._lock:
            self._runs[run.job_id] = run
            self._front = self._front if aside else run

    def end(self, run: Run) -> None:
        with self._lock:
            self._runs.pop(run.job_id, None)
            self._front = None if self._front is run else self._front

    def front_for_s(self) -> float:
        """How long the job that others wait for has been running; 0: there is none."""
        front = self._front
        return 0.0 if front is None else time.monotonic() - front.began_at

    @contextmanager
    def supervising(self, job: Job) -> Iterator[None]:
        """A child of this process runs the job: the lease is kept from here as well."""
        with self._lock:
            self._supervised[job.id] = job.attempt
        try:
            yield
        finally:
            with self._lock:
                self._supervised.pop(job.id, None)

    def count(self) -> None:
        with self._lock:
            self.jobs_run += 1

    def runs(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def busy_with(self) -> list[UUID]:
        with self._lock:
            return [*self._runs, *self._supervised]

    # --- completions not written yet ----------------------------------------------------------------------------------

    def keep(self, run: Run, result: Any) -> bool:
        """Take over the completion of a job whose handler has returned. Until it is written the row counts as running,
        and a kill means that it runs again.

        False: it has to be written by itself. The row says that it began, so that would cost it an attempt; or somebody
        listens to its end; or the result may be one that PostgreSQL refuses. Raises TypeError and ValueError when the
        result is no JSON.
        """
        if not (self._keeps and run.is_silent) or is_listened_to(run.job):
            return False
        encoded = None if result is None else json.dumps(result, cls=DjangoJSONEncoder, allow_nan=False)
        if encoded is not None and ("\\u0000" in encoded or "\\ud" in encoded):
            return False
        job = run.completed(result)
        now = timezone.now()
        ending = holding.Ending(job.id, job.attempt, encoded, job.started_at or now, now)
        with self._lock:
            if not self._kept:
                self._kept_since = time.monotonic()
            self._kept.append((run, ending))
        return True

    def is_flush_due(self) -> bool:
        kept = len(self._kept)
        return kept > 0 and (kept >= tuning.KEPT_AT_MOST or time.monotonic() - self._kept_since >= tuning.KEPT_S)

    def flush(self) -> None:
        """Write the completions and say them. Raises django.db.Error; then they are kept for the next time."""
        with self._writing:
            with self._lock:
                kept, self._kept = self._kept, []
            if not kept:
                return
            try:
                written = _write(kept)
            except BaseException:
                with self._lock:
                    self._kept = kept + self._kept
                raise
            # Said while still holding the lock: whoever finds nothing to flush may rely on everything having been said.
            announce.say_states([run.job for run, _ in kept if run.job_id in written])
        for run, _ in kept:
            if run.job_id not in written:
                log.warning("job_lease_lost", job_id=str(run.job_id), attempt=run.attempt)
            elif run.job.batch_id:
                batches.child_ended(run.job.batch_id)

    # --- leases -------------------------------------------------------------------------------------------------------

    def is_beat_due(self) -> bool:
        return time.monotonic() - self._beaten_at >= tuning.LEASE_S / 3

    def beat(self) -> None:
        """Extend the leases of all rows at hand, in one statement; tell the jobs that were taken back or are no longer
        wanted. Raises django.db.Error."""
        with self._writing:
            with self._lock:
                held = [(job.id, job.attempt) for job in self._waiting]
                held += [(run.job_id, run.attempt) for run in self._runs.values() if run.needs_lease]
                held += [*self._supervised.items(), *((ending.job_id, ending.attempt) for _, ending in self._kept)]
            self._beaten_at = time.monotonic()
            if not held:
                return
            lost, unwanted = holding.beat_many(held=held)
            with self._lock:
                self._waiting = deque(job for job in self._waiting if job.id not in lost)
                for run in self._runs.values():
                    if run.job_id in lost:
                        run.stop(LeaseLost)
                    elif run.job_id in unwanted:
                        run.stop(Cancelled)


def _write(kept: list[tuple[Run, holding.Ending]]) -> set[UUID]:
    """The ids of those that are completed by these very attempts.

    Asked again after an answer that got lost, the database finds them completed already: by nobody but us.
    """
    endings = [ending for _, ending in kept]
    try:
        written = holding.complete_many(endings=endings)
    except django.db.DataError:  # one result that PostgreSQL refuses must not keep the others
        written = {run.job_id for run, ending in kept if _write_one(run, ending)}
    missing = [(one.job_id, one.attempt) for one in endings if one.job_id not in written]
    return written | holding.held_as(held=missing, status=Job.Status.COMPLETED) if missing else written


def _write_one(run: Run, ending: holding.Ending) -> bool:
    try:
        return bool(holding.complete_many(endings=[ending]))
    except django.db.DataError as error:
        failed = lifecycle.fail(job_id=ending.job_id, attempt=ending.attempt, error=describe(error))
        if failed is not None:
            run.end(failed)
        return False
