"""Asking for work: when it is there to be seen, who is woken, and what happens without Redis."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Organisation, User
from jobs import doorbell
from jobs.exceptions import UnknownKind
from jobs.models import Job
from jobs.services import enqueue, enqueue_batch, estimate_seconds, lifecycle

pytestmark = pytest.mark.django_db(transaction=True)


def test_doorbell_rings_only_after_commit() -> None:
    with transaction.atomic():
        enqueue(kind="tests.echo", params={})
        assert doorbell.waiting("default") == 0
    assert doorbell.waiting("default") == 1


def test_what_is_rolled_back_was_never_asked_for() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue(kind="tests.echo", params={})
        raise ZeroDivisionError
    assert doorbell.waiting("default") == 0
    assert not Job.objects.exists()


def test_row_carries_who_asked_for_what(owner: User, organisation: Organisation) -> None:
    subject_id = organisation.pk
    job = enqueue(
        kind="tests.echo",
        params={"a": 1},
        actor=owner,
        organisation=organisation,
        subject=("project", subject_id),
        priority=4,
    )
    job.refresh_from_db()
    assert (job.status, job.queue, job.priority, job.attempt, job.max_retries) == ("queued", "default", 4, 0, 3)
    assert (job.actor, job.organisation, job.subject_type, job.subject_id) == (
        owner,
        organisation,
        "project",
        subject_id,
    )


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(UnknownKind):
        enqueue(kind="tests.no_such_kind", params={})


def test_active_dedupe_key_returns_the_job_that_is_there(drain) -> None:
    first = enqueue(kind="tests.echo", params={"n": 1}, dedupe_key="k")
    second = enqueue(kind="tests.echo", params={"n": 2}, dedupe_key="k")
    assert first.pk == second.pk
    drain()
    third = enqueue(kind="tests.echo", params={"n": 3}, dedupe_key="k")
    assert third.pk != first.pk


def test_two_requests_at_once_for_one_dedupe_key_make_one_job() -> None:
    barrier, found = threading.Barrier(4), []

    def ask() -> None:
        barrier.wait()
        found.append(enqueue(kind="tests.echo", params={}, dedupe_key="same").pk)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert Job.objects.count() == 1


def test_scheduled_job_waits_for_its_time(drain) -> None:
    job = enqueue(kind="tests.echo", params={}, scheduled_for=timezone.now() + timedelta(hours=1))
    assert doorbell.waiting("default") == 0
    assert drain() == 0
    Job.objects.filter(pk=job.pk).update(scheduled_for=timezone.now() - timedelta(seconds=1))
    assert drain() == 1


def test_batch_of_a_thousand_rings_a_handful_of_doorbells() -> None:
    batch = enqueue_batch(kind="tests.echo", params=({"n": n} for n in range(1000)))
    assert (batch.total, batch.status, Job.objects.filter(batch=batch).count()) == (1000, "running", 1000)
    assert 1 <= doorbell.waiting("default") <= doorbell.RINGS_PER_BATCH


def test_batch_is_run_in_the_order_in_which_it_was_asked_for(owner: User, organisation: Organisation) -> None:
    batch = enqueue_batch(
        kind="tests.echo",
        params=[{"n": n, "text": 'Ø32 "B500B"'} for n in range(50)],
        actor=owner,
        organisation=organisation,
        subject=("project", organisation.pk),
        channels=["project:x"],
        priority=3,
    )
    claimed = [lifecycle.claim_next(queue="default") for _ in range(50)]
    assert [job.params["n"] for job in claimed] == list(range(50))
    job = Job.objects.get(pk=claimed[0].pk)
    assert (job.batch_id, job.actor, job.organisation, job.priority) == (batch.pk, owner, organisation, 3)
    assert (job.subject_type, job.subject_id, job.channels) == ("project", organisation.pk, ["project:x"])
    assert (job.params["text"], job.max_retries, job.detail) == ('Ø32 "B500B"', 3, {})


def test_batch_of_nothing_is_complete() -> None:
    assert enqueue_batch(kind="tests.echo", params=[]).status == "completed"


def test_without_redis_hold_keeps_the_job_for_later(settings, redis_is_down: None) -> None:
    settings.JOBS_WHEN_REDIS_IS_DOWN = "hold"
    job = enqueue(kind="tests.echo", params={})
    job.refresh_from_db()
    assert job.status == "queued"


def test_without_redis_inline_runs_the_job_after_commit(settings, redis_is_down: None) -> None:
    settings.JOBS_WHEN_REDIS_IS_DOWN = "inline"
    with transaction.atomic():
        job = enqueue(kind="tests.echo", params={"a": 1})
        job.refresh_from_db()
        assert job.status == "queued"
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"echo": {"a": 1}})


def test_failed_redis_is_not_asked_again_at_once(settings, redis_is_down: None) -> None:
    """A host that does not answer costs its timeout once: afterwards the breaker refuses without a connection."""
    settings.JOBS_WHEN_REDIS_IS_DOWN = "hold"
    enqueue(kind="tests.echo", params={})
    with pytest.raises(doorbell.RedisError, match="not asked again"):
        doorbell.breaker_of(settings.REDIS_QUEUE_URL).check()


def test_estimate_comes_from_history_and_is_none_without() -> None:
    assert estimate_seconds("tests.echo") is None
    now = timezone.now()
    for seconds, total in ((10, 100), (20, 200), (60, 0)):
        Job.objects.create(
            kind="tests.echo",
            status="completed",
            started_at=now,
            finished_at=now + timedelta(seconds=seconds),
            total=total,
        )
    assert estimate_seconds("tests.echo") == 20.0
    assert estimate_seconds("tests.echo", 50) == 5.0
    assert estimate_seconds("tests.refuse") is None
