"""Waking workers through RQ. A doorbell says "there is work in this queue", never which: rows are claimed from the
table.

So a lost doorbell delays work (the scheduler rings again within seconds) and a doorbell too many finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from .connections import RedisError, breaker_of, queue_redis, queue_url

log = structlog.get_logger(__name__)

# More doorbells than workers wake nobody: one claims on until the table is empty.
RINGS_PER_BATCH = 16


def ring(queue: str, *, job_id: UUID, attempt: int = 0, times: int = 1) -> bool:
    """Push doorbells for work in a queue; False when Redis could not be reached.

    The id carries the attempt, so that it never meets the record that RQ keeps of an earlier one.
    """
    breaker = breaker_of(queue_url())
    try:
        breaker.check()
        _push(queue, [f"{job_id}-{attempt}" if times == 1 else f"{job_id}-{attempt}-{n}" for n in range(times)])
    except (RedisError, OSError) as error:
        breaker.failed()
        log.warning("doorbell_not_rung", queue=queue, job_id=str(job_id), error=str(error))
        return False
    breaker.worked()
    return True


def _push(queue: str, ids: Sequence[str]) -> None:
    rq = queue_named(queue, queue_redis())
    calls = [
        Queue.prepare_data(
            "jobs.worker.drain",
            args=(queue,),
            job_id=rq_id,
            result_ttl=0,
            failure_ttl=3600,
            timeout=-1,
            description=rq_id,
        )
        for rq_id in ids
    ]
    rq.enqueue_many(calls)


def queue_named(name: str, connection: Redis) -> Queue:
    return Queue(name, connection=connection, serializer=JSONSerializer)


def waiting(queue: str) -> int:
    """Doorbells that nobody has answered yet. Raises RedisError."""
    return int(queue_named(queue, queue_redis()).count)
