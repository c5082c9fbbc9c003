"""Kinds that run in a child: whatever the child does, the worker goes on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from jobs import isolation, stopping, worker
from jobs.models import Job
from jobs.registry import kind_of
from jobs.services import enqueue

pytestmark = pytest.mark.django_db(transaction=True)


def children() -> set[str]:
    """Ids of this process's children, zombies too."""
    told = (path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return set(" ".join(told).split())


def run_one(drain, kind: str, **params: object) -> Job:
    job = enqueue(kind=kind, params=params)
    usual = enqueue(kind="tests.echo", params={})
    assert drain() == 2
    job.refresh_from_db()
    usual.refresh_from_db()
    assert usual.status == "completed", "the worker went on"
    return job


def test_isolated_job_runs_in_another_process(drain) -> None:
    job = run_one(drain, "tests.isolated")
    assert job.status == "completed"
    assert job.result["pid"] != os.getpid()
    assert (job.done, job.total, job.current_step) == (1, 2, "Half")


def test_crash_of_the_child_fails_the_job_with_the_signal(drain) -> None:
    job = run_one(drain, "tests.isolated", how="segfault")
    assert (job.status, job.error["code"]) == ("failed", "job_crashed")
    assert "SIGSEGV" in job.error["message"]


@pytest.mark.parametrize("code", [0, 7])
def test_child_that_leaves_early_has_not_finished(drain, code: int) -> None:
    job = run_one(drain, "tests.isolated", how="exit", code=code)
    assert (job.status, job.error["code"]) == ("failed", "job_crashed")
    assert f"code {code}" in job.error["message"]


def test_greedy_child_runs_into_its_memory_limit(drain) -> None:
    job = run_one(drain, "tests.isolated", how="memory")
    assert (job.status, job.error["code"]) == ("failed", "job_out_of_memory")


def test_refusal_and_temporary_error_of_a_child_count_as_ever(drain) -> None:
    assert run_one(drain, "tests.isolated", how="refuse").error["message"] == "Not a bill of quantities."
    assert run_one(drain, "tests.isolated", how="temporary").status == "retrying"


def test_endless_child_is_stopped(drain) -> None:
    job = run_one(drain, "tests.isolated_loop")
    assert (job.status, job.error["code"]) == ("failed", "job_timed_out")


def test_child_that_does_not_hear_its_alarm_is_killed(drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.isolation.GRACE_S", 0.3)
    job = run_one(drain, "tests.deaf_loop")
    assert (job.status, job.error["code"]) == ("failed", "job_timed_out")


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_stop_that_finds_the_child_hardly_born_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker was told just before the fork, and passes it on before the child has handlers of its own."""
    fork = os.fork

    def slowly_born() -> int:
        pid = fork()
        if pid == 0:
            time.sleep(0.2)
        return pid

    monkeypatch.setattr(os, "fork", slowly_born)
    before = {signum: signal.signal(signum, worker._stop) for signum in isolation.STOPS}
    try:
        stopping.ask()
        crash = isolation.run_in_child(lambda: None, kind=kind_of("tests.isolated"), after_fork=lambda: None)
    finally:
        stopping.forget()
        for signum, handler in before.items():
            signal.signal(signum, handler)
    assert crash is None
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_no_child_is_left_behind(drain) -> None:
    before = children()
    run_one(drain, "tests.isolated", how="segfault")
    assert children() == before


def test_without_redis_an_isolated_kind_runs_in_the_caller(settings, redis_is_down: None) -> None:
    """A web process has threads: forking it is not safe."""
    settings.JOBS_WHEN_REDIS_IS_DOWN = "inline"
    job = enqueue(kind="tests.isolated", params={})
    job.refresh_from_db()
    assert (job.status, job.result["pid"]) == ("completed", os.getpid())
