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
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job as Doorbell
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from . import doorbell, stopping, tuning
from .connections import RedisError, worker_redis
from .draining import Drain
from .models import Process
from .services.processes import Presence

log = structlog.get_logger(__name__)


_drain = Drain()


def drain(queue: str) -> int:
    """What a doorbell calls. Any RQ worker with the JSON serializer can answer it."""
    return _drain.some_of(queue)


class Worker(SimpleWorker):
    """RQ's worker without a fork per doorbell, without its command thread (see isolation), and without its record
    keeping, since the truth is in our table."""

    # Redis may come back at any time: look for it often.
    max_connection_wait_time = 2.0
    _is_waiting = False

    def subscribe(self) -> None:
        """RQ would start a thread here that listens for commands."""

    def unsubscribe(self) -> None:
        pass

    def check_for_suspension(self, burst: bool) -> None:
        """RQ asks this before each wait, once its own signal handlers are there. A signal that came earlier, while it
        made itself known to Redis, has only set our flag: without this look it would wait for the next doorbell."""
        if stopping.is_asked():
            raise StopRequested

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Doorbell, Queue] | None:
        """RQ asks a Redis that is away again and again in here. We leave at its second failure: see `heartbeat`."""
        self._is_waiting = True
        try:
            found: tuple[Doorbell, Queue] | None = super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            return found
        finally:
            self._is_waiting = False

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """While it waits, the first thing that RQ does after a failure: without Redis the table must be looked at."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError:
            if self._is_waiting:
                raise StopRequested from None
            raise

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
        """First SIGTERM or SIGINT: end or hand back the jobs at hand, then leave. Nothing is said to Redis here: the
        signal may have come in the middle of a call to it."""
        _stop(signum, frame)
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    request_force_stop = request_stop


def work(queues: Sequence[str], *, burst: bool = False) -> int:
    """Work until told to stop; with burst until the queues are empty. How many jobs were run.

    Without Redis it looks at the table every two seconds, so nothing depends on doorbells but speed.
    """
    stopping.forget()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _stop)
    before = _drain.hand.jobs_run
    _arrive(queues)
    if burst:
        _drain.all_of(queues)
    while not burst and not stopping.is_asked():
        _drain.all_of(queues, to_the_end=False)
        try:
            _listen(queues)
        except (RedisError, OSError) as error:
            log.warning("worker_without_redis", error=str(error))
            _pause(2.0)
    _drain.finish()
    _drain.heart.stop()
    _leave()
    return _drain.hand.jobs_run - before


def _arrive(queues: Sequence[str]) -> None:
    """The row says so at once, if the database is there; else the heart writes it as soon as it is."""
    presence = Presence(kind=Process.Kind.WORKER, queues=queues)
    _drain.heart.presence, _drain.hand.worker_id = presence, presence.id
    try:
        presence.beat(at_once=True)
    except django.db.Error as error:
        log.warning("arrival_not_written", error=str(error))
        connections.close_all()
    _drain.heart.start()


def _leave() -> None:
    presence, _drain.heart.presence = _drain.heart.presence, None
    try:
        if presence is not None:
            presence.leave()
    except django.db.Error as error:
        log.warning("leaving_not_written", error=str(error))  # the row falls silent, and is swept


def _listen(queues: Sequence[str]) -> None:
    """Returns when told to stop, and when RQ found an error of its own: then the caller drains and listens anew."""
    if stopping.is_asked():
        return
    connection = worker_redis()
    rq_queues = [doorbell.queue_named(name, connection) for name in queues]
    worker = Worker(rq_queues, connection=connection, serializer=JSONSerializer, worker_ttl=tuning.DOORBELL_WAIT_S)
    worker.log_job_description = False
    worker.work(logging_level="WARNING")
    connection.close()


def _stop(signum: int, frame: Any) -> None:
    """The second time: leave at once. The jobs at hand are taken back when their lease has run out."""
    if stopping.is_asked():
        os._exit(1)
    stopping.ask()


def _pause(seconds: float) -> None:
    end = time.monotonic() + seconds
    while not stopping.is_asked() and time.monotonic() < end:
        time.sleep(0.1)
