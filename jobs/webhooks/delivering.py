"""Sending a message, and what becomes of it and of its endpoint.

    pending ──2xx──> delivered
       │ ^──anything else: tried again, for a day at least──┘
       ├──no retry left, 410, forbidden address, endpoint switched off──> failed
    delivered, failed ──redeliver──> pending   (the same id)

At least once: a worker killed between the answer and the commit leaves the message pending, and it is sent again under
the same `webhook-id`. Each update below is conditional on `pending`, so an attempt that came too late changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.exceptions import PlumblineError, Temporary
from accounts.models import Membership

from .. import outbound
from ..events import publish_on_commit
from ..models import Job, WebhookDelivery, WebhookEndpoint
from ..services.enqueueing import wake_on_commit
from . import signing
from .emitting import BEHIND, job_for
from .event_types import TEST
from .exceptions import DeliveryMissing, EndpointOff, NotAccepted, StillTrying

if TYPE_CHECKING:
    from accounts.models import User

AT_ONCE = 20  # messages on their way, in each worker: they wait on other people's servers

# Least waits before each retry; jobs are never asked to wait longer than an hour, so it is hourly in the end. Together
# they span more than a day.
WAITS_S = (5, 30, 120, 600, 1800, *[3600] * 24)
BACKOFF_S = (5.0, 7200.0)  # what the jobs draw from beside that: the jitter

# Switched off when this many were given up in a row and it has failed for a day, or after so many days of failures.
GIVEN_UP, FAILING_FOR = 5, timedelta(days=1)
FAILING_AT_MOST = timedelta(days=5)

EXCERPT_CHARS = 1000
EXCERPT_BYTES = 4 * EXCERPT_CHARS
GONE = 410

Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]


def deliver(*, delivery_id: UUID, finishing: Finishing) -> dict[str, Any] | None:
    """One attempt. Raises Temporary to be tried again; anything else ends the message as failed (`give_up`)."""
    delivery = WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id).first()
    if delivery is None:
        return {"skipped": "The endpoint was deleted."}
    if delivery.status == WebhookDelivery.Status.DELIVERED:
        return {"skipped": "It was delivered already."}
    if not (delivery.endpoint.is_active or delivery.event_type == TEST):
        raise EndpointOff("The endpoint is switched off.")
    delivery.attempts += 1  # counted before it is sent: a worker may die of it
    undelivered = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(status=WebhookDelivery.Status.DELIVERED)
    undelivered.update(
        status=WebhookDelivery.Status.PENDING, attempts=F("attempts") + 1, last_attempt_at=timezone.now()
    )
    try:
        answer = _sent(delivery)
        _refuse_unless_accepted(answer)
    except PlumblineError as error:
        if isinstance(error, Temporary):
            error.retry_after_s = max(error.retry_after_s or 0.0, least_wait_s(delivery.attempts))
        _note_failure(delivery, error)
        raise
    with finishing() as finish:
        _note_success(delivery, answer)
        finish({"status": answer.status})
    return None


def _sent(delivery: WebhookDelivery) -> outbound.Answer:
    body = orjson.dumps(delivery.payload)
    signed = signing.headers_of(
        valid_secrets(delivery.endpoint), message_id=str(delivery.pk), timestamp=int(time.time()), body=body
    )
    return outbound.send(
        method="POST",
        url=delivery.endpoint.url,
        headers={"Content-Type": "application/json", "User-Agent": "Plumbline-Webhooks/1", **signed},
        content=body,
        limit_bytes=EXCERPT_BYTES,
    )


def valid_secrets(endpoint: WebhookEndpoint) -> list[str]:
    """The secret, and the former one while receivers change over."""
    until = endpoint.previous_secret_until
    return [endpoint.secret, *([endpoint.previous_secret] if until and until > timezone.now() else [])]


def _refuse_unless_accepted(answer: outbound.Answer) -> None:
    if 200 <= answer.status < 300:
        return
    extra = {"status": answer.status, "excerpt": _excerpt(answer)}
    if answer.status == GONE:
        raise NotAccepted("The receiver answered 410 Gone: it wants no more messages.", code="gone", extra=extra)
    said = f"The receiver answered {answer.status}."
    if answer.status in outbound.REDIRECTS:
        said += " Redirects are not followed: enter the address that it leads to."
    asked_s = _retry_after_s(answer.headers.get("retry-after", ""))
    raise Temporary(said, code="webhook_not_accepted", extra=extra, retry_after_s=asked_s)


def least_wait_s(attempt: int) -> float:
    """Seconds to wait after the n-th attempt, from 1."""
    return float(WAITS_S[min(attempt, len(WAITS_S)) - 1])


def _retry_after_s(stated: str) -> float:
    """Seconds, or a date (RFC 9110, 10.2.3); 0 for what is neither."""
    if stated.isascii() and stated.isdigit():
        return float(min(int(stated[:9]), 24 * 3600))
    try:
        when = parsedate_to_datetime(stated)
    except (ValueError, TypeError, IndexError):
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _excerpt(answer: outbound.Answer) -> str:
    return answer.body.decode("utf-8", "replace").replace("\x00", "")[:EXCERPT_CHARS]


def _note_success(delivery: WebhookDelivery, answer: outbound.Answer) -> None:
    """In the transaction that ends the job. Here and below the endpoint is written before its delivery, in the order in
    which deleting an endpoint locks them."""
    failing = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since__isnull=False)
    failing.update(failing_since=None, failures_in_a_row=0)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        status=WebhookDelivery.Status.DELIVERED,
        delivered_at=timezone.now(),
        response_status=answer.status,
        response_excerpt=_excerpt(answer),
        error="",
    )


def _note_failure(delivery: WebhookDelivery, error: PlumblineError) -> None:
    """A test says nothing of the endpoint's health: its owner is only trying it out."""
    has_begun = False
    with transaction.atomic():
        if delivery.event_type != TEST:
            sound = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, failing_since=None)
            has_begun = bool(sound.update(failing_since=timezone.now()))
            if error.code == "gone":
                switch_off(endpoint_id=delivery.endpoint_id, reason=str(error))
        WebhookDelivery.objects.filter(pk=delivery.pk, status=WebhookDelivery.Status.PENDING).update(
            error=str(error)[:500],
            response_status=error.extra.get("status"),
            response_excerpt=error.extra.get("excerpt", ""),
        )
    if has_begun:
        _put_behind(delivery.endpoint_id)


