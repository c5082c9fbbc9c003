"""Emptying queues: claim many, run them one after the other (or beside each other), write their ends together."""

from __future__ import annotations

import time
from collections.abc import Sequence

import django.db
import structlog
from django.db import connections

from . import doorbell, stopping, tuning
from .connections import RedisError
from .crew import Crew
from .hand import Hand
from .heart import Heart
from .models import Job
from .registry import isolated_kinds
from .runner import run_claimed
from .services import batches, claiming

log = structlog.get_logger(__name__)

GROWTH = 8  # 1, 8, 64: a worker that finds one brief job after the other soon takes many


class Drain:
    """Claims and runs jobs of a queue. One per process, for it owns the heart."""

    def __init__(self) -> None:
        self.hand = Hand(keeps_completions=True)
        self.heart = Heart(self.hand)
        self.crew = Crew(self.heart)
        self._width = 1  # how many are claimed in one go
        self._held_for: str | None = None  # the queue in which an isolated job waits until nothing runs beside

    def some_of(self, queue: str) -> int:
        """Run jobs of the queue until it is empty, or long enough for a more urgent queue to be looked at; how many
        were begun.

        What is left is rung for again. A database that is away ends the turn, not the worker.
        """
        began, count = time.monotonic(), 0
        try:
            self._run(())  # what an earlier turn had to leave
            self._clears_the_floor(queue)
            while not stopping.is_asked():
                if time.monotonic() - began >= tuning.DRAIN_S:
                    self._clears_the_floor(queue)
                    self._ring_for_the_rest(queue)
                    break
                jobs = self._claim(queue)
                count += len(jobs)
                self._run(jobs)
                if not jobs:
                    if not self._clears_the_floor(queue):
                        break
                    self.crew.wait(at_most_s=0.1)
            self.settle()
        except django.db.Error as error:
            log.warning("turn_ended_without_database", queue=queue, error=str(error))
            connections.close_all()
            time.sleep(
                1
            )  # the scheduler rings again; without the pause its doorbells would be answered in a tight loop
        return count

    def all_of(self, queues: Sequence[str], *, to_the_end: bool = True) -> int:
        """Run what there is in the queues, the most urgent first, until all are empty; how many were run.
        `to_the_end`: also wait for those that run beside."""
        before = self.hand.jobs_run
        while not stopping.is_asked():
            if next((n for n in map(self.some_of, queues) if n), 0):
                continue
            if not (to_the_end and self.crew.is_busy):
                break
            self.crew.wait(at_most_s=0.2)
        if to_the_end:
            self.finish()
        return self.hand.jobs_run - before

    def finish(self) -> None:
        """Wait for what runs beside, and write what is not written yet. Raises nothing."""
        while not self.crew.wait(at_most_s=60):
            log.info("waiting_for_jobs", jobs=[str(job_id) for job_id in self.hand.busy_with()])
        try:
            self.hand.give_back()
            self.settle()
        except django.db.Error as error:
            log.warning("end_not_written", error=str(error))  # the rows are taken back after their lease

    def settle(self) -> None:
        """Write completions and counts that are owed. Raises django.db.Error."""
        self.hand.flush()
        if not self.crew.is_busy:  # else the heart counts, four times a second
            batches.settle_owed()

    def _claim(self, queue: str) -> list[Job]:
        if self._held_for == queue and not self.crew.is_busy:
            return self._claim_isolated(queue)
        places = self.crew.places()
        without = [kind for kind, free in places.items() if free <= 0]
        if self.crew.is_busy:
            without += isolated_kinds()  # a process with threads can't fork
        pace = self.hand.pace
        jobs = claiming.claim_many(
            queue=queue,
            limit=self._width,
            brief=pace.brief_kinds(),
            places={kind: free for kind, free in places.items() if free > 0},
            without=without,
            worker_id=self.hand.worker_id,
        )
        kinds = {job.kind for job in jobs}
        if all(pace.is_brief(kind) or kind in places for kind in kinds):
            affordable = int(tuning.CLAIMED_S / max(pace.seconds_of(kinds), 0.001))
            self._width = max(1, min(self._width * GROWTH, tuning.CLAIMED_AT_MOST, affordable))
        else:
            self._width = 1
        return jobs

    def _run(self, jobs: Sequence[Job]) -> None:
        places = self.crew.places()
        self.hand.take([job for job in jobs if job.kind not in places])
        for job in jobs:
            if job.kind in places:
                self.crew.start(job)
        while not stopping.is_asked() and (first := self.hand.next()) is not None:
            run_claimed(first, heart=self.heart)
            if self.hand.is_flush_due():
                self.hand.flush()
        if stopping.is_asked():
            self.hand.give_back()

    def _clears_the_floor(self, queue: str) -> bool:
        """A process with threads can't fork: if an isolated job waits in the queue while others run beside, nothing
        more begins there until it has had its turn. True: there is one to wait for."""
        if self._held_for not in (None, queue):
            return False
        is_wanted = self.crew.is_busy and claiming.is_any_due(queue=queue, kinds=isolated_kinds())
        self._held_for = queue if is_wanted else None
        self.crew.hold(held=is_wanted)
        return is_wanted

    def _claim_isolated(self, queue: str) -> list[Job]:
        self._held_for = None
        self.crew.hold(held=False)
        job = claiming.claim_of_kinds(queue=queue, kinds=isolated_kinds(), worker_id=self.hand.worker_id)
        return [job] if job is not None else []

    def _ring_for_the_rest(self, queue: str) -> None:
        try:
            left = Job.objects.filter(queue=queue, status=Job.Status.QUEUED).only("id", "attempt").first()
            if left is not None and not doorbell.waiting(queue):
                doorbell.ring(queue, job_id=left.id, attempt=left.attempt)
        except (RedisError, OSError) as error:
            log.warning("rest_not_rung", queue=queue, error=str(error))
