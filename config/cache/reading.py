"""Asking a cache: `get_or_set`, and what makes its values stale.

Many callers who miss the same value at once, in whatever process, wait a moment for the one who makes it. A value that
has become old is made anew by one while the others still get it. Errors are raised and never kept; None is a value.
Without Redis everything is made by whoever asks, without delay.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar, cast

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import transaction

from config.redis_access import RedisAway

from . import store
from .keys import Part, cache_key
from .policy import Namespace, namespace_of
from .store import Found, State

T = TypeVar("T")
WAIT_S = 2.0  # for another caller's value; then it is made once more rather than waited for
POLL_S = 0.02
LONGEST_POLL_S = 0.1

_lost: dict[tuple[str, ...], Callable[[], None]] = {}  # what was to be made stale while Redis was away
_lost_lock = threading.Lock()


def get_or_set(namespace: str, parts: Sequence[Part], make: Callable[[], T], ttl_s: float | None = None) -> T:
    """The value kept under `parts`, or the one that `make` makes now and is kept for `ttl_s` (None: the policy's).

    In a transaction that has called `invalidate` or `forget` for it, it is made and not kept: nobody else may see it
    yet.
    """
    told = namespace_of(namespace)
    entry = cache_key(namespace, *parts)
    if _is_being_changed(namespace, entry):
        return make()
    found, deadline, poll_s = _read(told, entry), time.monotonic() + WAIT_S, POLL_S
    while found is not None and _must_wait(found) and time.monotonic() < deadline:
        time.sleep(poll_s)
        poll_s = min(2 * poll_s, LONGEST_POLL_S)
        found = _read(told, entry, is_first=False)
    if found is not None and _serves(found):
        return cast(T, found.value)
    began = time.monotonic()
    try:
        value = make()
    except BaseException:
        _failed(told, entry, found)
        raise
    _keep(told, entry, found, value, ttl_s, time.monotonic() - began)
    return value


async def aget_or_set(
    namespace: str, parts: Sequence[Part], make: Callable[[], Awaitable[T]], ttl_s: float | None = None
) -> T:
    """The same for coroutines: `make` is awaited in this task, Redis is asked in a thread."""
    told = namespace_of(namespace)
    entry = cache_key(namespace, *parts)
    read = sync_to_async(_read, thread_sensitive=False)
    found, deadline, poll_s = await read(told, entry), time.monotonic() + WAIT_S, POLL_S
    while found is not None and _must_wait(found) and time.monotonic() < deadline:
        await asyncio.sleep(poll_s)
        poll_s = min(2 * poll_s, LONGEST_POLL_S)
        found = await read(told, entry, is_first=False)
    if found is not None and _serves(found):
        return cast(T, found.value)
    began = time.monotonic()
    try:
        value = await make()
    except BaseException:
        await asyncio.shield(sync_to_async(_failed, thread_sensitive=False)(told, entry, found))
        raise
    took_s = time.monotonic() - began
    await sync_to_async(_keep, thread_sensitive=False)(told, entry, found, value, ttl_s, took_s)
    return value


def invalidate(namespace: str) -> None:
    """Every value of the namespace is stale once the transaction under way commits (at once if there is none).

    Not from a coroutine: it looks at the database connection.
    """
    told = namespace_of(namespace)
    transaction.on_commit(partial(_make_stale, (namespace,), partial(store.invalidate, told)), robust=True)


def forget(namespace: str, *parts: Part) -> None:
    """This one value is stale once the transaction under way commits (at once if there is none). As `invalidate`."""
    told, entry = namespace_of(namespace), cache_key(namespace, *parts)
    transaction.on_commit(partial(_make_stale, (namespace, entry), partial(store.forget, told, entry)), robust=True)


def _is_being_changed(namespace: str, entry: str) -> bool:
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        return False
    waiting = [
        step for _, step, _ in connection.run_on_commit if isinstance(step, partial) and step.func is _make_stale
    ]
    return any(step.args[0] in ((namespace,), (namespace, entry)) for step in waiting)


def _make_stale(name: tuple[str, ...], step: Callable[[], None]) -> None:
    try:
        step()
    except RedisAway:  # remembered by this process; should it end before, the value lives until its time is over
        with _lost_lock:
            _lost[name] = step


def _catch_up() -> None:
    """What was made stale while Redis was away, before anything is read from it. RedisAway."""
    if not _lost:
        return
    with _lost_lock:
        for name, step in list(_lost.items()):
            step()
            del _lost[name]


def _read(namespace: Namespace, entry: str, *, is_first: bool = True) -> Found | None:
    """None: no Redis, no caches wanted."""
    if not settings.CACHES_ENABLED:
        return None
    try:
        _catch_up()
        return store.read(namespace, entry, is_first=is_first)
    except RedisAway:
        return None


def _must_wait(found: Found) -> bool:
    return found.state is State.MISSING and not found.is_mine


def _serves(found: Found) -> bool:
    """A value that is due is served to all but the one who makes it anew."""
    return found.state is State.FRESH or (found.state is State.DUE and not found.is_mine)


def _failed(namespace: Namespace, entry: str, found: Found | None) -> None:
    try:
        if found is not None:
            store.failed(namespace, entry, found.token)
    except RedisAway:
        return


def _keep(
    namespace: Namespace, entry: str, found: Found | None, value: object, ttl_s: float | None, took_s: float
) -> None:
    if found is None:
        return
    try:
        store.store(namespace, entry, found, value, ttl_s=namespace.ttl_s if ttl_s is None else ttl_s, took_s=took_s)
    except RedisAway:
        return
