"""What a handler gets in hand: progress, cancellation, and the fence around its effects."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from . import announce, events, stopping, tuning
from .deadlines import Alarm
from .events.types import EventType
from .exceptions import Cancelled, HandedBack, JobStopped, LeaseLost, TimedOut
from .models import Job
from .services import batches, lifecycle
from .states import channels_of, job_state

STATE_FIELDS = ("done", "total", "current_step", "detail", "progress", "eta_s", "last_event_seq", "started_at")


class Run:
    """One attempt at a job.

    `report` may be called for every row: it writes and publishes at most four times a second. Between two calls a
    second thread (`heart.Heart`) keeps the lease and says what was held back, with a database connection of its own.
    """

    def __init__(self, job: Job) -> None:
        self.job_id: UUID = job.id
        self.attempt: int = job.attempt
        self.params: dict[str, Any] = job.params
        self.actor_id: UUID | None = job.actor_id
        self.organisation_id: UUID | None = job.organisation_id
        self.finished = False
        self.job = job
        self.began_at = time.monotonic()
        self._channels = channels_of(job)
        self._lock = threading.RLock()
        self._held_back = False  # a report that nobody was told of yet
        self._said_at = 0.0
        # Is it written and said that it runs? Not of a row that was claimed along with others, unless it takes long.
        self._is_known = job.started_at is not None
        self._is_over = False  # its end has been said, or is about to be: nothing may be said of it any more
        self._beaten_at = time.monotonic()
        self._first: tuple[float, int] | None = None
        self._stop: type[JobStopped] | None = None
        self.alarm: Alarm | None = None  # of a run in a thread of its own
        self._finishing = False
        job.started_at = job.started_at or timezone.now()

    @property
    def subject(self) -> tuple[str, UUID | None]:
        return self.job.subject_type, self.job.subject_id

    def report(self, done: int, total: int, message: str = "", **data: Any) -> None:
        """Say how far the work is: full state each time; `data` (JSON) goes along as `detail`.

        Raises Cancelled when somebody asked for that, LeaseLost when the job has been given to another attempt,
        TimedOut when its time is up, HandedBack when this worker is told to stop and work is left.
        """
        is_last = done >= total > 0
        self._raise_stop(may_go_on=is_last)
        now = time.monotonic()
        job = self.job
        with self._lock:
            job.done, job.total, job.current_step = done, total, message[:500].replace("\x00", "")
            job.detail = data or job.detail
            job.progress = min(100, 100 * done // total) if total else 0
            job.eta_s = self._eta_s(now, done, total)
            self._held_back = True
            is_due = now - self._said_at >= tuning.REPORT_EVERY_S
        if is_due:
            self.say()
            self._raise_stop(may_go_on=is_last)

    def checkpoint(self) -> None:
        """A good moment to stop, without news: raises what `report` raises. Asks the database at most four times a
        second."""
        self._raise_stop()
        if time.monotonic() - self._beaten_at >= tuning.REPORT_EVERY_S:
            self.beat()
            self._raise_stop()

    def publish(self, channel: str, type: EventType, data: Mapping[str, Any]) -> None:
        """Say something of the work itself. Inside `finishing()` it is said when the effects have been committed."""
        events.publish_on_commit(channel, type, data)

    @contextmanager
    def finishing(self) -> Iterator[Callable[[Any], None]]:
        """Transaction in which the job's effects and its completion are one: `with run.finishing() as finish: …;
        finish(result)`.

        The row stays locked, so no other attempt can begin before this has been decided. Without a call of `finish`
        the result is null. Raises LeaseLost or Cancelled before anything is written.
        """
        self._raise_stop(may_go_on=True)
        result: list[Any] = []
        self._finishing = True
        try:
            with transaction.atomic():
                locked = lifecycle.lock_held(job_id=self.job_id, attempt=self.attempt)
                if locked.cancel_requested_at:
                    raise Cancelled
                yield result.append
                self.complete(result[-1] if result else None)
        finally:
            self._finishing = False
        self.finished = True

    def complete(self, result: Any) -> None:
        """Write the completion (fenced); say it when it is committed. Raises LeaseLost."""
        done = lifecycle.complete(job_id=self.job_id, attempt=self.attempt, result=result, state=self.state())
        if done is None:
            raise LeaseLost(f"Attempt {self.attempt} of job {self.job_id} was taken back.")
        transaction.on_commit(lambda: self.end(done), robust=True)

    def completed(self, result: Any) -> Job:
        """The job as it will be once the completion, which somebody else writes, is there. Ends the run."""
        with self._lock:
            self.finished = self._is_over = True
            self.job.status, self.job.result, self.job.progress = Job.Status.COMPLETED, result, 100
            self.job.eta_s = None
            return self.job

    def end(self, job: Job) -> None:
        """Say the job's end, after the last progress if that was held back."""
        if self._held_back:
            self._publish()
        self.hush()
        announce.say_state(job)
        if job.batch_id:
            batches.child_ended(job.batch_id)

    def hush(self) -> None:
        """Say nothing more of the run. Returns when what the heart was just saying has been said."""
        with self._lock:
            self._is_over = True

    def begin(self) -> None:
        """Say that it runs, if that is not to be left for later."""
        if self._is_known:
            announce.say_state(self.job)

    def say(self) -> None:
        """Store and publish the latest report, and extend the lease."""
        with self._lock:
            state = self.state()
            self._said_at = time.monotonic()
            self._is_known = True
        self.beat(state)
        if self._stop is None:
            self._publish()

    def beat(self, state: dict[str, Any] | None = None) -> None:
        """Extend the lease. What it learns is raised by the next `report` or `checkpoint`: this may be another
        thread."""
        self._beaten_at = time.monotonic()
        try:
            if lifecycle.beat(job_id=self.job_id, attempt=self.attempt, state=state):
                self._stop = Cancelled
        except LeaseLost:
            self._stop = LeaseLost

    def stop(self, why: type[JobStopped]) -> None:
        """Have the next `report` or `checkpoint` raise this."""
        self._stop = why

    @property
    def is_silent(self) -> bool:
        """Nothing was written or said of this run yet."""
        return not self._is_known

    @property
    def needs_lease(self) -> bool:
        """In a finishing transaction the row is locked by us: nothing to do, nothing to fear."""
        return not (self._finishing or self.finished)

    def state(self) -> dict[str, Any]:
        """The latest report as fields of the row."""
        return {name: getattr(self.job, name) for name in STATE_FIELDS}

    def tend(self) -> None:
        """Called by the heart, often: end what takes too long, say what was held back, or that a job runs which was
        thought to be brief."""
        now = time.monotonic()
        if self.alarm is not None and self.alarm.has_rung():
            self.stop(TimedOut)
        if not self.needs_lease or self._stop is not None:
            return
        is_held_back = self._held_back and now - self._said_at >= tuning.REPORT_EVERY_S
        if is_held_back or (not self._is_known and now - self.began_at >= tuning.SAID_AFTER_S):
            self.say()

    def _publish(self) -> None:
        """Holding the lock: a progress must not come after the end."""
        with self._lock:
            self._held_back = False
            if self._is_over:
                return
            data = dict(job_state(self.job))
            seqs = events.publish_many((channel, "progress", data) for channel in self._channels)
            self.job.last_event_seq = seqs[0] or self.job.last_event_seq

    def _eta_s(self, now: float, done: int, total: int) -> float | None:
        """Rest of the work at the rate since it began to move; None until it can be told. What comes before the first
        unit of work (comparing a budget as a whole) says nothing of the units."""
        if self._first is None or done < self._first[1] or (done and not self._first[1]):
            self._first = (now, done)
        began, done_then = self._first
        if done <= done_then or now - began < 0.5:
            return None
        return round((now - began) / (done - done_then) * max(0, total - done), 1)

    def _raise_stop(self, *, may_go_on: bool = False) -> None:
        """`may_go_on`: the work is as good as done, so a worker that is told to stop lets it end."""
        if self.finished:
            return
        if self._stop is not None:
            raise self._stop
        if stopping.is_asked() and not may_go_on:
            raise HandedBack
