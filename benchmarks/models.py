"""Questions to a model that takes half a second, twenty in flight over all threads: the whole of `ai.ask` (limits,
budget, a row for each call) beside the ideal, and beside the same requests sent by twenty threads with nothing around
them.

The server is a process of its own, and counts what it has in flight.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
from pydantic import BaseModel, Field

from benchmarks.ground import BASE_DIR
from benchmarks.report import Report

CALLS, AT_ONCE, LATENCY_S = 600, 20, 0.5
IDEAL_S = CALLS / AT_ONCE * LATENCY_S
MOST_TIMES_IDEAL = 1.25


class Verdict(BaseModel):
    title: str
    score: float = Field(ge=0, le=1)
    tags: list[str]


def measure() -> Iterator[Report]:
    program = [sys.executable, "-m", "tests.ai.stand_in", str(LATENCY_S)]
    with subprocess.Popen(program, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        url = server.stdout.readline().strip()
        bare_s = _bare(url)
        asked_s = _asked(url)
        server.stdin.close()
        seen = json.loads(server.stdout.readline())
    from ai.models import ModelCall

    report = Report(f"{CALLS} questions to a model that takes {LATENCY_S} s, {AT_ONCE} in flight")
    report.claim("times the ideal", asked_s / IDEAL_S, "×", MOST_TIMES_IDEAL,
                 reference=f"ideal {IDEAL_S:.1f} s; bare requests {bare_s / IDEAL_S:.2f} ×")  # fmt: skip
    report.claim("most in flight, by the server's count", seen["most_in_flight"], "", AT_ONCE)
    report.claim(
        "answered and on record", ModelCall.objects.filter(status="answered").count(), "", CALLS, at_least=True
    )
    report.figure(
        "our own time per question", f"{1000 * (asked_s - bare_s) * AT_ONCE / CALLS:.1f} ms beside bare requests"
    )
    yield report


def _bare(url: str) -> float:
    with httpx.Client(trust_env=False) as client:
        return _timed(AT_ONCE, lambda number: client.post(f"{url}/v1/messages", json={"model": "m"}).raise_for_status())


def _asked(url: str) -> float:
    """More threads than places, as workers have: who waits for a place costs nothing."""
    from django.db import connections
    from django.test import override_settings

    import ai

    limits = {
        "model:anthropic": {"size": AT_ONCE, "lease_s": 60, "reserved": {"high": 4}},
        "model:anthropic:tokens": {"per_minute": 1e9},
        "model:anthropic:requests": {"per_minute": 1e9},
    }

    def ask(number: int) -> None:
        ai.ask(Verdict, f"Notice {number}", purpose="bench", queue="high" if number % 2 else "default")

    configured = {"AI_PROVIDER": "anthropic", "AI_MODEL": "m", "AI_BASE_URL": url, "AI_DAILY_BUDGET_USD": None}
    with override_settings(JOBS_LIMITS=limits, **configured):
        return _timed(30, ask, at_end=connections.close_all)


def _timed(threads: int, work: Callable[[int], object], at_end: Callable[[], None] = lambda: None) -> float:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(-threads, 0)))  # connections are made before the clock starts
        began = time.perf_counter()
        list(pool.map(work, range(CALLS)))
        took_s = time.perf_counter() - began
        list(pool.map(lambda number: at_end(), range(threads)))
    return took_s
