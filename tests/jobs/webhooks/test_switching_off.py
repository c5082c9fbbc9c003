"""When an endpoint is switched off, and that its owners hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Organisation, User
from jobs.connections import events_redis
from jobs.models import WebhookDelivery, WebhookEndpoint
from jobs.webhooks import delivering, endpoints

from ..receiving_end import Receiver
from .steps import Drain, only_delivery, tell

pytestmark = pytest.mark.django_db(transaction=True)


def notices_of(user: User) -> list[dict[str, Any]]:
    keys = [key for key in events_redis().keys("*") if f"user:{user.pk}".encode() in key]
    streams = [key for key in keys if events_redis().type(key) == b"stream"]
    found = []
    for key in streams:
        for _, fields in events_redis().xrange(key):
            for value in fields.values():
                if value[:1] == b"{":
                    found.append(orjson.loads(value))
    return [event for event in found if event["type"] == "notification"]


def test_gone_switches_the_endpoint_off_at_once_and_owners_are_told(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, member: User, there: Receiver, drain: Drain
) -> None:
    there.will_answer(410)
    tell(organisation)
    drain()
    delivery = only_delivery()
    assert (delivery.status, len(there.came)) == ("failed", 1)
    assert not delivery.endpoint.is_active
    assert "410 Gone" in delivery.endpoint.disabled_reason
    assert delivery.endpoint.disabled_at is not None
    (notice,) = notices_of(owner)
    assert notice["data"]["url"] == f"/organisation/webhooks/{endpoint.pk}/"
    assert notices_of(member) == []
    assert tell(organisation) == 0


def given_up(endpoint: WebhookEndpoint, failing_for: timedelta, before: int) -> WebhookEndpoint:
    WebhookEndpoint.objects.update(failing_since=timezone.now() - failing_for, failures_in_a_row=before)
    delivery = WebhookDelivery.objects.create(endpoint=endpoint, event_type="job.completed", payload={})
    with transaction.atomic():
        delivering.give_up(delivery_id=delivery.pk, reason="The receiver answered 500.")
    return WebhookEndpoint.objects.get()


@pytest.mark.parametrize(
    ("failing_for", "before", "stays_on"),
    [
        (timedelta(hours=2), 50, True),  # a burst of events during one bad hour
        (timedelta(hours=25), 3, True),
        (timedelta(hours=25), 4, False),
        (timedelta(days=4), 0, True),
        (timedelta(days=5), 0, False),
    ],
)
def test_endpoint_is_switched_off_after_a_day_and_five_or_after_five_days(
    failing_for: timedelta, before: int, stays_on: bool, endpoint: WebhookEndpoint
) -> None:
    found = given_up(endpoint, failing_for, before)
    assert found.is_active is stays_on
    assert found.failures_in_a_row == before + 1
    assert ("The receiver answered 500." in found.disabled_reason) is not stays_on


def test_messages_on_their_way_end_when_the_endpoint_is_off(
    endpoint: WebhookEndpoint, organisation: Organisation, owner: User, there: Receiver, drain: Drain
) -> None:
    tell(organisation)
    endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=owner, is_active=False)
    drain()
    delivery = only_delivery()
    assert (delivery.status, delivery.error, there.came) == ("failed", "The endpoint is switched off.", [])
    assert delivery.endpoint.failures_in_a_row == 0


def test_switching_on_again_forgets_the_failures(endpoint: WebhookEndpoint, owner: User) -> None:
    assert not given_up(endpoint, timedelta(days=6), 9).is_active
    found = endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=owner, is_active=True)
    assert (found.is_active, found.failing_since, found.failures_in_a_row) == (True, None, 0)
    assert (found.disabled_at, found.disabled_reason) == (None, "")


def test_failed_test_is_tried_once_and_says_nothing_of_the_endpoint(
    endpoint: WebhookEndpoint, owner: User, there: Receiver, drain: Drain
) -> None:
    there.will_answer(500)
    endpoints.send_test(endpoint_id=endpoint.pk, actor=owner)
    drain()
    delivery = only_delivery()
    assert (delivery.event_type, delivery.status, delivery.attempts) == ("webhook.test", "failed", 1)
    assert delivery.endpoint.failing_since is None


def test_endpoint_that_is_off_can_be_tested(
    endpoint: WebhookEndpoint, owner: User, there: Receiver, drain: Drain
) -> None:
    endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=owner, is_active=False)
    endpoints.send_test(endpoint_id=endpoint.pk, actor=owner)
    drain()
    assert only_delivery().status == "delivered"
    assert not WebhookEndpoint.objects.get().is_active
