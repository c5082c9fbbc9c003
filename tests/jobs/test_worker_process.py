"""Real worker and scheduler processes: killed, stopped, left without Redis."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Organisation
from jobs import doorbell
from jobs.connections import queue_redis
from jobs.models import BATCH_KIND, Job, Process
from jobs.services import enqueue, enqueue_batch
from jobs.sweeper import sweep

from .processes import command, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
LEAVES_WITHIN_S = 180  # from its start, on a loaded machine


@pytest.fixture
def _brief_whatever_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_BRIEF_S", "60")
    monkeypatch.setenv("TEST_CLAIMED_S", "600")


def status_of(job: Job) -> str:
    return Job.objects.values_list("status", flat=True).get(pk=job.pk)


def test_burst_worker_runs_what_there_is_and_leaves() -> None:
    jobs = [enqueue(kind="tests.echo", params={}, queue=queue) for queue in ("high", "default", "low")]
    with command("work", "high", "default", "--burst") as worker:
        assert worker.wait(LEAVES_WITHIN_S) == 0
    assert [status_of(job) for job in jobs] == ["completed", "completed", "queued"]


def test_work_of_a_killed_worker_is_done_once_by_another(tmp_path: Path) -> None:
    began = tmp_path / "began"
    job = enqueue(kind="tests.long_effect", params={"began": str(began), "name": "Once"})
    with command("work", "default", "--burst") as worker:
        wait_until(lambda: began.exists() and began.read_text(), "the first attempt begins")
        worker.kill()
        assert worker.wait(LEAVES_WITHIN_S) == -signal.SIGKILL
    assert status_of(job) == "running"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sweep().taken_back == 1
        job.refresh_from_db()
        assert (job.status, job.error["code"]) == ("retrying", "job_worker_lost")
    with time_machine.travel(job.next_retry_at + timedelta(seconds=1)):
        assert sweep().retries_released == 1
    with command("work", "default", "--burst") as worker:
        assert worker.wait(LEAVES_WITHIN_S) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.result) == ("completed", 2, {"attempt": 2})
    assert Organisation.objects.filter(name="Once").count() == 1


def test_listening_worker_is_woken_and_leaves_on_sigterm_after_a_job_that_never_reports(tmp_path: Path) -> None:
    began, may_end = tmp_path / "began", tmp_path / "may end"
    with command("work", "high", "default") as worker:
        first = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(first) == "completed", "the first job")
        second = enqueue(kind="tests.mute", params={"began": str(began), "may_end": str(may_end)}, queue="high")
        wait_until(began.exists, "the second job begins")
        worker.send_signal(signal.SIGTERM)
        wait_until(Process.objects.filter(is_stopping=True).exists, "the worker has heard")
        may_end.touch()
        assert worker.wait(LEAVES_WITHIN_S) == 0
    second.refresh_from_db()
    assert (second.status, second.attempt) == ("completed", 1)
    assert not Process.objects.exists(), "its row is gone with it"


@pytest.mark.parametrize("kind", ["tests.steps", "tests.isolated_steps", "tests.network_steps"])
def test_job_that_reports_is_handed_back_on_sigterm_and_that_counts_as_no_attempt(kind: str) -> None:
    job = enqueue(kind=kind, params={"steps": 10_000, "pause_s": 0.02}, max_retries=0)
    with command("work", "default") as worker:
        wait_until(lambda: Job.objects.filter(pk=job.pk, done__gt=0).exists(), "it is at work")
        queue_redis().flushdb()  # the doorbell that it was asked for with
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LEAVES_WITHIN_S) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.attempts_before, job.lease_until) == ("queued", 1, 1, None)
    assert doorbell.waiting("default") == 1
    Job.objects.filter(pk=job.pk).update(params={"steps": 2})
    with command("work", "default", "--burst") as worker:
        assert worker.wait(LEAVES_WITHIN_S) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.retries_used) == ("completed", 2, 0)


@pytest.mark.usefixtures("_brief_whatever_the_load")
def test_rows_claimed_ahead_are_handed_back_on_sigterm(tmp_path: Path) -> None:
    """The worker has learnt that the kind is brief; then one of them takes long, with others claimed behind it."""
    began, may_end = tmp_path / "began", tmp_path / "may end"
    warm = enqueue_batch(kind="tests.mute", params=[{}] * 30)
    enqueue(kind="tests.mute", params={"began": str(began), "may_end": str(may_end)})
    enqueue_batch(kind="tests.mute", params=[{}] * 30)
    with command("work", "default") as worker:
        wait_until(began.exists, "the long one begins")
        assert status_of(warm) in ("running", "completed")
        worker.send_signal(signal.SIGTERM)
        wait_until(lambda: Job.objects.filter(status="running").exclude(kind=BATCH_KIND).count() == 1, "given back")
        may_end.touch()
        assert worker.wait(LEAVES_WITHIN_S) == 0
    rest = Job.objects.filter(kind="tests.mute").exclude(status="completed")
    assert {(job.status, job.attempt - job.attempts_before) for job in rest} == {("queued", 0)}
    with command("work", "default", "--burst") as worker:
        assert worker.wait(LEAVES_WITHIN_S) == 0
    assert Job.objects.filter(kind="tests.mute", status="completed").count() == 61


@pytest.mark.usefixtures("_brief_whatever_the_load")
def test_poisoned_job_costs_its_neighbours_no_attempt_and_ends_failed(tmp_path: Path) -> None:
    """It was claimed together with others, kills its worker at once, and is from then on claimed alone."""
    enqueue_batch(kind="tests.mute", params=[{}] * 30)
    poisoned = enqueue(kind="tests.mute", params={"kill": True}, max_retries=1)
    enqueue_batch(kind="tests.mute", params=[{}] * 30)
    began_at = timezone.now()
    for number in range(1, 5):
        with command("work", "default", "--burst") as worker:
            code = worker.wait(LEAVES_WITHIN_S)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        with time_machine.travel(began_at + timedelta(minutes=5 * number)):
            sweep()
            sweep()
        with time_machine.travel(began_at + timedelta(minutes=5 * number + 3)):
            sweep()
    assert code == 0
    poisoned.refresh_from_db()
    assert (poisoned.status, poisoned.error["code"], poisoned.retries_used) == ("failed", "job_worker_lost", 1)
    others = Job.objects.filter(kind="tests.mute").exclude(pk=poisoned.pk)
    assert {(job.status, job.retries_used) for job in others} == {("completed", 0)}
    assert others.filter(attempt__gt=1).exists(), "some were claimed together with it"


def test_idle_worker_leaves_at_once_on_sigterm() -> None:
    with command("work") as worker:
        job = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(job) == "completed", "a sign of life")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LEAVES_WITHIN_S) == 0


def test_worker_without_redis_finds_its_work_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    job = enqueue(kind="tests.echo", params={})
    monkeypatch.setitem(os.environ, "REDIS_URL", "redis://127.0.0.1:1/0")
    with command("work", "default") as worker:
        wait_until(lambda: status_of(job) == "completed", "the first job")
        later = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(later) == "completed", "a job that came when it was listening already")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LEAVES_WITHIN_S) == 0


def test_scheduler_releases_a_retry_and_leaves_on_sigterm() -> None:
    past = timezone.now() - timedelta(seconds=1)
    job = Job.objects.create(kind="tests.echo", status="retrying", attempt=1, next_retry_at=past)
    with command("schedule") as scheduler:
        wait_until(lambda: status_of(job) == "queued", "the retry is released")
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(LEAVES_WITHIN_S) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("queued", 1)


def test_unknown_queue_is_bad_usage() -> None:
    with command("work", "defalut", "--burst") as worker:
        assert worker.wait(LEAVES_WITHIN_S) != 0


def test_killed_worker_takes_its_isolated_child_along(tmp_path: Path) -> None:
    began = tmp_path / "began"
    enqueue(kind="tests.isolated_for_ever", params={"began": str(began)})
    with command("work", "default", "--burst") as worker:
        wait_until(lambda: began.exists() and began.read_text(), "the child begins")
        child = int(began.read_text())
        assert child != worker.pid
        worker.kill()
        worker.wait()
    wait_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in _state(child), "the child has ended")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
