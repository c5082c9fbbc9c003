"""Webhooks in the admin: seen by staff, secrets by nobody, actions for those who may change."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Organisation, User
from jobs.models import ReceivedWebhook, WebhookDelivery, WebhookEndpoint

from ..receiving_end import Receiver
from .steps import Drain, only_delivery, tell

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(staff: User) -> Client:
    browser = Client()
    browser.force_login(staff)
    return browser


def act(browser: Client, model: str, action: str, pk: object) -> str:
    form = {"action": action, "_selected_action": [str(pk)]}
    answer = browser.post(f"/admin/jobs/{model}/", form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_secrets_are_shown_nowhere(endpoint: WebhookEndpoint, browser: Client) -> None:
    WebhookEndpoint.objects.update(previous_secret="whsec_former")
    for address in ("/admin/jobs/webhookendpoint/", f"/admin/jobs/webhookendpoint/{endpoint.pk}/change/"):
        page = browser.get(address).content.decode()
        assert endpoint.url in page
        assert endpoint.secret not in page
        assert "whsec_former" not in page


def test_endpoint_is_switched_off_and_on(endpoint: WebhookEndpoint, browser: Client) -> None:
    assert "1 switched off" in act(browser, "webhookendpoint", "switch_off", endpoint.pk)
    assert not WebhookEndpoint.objects.get().is_active
    assert "1 switched on" in act(browser, "webhookendpoint", "switch_on", endpoint.pk)
    assert WebhookEndpoint.objects.get().is_active


def test_delivery_is_sent_again(
    endpoint: WebhookEndpoint, organisation: Organisation, browser: Client, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    assert "still being tried" in act(browser, "webhookdelivery", "send_again", only_delivery().pk)
    drain()
    assert "1 on their way once more" in act(browser, "webhookdelivery", "send_again", only_delivery().pk)
    drain()
    assert len(there.came) == 2
    assert browser.get(f"/admin/jobs/webhookdelivery/{only_delivery().pk}/change/").status_code == 200


def test_received_body_is_shown_escaped_and_processed_again(browser: Client) -> None:
    received = ReceivedWebhook.objects.create(
        source="procurement", provider_id="1", body=b"<script>alert(1)</script>\xff" + b"x" * 30_000, status="failed"
    )
    assert browser.get("/admin/jobs/receivedwebhook/").status_code == 200
    page = browser.get(f"/admin/jobs/receivedwebhook/{received.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "of 30026 bytes" in page
    assert "Nothing is received under this name" in act(browser, "receivedwebhook", "process_again", received.pk)


def test_nothing_is_added_or_deleted_by_hand(endpoint: WebhookEndpoint, browser: Client) -> None:
    for model in ("webhookendpoint", "webhookdelivery", "receivedwebhook"):
        assert browser.get(f"/admin/jobs/{model}/add/").status_code == 403
    assert browser.post(f"/admin/jobs/webhookendpoint/{endpoint.pk}/delete/", {"post": "yes"}).status_code == 403
    assert WebhookEndpoint.objects.exists()


def test_pressing_save_writes_nothing(endpoint: WebhookEndpoint, organisation: Organisation, browser: Client) -> None:
    tell(organisation)
    delivery = only_delivery()
    for model, pk in (("webhookendpoint", endpoint.pk), ("webhookdelivery", delivery.pk), ("job", delivery.job_id)):
        with CaptureQueriesContext(connection) as asked:
            assert browser.post(f"/admin/jobs/{model}/{pk}/change/", {}).status_code == 302
        assert not [query["sql"] for query in asked if query["sql"].startswith('UPDATE "jobs_')]


def test_staff_who_may_only_look_have_no_actions(endpoint: WebhookEndpoint, organisation: Organisation) -> None:
    from django.contrib.auth.models import Permission

    from tests.factories.people import make_user

    looker = make_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_webhook"))
    browser = Client()
    browser.force_login(looker)
    tell(organisation)
    WebhookDelivery.objects.update(status="failed")
    act(browser, "webhookdelivery", "send_again", only_delivery().pk)
    act(browser, "webhookendpoint", "switch_off", endpoint.pk)
    assert only_delivery().status == "failed"
    assert WebhookEndpoint.objects.get().is_active
