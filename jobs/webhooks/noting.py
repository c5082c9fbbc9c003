"""What is made of a message of a sender that is only configured (INCOMING_WEBHOOKS): staff are told of it.

Senders whose messages change something get a receiver and a kind of their own; this is the smallest one that is of
use, and the pattern for those.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import orjson
from django.urls import reverse

from accounts.exceptions import Refused
from accounts.models import User

from ..events import publish_on_commit
from ..models import ReceivedWebhook
from .receiving import mark_processed

Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]


def note(*, received_id: UUID, finishing: Finishing) -> None:
    """Mark it as processed and say so to the staff who may read it. Refused: the body is no JSON object."""
    received = ReceivedWebhook.objects.get(pk=received_id)
    message = _object_in(bytes(received.body))
    text = f"{received.source} sent {received.event_type or 'a message'}."
    address = reverse("admin:jobs_receivedwebhook_change", args=[received.pk])
    with finishing() as finish:
        mark_processed(received_id=received_id)
        for user in User.objects.filter(is_staff=True, status=User.Status.ACTIVE):
            if user.has_perm("jobs.view_receivedwebhook"):
                publish_on_commit(f"user:{user.pk}", "notification", {"level": "info", "text": text, "url": address})
        finish({"source": received.source, "type": received.event_type, "members": sorted(message)[:50]})


def _object_in(body: bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refused("The body is no JSON.", code="webhook_not_json") from None
    if not isinstance(message, dict):
        raise Refused("The body is no JSON object.", code="webhook_not_json")
    return message
