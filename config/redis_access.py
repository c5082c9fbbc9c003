"""The cache's Redis, for throttles and caches: quick to answer, and its absence costs a caller nothing worth noticing.

A gate per server and process stands before it: after a failure nobody asks for a moment, then one caller tries. What is
counted and kept there may be lost at any time, so whoever asks has to manage without (`RedisAway`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha1
from typing import Any, TypeVar

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONNECT_TIMEOUT_S = 0.25
TIMEOUT_S = 1.0
PAUSE_S = 5.0


class RedisAway(Exception):
    """Redis can't be reached, or failed a moment ago. Nothing for people: do without it."""


class Gate:
    """Open while Redis answers; closed for a pause after it did not. Each pause is logged once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_closed = False
        self._is_tried = False  # somebody passed after a pause, to see whether it is back
        self._closed_until = 0.0

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    def enter(self) -> None:
        """RedisAway while the pause lasts. After it one caller passes; the others go without, for a pause at most."""
        if not self._is_closed:
            return
        with self._lock:
            now = time.monotonic()
            if self._is_closed and now < self._closed_until:
                raise RedisAway("Redis failed a moment ago and is not asked again yet.")
            self._closed_until, self._is_tried = now + PAUSE_S, True

    def failed(self, error: Exception) -> None:
        with self._lock:
            is_news = self._is_tried or not self._is_closed
            self._closed_until, self._is_closed, self._is_tried = time.monotonic() + PAUSE_S, True, False
        if is_news:  # others that were under way fail too: they say nothing new
            log.warning("redis.away", pause_s=PAUSE_S, error=str(error) or type(error).__name__)

    def worked(self) -> None:
        if not self._is_closed:
            return
        with self._lock:
            self._is_closed = self._is_tried = False
        log.info("redis.back")


@lru_cache(maxsize=16)
def gate_of(url: str) -> Gate:
    return Gate()


@lru_cache(maxsize=16)
def client_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=30,
    )


def ask(question: Callable[[redis.Redis], T]) -> T:
    """What `question` finds out from the cache's Redis. RedisAway: it can't be asked, or did not answer."""
    url = str(settings.REDIS_CACHE_URL)
    gate = gate_of(url)
    gate.enter()
    try:
        answer = question(client_of(url))
    except RedisError as error:
        gate.failed(error)
        raise RedisAway(str(error)) from error
    gate.worked()
    return answer


class LuaScript:
    """Lua that runs on the cache's Redis: one round trip, nothing happens in between."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """What it returns. RedisAway."""
        return ask(lambda client: evaluate(client, self.sha, self.text, keys, arguments))


def evaluate(client: redis.Redis, sha: str, text: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """What a script returns; its text is sent where the server does not know it. Raises redis' errors.

    Straight on a connection of the pool, past `Redis.execute_command`, whose retries (our clients have none) and
    telemetry take as long as the round trip itself (2026-11).
    """
    try:
        return _asked(client, "EVALSHA", sha, keys, arguments)
    except NoScriptError:
        return _asked(client, "EVAL", text, keys, arguments)


def _asked(client: redis.Redis, command: str, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command(command, script, len(keys), *keys, *arguments)
        return connection.read_response()
    except ResponseError:
        raise
    except BaseException:
        connection.disconnect()  # the answer may still come, and must not be taken for that of another command
        raise
    finally:
        pool.release(connection)


def key(*parts: str) -> str:
    """Below the prefix that all keys of this site share."""
    return ":".join((str(settings.REDIS_KEY_PREFIX), *parts))
