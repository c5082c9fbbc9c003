"""GET /api/quiz ahead of Django: a public quiz is drawn and sent without a thread, a middleware or a query.

What is not a plain hit (a token, a cookie, an odd parameter, no pool yet, Redis away) goes on to Django, whose answer
is the same (quiz.api.quiz_views).
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from time import perf_counter
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import orjson
from django.conf import settings
from django.core.signals import setting_changed
from django.http.request import split_domain_port, validate_host

from config.api.throttles import PROBLEM, headers_of, refusal
from config.metrics.hot import HotRoute
from config.redis_access import RedisAway
from config.redis_line import NumbersOf, RedisLine, ScriptCall
from config.throttling import (
    LimitHeaders,
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
from .services.pool_store import LOOK, keys_of, numbers_of

PATHS = ("/api/quiz", "/api/quiz/")
PLAIN = [
    (b"content-type", b"application/json"),
    (b"x-cache", b"hit"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]
LOOKED_AT = frozenset((b"host", b"authorization", b"cookie", b"x-forwarded-for", b"x-forwarded-proto"))
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class _Site(NamedTuple):
    """Of the settings, each of which takes a microsecond to look up there."""

    has_pools: bool
    is_secure_only: bool


class _Asked:
    """What is the same whenever the same caller asks the same: made once, kept for a while."""

    __slots__ = ("call", "count", "limits", "pool", "questions", "windows")

    def __init__(self, count: int, keys: tuple[str, ...], windows: tuple[Window, ...]) -> None:
        self.count, self.pool, self.windows = count, keys[0], windows
        self.limits, self.questions = LimitHeaders(windows), NumbersOf("HMGET", keys[0])
        self.call = ScriptCall(LOOK, [*keys, *throttle_keys(windows)], ["", 0, *arguments_of(windows)])

    def fetch(self, size: int) -> bytes:
        """The command that draws from a pool of this size; none for none."""
        return self.questions.packed(numbers_of(size, self.count)) if size else b""


class QuizFront:
    """ASGI: answers public hits, hands everything else to `otherwise`."""

    def __init__(self, otherwise: Any) -> None:
        self._otherwise = otherwise
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, RedisLine] = WeakKeyDictionary()
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that asked last, and its line
        self._line_of_it: RedisLine | None = None
        self.counted = HotRoute("GET", PATHS[0])
        self._sizes: dict[str, int] = {}  # of pools, as Redis told them last

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
        asked = _asked_by(scope)
        if asked is None:
            return None
        try:
            (state, *told), questions = await self._drawn(asked)
        except RedisAway:
            return None
        if state == b"refused":
            return _refused(verdict_of(asked.windows, told[1]))
        if state != b"drawn" or None in questions:  # a smaller pool has come in between
            return None
        return 200, [*PLAIN, *asked.limits.of_counted(told[1])], encoded_quiz(questions)

    async def _drawn(self, asked: _Asked) -> tuple[Any, list[bytes]]:
        """What LOOK says, and questions: one round trip while the pool is as large as it was. RedisAway."""
        line, size = self._line(), self._sizes.get(asked.pool, 0)
        told, questions = await line.run(asked.call, asked.fetch(size))
        if told[0] == b"drawn" and told[1] != size:
            size = self._sizes[asked.pool] = told[1]
            questions = await line.ask(asked.fetch(size)) if size else []
        return told, questions or []

    def _line(self) -> RedisLine:
        """Of the loop that asks: a server has one."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._line_of_it is None:
            line = self._lines.get(loop)
            if line is None:
                line = self._lines[loop] = RedisLine(str(settings.REDIS_CACHE_URL))
            self._loop, self._line_of_it = loop, line
        return self._line_of_it


def _asked_by(scope: Any) -> _Asked | None:
    """None: not by nobody in particular, of a host that is ours, over what the site is served by; or Django has
    something to say of the query."""
    site = _site()
    host, forwarded, is_secure = b"", b"", not site.is_secure_only or scope.get("scheme") == "https"
    for name, value in scope["headers"]:
        if name not in LOOKED_AT:
            continue
        if name == b"host":
            host = value
        elif name == b"x-forwarded-for":
            forwarded = forwarded + b"," + value if forwarded else value
        elif name == b"x-forwarded-proto":
            is_secure = is_secure or value == b"https"
        else:
            return None
    if not (is_secure and site.has_pools and _is_ours(host)):
        return None
    return _asked(scope["query_string"], (scope.get("client") or ("",))[0], forwarded)


@lru_cache(maxsize=1)
def _site() -> _Site:
    return _Site(bool(settings.CACHES_ENABLED), bool(settings.SECURE_SSL_REDIRECT))


@lru_cache(maxsize=64)
def _is_ours(host: bytes) -> bool:
    domain, _ = split_domain_port(host.decode("latin-1").lower())
    allowed = settings.ALLOWED_HOSTS or ([".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else [])
    return bool(domain) and validate_host(domain, allowed)


@lru_cache(maxsize=4096)
def _asked(query: bytes, remote: str, forwarded: bytes) -> _Asked | None:
    try:
        told = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=8, errors="strict")
        wish = wish_of(dict(told))
    except (UnicodeDecodeError, ValueError, BadQuiz):
        return None
    windows: tuple[Window, ...] = ()
    if is_enabled():
        place = place_of(stated_address(remote, forwarded.decode("latin-1")))
        windows = tuple(Window(limit, place) for limit in limits_of("quiz"))
    return _Asked(wish.count, tuple(keys_of(wish.category, wish.level)), windows)


def _forget(**_: Any) -> None:
    """What was made of settings, when one of them is another (in tests)."""
    for kept in (_site, _is_ours, _asked):
        kept.cache_clear()


setting_changed.connect(_forget)


def _refused(verdict: Verdict) -> Answer:
    detail, extra = refusal(SimpleNamespace(throttle_verdict=verdict))  # type: ignore[arg-type]  # it reads that alone
    title = "Too Many Requests"
    told = {"type": "about:blank", "title": title, "status": 429, "detail": detail, "code": "throttled", **extra}
    limits = [(name.lower().encode(), value.encode()) for name, value in headers_of(verdict).items()]
    headers = [(b"content-type", PROBLEM.encode()), (b"retry-after", b"%d" % verdict.wait_s), *limits]
    return 429, headers, orjson.dumps(told)
