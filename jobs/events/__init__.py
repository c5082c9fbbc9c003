"""Events: said once, numbered per channel, kept for an hour, seen live by whoever joined the channel.

A failure to say something never fails the work that it is about: it is logged, and the state is in the database anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
import structlog
from django.db import transaction
from django.utils import timezone

from ..connections import RedisError, events_redis
from . import stream
from .types import EventType

__all__ = ["publish", "publish_many", "publish_on_commit", "recheck", "withdraw"]
log = structlog.get_logger(__name__)


def publish(channel: str, type: EventType, data: Mapping[str, Any]) -> int:
    """Say it now on `kind:{id}`; its number, or 0 when it could not be said. `data` as in `events.types`."""
    return publish_many([(channel, type, data)])[0]


def publish_many(events: Iterable[tuple[str, EventType, Mapping[str, Any]]]) -> list[int]:
    """Several events, in this order, in one round trip; their numbers, or zeros when Redis could not be reached."""
    now = timezone.now().isoformat()
    events = list(events)
    try:
        return stream.append([(channel, stream.encode(channel, kind, now, data)) for channel, kind, data in events])
    except (RedisError, OSError, TypeError, ValueError) as error:
        log.warning("events_not_published", count=len(events), channel=events[0][0] if events else "", error=str(error))
        return [0] * len(events)


def publish_on_commit(channel: str, type: EventType, data: Mapping[str, Any]) -> None:
    """Say it when the present transaction has been committed (at once outside of one): never of what was rolled
    back."""
    transaction.on_commit(lambda: publish(channel, type, data), robust=True)


def withdraw(user_id: UUID | str, channel: str | None = None) -> None:
    """The user may no longer see the channel: every web process drops it. Without one all of the user's sockets close
    (4401)."""
    _order({"user_id": str(user_id), "what": "channel" if channel else "all", "channel": channel})


def recheck(user_id: UUID | str) -> None:
    """The user may see less than before: every web process asks again by what the user came in, and about each channel
    that was joined."""
    _order({"user_id": str(user_id), "what": "recheck"})


def _order(order: dict[str, Any]) -> None:
    try:
        events_redis().publish(stream.control_channel(), orjson.dumps(order))
    except (RedisError, OSError) as error:
        # Hubs ask about their users every minute as well, so a suspension is late, not lost.
        log.warning("withdrawal_not_published", user_id=order["user_id"], error=str(error))
