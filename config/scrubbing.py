"""No secret in logs or in Sentry: what looks like one is replaced before a line leaves the process.

The first line of defence is not to log headers, bodies and parameters at all. This is the second: query strings of
sockets and of the cron endpoint carry tokens, links in mails carry keys, and error messages quote URLs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"
DEEPEST = 6

_NAMES = r"(?:[\w-]*(?:secret|token|passw(?:or)?d|api[_-]?key|signature)|authorization|cookie|sessionid|key|code|dsn)"
_SECRET_NAME = re.compile(
    r"secret|token|passw|authorization|cookie|api[_-]?key|sessionid|signature|credential|private|dsn", re.IGNORECASE
)
# Anybody may send any address, and each is scrubbed: a pattern must not look at the same text from each of its
# characters on. So each begins with fixed characters, or only where nothing that it could go on with stands before.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # ?token=…&secret=…, and the same in a message: "password=…"
    (re.compile(rf"(?<![\w-])({_NAMES})=(?!\*\*\*)[^\s&;,'\"#]+", re.IGNORECASE), rf"\1={MASK}"),
    # Authorization: Bearer …, a header printed by a library
    (re.compile(r"\b(Bearer|Basic|Token)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {MASK}"),
    (
        re.compile(r"\b((?:set-)?cookie|authorization)(['\"]?\s*[:=]\s*['\"]?)[^'\"\r\n]+", re.IGNORECASE),
        rf"\1\2{MASK}",
    ),
    # {"password": "…"}, {'token': '…'}
    (re.compile(rf"(['\"]{_NAMES}['\"]\s*:\s*)(['\"])[^'\"]*\2", re.IGNORECASE), rf"\1\2{MASK}\2"),
    # postgresql://user:password@host
    (re.compile(r"(://[^\s:/@]*:)[^\s/@]+@"), rf"\1{MASK}@"),
    # keys in the links of our mails (confirming an address, setting a password, no more alerts), and of calendars
    (
        re.compile(r"(/confirm-email/|/password/reset/key/|/tenders/calendar/|/tenders/alerts/stop/)[^\s/?]+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]+"), f"whsec_{MASK}"),
    # a JWT, wherever it is
    (re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"), MASK),
)


def scrub_text(text: str) -> str:
    """The text without what looks like a secret. Idempotent."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def scrub(value: Any, depth: int = 0) -> Any:
    """A copy of the data without secrets: by the names of its keys, and in its texts. What is no JSON (a request, an
    exception) becomes its text, for a renderer would print it after this."""
    if isinstance(value, str):
        return scrub_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth < DEEPEST and isinstance(value, Mapping):
        return {key: MASK if _is_secret(key, each) else scrub(each, depth + 1) for key, each in value.items()}
    if depth < DEEPEST and isinstance(value, (list, tuple)):
        return [scrub(each, depth + 1) for each in value]
    return scrub_text(str(value))


def _is_secret(key: Any, value: Any) -> bool:
    """Counts and flags that are named after secrets ("tokens": 1200) are none."""
    is_named_so = isinstance(key, str) and _SECRET_NAME.search(key) is not None
    return is_named_so and value is not None and not isinstance(value, (bool, int, float))


def scrub_event(logger: Any, name: str, event: Any) -> Any:
    """A structlog processor: the last before rendering. structlog's own entries (`_record`) are left alone."""
    return {
        key: each if str(key).startswith("_") else (MASK if _is_secret(key, each) else scrub(each, 1))
        for key, each in event.items()
    }
