"""Running jobs: results, refusals, retries, limits, and the fence around effects."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, connections
from django.utils import timezone

from accounts.models import Organisation
from jobs.exceptions import Cancelled, LeaseLost
from jobs.models import Job
from jobs.registry import register
from jobs.run import Run
from jobs.services import cancel, enqueue, enqueue_batch, lifecycle, retry
from jobs.sweeper import sweep

from . import kinds
from .processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def ended(job: Job) -> Job:
    job.refresh_from_db()
    return job


def test_result_is_stored(drain) -> None:
    job = enqueue(kind="tests.echo", params={"price": "1.50"})
    assert drain() == 1
    job = ended(job)
    assert (job.status, job.result, job.progress, job.attempt) == ("completed", {"echo": {"price": "1.50"}}, 100, 1)
    assert job.finished_at >= job.started_at
    assert job.lease_until is None


def test_more_urgent_then_older_jobs_run_first() -> None:
    ids = [enqueue(kind="tests.echo", params={}, priority=priority).pk for priority in (2, 1, 4, 2)]
    claimed = [lifecycle.claim_next(queue="default").pk for _ in ids]
    assert claimed == [ids[2], ids[0], ids[3], ids[1]]
    assert lifecycle.claim_next(queue="default") is None


def test_each_of_many_jobs_is_claimed_by_one_of_many_workers() -> None:
    enqueue_batch(kind="tests.echo", params=[{}] * 60)
    barrier, claimed = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        while (job := lifecycle.claim_next(queue="default")) is not None:
            claimed.append(job.pk)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60


def test_refusal_fails_at_once_in_words_for_people(drain) -> None:
    job = enqueue(kind="tests.refuse", params={})
    drain()
    job = ended(job)
    assert (job.status, job.attempt) == ("failed", 1)
    assert job.error["message"] == "The file is empty. Upload another."
    assert job.error["code"] == "empty_file"
    assert "raise Refused" in job.error["traceback"]


def test_bug_fails_without_telling_people_its_text(drain) -> None:
    job = enqueue(kind="tests.bug", params={"text": "missing\\u0000key"})
    other = enqueue(kind="tests.bug", params={})
    drain()
    job = ended(job)
    assert (job.status, job.error["class"], job.error["code"]) == ("failed", "KeyError", "unexpected_error")
    assert "KeyError" not in job.error["message"]
    assert ended(other).status == "failed"  # its text has what PostgreSQL can't store


@pytest.mark.parametrize("kind", ["tests.unprintable", "tests.exit", "tests.not_json"])
def test_strange_errors_fail_the_job_and_not_the_worker(kind: str, drain) -> None:
    strange, usual = enqueue(kind=kind, params={}), enqueue(kind="tests.echo", params={})
    assert drain() == 2
    assert ended(strange).status == "failed"
    assert ended(usual).status == "completed"


def test_job_of_an_unknown_kind_fails_with_the_reason(drain) -> None:
    job = Job.objects.create(kind="tests.of_another_release")
    drain()
    assert (ended(job).status, job.error["code"]) == ("failed", "job_kind_unknown")


def test_kind_is_told_of_failure_and_of_cancellation(drain) -> None:
    enqueue(kind="tests.bug", params={"n": 1})
    drain()
    waiting = enqueue(kind="tests.bug", params={"n": 2})
    cancel(waiting.pk)
    assert [(params["n"], error["code"]) for params, error in kinds.failed] == [
        (1, "unexpected_error"),
        (2, "cancelled"),
    ]


def test_failing_failure_hook_does_not_keep_the_job_alive(drain) -> None:
    job = enqueue(kind="tests.hook_raises", params={})
    drain()
    assert ended(job).status == "failed"


def test_temporary_error_waits_longer_each_time_then_fails(drain) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        job = enqueue(kind="tests.temporary", params={})
        for retries_used, longest_s in ((0, 8), (1, 16)):
            assert drain() == 1
            job = ended(job)
            assert (job.status, job.retries_used, job.error["code"]) == (
                "retrying",
                retries_used,
                "temporarily_unavailable",
            )
            wait = job.next_retry_at - timezone.now()
            assert timedelta(seconds=4) <= wait <= timedelta(seconds=longest_s)
            assert drain() == 0, "not before its time"
            clock.shift(wait)
            assert sweep().retries_released == 1
            assert ended(job).status == "queued"
        drain()
        assert (ended(job).status, job.attempt) == ("failed", 3)


@pytest.mark.parametrize(("asked_s", "waits_s"), [(300, 300), (7 * 24 * 3600, 3600)])
def test_wait_that_a_server_asks_for_is_kept_up_to_an_hour(drain, asked_s: int, waits_s: int) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        job = enqueue(kind="tests.temporary", params={"retry_after_s": asked_s})
        drain()
        assert ended(job).next_retry_at - timezone.now() == timedelta(seconds=waits_s)


def test_backoff_stays_within_its_bounds_however_often() -> None:
    assert all(4 <= lifecycle.backoff(retry, (4, 60)) <= min(60, 4 * 2**retry) for retry in range(1, 40))


def test_retry_by_a_person_starts_a_new_round(drain) -> None:
    job = enqueue(kind="tests.temporary", params={})
    Job.objects.filter(pk=job.pk).update(attempts_before=0, attempt=2)
    drain()
    assert ended(job).status == "failed"
    again = retry(job.pk)
    assert (again.status, again.error, again.retries_used) == ("queued", None, 0)
    drain()
    assert (ended(job).status, job.attempt) == ("retrying", 4)


def test_waiting_job_is_cancelled_at_once(drain) -> None:
    job = enqueue(kind="tests.echo", params={})
    assert cancel(job.pk).status == "cancelled"
    assert cancel(job.pk).status == "cancelled"
    assert drain() == 0


def test_running_job_is_cancelled_at_its_next_report_even_if_it_catches_every_exception(drain) -> None:
    job = enqueue(kind="tests.swallows_everything", params={})

    def ask() -> None:
        wait_until(Job.objects.filter(pk=job.pk, status="running").exists, "it runs")
        cancel(job.pk)
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    drain()
    thread.join()
    assert ended(job).status == "cancelled"


def test_endless_handler_is_stopped_at_its_time_limit(drain) -> None:
    job = enqueue(kind="tests.slow", params={})
    drain()
    assert (ended(job).status, job.error["code"]) == ("failed", "job_timed_out")


def test_effect_and_completion_come_together(drain) -> None:
    job = enqueue(kind="tests.effect", params={"name": "Made"})
    drain()
    assert (ended(job).status, job.result) == ("completed", {"name": "Made"})
    assert Organisation.objects.filter(name="Made").count() == 1


def test_refusal_while_finishing_leaves_no_effect(drain) -> None:
    job = enqueue(kind="tests.effect", params={"name": "Half", "then": "fail"})
    drain()
    assert ended(job).status == "failed"
    assert not Organisation.objects.filter(name="Half").exists()


def test_attempt_that_lost_its_lease_writes_nothing() -> None:
    job = enqueue(kind="tests.effect", params={"name": "x"})
    first = Run(lifecycle.claim_next(queue="default"))
    Job.objects.filter(pk=job.pk).update(status="queued")  # taken back, and given out again
    second = Run(lifecycle.claim_next(queue="default"))
    assert (first.attempt, second.attempt) == (1, 2)
    with pytest.raises(LeaseLost), first.finishing() as finish:
        Organisation.objects.create(name="of the first")
        finish({})
    with second.finishing() as finish:
        Organisation.objects.create(name="of the second")
        finish({"by": 2})
    assert (ended(job).status, job.result) == ("completed", {"by": 2})
    assert not Organisation.objects.filter(name="of the first").exists()
    assert lifecycle.fail(job_id=job.pk, attempt=1, error={}) is None


def test_report_tells_an_attempt_that_it_lost_its_lease() -> None:
    job = enqueue(kind="tests.echo", params={})
    run = Run(lifecycle.claim_next(queue="default"))
    Job.objects.filter(pk=job.pk).update(attempt=2)
    with pytest.raises(LeaseLost):
        run.report(1, 10, "…")


def test_cancellation_stops_finishing_before_anything_is_written() -> None:
    job = enqueue(kind="tests.echo", params={})
    run = Run(lifecycle.claim_next(queue="default"))
    cancel(job.pk)
    with pytest.raises(Cancelled), run.finishing():
        Organisation.objects.create(name="too late")
    assert not Organisation.objects.filter(name="too late").exists()


def test_report_extends_the_lease_and_stores_the_state() -> None:
    job = enqueue(kind="tests.echo", params={})
    run = Run(lifecycle.claim_next(queue="default"))
    soon = timezone.now() + timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=soon)
    run.report(15, 53, "Auditing position 15/53: Beton C30/37", green=12)
    job = ended(job)
    assert job.lease_until > soon
    assert (job.done, job.total, job.progress, job.detail) == (15, 53, 28, {"green": 12})
    assert job.current_step == "Auditing position 15/53: Beton C30/37"


def test_last_report_is_stored_though_it_came_too_soon_after_the_one_before(drain) -> None:
    job = enqueue(kind="tests.steps", params={"steps": 5})
    drain()
    job = ended(job)
    assert (job.done, job.total, job.current_step, job.detail) == (5, 5, "Step 5", {"seen": 5})


def test_job_that_is_silent_keeps_its_lease(drain, monkeypatch: pytest.MonkeyPatch) -> None:
    """The heart beats for a handler that reports nothing for longer than a lease."""
    monkeypatch.setattr("jobs.tuning.LEASE_S", 0.6)
    leases: list[object] = []

    @register("tests.silent", timeout_s=30)
    def silent(run: Run, params: dict[str, object]) -> None:
        own = Job.objects.filter(pk=run.job_id).values_list("lease_until", flat=True)
        first = own.get()
        while own.get() == first:  # changed by nobody but the heart
            pass
        leases.append(own.get() - first)

    job = enqueue(kind="tests.silent", params={})
    drain()
    assert ended(job).status == "completed"
    assert leases


def test_batch_goes_on_after_a_failing_child(drain) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{"n": n} for n in range(10)])
    Job.objects.filter(pk=Job.objects.filter(batch=batch).first().pk).update(kind="tests.refuse")
    assert drain() == 10
    batch = ended(batch)
    assert (batch.status, batch.done, batch.total, batch.detail) == ("failed", 10, 10, {"completed": 9, "failed": 1})
    assert batch.error["message"].startswith("1 of 10 jobs failed")

    Job.objects.filter(batch=batch, status="failed").update(kind="tests.echo")
    assert retry(batch.pk).status == "running"
    assert drain() == 1
    assert (ended(batch).status, batch.error) == ("completed", None)


def test_cancelled_batch_cancels_what_has_not_run(drain) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 3)
    job = lifecycle.claim_next(queue="default")
    lifecycle.complete(job_id=job.pk, attempt=1, result=None)
    cancel(batch.pk)
    assert (ended(batch).status, batch.detail) == ("completed", {"completed": 1, "cancelled": 2})


def test_lapsed_lease_is_taken_back_and_tried_again(drain) -> None:
    job = enqueue(kind="tests.echo", params={})
    lifecycle.claim_next(queue="default")
    assert sweep().taken_back == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert sweep().taken_back == 1
        assert sweep().taken_back == 0
    assert (ended(job).status, job.error["code"]) == ("retrying", "job_worker_lost")


def test_poisoned_job_ends_failed_after_its_last_attempt() -> None:
    job = enqueue(kind="tests.echo", params={}, max_retries=1)
    for _ in range(2):
        Job.objects.filter(pk=job.pk).update(status="queued", next_retry_at=None)
        lifecycle.claim_next(queue="default")
        Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        sweep()
    assert (ended(job).status, job.attempt, job.error["code"]) == ("failed", 2, "job_worker_lost")


def test_sweep_rings_for_rows_that_lost_their_doorbell() -> None:
    from jobs import doorbell
    from jobs.connections import queue_redis

    job = enqueue(kind="tests.echo", params={})
    queue_redis().flushdb()
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=5))
    assert sweep().rung == 1
    assert sweep().rung == 0, "a doorbell is waiting"
    assert doorbell.waiting("default") == 1


def test_two_sweeps_at_once_share_the_work() -> None:
    past = timezone.now() - timedelta(seconds=1)
    kind = {"kind": "tests.echo", "attempt": 1}
    Job.objects.bulk_create(Job(status="retrying", next_retry_at=past, **kind) for _ in range(50))
    Job.objects.bulk_create(Job(status="running", started_at=past, lease_until=past, **kind) for _ in range(50))
    barrier, swept = threading.Barrier(2), []

    def other() -> None:
        barrier.wait()
        swept.append(sweep())
        connections.close_all()

    threads = [threading.Thread(target=other) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.retries_released for one in swept) == 50
    assert sum(one.taken_back for one in swept) == 50
    assert Job.objects.filter(status="queued").count() == Job.objects.filter(status="retrying").count() == 50


def test_sweep_skips_a_row_that_is_just_being_finished() -> None:
    job = enqueue(kind="tests.echo", params={})
    run = Run(lifecycle.claim_next(queue="default"))
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    swept: list[int] = []

    def other() -> None:
        swept.append(sweep().taken_back)
        connections.close_all()

    with run.finishing() as finish:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(timeout=20)
        finish({"ok": True})
    assert swept == [0]
    assert ended(job).status == "completed"


def test_retry_is_refused_while_the_same_work_is_active(drain) -> None:
    from jobs.exceptions import WrongState

    job = enqueue(kind="tests.refuse", params={}, dedupe_key="one")
    drain()
    enqueue(kind="tests.refuse", params={}, dedupe_key="one")
    with pytest.raises(WrongState):
        retry(job.pk)
    assert ended(job).status == "failed"


def test_unknown_job_is_missing() -> None:
    from jobs.exceptions import JobMissing

    for strange in (uuid4(), "not-a-uuid"):
        with pytest.raises(JobMissing):
            cancel(strange)
