"""One message from its job to the receiver: signature, retries, and once more."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from jobs.runner import run_here
from jobs.services import cancel, retry
from jobs.services.claiming import claim_next
from jobs.sweeper import sweep
from jobs.webhooks import delivering, endpoints, signing
from jobs.webhooks.exceptions import EndpointOff, StillTrying

from ..processes import command, wait_until
from ..receiving_end import Receiver, receiver
from .steps import Drain, again, only_delivery, tell, verify

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 180.0  # a worker process starts in seconds, on a loaded machine in many


def test_message_is_signed_as_standard_webhooks_has_it(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    tell(organisation, name="Žižkov")
    drain()
    (came,) = there.came
    delivery = only_delivery()
    verify(came, endpoint.secret)
    assert came.headers["webhook-id"] == str(delivery.pk)
    assert came.headers["content-type"] == "application/json"
    body = json.loads(came.body)
    assert body.keys() == {"type", "timestamp", "data"}
    assert body["data"] == {"name": "Žižkov"}
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("delivered", 1, 200)
    assert delivery.response_excerpt == "thanks"
    assert delivery.delivered_at is not None


def test_both_secrets_sign_for_a_day_after_a_rotation(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    former = endpoint.secret
    new = endpoints.rotate_secret(endpoint_id=endpoint.pk, actor=owner).secret
    assert new != former
    tell(organisation)
    drain()
    verify(there.came[0], former)
    verify(there.came[0], new)
    WebhookEndpoint.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    tell(organisation)
    drain()
    verify(there.came[1], new)
    with pytest.raises(signing.BadSignature):
        verify(there.came[1], former)


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_refused_message_is_tried_again_under_the_same_number_and_body(
    status: int, endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    there.answers = [(status, {"Location": there.url("/elsewhere")}, b"no\x00\xff" + b"x" * 5000), (204, {}, b"")]
    tell(organisation)
    drain()
    delivery = only_delivery()
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("pending", 1, status)
    assert str(status) in delivery.error
    assert len(delivery.response_excerpt) == 1000
    assert delivery.endpoint.failing_since is not None
    again(delivery, drain)
    assert (delivery.status, delivery.attempts, delivery.error) == ("delivered", 2, "")
    assert delivery.endpoint.failing_since is None
    first, second = there.came
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert [came.path for came in there.came] == ["/hook", "/hook"]


def test_receiver_that_does_not_listen_is_tried_again(
    owner: User, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    endpoints.create_endpoint(actor=owner, url="http://127.0.0.1:1024/", event_types=["*"])
    tell(organisation)
    drain()
    delivery = only_delivery()
    assert (delivery.status, delivery.response_status) == ("pending", None)
    assert "could not be reached" in delivery.error


@pytest.mark.parametrize(("asked", "least_s"), [("1800", 1800), ("1", 5), ("nonsense", 5), ("", 5)])
def test_retry_after_is_honoured(
    asked: str, least_s: int, endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    there.will_answer(429, {"Retry-After": asked})
    before = timezone.now()
    tell(organisation)
    drain()
    due = Job.objects.get().next_retry_at
    assert due is not None
    assert due >= before + timedelta(seconds=least_s)


def test_retry_after_may_be_a_date() -> None:
    with time_machine.travel("2026-11-22T12:00:00Z", tick=False):
        assert delivering._retry_after_s("Sun, 22 Nov 2026 12:10:00 GMT") == 600
        assert delivering._retry_after_s("Sun, 22 Nov 2026 11:00:00 GMT") == 0


def test_retries_span_a_day_at_least_and_grow() -> None:
    waits = [delivering.least_wait_s(attempt) for attempt in range(1, len(delivering.WAITS_S) + 1)]
    assert waits == sorted(waits)
    assert sum(waits) >= timedelta(days=1).total_seconds()
    assert delivering.least_wait_s(1000) == waits[-1]


def test_given_up_message_says_so(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    there.will_answer(500)
    tell(organisation)
    Job.objects.update(max_retries=1)
    drain()
    delivery = only_delivery()
    again(delivery, drain)
    assert (delivery.status, delivery.attempts) == ("failed", 2)
    assert delivery.error == "The receiver answered 500."
    assert delivery.endpoint.failures_in_a_row == 1
    assert delivery.endpoint.is_active


def test_address_that_became_private_is_given_up_at_once(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, settings: Any, drain: Drain
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    tell(organisation)
    drain()
    delivery = only_delivery()
    assert (delivery.status, there.came) == ("failed", [])
    assert "private or special network" in delivery.error


def test_cancelled_job_gives_the_message_up(endpoint: WebhookEndpoint, organisation: Organisation) -> None:
    tell(organisation)
    cancel(only_delivery().job_id)
    assert only_delivery().status == "failed"


def test_deleted_endpoint_takes_its_messages_along(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    endpoints.delete_endpoint(endpoint_id=endpoint.pk, actor=owner)
    drain()
    assert there.came == []
    assert Job.objects.get().result == {"skipped": "The endpoint was deleted."}


def test_redelivery_has_the_same_number_and_body(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    with pytest.raises(StillTrying):
        delivering.redeliver(delivery_id=only_delivery().pk, actor=owner)
    drain()
    delivery = delivering.redeliver(delivery_id=only_delivery().pk, actor=owner)
    assert (delivery.status, delivery.attempts, delivery.delivered_at) == ("pending", 0, None)
    drain()
    first, second = there.came
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert only_delivery().status == "delivered"


def test_redelivery_to_an_endpoint_that_is_off_is_refused(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, drain: Drain
) -> None:
    tell(organisation)
    drain()
    endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=owner, is_active=False)
    with pytest.raises(EndpointOff):
        delivering.redeliver(delivery_id=only_delivery().pk, actor=owner)


def test_retried_job_of_a_delivered_message_sends_nothing(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    drain()
    Job.objects.update(status="failed")
    retry(only_delivery().job_id)
    drain()
    assert len(there.came) == 1
    assert Job.objects.get().result == {"skipped": "It was delivered already."}


@pytest.mark.faults
def test_message_of_a_killed_worker_comes_again_under_the_same_number(
    endpoint: WebhookEndpoint, organisation: Organisation, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTBOUND_ALLOW_HTTP", "true")
    monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8")
    tell(organisation)
    there.is_open.clear()
    with command("work", "low", "--burst") as worker:
        wait_until(there.has_heard.is_set, "the message arrives", PATIENCE_S)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(PATIENCE_S) == -signal.SIGKILL
    there.is_open.set()
    assert only_delivery().status == "pending"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert sweep().taken_back == 1
    due = Job.objects.get().next_retry_at
    assert due is not None
    with time_machine.travel(due + timedelta(seconds=1)):
        assert sweep().retries_released == 1
    with command("work", "low", "--burst") as worker:
        assert worker.wait(PATIENCE_S) == 0
    delivery = only_delivery()
    assert (delivery.status, delivery.attempts, len(there.came)) == ("delivered", 2, 2)
    assert {came.headers["webhook-id"] for came in there.came} == {str(delivery.pk)}
    verify(there.came[1], endpoint.secret)


@pytest.mark.faults
def test_receiver_that_does_not_answer_keeps_no_other_waiting(
    endpoint: WebhookEndpoint,
    organisation: Organisation,
    owner: User,
    there: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OUTBOUND_ALLOW_HTTP", "true")
    monkeypatch.setenv("OUTBOUND_ALLOWED_NETWORKS", "127.0.0.0/8")
    there.is_open.clear()
    tell(organisation)
    with receiver() as other:
        endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=owner, event_types=["job.failed"])
        endpoints.create_endpoint(actor=owner, url=other.url(), event_types=["job.completed"])
        with command("work", "low"):
            wait_until(there.has_heard.is_set, "the first receiver has its message", PATIENCE_S)
            tell(organisation)
            delivered = WebhookDelivery.objects.filter(status="delivered")
            wait_until(delivered.exists, "the other one answered", PATIENCE_S)
    assert delivered.get().endpoint.url == other.url()
    assert (len(there.came), len(other.came)) == (1, 1)


def test_nobody_waits_behind_an_endpoint_that_fails(
    endpoint: WebhookEndpoint, organisation: Organisation, stranger: User, there: Receiver
) -> None:
    there.will_answer(500)
    for _ in range(5):
        tell(organisation)
    waiting = list(WebhookDelivery.objects.order_by("created_at", "pk"))
    run_here(job_id=waiting[0].job_id)
    tell(organisation)  # known to fail by now
    endpoints.create_endpoint(actor=stranger, url=there.url("/sound"), event_types=["*"])
    tell(stranger.memberships.get().organisation)
    sound = WebhookDelivery.objects.exclude(endpoint=endpoint).get()
    claimed = claim_next(queue="low")
    assert claimed is not None and claimed.pk == sound.job_id
    behind = [claim_next(queue="low") for _ in range(5)]
    assert all(job is not None and job.priority == Job.Priority.LOW for job in behind)

    # Delivered once, it waits like the others again
    there.will_answer(200)
    Job.objects.filter(pk=waiting[1].job_id).update(status="queued")
    run_here(job_id=waiting[1].job_id)
    tell(organisation)
    assert Job.objects.latest("created_at").priority == Job.Priority.NORMAL
