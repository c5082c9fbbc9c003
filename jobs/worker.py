"""Workers: RQ's loop waits for doorbells; the work itself is claimed from the table, until there is none left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from typing import Any

import django.db
import structlog
from django.db import close_old_connections, connections
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job as Doorbell
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from . import doorbell, tuning
from .connections import RedisError, worker_redis
from .heart import Heart
from .models import Job
from .runner import run_claimed
from .services import batches, lifecycle

log = structlog.get_logger(__name__)


class Drain:
    """Claims and runs jobs of a queue. One per process, for it owns the heart."""

    def __init__(self) -> None:
        self.heart = Heart()
        self.is_stopping = False

    def some_of(self, queue: str) -> int:
        """Run jobs of the queue until it is empty, or long enough for a more urgent queue to be looked at; how many
        were run.

        What is left is rung for again. A database that is away ends the turn, not the worker.
        """
        began, count = time.monotonic(), 0
        while not self.is_stopping:
            if count >= tuning.DRAIN_JOBS or time.monotonic() - began >= tuning.DRAIN_S:
                _ring_for_the_rest(queue)
                break
            try:
                job = lifecycle.claim_next(queue=queue)
            except django.db.Error as error:
                log.warning("claim_failed", queue=queue, error=str(error))
                connections.close_all()
                time.sleep(
                    1
                )  # the scheduler rings again; without the pause its doorbells would be answered in a tight loop
                break
            if job is None:
                break
            run_claimed(job, heart=self.heart)
            count += 1
        _settle_batches()
        return count

    def all_of(self, queues: Sequence[str]) -> int:
        """Run what there is in the queues, the most urgent first, until all are empty; how many were run."""
        count = 0
        while not self.is_stopping:
            ran = next((n for n in map(self.some_of, queues) if n), 0)
            if not ran:
                break
            count += ran
        return count


def _settle_batches() -> None:
    try:
        batches.settle_owed()
    except django.db.Error as error:
        log.warning("batches_not_settled", error=str(error))  # the scheduler does it


def _ring_for_the_rest(queue: str) -> None:
    try:
        left = Job.objects.filter(queue=queue, status=Job.Status.QUEUED).only("id", "attempt").first()
        if left is not None and not doorbell.waiting(queue):
            doorbell.ring(queue, job_id=left.id, attempt=left.attempt)
    except (RedisError, OSError, django.db.Error) as error:
        log.warning("rest_not_rung", queue=queue, error=str(error))


_drain = Drain()


def drain(queue: str) -> int:
    """What a doorbell calls. Any RQ worker with the JSON serializer can answer it."""
    return _drain.some_of(queue)


class Worker(SimpleWorker):
    """RQ's worker without a fork per doorbell, without its command thread (see isolation), and without its record
    keeping, since the truth is in our table."""

    # Redis may come back at any time: look for it often.
    max_connection_wait_time = 2.0

    def subscribe(self) -> None:
        """RQ would start a thread here that listens for commands."""

    def unsubscribe(self) -> None:
        pass

    def execute_job(self, job: Doorbell, queue: Queue) -> None:
        self.set_state(WorkerStatus.BUSY)
        try:
            with self.connection.pipeline(transaction=False) as pipe:
                pipe.lrem(queue.intermediate_queue_key, 1, job.id)
                job.delete(pipeline=pipe, remove_from_queue=False)
                pipe.execute()
            _drain.some_of(queue.name)
            close_old_connections()
        finally:
            self.set_state(WorkerStatus.IDLE)

    def request_stop(self, signum: int, frame: Any) -> None:
        """First SIGTERM or SIGINT: finish the job at hand, then leave. Nothing is said to Redis here: the signal may
        have come in the middle of a call to it."""
        signal.signal(signal.SIGINT, self.request_force_stop)
        signal.signal(signal.SIGTERM, self.request_force_stop)
        self._stop_requested = _drain.is_stopping = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def request_force_stop(self, signum: int, frame: Any) -> None:
        """Second one: leave at once. The job at hand is taken back when its lease has run out."""
        os._exit(1)


def work(queues: Sequence[str], *, burst: bool = False) -> int:
    """Work until told to stop; with burst until the queues are empty. How many jobs the table gave without a doorbell.

    Without Redis it looks at the table every two seconds, so nothing depends on doorbells but speed.
    """
    _drain.is_stopping = False
    if burst:
        return _drain.all_of(queues)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    count = 0
    while not _drain.is_stopping:
        count += _drain.all_of(queues)
        try:
            _listen(queues)
        except (RedisError, OSError) as error:
            log.warning("worker_without_redis", error=str(error))
            _pause(2.0)
    _drain.heart.stop()
    return count


def _listen(queues: Sequence[str]) -> None:
    """Returns when told to stop, and when RQ found an error of its own: then the caller drains and listens anew."""
    if _drain.is_stopping:
        return
    connection = worker_redis()
    rq_queues = [doorbell.queue_named(name, connection) for name in queues]
    worker = Worker(rq_queues, connection=connection, serializer=JSONSerializer)
    worker.log_job_description = False
    worker.work(logging_level="WARNING")
    connection.close()


def _stop(signum: int, frame: Any) -> None:
    _drain.is_stopping = True


def _pause(seconds: float) -> None:
    end = time.monotonic() + seconds
    while not _drain.is_stopping and time.monotonic() < end:
        time.sleep(0.1)
