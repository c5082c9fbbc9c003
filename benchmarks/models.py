"""Tenders read by a model that takes a second, twenty in flight over two worker processes: from the asking to the last
row, beside the ideal, and beside the same requests sent by twenty threads with nothing around them.

The server is a process of its own, and counts what it has in flight.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from benchmarks.ground import BASE_DIR
from benchmarks.report import Report
from tests.ai import stand_in

TENDERS, AT_ONCE, LATENCY_S, WORKERS = 1000, 20, 1.0, 2
IDEAL_S = TENDERS / AT_ONCE * LATENCY_S
MOST_TIMES_IDEAL = 1.15
WARM = 40  # tenders read before the clock starts, so that connections are there
WITHIN_S = 600.0


def measure() -> Iterator[Report]:
    with stand_in.elsewhere(latency_s=LATENCY_S, answer="tests.tenders.answers:assessment") as url:
        bare_s = _bare(url)
    with stand_in.elsewhere(latency_s=LATENCY_S, answer="tests.tenders.answers:assessment") as url, _model(url):
        read_s, cpu_s = _read()
        seen = stand_in.seen_by(url)
    from tenders.models import Enrichment

    rows = Enrichment.objects.filter(method="model")
    report = Report(f"{TENDERS:,} tenders read by a model that takes {LATENCY_S:g} s, {AT_ONCE} in flight")
    report.claim("times the ideal", read_s / IDEAL_S, "×", MOST_TIMES_IDEAL,
                 reference=f"ideal {IDEAL_S:.0f} s; bare requests {bare_s / IDEAL_S:.2f} ×")  # fmt: skip
    report.claim("most in flight, by the server's count", seen["most_in_flight"], "", AT_ONCE)
    report.claim("read by the model, once each", rows.values("tender").distinct().count(), "", TENDERS + WARM,
                 at_least=True, reference=f"{rows.count():,} rows, {seen['requests']:,} requests")  # fmt: skip
    report.figure("CPU of the workers per tender", f"{1000 * cpu_s / (TENDERS + WARM):.0f} ms")
    yield report


def _bare(url: str) -> float:
    def ask(number: int) -> None:
        client.post(f"{url}/v1/messages", json={"model": "m", "messages": []}).raise_for_status()

    with httpx.Client(trust_env=False, timeout=60) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(ask, range(AT_ONCE)))
        began = time.perf_counter()
        list(pool.map(ask, range(TENDERS)))
        return time.perf_counter() - began


@contextmanager
def _model(url: str) -> Iterator[None]:
    """For this process and those that it starts."""
    from django.test import override_settings

    told = {"PROVIDER": "anthropic", "MODEL": "claude-haiku-4-5", "BASE_URL": url}
    more = {"AI_DAILY_BUDGET_USD": "none", "MODEL_TOKENS_PER_MINUTE": "1000000000"}
    more |= {"MODEL_CALLS_RESERVED": "0"}  # else four places would stay empty: nobody asks in the high queue
    more |= {"MODEL_REQUESTS_PER_MINUTE": "1000000"} | {f"AI_{name}": value for name, value in told.items()}
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        with override_settings(**{f"AI_{name}": value for name, value in told.items()}):
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _read() -> tuple[float, float]:
    """(seconds from the asking to the batch's end, seconds of CPU of the workers)."""
    from tenders.models import CompanyProfile
    from tenders.services import runs, sources
    from tests.factories.notices import given_release, lines_of
    from tests.factories.people import make_organisation

    firm = make_organisation("Road builder")
    CompanyProfile.objects.create(organisation=firm, cpv_codes=["45233"], keywords=["road", "resurfacing"])
    lines = lines_of(*(given_release(number) for number in range(TENDERS + WARM)))
    source = sources.source_named(name="Published")
    sources.import_file(source=source, stream=io.BytesIO(lines), filename="notices.jsonl")
    command = [sys.executable, "manage.py", "work", "default"]
    workers = [subprocess.Popen(command, cwd=BASE_DIR) for _ in range(WORKERS)]
    try:
        _until_ended(runs.start(organisation=firm, limit=WARM))
        began = time.perf_counter()
        _until_ended(runs.start(organisation=firm))
        took_s = time.perf_counter() - began
    finally:
        for worker in workers:
            worker.terminate()
        spent_s = sum(_cpu_s(worker) for worker in workers)
    return took_s, spent_s


def _until_ended(run: Any) -> None:
    from jobs.models import Job

    deadline = time.monotonic() + WITHIN_S
    while Job.objects.get(pk=run["batch_id"]).is_active:
        assert time.monotonic() < deadline, "the run does not end"
        time.sleep(0.05)


def _cpu_s(worker: subprocess.Popen[bytes]) -> float:
    _, _, usage = os.wait4(worker.pid, 0)
    worker.returncode = 0
    return usage.ru_utime + usage.ru_stime
