"""Questions to the database, asked from the event loop: in threads of their own, so that pages' threads are not
waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.db import DatabaseSyncToAsync

from accounts.exceptions import PlumblineError
from accounts.models import User
from accounts.services.tokens import user_of_access_token

from ..registry import channel_kind
from ..states import subject_states

P = ParamSpec("P")
T = TypeVar("T")
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sockets")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    asked = DatabaseSyncToAsync(function, thread_sensitive=False, executor=_threads)
    result: T = await asked(*args, **kwargs)
    return result


def user_of_token(token: str) -> User | None:
    """Whose access token it is; None: not valid, or of somebody who is out."""
    try:
        return user_of_access_token(access=token)
    except PlumblineError:
        return None


def may_join(user: User, channel: str) -> bool:
    """Unknown kinds and foreign ids look the same from outside."""
    kind, _, channel_id = channel.partition(":")
    known = channel_kind(kind)
    return known is not None and bool(channel_id) and known.can_join(user, channel_id)


def snapshot_of(user: User, channel: str) -> dict[str, Any]:
    """The channel's state, and under `jobs` its running jobs (the channel's own list, if it has one)."""
    kind, _, channel_id = channel.partition(":")
    known = channel_kind(kind)
    assert known is not None, channel
    data = known.snapshot(user, channel_id)
    return data if "jobs" in data else data | {"jobs": subject_states(kind, channel_id)}


def still_welcome(user_ids: Iterable[UUID]) -> set[UUID]:
    """Those of the users who exist and are not suspended. One query."""
    users = User.objects.filter(pk__in=list(user_ids)).exclude(status=User.Status.SUSPENDED)
    return set(users.values_list("pk", flat=True))


def visible_channels(user_id: UUID, channels: Iterable[str]) -> set[str]:
    """Those of the channels that the user may (still) join."""
    user = User.objects.filter(pk=user_id).first()
    return {channel for channel in channels if user is not None and may_join(user, channel)}
