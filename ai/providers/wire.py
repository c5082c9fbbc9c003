"""One request to the provider, and what its outcome means. One client per process, shared by its threads."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import httpx
from django.conf import settings

MOST_BYTES = 8 * 1024 * 1024
MOST_BYTES_OF_LINES = 128 * 1024 * 1024
AGENT = "Plumbline/1"
REFUSED = (401, 402, 403, 404)
THROTTLED = (429, 529)
REJECTED = (400, 413, 422)
# Providers say so with a 400 or a 429 too; it does not pass by waiting.
NO_MONEY = ("credit balance", "insufficient_quota", "billing_hard_limit", "exceeded your current quota")


class Failed(Exception):
    """A request without an answer. `code` as kept in ModelCall.faults; `status` 0: none came. `is_maybe_billed`: it was
    sent, and the provider may have worked on it."""

    def __init__(
        self, code: str, message: str, *, status: int = 0, latency_ms: int = 0, is_maybe_billed: bool = False
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.latency_ms = latency_ms
        self.is_maybe_billed = is_maybe_billed


class Throttled(Failed):
    """One call too many. `retry_after_s`: None if the provider does not say. `is_shared`: everybody has been told."""

    retry_after_s: float | None = None
    is_shared = False


class KeyRefused(Failed):
    """Every other call would end like this too."""


class Rejected(Failed):
    """This request would end like this every time."""


@dataclass(frozen=True)
class Received:
    document: Mapping[str, Any]
    latency_ms: int


def post(url: str, *, headers: Mapping[str, str], body: Mapping[str, Any], timeout_s: float) -> Received:
    """The JSON object that came with 200. Raises Failed and its kinds; nothing of a key is in their words.

    `timeout_s`: of the whole. A server that drips bytes may exceed it by one pause between two of them at most.
    """
    content = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return _received(*_exchange("POST", url, headers, content, timeout_s, MOST_BYTES))


def get(url: str, *, headers: Mapping[str, str], timeout_s: float) -> Received:
    """As `post`."""
    return _received(*_exchange("GET", url, headers, None, timeout_s, MOST_BYTES))


def get_lines(url: str, *, headers: Mapping[str, str], timeout_s: float) -> list[Mapping[str, Any]]:
    """The JSON objects of a file that holds one a line. Raises as `post`: Failed too for a line that is none, as the
    last one of a file that was cut off."""
    raw, latency_ms = _exchange("GET", url, headers, None, timeout_s, MOST_BYTES_OF_LINES)
    found = [_json(line) for line in raw.splitlines() if line.strip()]
    if not all(isinstance(line, dict) for line in found):
        raise Failed("no_json", "A line of the results is no JSON object.", status=200, latency_ms=latency_ms)
    return found


def _received(raw: bytes, latency_ms: int) -> Received:
    document = _json(raw)
    if not isinstance(document, dict):
        raise Failed(
            "no_json", "The answer is no JSON object.", status=200, latency_ms=latency_ms, is_maybe_billed=True
        )
    return Received(document, latency_ms)


def _exchange(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout_s: float, most_bytes: int
) -> tuple[bytes, int]:
    """What came with 200, and after how many ms."""
    began = time.monotonic()
    timeout = httpx.Timeout(timeout_s, connect=min(settings.AI_CONNECT_TIMEOUT_S, timeout_s))
    sent = {"content-type": "application/json", "user-agent": AGENT, **headers}
    try:
        with _client().stream(method, url, headers=sent, content=content, timeout=timeout) as response:
            raw = _read(response, began + timeout_s, most_bytes)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
        raise Failed("unreachable", f"It could not be reached: {_words(error)}", latency_ms=_since(began)) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        text = f"No answer within {timeout_s:.0f} s."
        raise Failed("timeout", text, latency_ms=_since(began), is_maybe_billed=True) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        text = f"The connection broke: {_words(error)}"
        raise Failed("connection_lost", text, latency_ms=_since(began), is_maybe_billed=True) from error
    latency_ms = _since(began)
    if response.status_code != 200:
        raise _failure(response, _without_key(raw, headers), latency_ms)
    return raw, latency_ms


def _read(response: httpx.Response, until: float, most_bytes: int) -> bytes:
    raw = bytearray()
    for chunk in response.iter_bytes():
        raw += chunk
        if len(raw) > most_bytes:
            raise httpx.DecodingError(f"more than {most_bytes} bytes")
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(raw)


def _failure(response: httpx.Response, raw: bytes, latency_ms: int) -> Failed:
    status, words = response.status_code, _said(raw)
    text = f"{status}: {words}" if words else str(status)
    lower = words.lower()
    if status in REFUSED or (400 <= status < 500 and any(sign in lower for sign in NO_MONEY)):
        return KeyRefused("refused", text, status=status, latency_ms=latency_ms)
    retry_after_s = _retry_after_s(response.headers)
    if status in THROTTLED or (status == 503 and retry_after_s is not None):
        throttled = Throttled("throttled", text, status=status, latency_ms=latency_ms)
        throttled.retry_after_s = retry_after_s
        return throttled
    if status in REJECTED or not (status >= 500 or status in (408, 409, 425)):
        return Rejected("rejected", text, status=status, latency_ms=latency_ms)
    return Failed("server_error", text, status=status, latency_ms=latency_ms)


def _without_key(raw: bytes, headers: Mapping[str, str]) -> bytes:
    """Some servers repeat the key that they refuse; what they say is kept and shown."""
    for name in ("x-api-key", "authorization"):
        if key := headers.get(name, "").removeprefix("Bearer ").encode():
            raw = raw.replace(key, b"***")
    return raw


def _retry_after_s(headers: httpx.Headers) -> float | None:
    """Seconds, or a date (RFC 9110, 10.2.3); None: not stated, or nonsense."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _said(raw: bytes) -> str:
    """The provider's own words for a failure: {"error": {"type", "message"}}, or {"error": "…"}, or plain text."""
    document = _json(raw)
    error = document.get("error", document) if isinstance(document, dict) else None
    if isinstance(error, dict):
        parts = [str(error[key]) for key in ("type", "code", "message", "detail") if error.get(key)]
        return ": ".join(parts)[:300]
    text = str(error) if error else raw.decode("utf-8", "replace")
    return " ".join(text.split())[:300]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]


# --- the client -------------------------------------------------------------------------------------------------------

_lock = threading.Lock()


def _client() -> httpx.Client:
    with _lock:
        return _made(settings.AI_PROXY_URL)


@lru_cache(maxsize=4)
def _made(proxy_url: str) -> httpx.Client:
    """Connections are kept for the next call: a new client per call took three times as long (1,000 calls, 2026-11).
    The environment's proxies and .netrc are not read: a key goes where the settings say, and nowhere else."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=20.0)
    return httpx.Client(proxy=proxy_url or None, trust_env=False, limits=limits, follow_redirects=False)


def _forget_client() -> None:
    """A forked child must not speak on its parent's connections."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    _made.cache_clear()


os.register_at_fork(after_in_child=_forget_client)