def _put_behind(endpoint_id: UUID) -> None:
    """What waits for an endpoint that began to fail lets the messages to others pass. Rows that somebody is writing are
    left as they are."""
    waiting = WebhookDelivery.objects.filter(endpoint_id=endpoint_id, status=WebhookDelivery.Status.PENDING)
    with transaction.atomic():
        free = Job.objects.filter(pk__in=waiting.values("job"), status__in=(Job.Status.QUEUED, Job.Status.RETRYING))
        jobs = list(free.select_for_update(skip_locked=True).values_list("pk", flat=True))
        Job.objects.filter(pk__in=jobs).update(priority=BEHIND)


def give_up(*, delivery_id: UUID, reason: str) -> None:
    """Its job has failed or was cancelled; in that transaction. Switches the endpoint off when that has happened too
    often: five in a row and a day of failures, or five days of failures."""
    endpoint = WebhookEndpoint.objects.select_for_update().filter(deliveries__pk=delivery_id).first()
    pending = WebhookDelivery.objects.filter(pk=delivery_id, status=WebhookDelivery.Status.PENDING)
    was_test = pending.filter(event_type=TEST).exists()
    if not pending.update(status=WebhookDelivery.Status.FAILED, error=reason[:500]):
        return
    if endpoint is None or was_test or not endpoint.is_active or endpoint.failing_since is None:
        return
    endpoint.failures_in_a_row += 1
    endpoint.save(update_fields=["failures_in_a_row"])
    failing_for = timezone.now() - endpoint.failing_since
    if failing_for >= FAILING_AT_MOST or (failing_for >= FAILING_FOR and endpoint.failures_in_a_row >= GIVEN_UP):
        since = f"{endpoint.failing_since:%d %B %Y, %H:%M} UTC"
        switch_off(endpoint_id=endpoint.pk, reason=f"Nothing could be delivered since {since}. Last: {reason}")


def switch_off(*, endpoint_id: UUID, reason: str) -> bool:
    """By us, not by a person; its owners are told. False: it was off already."""
    active = WebhookEndpoint.objects.filter(pk=endpoint_id, is_active=True)
    if not active.update(is_active=False, disabled_at=timezone.now(), disabled_reason=reason[:300]):
        return False
    endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
    text = f"The webhook to {endpoint.url} was switched off. {reason}"[:500]
    notice = {"level": "warning", "text": text, "url": reverse("webhooks:detail", args=[endpoint.pk])}
    owners = Membership.objects.filter(organisation_id=endpoint.organisation_id, role=Membership.Role.OWNER)
    for user_id in owners.values_list("user_id", flat=True):
        publish_on_commit(f"user:{user_id}", "notification", notice)
    return True


def redeliver(*, delivery_id: UUID, actor: User) -> WebhookDelivery:
    """Send a delivered or given up message once more, under the same id, with all its retries. Locks its row.

    Raises DeliveryMissing, StillTrying, EndpointOff.
    """
    with transaction.atomic():
        deliveries = WebhookDelivery.objects.select_related("endpoint").select_for_update(of=("self",))
        all_of_them = actor.has_perm("jobs.change_webhookdelivery")
        delivery = (deliveries if all_of_them else deliveries.visible_to(actor)).filter(pk=delivery_id).first()
        if delivery is None:
            raise DeliveryMissing("There is no such delivery.")
        if delivery.status == WebhookDelivery.Status.PENDING:
            raise StillTrying("This message is still being tried.")
        if not (delivery.endpoint.is_active or delivery.event_type == TEST):
            raise EndpointOff("The endpoint is switched off. Switch it on first.")
        job = job_for(delivery, max_retries=0 if delivery.event_type == TEST else None)
        job.save(force_insert=True)
        delivery.status, delivery.attempts, delivery.job = WebhookDelivery.Status.PENDING, 0, job
        delivery.delivered_at, delivery.response_status = None, None
        delivery.response_excerpt = delivery.error = ""
        delivery.save()
        wake_on_commit([job])
    return delivery
