"""The same no-op as others run it, free of Django: `python -m benchmarks.rivals rq` is one of RQ's SimpleWorkers, and
`celery -A benchmarks.rivals` finds the application here."""

from __future__ import annotations

import os
from urllib.parse import parse_qs, urlsplit

import redis
from celery import Celery
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

QUEUE = "bench"
CELERY_RESULTS = "celery-task-meta-*"


def nothing(number: int) -> dict[str, int]:
    return {"number": number}


def celery_url(url: str) -> str:
    """Celery spells sockets its own way."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    return f"redis+socket://{parts.path}?virtual_host={parse_qs(parts.query).get('db', ['0'])[0]}"


app = Celery("rivals", broker=celery_url(os.environ["REDIS_URL"]), backend=celery_url(os.environ["REDIS_URL"]))
app.conf.update(task_acks_late=True, task_ignore_result=False, task_default_queue="rivals")
celery_nothing = app.task(name="rivals.nothing")(nothing)


def rq_queue() -> Queue:
    return Queue(QUEUE, connection=redis.Redis.from_url(os.environ["REDIS_URL"]), serializer=JSONSerializer)


if __name__ == "__main__":
    queue = rq_queue()
    SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer).work(logging_level="WARNING")
