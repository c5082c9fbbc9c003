"""Telling of something: the messages, and the jobs that deliver them, are written with what they tell of (an outbox).

Either all of it is committed or nothing; workers deliver what was committed, at least once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ..models import Job, WebhookDelivery, WebhookEndpoint
from ..registry import kind_of
from ..services.enqueueing import wake_on_commit
from ..trace import request_id
from .event_types import is_declared

DELIVER = "jobs.deliver_webhook"
BEHIND = Job.Priority.LOW  # messages to an endpoint that fails: others are not to wait behind them


def emit(*, event_type: str, organisation_id: UUID, data: Callable[[], Mapping[str, Any]]) -> int:
    """Tell the organisation's endpoints that listen; how many. To be called in the transaction of what happened.

    `data` is thin: ids, names, counts and a link, as JSON. It is made where somebody listens: the first link of a
    process loads all addresses of the site. One query where nobody does, else two inserts more. Raises ValueError for a
    type that was not declared.
    """
    if not is_declared(event_type):
        raise ValueError(f"Event type {event_type!r} is not declared.")
    endpoints = list(WebhookEndpoint.objects.listening(organisation_id, event_type))
    if endpoints:
        payload = payload_of(event_type, data())
        queue([WebhookDelivery(endpoint=endpoint, event_type=event_type, payload=payload) for endpoint in endpoints])
    return len(endpoints)


def listening_organisations(event_type: str) -> list[UUID]:
    """Those with an endpoint that wants to be told of this; for what concerns many of them. One query."""
    listening = WebhookEndpoint.objects.listening_to(event_type).order_by("organisation_id")
    return list(listening.values_list("organisation_id", flat=True).distinct())


def emit_each(*, event_type: str, data: Mapping[UUID, Mapping[str, Any]]) -> int:
    """As `emit`, to several organisations, each with data of its own: one query, and two inserts where any listens."""
    if not is_declared(event_type):
        raise ValueError(f"Event type {event_type!r} is not declared.")
    if not data:
        return 0
    payloads = {organisation_id: payload_of(event_type, each) for organisation_id, each in data.items()}
    endpoints = WebhookEndpoint.objects.listening_to(event_type).filter(organisation_id__in=payloads)
    deliveries = [
        WebhookDelivery(endpoint=endpoint, event_type=event_type, payload=payloads[endpoint.organisation_id])
        for endpoint in endpoints.order_by("created_at", "pk")
    ]
    if deliveries:
        queue(deliveries)
    return len(deliveries)


def payload_of(event_type: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """As Standard Webhooks has it; the timestamp is when it happened, not when it is sent."""
    return {"type": event_type, "timestamp": timezone.now().isoformat(), "data": dict(data)}


def queue(deliveries: Sequence[WebhookDelivery], *, max_retries: int | None = None) -> None:
    """Insert new deliveries with their jobs, in bulk. The jobs belong to no person and no organisation: they are
    nobody's news, and cause no webhooks themselves."""
    jobs = [job_for(delivery, max_retries=max_retries) for delivery in deliveries]
    for delivery, job in zip(deliveries, jobs, strict=True):
        delivery.job = job
    with transaction.atomic():
        Job.objects.bulk_create(jobs)
        WebhookDelivery.objects.bulk_create(deliveries)
        wake_on_commit(jobs)


def job_for(delivery: WebhookDelivery, *, max_retries: int | None = None) -> Job:
    """Not saved yet."""
    kind = kind_of(DELIVER)
    return Job(
        kind=kind.name,
        queue=kind.queue,
        priority=BEHIND if delivery.endpoint.failing_since else Job.Priority.NORMAL,
        params={"delivery_id": str(delivery.pk)},
        about=delivery.event_type,
        request_id=request_id(),
        max_retries=kind.max_retries if max_retries is None else max_retries,
    )
