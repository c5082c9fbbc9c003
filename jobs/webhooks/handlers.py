"""Background jobs of webhooks: thin wrappers around services."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from ..registry import register
from ..run import Run
from . import delivering, noting, receiving
from .emitting import DELIVER
from .receivers import STANDARD_KIND


def delivery_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    delivering.give_up(delivery_id=UUID(params["delivery_id"]), reason=error.get("message", ""))


def handling_failed(params: dict[str, Any], error: dict[str, Any]) -> None:
    """The `on_failed` of every kind that handles received messages."""
    receiving.mark_failed(received_id=UUID(params["received_id"]), reason=error.get("message", ""))


@register(
    DELIVER,
    queue="low",
    concurrency=delivering.AT_ONCE,
    max_retries=len(delivering.WAITS_S),
    backoff_s=delivering.BACKOFF_S,
    timeout_s=60,
    title="Deliver a webhook",
    on_failed=delivery_failed,
)
def deliver_webhook(run: Run, params: dict[str, Any]) -> dict[str, Any] | None:
    """params: delivery_id."""
    return delivering.deliver(delivery_id=UUID(params["delivery_id"]), finishing=run.finishing)


@register(STANDARD_KIND, title="Note a received webhook", timeout_s=60, on_failed=handling_failed)
def note_webhook(run: Run, params: dict[str, Any]) -> None:
    """params: received_id."""
    noting.note(received_id=UUID(params["received_id"]), finishing=run.finishing)
