"""Incoming webhooks: signature first, stored as they came, once, then a job."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connections
from django.test import Client

from accounts.models import User
from jobs.models import Job, ReceivedWebhook
from jobs.webhooks import receivers, receiving, register_receiver, signing
from jobs.webhooks.exceptions import UnknownReceiver
from tests.platform.throttled import limit, throttled

from .steps import Drain

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["throttled"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type": "notice.changed", "data": {"id": 7}}'
HERE = "/api/webhooks/in/procurement"


@pytest.fixture(autouse=True)
def _sender(settings: Any) -> None:
    settings.INCOMING_WEBHOOKS = {"procurement": SECRET}


def send(
    body: bytes = BODY, *, message_id: str = "msg_1", secret: str = SECRET, at: float = 0, path: str = HERE, **more: Any
) -> Any:
    signed = signing.headers_of([secret], message_id=message_id, timestamp=int(time.time() + at), body=body)
    browser = Client(enforce_csrf_checks=True)
    return browser.post(path, body, content_type="application/json", headers={**signed, **more})


def test_message_is_stored_as_it_came_and_handled_by_a_job(drain: Drain, staff: User) -> None:
    answer = send(Cookie="sessionid=1")
    assert answer.status_code == 202
    received = ReceivedWebhook.objects.get()
    assert answer.json() == {"id": str(received.pk), "status": "stored", "is_new": True}
    assert (bytes(received.body), received.event_type, received.provider_id) == (BODY, "notice.changed", "msg_1")
    assert received.headers.keys() == {"content-type", "webhook-id", "webhook-timestamp"}
    drain()
    received.refresh_from_db()
    assert (received.status, received.error) == ("processed", "")
    assert received.processed_at is not None
    assert received.job is not None
    assert received.job.result == {"source": "procurement", "type": "notice.changed", "members": ["data", "type"]}


def test_repetition_is_answered_and_counted_but_not_handled_again(drain: Drain) -> None:
    assert send().status_code == 202
    drain()
    again = send(path=f"{HERE}/")
    assert (again.status_code, again.json()["is_new"]) == (200, False)
    drain()
    assert ReceivedWebhook.objects.get().times_received == 2
    assert Job.objects.count() == 1
    assert send(message_id="msg_2").status_code == 202


def test_equal_messages_at_once_become_one() -> None:
    answers: list[int] = []

    def one() -> None:
        try:
            answers.append(send().status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [200, 200, 200, 202]
    assert ReceivedWebhook.objects.get().times_received == 4
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"secret": "whsec_" + "QUFB" * 8}, 401, "webhook_signature_wrong"),
        ({"at": -301}, 401, "webhook_signature_wrong"),
        ({"at": 302}, 401, "webhook_signature_wrong"),
        ({"webhook-id": "msg_other"}, 401, "webhook_signature_wrong"),
        ({"webhook-signature": ""}, 401, "webhook_signature_wrong"),
        ({"body": b""}, 400, "webhook_empty"),
        ({"message_id": "m" * 201}, 400, "webhook_without_id"),
        ({"path": "/api/webhooks/in/unknown"}, 404, "webhook_receiver_not_found"),
        ({"body": b"x" * (1024 * 1024 + 1)}, 413, "request_too_large"),
    ],
)
def test_what_is_refused_leaves_nothing(asked: dict[str, Any], status: int, code: str) -> None:
    answer = send(**asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not ReceivedWebhook.objects.exists()
    assert not Job.objects.exists()


def test_unsigned_message_is_refused_and_others_than_posts_too() -> None:
    assert Client().post(HERE, BODY, content_type="application/json").status_code == 401
    assert Client().get(HERE).status_code == 405


def test_former_and_new_secret_are_accepted_while_one_is_changed(settings: Any) -> None:
    new = signing.new_secret()
    settings.INCOMING_WEBHOOKS = {"procurement": f"{new} {SECRET}"}
    assert send().status_code == 202
    assert send(message_id="msg_2", secret=new).status_code == 202


@pytest.mark.parametrize("body", [b"not json", b"[1]", b"\xff\x00", b'{"type": "a\\u0000b"'])
def test_message_that_can_not_be_handled_is_kept_and_says_why(body: bytes, drain: Drain) -> None:
    assert send(body).status_code == 202
    drain()
    received = ReceivedWebhook.objects.get()
    assert (received.status, bytes(received.body)) == ("failed", body)
    assert "no JSON" in received.error


def test_failed_message_is_processed_again_by_staff_only(drain: Drain, staff: User, owner: User) -> None:
    send(b"[1]")
    received = ReceivedWebhook.objects.get()
    with pytest.raises(receiving.Conflict):
        receiving.process_again(received_id=received.pk, actor=staff)
    drain()
    with pytest.raises(receiving.Missing):
        receiving.process_again(received_id=received.pk, actor=owner)
    again = receiving.process_again(received_id=received.pk, actor=staff)
    assert (again.status, again.error) == ("stored", "")
    assert again.job_id != received.job_id
    drain()
    received.refresh_from_db()
    assert received.status == "failed"


def test_receiver_of_an_app_is_found_and_can_not_be_registered_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "_receivers", {})
    described: dict[str, Any] = {
        "verify": lambda headers, body: None,
        "event_id": lambda headers, body: headers["x-number"],
        "handle_kind": "tests.echo",
    }
    register_receiver("own", **described)
    with pytest.raises(ValueError, match="twice"):
        register_receiver("own", **described)
    answer = Client().post("/api/webhooks/in/own", b"1", content_type="text/plain", headers={"X-Number": "5"})
    assert answer.status_code == 202
    received = ReceivedWebhook.objects.get()
    assert (received.source, received.provider_id, received.job.kind) == ("own", "5", "tests.echo")
    assert received.job.params == {"received_id": str(received.pk)}
    with pytest.raises(UnknownReceiver):
        receivers.receiver_named("nobody")


@pytest.mark.parametrize(
    "senders",
    [["procurement"], {"Procurement": SECRET}, {"a/b": SECRET}, {"a": ""}, {"a": "whsec_c2hvcnQ="}, {"a": 5}],
)
def test_improper_senders_are_found_before_the_server_starts(senders: Any, settings: Any) -> None:
    settings.INCOMING_WEBHOOKS = senders
    assert [message.id for message in run_checks() if message.id == "jobs.E021"] == ["jobs.E021"]


def test_proper_settings_are_silent_and_improper_networks_are_not(settings: Any) -> None:
    def found() -> list[str]:
        return [str(m.id) for m in run_checks() if m.id in ("jobs.E020", "jobs.E021", "jobs.E022")]

    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.20.0.0/16", "fd00::/8"]
    assert found() == []
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.20.0.1/16"]
    assert found() == ["jobs.E020"]


def test_receiver_without_a_handler_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = receivers.standard_receiver("broken", [SECRET], handle_kind="jobs.no_such_kind")
    monkeypatch.setattr(receivers, "_receivers", {"broken": broken})
    assert "jobs.E022" in [message.id for message in run_checks()]


def test_strangers_are_counted_by_address_and_senders_are_not(throttled: Any) -> None:
    limit(throttled, anonymous="2/15 minutes")
    for number in range(4):
        assert send(message_id=f"msg_{number}").status_code == 202
    assert send(secret=signing.new_secret()).status_code == 401
    assert send(path="/api/webhooks/in/nobody").status_code == 404
    refused = send(secret=signing.new_secret())
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert int(refused["Retry-After"]) >= 1
    elsewhere = Client(REMOTE_ADDR="203.0.113.9").post("/api/webhooks/in/nobody")
    assert elsewhere.status_code == 404
