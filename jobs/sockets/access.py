"""Questions to the database, asked from the event loop: in threads of their own, so that pages' threads are not
waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from channels.db import DatabaseSyncToAsync
from django.contrib.sessions.models import Session
from django.utils import timezone

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


@dataclass(frozen=True, slots=True)
class SignIn:
    """By what somebody came in: what ends it ends the socket too. `auth_hash` changes with the password and when every
    session is ended at once; `session_key` is empty for tokens."""

    user_id: UUID
    auth_hash: str
    session_key: str = ""


def sign_in_of(user: User, session_key: str = "") -> SignIn:
    return SignIn(user.pk, user.get_session_auth_hash(), session_key)


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


def ended(sign_ins: Iterable[SignIn]) -> tuple[set[SignIn], set[SignIn]]:
    """Of the sign-ins: those whose user is suspended or gone, and those whose password or session is no longer the one.
    Two queries."""
    asked = set(sign_ins)
    users = User.objects.filter(pk__in={one.user_id for one in asked}).exclude(status=User.Status.SUSPENDED)
    hashes = {user.pk: user.get_session_auth_hash() for user in users}
    keys = {one.session_key for one in asked if one.session_key}
    sessions = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    kept = set(sessions.values_list("session_key", flat=True)) | {""}
    out = {one for one in asked if one.user_id not in hashes}
    changed = {one for one in asked - out if hashes[one.user_id] != one.auth_hash or one.session_key not in kept}
    return out, changed


def visible_channels(user_id: UUID, channels: Iterable[str]) -> set[str]:
    """Those of the channels that the user may (still) join."""
    user = User.objects.filter(pk=user_id).first()
    return {channel for channel in channels if user is not None and may_join(user, channel)}
