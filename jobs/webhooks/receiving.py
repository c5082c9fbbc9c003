"""What others send us: kept as it came, once, then handled by a job.

stored ──job──> processed | failed ──process again──> stored
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts.exceptions import Conflict, Missing, Refused

from ..models import Job, ReceivedWebhook
from ..services import enqueue
from .receivers import Receiver, handle_kind_of, receiver_named

if TYPE_CHECKING:
    from accounts.models import User

# What is kept of the headers: what tells of the message. Not signatures, cookies, or credentials.
KEPT_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")
LONGEST_ID = 200


def receive(*, name: str, headers: Mapping[str, str], body: bytes) -> tuple[ReceivedWebhook, bool]:
    """Verify, store, and queue the job, the latter two in one transaction. (The row, whether it is new.)

    `headers` by lower-case name. Idempotent by the sender's number: the unique constraint lets one of two equal
    messages in, the other only counts. Raises UnknownReceiver, Refused (empty, no number), WrongSignature.
    """
    return receive_by(receiver=receiver_named(name), headers=headers, body=body)


def receive_by(*, receiver: Receiver, headers: Mapping[str, str], body: bytes) -> tuple[ReceivedWebhook, bool]:
    """As `receive`, for a receiver that is known by more than its name: that of one connection."""
    if not body:
        raise Refused("There is no body.", code="webhook_empty")
    receiver.verify(headers, body)
    provider_id = receiver.event_id(headers, body)
    if not provider_id or len(provider_id) > LONGEST_ID or "\x00" in provider_id:
        raise Refused(f"The message needs a number of 1 to {LONGEST_ID} characters.", code="webhook_without_id")
    known = ReceivedWebhook.objects.filter(source=receiver.name, provider_id=provider_id)
    for _ in range(2):
        if known.update(times_received=F("times_received") + 1):
            return known.get(), False
        try:
            with transaction.atomic():
                return _store(receiver, provider_id, headers, body), True
        except IntegrityError:
            continue  # an equal message was faster: now it is known
    raise Conflict("This message is being received at this very moment. Send it again.")


def _store(receiver: Receiver, provider_id: str, headers: Mapping[str, str], body: bytes) -> ReceivedWebhook:
    received = ReceivedWebhook.objects.create(
        source=receiver.name,
        provider_id=provider_id,
        event_type=receiver.event_type(headers, body).replace("\x00", "")[:120],
        headers={name: headers[name][:500].replace("\x00", "") for name in KEPT_HEADERS if name in headers},
        body=body,
    )
    received.job = _queued(received, receiver.handle_kind)
    received.save(update_fields=["job"])
    return received


def _queued(received: ReceivedWebhook, handle_kind: str) -> Job:
    return enqueue(
        kind=handle_kind,
        params={"received_id": str(received.pk)},
        about=f"{received.source} {received.event_type}".strip(),
    )


def mark_processed(*, received_id: UUID) -> None:
    """To be called by the handler, in the transaction of its effects."""
    ReceivedWebhook.objects.filter(pk=received_id).update(
        status=ReceivedWebhook.Status.PROCESSED, processed_at=timezone.now(), error=""
    )


def mark_failed(*, received_id: UUID, reason: str) -> None:
    """To be called by the kind's `on_failed`."""
    unprocessed = ReceivedWebhook.objects.filter(pk=received_id).exclude(status=ReceivedWebhook.Status.PROCESSED)
    unprocessed.update(status=ReceivedWebhook.Status.FAILED, error=reason[:500])


def process_again(*, received_id: UUID, actor: User) -> ReceivedWebhook:
    """Handle a stored message once more, by staff with the permission. Locks its row.

    Raises Missing, UnknownReceiver (its sender is no longer configured), Conflict (it is being handled).
    """
    with transaction.atomic():
        received = ReceivedWebhook.objects.select_for_update(of=("self",)).filter(pk=received_id).first()
        if received is None or not actor.has_perm("jobs.change_receivedwebhook"):
            raise Missing("There is no such message.")
        if received.job_id and Job.objects.active().filter(pk=received.job_id).exists():
            raise Conflict("This message is being handled already.")
        received.status, received.error, received.processed_at = ReceivedWebhook.Status.STORED, "", None
        received.job = _queued(received, handle_kind_of(received.source))
        received.save(update_fields=["status", "error", "processed_at", "job"])
    return received
