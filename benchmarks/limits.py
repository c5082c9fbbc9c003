"""Taking and giving back a place of a shared limit, one pair after the other in one thread, beside the least that two
round trips to Redis cost: SET and DEL by redis-py with the same connection settings.

Both take turns in short batches, so that what else the machine does strikes both. Throughput is claimed of the best
tenth of the batches: what the code can do while the machine lets it. The median is reported beside it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.report import Report

PAIRS_PER_S = 5000
SHARE_OF_REFERENCE = 0.4
ROUNDS, BATCH = 80, 150


def measure() -> Iterator[Report]:
    from jobs.connections import queue_redis
    from jobs.limits import ConcurrencyLimit, TokenBucket

    client = queue_redis()
    limit = ConcurrencyLimit("bench", 20)
    reserved = ConcurrencyLimit("bench-reserved", 20, reserved={"high": 4})
    bucket = TokenBucket("bench-bucket", per_minute=1e9)

    def set_and_delete() -> None:
        client.set("bench:reference", "1")
        client.delete("bench:reference")

    def hold() -> None:
        with limit.hold():
            pass

    def hold_high() -> None:
        with reserved.hold(queue="high"):
            pass

    def take() -> None:
        bucket.take(1)
        bucket.settle(1, 1)

    works = [set_and_delete, hold, hold_high, take]
    reference, pairs, pairs_high, takes = _rates(works)
    report = Report(f"A shared limit: places taken and given back, {ROUNDS * BATCH:,} times in one thread")
    report.claim("pairs a second, best tenth", _best(pairs), "/s", PAIRS_PER_S, at_least=True,
                 reference=f"SET and DEL: {_best(reference):,.0f} /s")  # fmt: skip
    report.claim("share of SET and DEL, batch by batch, median", _share(pairs, reference), "×", SHARE_OF_REFERENCE,
                 at_least=True)  # fmt: skip
    report.figure("median", f"{statistics.median(pairs):,.0f} /s; SET and DEL {statistics.median(reference):,.0f} /s")
    report.figure("with reserved places, best tenth and median", _both(pairs_high))
    report.figure("a bucket's take and settle, best tenth and median", _both(takes))
    report.figure("pairs a second in 8 threads of one process", f"{_threads(hold):,.0f} /s")
    yield report


def _rates(works: list[Callable[[], None]]) -> list[list[float]]:
    """Calls a second of each work, by batch."""
    found: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    for _ in range(ROUNDS):
        for rates, work in zip(found, works, strict=True):
            began = time.perf_counter()
            for _ in range(BATCH):
                work()
            rates.append(BATCH / (time.perf_counter() - began))
    return found


def _threads(work: Callable[[], None]) -> float:
    def many() -> None:
        for _ in range(500):
            work()

    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(many) for _ in range(8)]:
            done.result()
    return 8 * 500 / (time.perf_counter() - began)


def _best(rates: list[float]) -> float:
    return statistics.quantiles(rates, n=10)[-1]


def _both(rates: list[float]) -> str:
    return f"{_best(rates):,.0f} /s, {statistics.median(rates):,.0f} /s"


def _share(ours: list[float], reference: list[float]) -> float:
    return statistics.median(mine / theirs for mine, theirs in zip(ours, reference, strict=True))
