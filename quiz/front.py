"""GET /api/quiz ahead of Django: a public quiz is drawn and sent without a thread, a middleware or a query.

What is not a plain hit (a token, a cookie, an odd parameter, no pool yet, Redis away) goes on to Django, whose answer
is the same (quiz.api.quiz_views).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from time import perf_counter
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import orjson
from django.conf import settings
from django.http.request import split_domain_port, validate_host

from config.api.throttles import PROBLEM, headers_of, refusal
from config.metrics.hot import HotRoute
from config.redis_access import RedisAway
from config.redis_line import RedisLine
from config.throttling import (
    Verdict,
    Window,
    arguments_of,
    is_enabled,
    limits_of,
    place_of,
    stated_address,
    verdict_of,
)
from config.throttling import keys_of as throttle_keys

from .exceptions import BadQuiz
from .services.pool import encoded_quiz, wish_of
from .services.pool_store import DRAW, keys_of

PATHS = ("/api/quiz", "/api/quiz/")
PLAIN = [
    (b"content-type", b"application/json"),
    (b"x-cache", b"hit"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
Counted = tuple[tuple[Window, ...], tuple[str, ...], tuple[int, ...]]  # windows, their keys and arguments
UNCOUNTED: Counted = ((), (), ())
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class QuizFront:
    """ASGI: answers public hits, hands everything else to `otherwise`."""

    def __init__(self, otherwise: Any) -> None:
        self._otherwise = otherwise
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisLine] = WeakKeyDictionary()
        self.counted = HotRoute("GET", PATHS[0])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        answer, began = None, perf_counter()
        if scope["type"] == "http" and scope["path"] in PATHS and scope["method"] == "GET":
            answer = await self._answer(scope)
        if answer is None:
            await self._otherwise(scope, receive, send)
            return
        status, headers, body = answer
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.counted.note(status, began)

    async def _answer(self, scope: Any) -> Answer | None:
        headers = dict(scope["headers"])
        if not settings.CACHES_ENABLED or not _is_plain(scope, headers):
            return None
        asked = _asked(scope["query_string"])
        if asked is None:
            return None
        count, keys = asked
        counted = (
            _windows((scope.get("client") or ("",))[0], _forwarded(scope["headers"])) if is_enabled() else UNCOUNTED
        )
        windows, window_keys, window_arguments = counted
        try:
            told, *more = await self._line().run(DRAW, keys + window_keys, (count, "", 0, *window_arguments))
        except RedisAway:
            return None
        if told == b"missing":
            return None
        verdict = verdict_of(windows, more[0]) if windows else None
        if told == b"refused" and verdict is not None:
            return _refused(verdict)
        return 200, [*PLAIN, *_limits(verdict)], encoded_quiz(more[1])

    def _line(self) -> RedisLine:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            line = self._lines[loop] = RedisLine(str(settings.REDIS_CACHE_URL))
        return line


def _is_plain(scope: Any, headers: dict[bytes, bytes]) -> bool:
    """Nobody in particular asks, of a host that is ours, over what the site is served by."""
    if b"authorization" in headers or b"cookie" in headers or not _is_ours(headers.get(b"host", b"")):
        return False
    is_secure = scope.get("scheme") == "https" or headers.get(b"x-forwarded-proto") == b"https"
    return is_secure or not settings.SECURE_SSL_REDIRECT


@lru_cache(maxsize=64)
def _is_ours(host: bytes) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1").lower())
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    return bool(domain) and validate_host(domain, allowed)


@lru_cache(maxsize=4096)
def _asked(query: bytes) -> tuple[int, tuple[str, ...]] | None:
    """Count and keys of the pool; None where Django has something to say of it."""
    try:
        told = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=8, errors="strict")
        wish = wish_of(dict(told))
    except (UnicodeDecodeError, ValueError, BadQuiz):
        return None
    return wish.count, tuple(keys_of(wish.category, wish.level))


def _forwarded(headers: list[tuple[bytes, bytes]]) -> str:
    return ",".join(value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for")


@lru_cache(maxsize=4096)
def _windows(remote: str, forwarded: str) -> Counted:
    place = place_of(stated_address(remote, forwarded))
    windows = tuple(Window(limit, place) for limit in limits_of("quiz"))
    return windows, tuple(throttle_keys(windows)), tuple(arguments_of(windows))


def _limits(verdict: Verdict | None) -> list[tuple[bytes, bytes]]:
    told = headers_of(verdict) if verdict is not None else {}
    return [(name.lower().encode(), value.encode()) for name, value in told.items()]


def _refused(verdict: Verdict) -> Answer:
    detail, extra = refusal(SimpleNamespace(throttle_verdict=verdict))  # type: ignore[arg-type]  # it reads that alone
    title = "Too Many Requests"
    told = {"type": "about:blank", "title": title, "status": 429, "detail": detail, "code": "throttled", **extra}
    headers = [(b"content-type", PROBLEM.encode()), (b"retry-after", b"%d" % verdict.wait_s), *_limits(verdict)]
    return 429, headers, orjson.dumps(told)
