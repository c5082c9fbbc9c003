"""Tenders and releases as lines of COPY."""

from __future__ import annotations

import hashlib
import os
import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ..readers import Notice, Release
from ..readers.texts import moment_of

TENDER_COLUMNS = Notice._fields
RELEASE_COLUMNS = (
    "tender_id", "release_id", "date_stated", "published_at", "tags", "digest", "raw", "imported_by_id", "received_at",
)  # fmt: skip
LONGEST_NAME, LONGEST_DATE = 300, 60
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": ""})
# An escaped NUL, which jsonb refuses; not one whose backslash is itself escaped.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


@dataclass(slots=True)
class Arrived:
    """A release that is not stored yet: the n-th record of its file. Kept as text, which takes a tenth of the memory of
    its objects, and less time than the garbage collector takes to look through those.
    """

    key: str
    release_id: str
    date: str
    tags: tuple[str, ...]
    text: bytes
    digest: str
    number: int


def arrived(release: Release, number: int) -> Arrived:
    """Cut to what the columns hold. Raises ValueError for what can't be stored."""
    text = release_json(release.raw)
    key, name, date = release.key[:LONGEST_NAME], release.release_id[:LONGEST_NAME], release.date[:LONGEST_DATE]
    return Arrived(key, name, date, release.tags, text, digest_of(text), number)


def release_json(raw: dict[str, Any]) -> bytes:
    """As stored: JSON without NUL characters. Raises ValueError for what no JSON can say (lone surrogates)."""
    try:
        text = orjson.dumps(raw)
    except TypeError as error:  # orjson.JSONEncodeError is one
        raise ValueError(f"It can't be stored: {error}.") from error
    return _NUL.sub(rb"\1", text) if b"\\u0000" in text else text


def digest_of(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def new_id() -> str:
    """A UUID of version 7 (RFC 9562, 5.7): those of one import follow each other in indexes."""
    now = time.time_ns() // 1_000_000
    text = f"{now:012x}7{os.urandom(10).hex()}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:32]}"


def tender_values(notice: Notice) -> str:
    """The fields of TENDER_COLUMNS as COPY writes them, with tabs between."""
    return "\t".join([escaped(value) if type(value) is str else _written(value) for value in notice])


def content_hash(written: str) -> str:
    """Of everything that people and analysers read: what `tender_values` gives."""
    return digest_of(written.encode("utf-8", "surrogatepass"))


def release_line(each: Arrived, *, tender_id: str, tail: bytes) -> bytes:
    """`tail`: which import it came with and when, the same for all releases of a batch."""
    head = (
        f"{tender_id}\t{escaped(each.release_id)}\t{escaped(each.date)}\t{_written(moment_of(each.date)[0])}\t"
        f"{_written(each.tags)}\t{each.digest}\t"
    )
    return head.encode() + each.text.replace(b"\\", b"\\\\") + tail


def escaped(text: str) -> str:
    # Searches for one letter each take a fraction of what one pattern takes.
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text or "\x00" in text:
        return text.translate(_ESCAPES)
    return text


def _written(value: Any) -> str:
    """A moment, an amount, or a tuple as JSON."""
    if isinstance(value, tuple):
        return escaped(orjson.dumps(value, default=str).decode()) if value else "[]"
    if value is None:
        return "\\N"
    return value.isoformat() if isinstance(value, datetime) else str(value)
