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
from jobs.models import Job
from jobs.services import enqueue
from jobs.sweeper import sweep

from .processes import command, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def status_of(job: Job) -> str:
    return Job.objects.values_list("status", flat=True).get(pk=job.pk)


def test_burst_worker_runs_what_there_is_and_leaves() -> None:
    jobs = [enqueue(kind="tests.echo", params={}, queue=queue) for queue in ("high", "default", "low")]
    with command("work", "high", "default", "--burst") as worker:
        assert worker.wait(60) == 0
    assert [status_of(job) for job in jobs] == ["completed", "completed", "queued"]


def test_work_of_a_killed_worker_is_done_once_by_another(tmp_path: Path) -> None:
    began = tmp_path / "began"
    job = enqueue(kind="tests.long_effect", params={"began": str(began), "name": "Once"})
    with command("work", "default", "--burst") as worker:
        wait_until(lambda: began.exists() and began.read_text(), "the first attempt begins")
        worker.kill()
        assert worker.wait(60) == -signal.SIGKILL
    assert status_of(job) == "running"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sweep().taken_back == 1
        job.refresh_from_db()
        assert (job.status, job.error["code"]) == ("retrying", "job_worker_lost")
    with time_machine.travel(job.next_retry_at + timedelta(seconds=1)):
        assert sweep().retries_released == 1
    with command("work", "default", "--burst") as worker:
        assert worker.wait(60) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt, job.result) == ("completed", 2, {"attempt": 2})
    assert Organisation.objects.filter(name="Once").count() == 1


def test_listening_worker_is_woken_and_leaves_on_sigterm_after_its_job(tmp_path: Path) -> None:
    with command("work", "high", "default") as worker:
        first = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(first) == "completed", "the first job")
        second = enqueue(kind="tests.steps", params={"steps": 20, "pause_s": 0.05}, queue="high")
        wait_until(lambda: status_of(second) == "running", "the second job begins")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    assert status_of(second) == "completed"


def test_idle_worker_leaves_at_once_on_sigterm() -> None:
    with command("work") as worker:
        job = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(job) == "completed", "a sign of life")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


def test_worker_without_redis_finds_its_work_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    job = enqueue(kind="tests.echo", params={})
    monkeypatch.setitem(os.environ, "REDIS_URL", "redis://127.0.0.1:1/0")
    with command("work", "default") as worker:
        wait_until(lambda: status_of(job) == "completed", "the first job")
        later = enqueue(kind="tests.echo", params={})
        wait_until(lambda: status_of(later) == "completed", "a job that came when it was listening already")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


def test_scheduler_releases_a_retry_and_leaves_on_sigterm() -> None:
    past = timezone.now() - timedelta(seconds=1)
    job = Job.objects.create(kind="tests.echo", status="retrying", attempt=1, next_retry_at=past)
    with command("schedule") as scheduler:
        wait_until(lambda: status_of(job) == "queued", "the retry is released")
        scheduler.send_signal(signal.SIGTERM)
        assert scheduler.wait(60) == 0
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("queued", 1)


def test_unknown_queue_is_bad_usage() -> None:
    with command("work", "defalut", "--burst") as worker:
        assert worker.wait(60) != 0


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
