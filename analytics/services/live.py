"""Demand has moved: said on the socket's channels, so that pages which show it fetch themselves anew.

`demand:shared` is for whoever is signed in, `demand:<organisation>` for its members. What is said names no entity and
no question: a page asks for what its reader may see. At most twice a second a channel, whatever the number of
consumers; the last of a row of moves is always told.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, Sum

from accounts.models import User
from accounts.querysets import organisation_ids_of
from jobs import events
from jobs.connections import RedisError, breaker_of, events_redis, events_url
from jobs.events import stream
from jobs.registry import register_channel

from ..models import EntityTotal

log = structlog.get_logger(__name__)
KIND = "demand"
SHARED = "shared"
EVERY_S = 0.5
MOST = 200  # channels at one go: the others follow
Owner = UUID | str | None


def channel_of(owner: Owner) -> str:
    """None: what belongs to nobody, and everybody sees."""
    return f"{KIND}:{owner or SHARED}"


def channels_of(organisations: Iterable[UUID]) -> list[str]:
    """Of what a member of these sees."""
    return [channel_of(None), *(channel_of(each) for each in organisations)]


def moments(channels: list[str]) -> list[int] | None:
    """The number of the last move told on each, in one round trip; None: Redis is away, and nothing is told. A page
    that is made after reading them shows at least what they stand for."""
    breaker = breaker_of(events_url())
    if breaker.is_open:
        return None
    try:
        found = events_redis().mget([stream.keys_of(each)[0] for each in channels])
    except (RedisError, OSError):
        breaker.failed()
        return None
    return [int(each or 0) for each in found]


def moved_on_commit(owners: Iterable[Owner]) -> None:
    """Their figures change with the transaction under way. Costs nothing worth noticing, and never fails it."""
    told = {str(owner) if owner else SHARED for owner in owners}
    if told:
        transaction.on_commit(partial(_teller.moved, told), robust=True)


class Teller:
    """Of one process: gathers who moved, and tells it now or half a second after the last time. Threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}
        self._timer: threading.Timer | None = None
        self._told_at = 0.0

    def moved(self, owners: Iterable[str]) -> None:
        with self._lock:
            self._waiting |= dict.fromkeys(owners)
            if self._timer is not None:
                return
            wait_s = self._told_at + EVERY_S - time.monotonic()
            if wait_s > 0:
                self._tell_in(wait_s)
                return
        self.tell()

    def tell(self) -> None:
        """What waits. What another process has told within the last half second waits once more."""
        with self._lock:
            self._timer = None
            self._told_at = time.monotonic()
            owners = list(self._waiting)[:MOST]
            for owner in owners:
                del self._waiting[owner]
        held_back = _tell(owners)
        with self._lock:
            self._waiting |= dict.fromkeys(held_back)
            if self._waiting and self._timer is None:
                self._tell_in(EVERY_S)

    @property
    def is_waiting(self) -> bool:
        """For the moment in which it may tell more."""
        with self._lock:
            return bool(self._waiting)

    def stop(self) -> None:
        """What waits is not told any more."""
        with self._lock:
            self._waiting.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _tell_in(self, wait_s: float) -> None:
        self._timer = threading.Timer(wait_s, self.tell)
        self._timer.daemon = True
        self._timer.start()


def _tell(owners: list[str]) -> list[str]:
    """Those that may not be told yet. Without Redis nobody is told anything, and pages ask by themselves."""
    if not owners or breaker_of(events_url()).is_open:
        return []
    try:
        with events_redis().pipeline(transaction=False) as pipe:
            for owner in owners:
                pipe.set(f"{settings.REDIS_KEY_PREFIX}:demand:told:{owner}", 1, nx=True, px=int(EVERY_S * 900))
            is_free = pipe.execute()
    except (RedisError, OSError) as error:
        breaker_of(events_url()).failed()
        log.warning("demand_move_not_told", error=type(error).__name__)
        return []
    told = [owner for owner, free in zip(owners, is_free, strict=True) if free]
    if told:
        events.publish_many(
            (channel_of(owner), "demand_moved", {"organisation_id": None if owner == SHARED else owner})
            for owner in told
        )
    return [owner for owner, free in zip(owners, is_free, strict=True) if not free]


def may_join(user: User, channel_id: str) -> bool:
    """Any text may come as an id."""
    if channel_id == SHARED:
        return True
    try:
        organisation_id = UUID(channel_id)
    except ValueError:
        return False
    if str(organisation_id) != channel_id:  # another spelling would be a channel on which nothing is ever said
        return False
    return organisation_ids_of(user).filter(organisation_id=organisation_id).exists()


def snapshot(user: User, channel_id: str) -> dict[str, Any]:
    """The sums of this owner's entities. `jobs`: of demand there are none."""
    owner = None if channel_id == SHARED else channel_id
    theirs = Q(organisation__isnull=True) if owner is None else Q(organisation_id=owner)
    sums = EntityTotal.objects.filter(theirs).aggregate(queries=Sum("queries"), needing=Sum("needing_update"))
    told = {"total_queries": sums["queries"] or 0, "needs_update": sums["needing"] or 0}
    return {"organisation_id": owner, **told, "jobs": []}


register_channel(kind=KIND, can_join=may_join, snapshot=snapshot)
_teller = Teller()


def _begin_anew() -> None:
    """In a forked child: the parent's timer is not here, and its lock may be held for ever."""
    global _teller  # noqa: PLW0603 - the state of the process
    _teller = Teller()


os.register_at_fork(after_in_child=_begin_anew)
