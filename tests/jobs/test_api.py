"""The API of jobs: who sees what, filters, cancel, retry, and a query count that does not grow."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from jobs.models import Job
from jobs.services import enqueue, enqueue_batch

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def job(owner: User, organisation: Organisation) -> Job:
    return enqueue(
        kind="tests.refuse",
        params={"n": 1},
        actor=owner,
        organisation=organisation,
        subject=("project", uuid4()),
    )


ADDRESSES = [
    "/api/jobs/{id}/",
    "/api/jobs/{id}",
    "/api/jobs/{id}/status/",
    "/api/jobs/{id}/status",
    "/api/batches/{id}/",
]


@pytest.fixture
def batch(owner: User, organisation: Organisation) -> Job:
    return enqueue_batch(kind="tests.refuse", params=[{}, {}], actor=owner, organisation=organisation)


@pytest.mark.parametrize("address", ADDRESSES)
def test_stranger_gets_404_and_nobody_401(address: str, job: Job, batch: Job, stranger: User, viewer: User) -> None:
    url = address.format(id=batch.pk if "batches" in address else job.pk)
    assert client_of(viewer).get(url).status_code == 200
    answer = client_of(stranger).get(url)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert client_of(None).get(url).status_code == 401


@pytest.mark.parametrize("what", ["cancel", "retry"])
def test_only_those_who_may_write_change_a_job(what: str, job: Job, stranger: User, viewer: User, member: User) -> None:
    if what == "retry":
        Job.objects.filter(pk=job.pk).update(status="failed")
    for slash in ("", "/"):
        url = f"/api/jobs/{job.pk}/{what}{slash}"
        assert client_of(None).post(url).status_code == 401
        assert client_of(stranger).post(url).status_code == 404
        refused = client_of(viewer).post(url)
        assert (refused.status_code, refused.json()["code"]) == (403, "job_read_only")
    answer = client_of(member).post(url)
    assert (answer.status_code, answer.json()["status"]) == (
        (200, "cancelled") if what == "cancel" else (202, "queued")
    )


def test_stranger_lists_nothing(job: Job, stranger: User, owner: User) -> None:
    assert client_of(stranger).get("/api/jobs/").json()["results"] == []
    assert [row["id"] for row in client_of(owner).get("/api/jobs").json()["results"]] == [str(job.pk)]


def test_ended_job_tells_its_result_or_error(job: Job, owner: User, drain) -> None:
    done = enqueue(kind="tests.echo", params={"a": 1}, actor=owner)
    drain()
    answer = client_of(owner).get(f"/api/jobs/{done.pk}/status/").json()
    assert (answer["status"], answer["progress"], answer["result"]) == ("completed", 1.0, {"echo": {"a": 1}})
    answer = client_of(owner).get(f"/api/jobs/{job.pk}/").json()
    assert answer["error"] == {"message": "The file is empty. Upload another.", "code": "empty_file"}


def test_ended_job_can_not_be_cancelled(owner: User, drain) -> None:
    job = enqueue(kind="tests.echo", params={}, actor=owner)
    drain()
    answer = client_of(owner).post(f"/api/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_wrong_state")


def test_list_is_narrowed_by_its_filters(job: Job, batch: Job, owner: User) -> None:
    def found(**query: Any) -> int:
        answer = client_of(owner).get("/api/jobs/", query)
        assert answer.status_code == 200
        return int(answer.json()["count"])

    assert found() == 4
    assert found(kind="jobs.batch") == 1
    assert found(batch=str(batch.pk)) == 2
    assert found(subject=f"project:{job.subject_id}") == 1
    assert found(subject="project:nonsense") == 0
    assert found(status=["queued", "running"]) == 4
    assert found(status="running") == 1
    assert found(active="false") == 0
    assert client_of(owner).get("/api/jobs/", {"status": "dancing"}).status_code == 400


NONE = dict.fromkeys(Job.Status.values, 0)


def test_batch_counts_its_children_and_groups_why_they_failed(batch: Job, owner: User, drain) -> None:
    answer = client_of(owner).get(f"/api/batches/{batch.pk}/").json()
    assert (answer["status"], answer["counts"], answer["failures"]) == ("running", NONE | {"queued": 2}, [])
    drain()
    answer = client_of(owner).get(f"/api/batches/{batch.pk}/").json()
    assert (answer["status"], answer["done"], answer["total"]) == ("failed", 2, 2)
    assert answer["counts"] == NONE | {"failed": 2}
    assert answer["failures"] == [
        {"code": "empty_file", "count": 2, "message": "The file is empty. Upload another.", "messages": 1}
    ]
    found = client_of(owner).get("/api/jobs/", {"batch": str(batch.pk), "code": "empty_file"}).json()
    assert found["count"] == 2
    assert client_of(owner).post(f"/api/jobs/{batch.pk}/retry/").json()["status"] == "running"


def test_running_batch_tells_how_long_it_will_take(owner: User) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 4, actor=owner)
    Job.objects.filter(pk=batch.pk).update(eta_s=12.5, done=1)
    answer = client_of(owner).get(f"/api/batches/{batch.pk}").json()
    assert (answer["eta_seconds"], answer["done"], answer["total"], answer["progress"]) == (12.5, 1, 4, 0.25)
    (listed,) = client_of(owner).get("/api/batches", {"active": "true"}).json()["results"]
    assert listed["id"] == str(batch.pk)
    assert client_of(owner).get("/api/batches", {"status": "failed"}).json()["results"] == []


def children(batch: Job, status: str) -> int:
    return Job.objects.filter(batch=batch, status=status).count()


def test_retry_of_a_batch_runs_the_failed_ones_again_and_others_only_when_asked(owner: User, drain) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 6, actor=owner)
    ids = list(Job.objects.filter(batch=batch).values_list("pk", flat=True))
    drain()
    Job.objects.filter(pk__in=ids[:2]).update(status="failed", error={"message": "No.", "code": "no"})
    Job.objects.filter(pk=ids[2]).update(status="cancelled")
    Job.objects.filter(pk=batch.pk).update(status="failed")
    answer = client_of(owner).post(f"/api/batches/{batch.pk}/retry")
    assert (answer.status_code, answer.json()["status"], answer.json()["notice"]) == (202, "running", "")
    assert answer.json()["counts"] == NONE | {"queued": 2, "cancelled": 1, "completed": 3}
    drain()
    assert (children(batch, "completed"), children(batch, "cancelled")) == (5, 1)
    refused = client_of(owner).post(f"/api/batches/{batch.pk}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "job_wrong_state")
    client_of(owner).post(f"/api/batches/{batch.pk}/retry", {"include_cancelled": True})
    drain()
    assert children(batch, "completed") == 6


def test_cancelling_a_batch_cancels_what_waits(batch: Job, owner: User) -> None:
    answer = client_of(owner).post(f"/api/batches/{batch.pk}/cancel/")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["counts"] == NONE | {"cancelled": 2}
    assert client_of(owner).post(f"/api/batches/{batch.pk}/cancel/").status_code == 409


@pytest.mark.parametrize("what", ["cancel", "retry"])
def test_only_those_who_may_write_change_a_batch(
    what: str, batch: Job, job: Job, stranger: User, viewer: User, owner: User
) -> None:
    url = f"/api/batches/{batch.pk}/{what}"
    assert client_of(None).post(url).status_code == 401
    assert client_of(stranger).post(url).status_code == 404
    refused = client_of(viewer).post(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "job_read_only")
    assert client_of(owner).post(f"/api/batches/{job.pk}/{what}").status_code == 404  # a job, but no batch
    assert children(batch, "queued") == 2


def test_whoever_asks_while_redis_is_away_is_answered_at_once_and_told_what_happens(
    job: Job, owner: User, drain, redis_is_down: None
) -> None:
    drain()
    answer = client_of(owner).post(f"/api/jobs/{job.pk}/retry")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert "starts all the same" in answer.json()["notice"]
    assert client_of(owner).get(f"/api/jobs/{job.pk}/status").json()["status"] == "queued"


def test_number_of_queries_of_a_batch_does_not_grow_with_its_children(owner: User) -> None:
    def queries(children: int, address: str) -> int:
        batch = enqueue_batch(kind="tests.echo", params=[{}] * children, actor=owner)
        Job.objects.filter(batch=batch).update(status="failed", error={"message": "No.", "code": "no"})
        client = client_of(owner)
        client.force_login(owner)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address.format(batch.pk)).status_code == 200
        return len(captured)

    for address in ("/api/batches/{}/", "/api/jobs/?batch={}", "/jobs/{}/"):
        assert queries(50, address) == queries(1, address) <= 10, address


@pytest.mark.parametrize("address", ["/api/jobs/", "/jobs/"])
def test_number_of_queries_does_not_grow_with_the_rows(address: str, owner: User, organisation: Organisation) -> None:
    def queries(rows: int) -> int:
        Job.objects.all().delete()
        Job.objects.bulk_create(
            Job(kind="tests.echo", actor=owner, organisation=organisation, status="failed") for _ in range(rows)
        )
        client = client_of(owner)
        client.force_login(owner)
        client.get(address)  # whatever is read once
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    assert queries(50) == queries(1) <= 8


@pytest.mark.parametrize("number", ["1", "not-a-uuid", "0" * 36])
def test_nonsense_for_a_number_is_404(number: str, owner: User) -> None:
    assert client_of(owner).get(f"/api/jobs/{number}/").status_code == 404
