"""Jobs that do nothing, from the asking to the result: two worker processes, beside RQ and Celery on the same Redis."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import redis

from benchmarks import working
from benchmarks.ground import BASE_DIR
from benchmarks.report import Report

JOBS = 2000
BATCH = 1000
ROUNDS = 2
ENQUEUE_S = 0.5
WITHIN_S = 600.0


def measure() -> Iterator[Report]:
    """Each in turn, twice; the best of each counts, for whoever disturbs a round makes it slower."""
    working.know()
    rates: dict[str, list[float]] = {"ours": [], "rq": [], "celery": []}
    enqueue_s: list[float] = []
    for _ in range(ROUNDS):
        rates["ours"].append(_ours(enqueue_s))
        rates["rq"].append(_rq())
        rates["celery"].append(_celery())
    ours, rq, celery = (max(rates[name]) for name in ("ours", "rq", "celery"))
    report = Report(f"{JOBS:,} jobs that do nothing, on two worker processes, from the asking to the last result")
    report.claim("times bare RQ (two SimpleWorkers)", ours / rq, "×", 2.0, at_least=True,
                 reference=f"{ours:,.0f} against {rq:,.0f} jobs/s")  # fmt: skip
    report.claim("times Celery (prefork, 2; late acks; results)", ours / celery, "×", 1.0, at_least=True,
                 reference=f"{ours:,.0f} against {celery:,.0f} jobs/s")  # fmt: skip
    report.claim(f"enqueue {BATCH:,} in one batch", min(enqueue_s), "s", ENQUEUE_S)
    for name, found in rates.items():
        report.figure(f"rounds: {name}", ", ".join(f"{rate:,.0f} jobs/s" for rate in found))
    yield report


def _ours(enqueue_s: list[float]) -> float:
    """Rows, doorbells, claims, results, events; over when the batches have ended and said so."""
    from jobs.connections import events_redis
    from jobs.events.stream import keys_of
    from jobs.models import Job
    from jobs.services import enqueue_batch

    with _two([sys.executable, "-m", "benchmarks.working", "default"]):
        warm = [enqueue_batch(kind=working.KIND, params=[{"number": n} for n in range(200)]).pk]
        _until(lambda: _all_ended(warm))
        began, batches = time.perf_counter(), []
        for first in range(0, JOBS, BATCH):
            at = time.perf_counter()
            batch = enqueue_batch(kind=working.KIND, params=[{"number": first + n} for n in range(BATCH)])
            enqueue_s.append(time.perf_counter() - at)
            batches.append(batch.pk)
        _until(lambda: _all_ended(batches))
        rate = JOBS / (time.perf_counter() - began)
        done = Job.objects.filter(batch__in=batches, status="completed")
        assert done.count() == JOBS
        said = [events_redis().exists(keys_of(f"job:{pk}")[1]) for pk in done.values_list("pk", flat=True)]
        assert all(said), "every job has its event"
    return rate


def _all_ended(batches: list[Any]) -> bool:
    from jobs.models import Job

    return not Job.objects.filter(pk__in=batches).exclude(status="completed").exists()


def _rq() -> float:
    from rq import Queue
    from rq.registry import FinishedJobRegistry

    from benchmarks import rivals

    queue = rivals.rq_queue()
    finished = FinishedJobRegistry(queue=queue)

    def ask(count: int) -> None:
        for first in range(0, count, BATCH):
            calls = [
                Queue.prepare_data(rivals.nothing, args=(first + n,), result_ttl=3600)
                for n in range(min(BATCH, count - first))
            ]
            queue.enqueue_many(calls)

    with _two([sys.executable, "-m", "benchmarks.rivals"]):
        ask(200)
        _until(lambda: finished.get_job_count(cleanup=False) >= 200)
        began = time.perf_counter()
        ask(JOBS)
        _until(lambda: finished.get_job_count(cleanup=False) >= 200 + JOBS)
        rate = JOBS / (time.perf_counter() - began)
    _redis().flushdb()
    return rate


def _celery() -> float:
    from benchmarks import rivals

    client = _redis()
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.rivals", "worker", "-P", "prefork", "-c", "2"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "ERROR"]

    def ask(count: int) -> None:
        with rivals.app.producer_pool.acquire(block=True) as producer:
            for n in range(count):
                rivals.celery_nothing.apply_async((n,), producer=producer)

    with _running([*command, *quiet]):
        ask(200)
        _until(lambda: len(client.keys(rivals.CELERY_RESULTS)) >= 200)
        began = time.perf_counter()
        ask(JOBS)
        _until(lambda: len(client.keys(rivals.CELERY_RESULTS)) >= 200 + JOBS)
        rate = JOBS / (time.perf_counter() - began)
    client.flushdb()
    return rate


def _redis() -> redis.Redis:
    return redis.Redis.from_url(os.environ["REDIS_URL"])


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"not done within {WITHIN_S:.0f} s")
        time.sleep(0.03)


@contextlib.contextmanager
def _two(command: list[str]) -> Iterator[None]:
    with _running(command), _running(command):
        yield


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
