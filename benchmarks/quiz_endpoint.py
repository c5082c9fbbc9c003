"""GET /api/quiz?count=10, one process each: ours with fresh questions per call and the throttle on, against FastAPI
with cache-aside; and what a call costs that finds no pool among 10,000 questions."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Report

QUESTIONS = 10_000
CONNECTIONS = 100
SECONDS = 4.0
ROUNDS = 3
PATH = "/api/quiz?count=10"
TIMES_FASTER = 5.0
P99_MS = 20.0
MISS_MS = 50.0


def measure() -> Iterator[Report]:
    _lay_down()
    misses = _misses()
    with _served("config.asgi:application") as ours, _served("benchmarks.quiz_rival:app") as rival:
        _until_pooled(ours.port)
        os.environ["BENCH_BYTES"] = str(_lay_down_for_rival(ours.port))
        with _served("benchmarks.quiz_floor:app") as floor:
            # In turn: the machine's load falls on all of them.
            rounds = [(_load(ours), _load(rival), _load(floor)) for _ in range(ROUNDS)]
    mine, theirs, bare = ([each[at] for each in rounds] for at in (0, 1, 2))
    ratio = statistics.median(one["per_s"] / other["per_s"] for one, other, _ in rounds)
    report = Report(f"GET {PATH} of {QUESTIONS:,} questions, hit, {CONNECTIONS} connections, one process each")
    report.claim(
        "requests per second, of FastAPI's cache-aside", ratio, "x", TIMES_FASTER, at_least=True,
        reference=f"{_median(mine, 'per_s'):,.0f}/s against {_median(theirs, 'per_s'):,.0f}/s",
    )  # fmt: skip
    report.claim("p99", _median(mine, "p99_ms"), "ms", P99_MS, reference=f"FastAPI {_median(theirs, 'p99_ms'):.1f} ms")
    for name, unit, digits in (("cpu_us", "µs of the server's processor time a request", 0), ("p99_ms", "ms, p99", 1)):
        told = (f"{_median(each, name):.{digits}f}" for each in (mine, theirs, bare))
        report.figure(unit, "{}; FastAPI {}; the server with nothing behind it {}".format(*told))
    report.figure("requests per second of the server with nothing behind it", f"{_median(bare, 'per_s'):,.0f}")
    report.figure("processor time of the one that asks", f"{_median(mine, 'asking_us'):.0f} µs a request")
    report.claim("a call without a pool, at the median", statistics.median(misses), "ms", MISS_MS)
    yield report


def _median(rounds: list[dict[str, float]], name: str) -> float:
    return statistics.median(each[name] for each in rounds)


def _lay_down() -> None:
    from django.db import connection

    from quiz.models import Bank, Category, Question, QuestionVersion

    bank = Bank.objects.create(name="Pool of the benchmark")
    category = Category.objects.create(name="Benchmark")
    questions = [
        Question(bank=bank, category=category, external_id=f"Q{number}", source_hash="") for number in range(QUESTIONS)
    ]
    Question.objects.bulk_create(questions, batch_size=2000)
    body = {
        "choices": [
            {"id": str(at), "text": f"The answer that stands in place {at} of four of them", "share": str(int(at == 2))}
            for at in range(4)
        ]
    }
    versions = [
        QuestionVersion(
            question=question, number=1, kind="single", body=body, content_hash="",
            stem=f"{question.external_id}: which of these is right, and by which clause of the code is it so?",
        )
        for question in questions
    ]  # fmt: skip
    QuestionVersion.objects.bulk_create(versions, batch_size=2000)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE quiz_question SET current_id = version.id FROM quiz_questionversion AS version"
            " WHERE version.question_id = quiz_question.id"
        )
        cursor.execute("ANALYZE quiz_question, quiz_questionversion")


def _misses() -> list[float]:
    """Through the whole of Django, each with a pool that is stale; the threads that make pools end in between."""
    import threading

    from django.test import Client

    from config import cache

    client, taken = Client(headers={"host": "127.0.0.1"}), []
    for _ in range(8):
        cache.invalidate("quiz")
        began = time.perf_counter()
        answer = client.get(PATH)
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200 or answer["X-Cache"] != "miss":
            raise RuntimeError(f"{answer.status_code} {answer.headers}")
        for thread in threading.enumerate():
            if thread.name == "quiz-pool":
                thread.join()
    return taken[2:]


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def _served(application: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {"THROTTLES_ENABLED": "1", "THROTTLE_QUIZ": "1000000000/15 minutes"}
    command = [sys.executable, "-m", "uvicorn", application, "--port", str(port), "--no-access-log"]
    process = subprocess.Popen([*command, "--log-level", "warning"], env=os.environ | told)
    try:
        _until_listening(port)
        yield Server(process, port)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


def _until_listening(port: int) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError("The server has not come up.")


def _get(port: int) -> tuple[bytes, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{PATH}", timeout=60) as answer:
        return answer.read(), answer.headers


def _until_pooled(port: int) -> None:
    for _ in range(300):
        if _get(port)[1]["X-Cache"] == "hit":
            return
        time.sleep(0.2)
    raise RuntimeError("There is no pool.")


def _lay_down_for_rival(port: int) -> int:
    """Ten questions of ours: all send the same amount. Its bytes."""
    import redis

    from benchmarks.quiz_rival import KEY

    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        quiz = _get(port)[0]
        client.set(f"{KEY}::10:", quiz)
        return len(quiz)


def _load(server: Server) -> dict[str, float]:
    before = server.cpu_s()
    command = [sys.executable, "-m", "benchmarks.http_load", str(server.port), PATH, str(CONNECTIONS), str(SECONDS)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    if set(told["statuses"]) != {"200"}:
        raise RuntimeError(f"{told['statuses']}")
    told["cpu_us"] = 1e6 * (server.cpu_s() - before) / (told["per_s"] * SECONDS * 1.25)
    return told
