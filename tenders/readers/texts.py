"""Small values as publishers write them: dates, money, codes, text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

_FRACTION = re.compile(r"(\.\d{6})\d+")
_CPV = re.compile(r"^(\d{8})(?:-\d)?$")
_SENTENCE = re.compile(r"(?<=[.!?؟。])\s")
# C0 controls but tab and newline, and lone surrogates: PostgreSQL refuses some, screens show none of them.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# An escaped NUL, which PostgreSQL's own JSON refuses; not one whose backslash is itself escaped.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_TEXTS = (str, int, float, Decimal)
LONGEST_TITLE = 500
LARGEST = Decimal(10) ** 16
CENT = Decimal("0.01")


def text_of(value: Any, *, longest: int | None = None) -> str:
    """Trimmed, without characters that can't be stored; "" for what is no text."""
    if type(value) is not str:
        if value is None or isinstance(value, bool) or not isinstance(value, _TEXTS):
            return ""
        value = str(value)
    text: str = value.strip()
    if not text.isprintable():  # many times as fast as the search, and most texts are
        text = _UNSTORABLE.sub("", text).strip()
    return text if longest is None or len(text) <= longest else text[: longest - 1].rstrip() + "…"


def first_sentence(text: str) -> str:
    """To stand for a title: up to the first full stop, at most 200 characters."""
    line = " ".join(text.split())
    return text_of(_SENTENCE.split(line, maxsplit=1)[0], longest=200)


def moment_of(value: Any) -> tuple[datetime | None, bool]:
    """(moment in UTC, whether a zone was stated). Without one it is read as UTC. RFC 3339, dates alone too."""
    text = text_of(value)
    return _moment(text) if text and len(text) <= 40 else (None, True)


@lru_cache(maxsize=1000)  # one release says the same moment in several places
def _moment(text: str) -> tuple[datetime | None, bool]:
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text) if "." in text else text)
    except ValueError:
        return None, True
    if moment.tzinfo is UTC:
        return moment, True
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC), False
    try:
        return moment.astimezone(UTC), True
    except OverflowError:  # year 1 or 9999
        return None, True


def amount_of(value: Any) -> Decimal | None:
    """A number as Decimal with two places; None for none, and for what no money can be."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= LARGEST:
        return None
    return amount.quantize(CENT)


def currency_of(value: Any) -> str:
    text = text_of(value)
    return _currency(text) if 0 < len(text) <= 3 else ""


@lru_cache(maxsize=1000)
def _currency(text: str) -> str:
    code = text.upper()
    return code if len(code) == 3 and code.isalpha() and code.isascii() else ""


def cpv_of(value: Any) -> str:
    """Eight digits of a CPV code, its check digit left out; "" for what is none."""
    text = text_of(value)
    return _cpv(text) if 8 <= len(text) <= 10 else ""


@lru_cache(maxsize=10_000)  # there are 9,454 codes
def _cpv(text: str) -> str:
    found = _CPV.match(text)
    return found.group(1) if found else ""


def without_nul(text: bytes) -> bytes:
    """JSON without NUL characters."""
    if b"\\" in text and b"\\u0000" in text:  # one letter is found in a fraction of the time of six
        return _NUL.sub(rb"\1", text)
    return text
