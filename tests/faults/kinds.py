"""Kinds of jobs to do harm to, and some that do harm. Each effect is a row of `faults_effect`, which nothing keeps
unique: work that is done twice is seen."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

from django.db import connection

from jobs.registry import register
from jobs.run import Run

EFFECTS = """
CREATE TABLE faults_effect (
    id bigserial PRIMARY KEY, job uuid NOT NULL, attempt int NOT NULL, pid int NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""
# Short waits: a job that was hit comes back while the others still run.
BACKOFF_S = (0.1, 0.5)


def _write_effect(run: Run) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO faults_effect (job, attempt, pid) VALUES (%s, %s, %s)", [run.job_id, run.attempt, os.getpid()]
        )


def _finish(run: Run, inside_s: float = 0.0) -> None:
    with run.finishing() as finish:
        _write_effect(run)
        time.sleep(inside_s)
        finish({"attempt": run.attempt})


@register("faults.effect", backoff_s=BACKOFF_S)
def effect(run: Run, params: dict[str, Any]) -> None:
    """Works before and inside its finishing transaction, for as long as its number says: 4 to 28 ms. One may be
    poisoned."""
    number = params["n"]
    run.report(1, 2, f"Number {number}")
    if params.get("poison"):
        _die(params["poison"])
    time.sleep(0.002 * (1 + number % 7))
    _finish(run, inside_s=0.002 * (1 + number % 7))


@register("faults.isolated_effect", isolated=True, backoff_s=BACKOFF_S)
def isolated_effect(run: Run, params: dict[str, Any]) -> None:
    effect(run, params)


@register("faults.returns", backoff_s=BACKOFF_S)
def returns(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Brief, so that many are claimed together and their ends written together. Its own write comes before its end, so
    it may be seen more than once: never less. One may be poisoned."""
    if params.get("poison"):
        _die(params["poison"])
    _write_effect(run)
    return {"n": params["n"]}


@register("faults.long_effect", backoff_s=BACKOFF_S)
def long_effect(run: Run, params: dict[str, Any]) -> None:
    """Reports now and then, as an audit does."""
    for step in range(1, params["steps"] + 1):
        run.report(step, params["steps"], f"Step {step}")
        time.sleep(0.05)
    _finish(run)


@register("faults.slow_start", backoff_s=BACKOFF_S)
def slow_start(run: Run, params: dict[str, Any]) -> None:
    """The first attempt says that it has begun, and goes on when it may."""
    if run.attempt == 1:
        Path(params["began"]).write_text(str(os.getpid()))
        while not Path(params["may_go_on"]).exists():
            time.sleep(0.02)
    _finish(run)


@register("faults.loops", timeout_s=1)
def loops(run: Run, params: dict[str, Any]) -> NoReturn:
    while True:
        pass


@register("faults.isolated_loops", isolated=True, timeout_s=1)
def isolated_loops(run: Run, params: dict[str, Any]) -> NoReturn:
    while True:
        pass


@register("faults.deaf_loops", isolated=True, timeout_s=1)
def deaf_loops(run: Run, params: dict[str, Any]) -> NoReturn:
    """Does not hear its alarm either, as C code in a loop would not."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    while True:
        pass


@register("faults.greedy", isolated=True, memory_mb=300)
def greedy(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Four gigabytes, in pieces, each of them written to."""
    hoard = [bytearray(b"x") * 50_000_000 for _ in range(80)]
    return {"hoarded": len(hoard)}


class Unspeakable(Exception):
    """Can neither be pickled nor printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__

    def __reduce__(self) -> NoReturn:
        raise TypeError("can't be pickled")


@register("faults.unspeakable")
def unspeakable(run: Run, params: dict[str, Any]) -> NoReturn:
    raise Unspeakable


@register("faults.isolated_unspeakable", isolated=True)
def isolated_unspeakable(run: Run, params: dict[str, Any]) -> NoReturn:
    raise Unspeakable


@register("faults.poison", backoff_s=BACKOFF_S)
def poison(run: Run, params: dict[str, Any]) -> None:
    """Takes the worker along, for it is not isolated."""
    _die(params["how"])


@register("faults.isolated_poison", isolated=True)
def isolated_poison(run: Run, params: dict[str, Any]) -> None:
    _die(params["how"])


def _die(how: str) -> None:
    match how:
        case "exit":
            os._exit(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
    raise AssertionError(f"survived {how}")
