"""What is told, and to whom."""

from __future__ import annotations

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.services import cancel, enqueue, enqueue_batch
from jobs.webhooks import declare, endpoints

from ..receiving_end import Receiver
from .steps import Drain, only_delivery, tell

pytestmark = pytest.mark.django_db(transaction=True)


def test_nothing_is_written_where_nobody_listens(organisation: Organisation, stranger: User) -> None:
    theirs = stranger.memberships.get().organisation_id
    endpoints.create_endpoint(actor=stranger, url="http://127.0.0.1:9999/", event_types=["*"], organisation_id=theirs)
    with CaptureQueriesContext(connection) as queries:
        assert tell(organisation) == 0
    assert len(queries) == 1
    assert not WebhookDelivery.objects.exists()
    assert not Job.objects.exists()


def test_only_listening_endpoints_of_the_organisation_are_told(owner: User, organisation: Organisation) -> None:
    def made(*types: str) -> WebhookEndpoint:
        return endpoints.create_endpoint(actor=owner, url="http://127.0.0.1:9999/", event_types=types)

    everything, completed, failed, off = made("*"), made("job.completed"), made("job.failed"), made("*")
    endpoints.change_endpoint(endpoint_id=off.pk, actor=owner, is_active=False)
    assert tell(organisation) == 2
    told = set(WebhookDelivery.objects.values_list("endpoint_id", flat=True))
    assert told == {everything.pk, completed.pk}
    assert failed.pk not in told


def test_number_of_queries_does_not_grow_with_the_endpoints(owner: User, organisation: Organisation) -> None:
    def queries(count: int) -> int:
        WebhookEndpoint.objects.all().delete()
        for _ in range(count):
            endpoints.create_endpoint(actor=owner, url="http://127.0.0.1:9999/", event_types=["*"])
        with CaptureQueriesContext(connection) as captured:
            assert tell(organisation) == count
        return len(captured)

    assert queries(20) == queries(1)


def test_undeclared_event_is_a_programming_error(organisation: Organisation) -> None:
    with pytest.raises(ValueError, match="not declared"):
        tell(organisation, "job.dreamt")
    with pytest.raises(ValueError, match="declared twice"):
        declare("job.completed", description="Something else.", example={})


def test_what_is_rolled_back_is_told_to_nobody(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    with pytest.raises(KeyError), transaction.atomic():
        tell(organisation)
        raise KeyError
    drain()
    assert not WebhookDelivery.objects.exists()
    assert there.came == []


def test_ended_jobs_of_an_organisation_are_told_with_thin_payloads(
    endpoint: WebhookEndpoint, owner: User, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    done = enqueue(kind="tests.echo", params={"secret": "s"}, actor=owner, organisation=organisation, about="Valcha")
    bad = enqueue(kind="tests.refuse", params={}, actor=owner, organisation=organisation)
    enqueue(kind="tests.echo", params={}, actor=owner)  # of nobody's organisation
    stopped = enqueue(kind="tests.echo", params={}, organisation=organisation, queue="low")
    cancel(stopped.pk)
    drain()
    messages = {json.loads(came.body)["data"]["job_id"]: json.loads(came.body) for came in there.came}
    assert messages.keys() == {str(done.pk), str(bad.pk)}
    told = messages[str(done.pk)]
    assert told["type"] == "job.completed"
    assert (told["data"]["about"], told["data"]["title"]) == ("Valcha", "Echo")
    assert told["data"]["link"].endswith(f"/jobs/{done.pk}/")
    assert b'"s"' not in there.came[0].body
    failed = messages[str(bad.pk)]
    assert failed["type"] == "job.failed"
    assert failed["data"]["error"] == {"code": "empty_file", "message": "The file is empty. Upload another."}


def test_batch_is_told_once_and_its_children_are_not(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 3, organisation=organisation)
    drain()
    drain()  # the batch's own end may have come after the queue for deliveries had been looked at
    assert [json.loads(came.body)["data"]["job_id"] for came in there.came] == [str(batch.pk)]


def test_delivery_jobs_are_nobodys_news(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    drain()
    job = only_delivery().job
    assert job is not None
    assert (job.actor_id, job.organisation_id, job.status) == (None, None, "completed")
    assert not Job.objects.visible_to(owner).exists()
    assert WebhookDelivery.objects.count() == len(there.came) == 1
