"""Kinds of jobs that exist for the tests. Worker processes started by tests import them too (see `run_worker`)."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from accounts.exceptions import Refused, Temporary
from accounts.models import Organisation
from jobs.registry import register
from jobs.run import Run

# What on_failed was called with.
failed: list[tuple[dict[str, Any], dict[str, Any]]] = []


@register("tests.echo")
def echo(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"echo": params}


@register("tests.steps")
def steps(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    for number in range(1, params["steps"] + 1):
        run.report(number, params["steps"], f"Step {number}", seen=number)
        time.sleep(params.get("pause_s", 0))
    return {"steps": params["steps"]}


@register("tests.isolated_steps", isolated=True)
def isolated_steps(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return steps(run, params)


@register("tests.network_steps", concurrency=3)
def network_steps(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return steps(run, params)


@register("tests.fetch", concurrency=20)
def fetch(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Waits on the network, as calls of other people's servers do."""
    with urllib.request.urlopen(params["url"], timeout=120) as answer:
        return {"answer": answer.read().decode()}


@register("tests.network_loop", concurrency=2, timeout_s=0.3)
def network_loop(run: Run, params: dict[str, Any]) -> None:
    while True:
        time.sleep(0.01)


@register("tests.mute")
def mute(run: Run, params: dict[str, Any]) -> None:
    """Never reports: says by a file that it began, and ends when there is another."""
    if params.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if "began" in params:
        Path(params["began"]).touch()
        while not Path(params["may_end"]).exists():
            time.sleep(0.02)


@register("tests.refuse")
def refuse(run: Run, params: dict[str, Any]) -> NoReturn:
    raise Refused("The file is empty. Upload another.", code="empty_file")


@register("tests.echo_or_refuse")
def echo_or_refuse(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return echo(run, params) if params["good"] else refuse(run, params)


@register("tests.bug", on_failed=lambda params, error: failed.append((params, error)))
def bug(run: Run, params: dict[str, Any]) -> None:
    raise KeyError(params.get("text", "missing\x00key \ud800"))


@register("tests.hook_raises", on_failed=lambda params, error: {}["nothing"])
def hook_raises(run: Run, params: dict[str, Any]) -> None:
    raise Refused("No.")


@register("tests.temporary", backoff_s=(4, 60), max_retries=2)
def temporary(run: Run, params: dict[str, Any]) -> None:
    raise Temporary("The supplier's server is busy.", retry_after_s=params.get("retry_after_s"))


class Unprintable(Exception):
    """Neither printable nor picklable."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = (part for part in ())

    def __str__(self) -> str:
        raise ValueError("no")


@register("tests.unprintable")
def unprintable(run: Run, params: dict[str, Any]) -> None:
    raise Unprintable


@register("tests.exit")
def leave(run: Run, params: dict[str, Any]) -> None:
    raise SystemExit(3)


@register("tests.not_json")
def not_json(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    return {"what": object()}


@register("tests.swallows_everything")
def swallows_everything(run: Run, params: dict[str, Any]) -> None:
    while True:
        with suppress(Exception):  # what a careless handler does
            run.report(0, 1, "Still here")
        time.sleep(0.01)


@register("tests.slow", timeout_s=0.3)
def slow(run: Run, params: dict[str, Any]) -> None:
    while True:
        pass


@register("tests.effect")
def effect(run: Run, params: dict[str, Any]) -> None:
    """One organisation per run that counts."""
    with run.finishing() as finish:
        Organisation.objects.create(name=params["name"])
        if params.get("then") == "fail":
            raise Refused("Half way.")
        finish({"name": params["name"]})


@register("tests.long_effect", max_retries=3)
def long_effect(run: Run, params: dict[str, Any]) -> None:
    """Says that it has begun by making a file; the first attempt then waits to be killed."""
    Path(params["began"]).write_text(str(os.getpid()))
    while run.attempt == 1:
        run.report(run.attempt, 2, "Waiting")
        time.sleep(0.02)
    with run.finishing() as finish:
        Organisation.objects.create(name=params["name"])
        finish({"attempt": run.attempt})


@register("tests.isolated", isolated=True, timeout_s=30, memory_mb=400)
def isolated(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    match params.get("how"):
        case "segfault":
            faulthandler.disable()  # pytest's: it would print the stack of the whole test run
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(params["code"])
        case "memory":
            return {"size": len(bytearray(2_000_000_000))}
        case "refuse":
            raise Refused("Not a bill of quantities.")
        case "temporary":
            raise Temporary("Later.")
        case _:
            run.report(1, 2, "Half")
    return {"pid": os.getpid()}


@register("tests.isolated_loop", isolated=True, timeout_s=0.3)
def isolated_loop(run: Run, params: dict[str, Any]) -> None:
    while True:
        pass


@register("tests.deaf_loop", isolated=True, timeout_s=0.2)
def deaf_loop(run: Run, params: dict[str, Any]) -> None:
    """Does not even hear its alarm, as C code in a loop would not."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    while True:
        pass


@register("tests.isolated_for_ever", isolated=True)
def isolated_for_ever(run: Run, params: dict[str, Any]) -> None:
    Path(params["began"]).write_text(str(os.getpid()))
    while True:
        time.sleep(0.1)


@register("tests.until_told", max_retries=0)
def until_told(run: Run, params: dict[str, Any]) -> dict[str, Any]:
    """Reports on and on, until a file is there."""
    done = 0
    while not Path(params["may_end"]).exists():
        done += 1
        run.report(done, done + 1000, f"Step {done}")
        time.sleep(0.1)
    return {"done": done}
