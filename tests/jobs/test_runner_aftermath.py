"""Whoever listens to the ends of jobs is told in the transaction that writes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection

from accounts.models import Organisation
from jobs.models import Job
from jobs.services import aftermath, cancel, enqueue, enqueue_batch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Job]]:
    monkeypatch.setattr(aftermath, "_end_hooks", [])
    heard: list[Job] = []

    def hear(job: Job) -> None:
        assert connection.in_atomic_block
        heard.append(job)

    aftermath.on_ended(hear)
    return heard


def test_every_end_of_an_organisations_job_is_told(drain, told: list[Job], organisation: Organisation) -> None:
    well, badly = (enqueue(kind=kind, params={}, organisation=organisation) for kind in ("tests.echo", "tests.refuse"))
    effect = enqueue(kind="tests.effect", params={"name": "Told"}, organisation=organisation)
    drain()
    waiting = enqueue(kind="tests.echo", params={}, organisation=organisation)
    cancel(waiting.pk)
    assert {(job.pk, job.status) for job in told} == {
        (well.pk, "completed"),
        (badly.pk, "failed"),
        (effect.pk, "completed"),
        (waiting.pk, "cancelled"),
    }


def test_of_a_batch_only_its_own_end_is_told(drain, told: list[Job], organisation: Organisation) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 5, organisation=organisation)
    drain()
    assert [(job.pk, job.status) for job in told] == [(batch.pk, "completed")]


def test_jobs_of_no_organisation_are_not_told_of(drain, told: list[Job]) -> None:
    enqueue(kind="tests.echo", params={})
    drain()
    assert not told


def test_hook_that_raises_loses_its_writes_and_not_the_jobs_end(
    drain, told: list[Job], organisation: Organisation
) -> None:
    def broken(job: Job) -> None:
        Organisation.objects.create(name="half a hook")
        raise ZeroDivisionError

    aftermath.on_ended(broken)
    job = enqueue(kind="tests.echo", params={}, organisation=organisation)
    drain()
    job.refresh_from_db()
    assert job.status == "completed"
    assert [one.pk for one in told] == [job.pk]
    assert not Organisation.objects.filter(name="half a hook").exists()
