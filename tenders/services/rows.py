"""Tenders and releases as lines of COPY."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from ..models import Tender
from ..readers import Notice, Release
from ..readers.texts import moment_of

TENDER_COLUMNS = (
    "title", "description", "language", "country", "buyer_name", "buyer_id", "status", "procedure", "category",
    "cpv_main", "cpv_codes", "unspsc_codes", "value_amount", "value_currency", "published_at", "deadline_at", "url",
    "regions", "documents", "lots", "flags",
)  # fmt: skip
RELEASE_COLUMNS = (
    "tender_id", "release_id", "date_stated", "published_at", "tags", "digest", "raw", "imported_by_id", "received_at",
)  # fmt: skip
LIMITS: dict[str, int] = {
    str(field.column): field.max_length or 0
    for field in Tender._meta.concrete_fields
    if getattr(field, "max_length", 0)
}
_JSON = frozenset(("cpv_codes", "unspsc_codes", "regions", "documents", "lots", "flags"))
_SPECIAL = re.compile("[\\\\\t\n\r\x00]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": ""})
# An escaped NUL, which jsonb refuses; not one whose backslash is itself escaped.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def release_json(raw: dict[str, Any]) -> bytes:
    """As stored: JSON without NUL characters. Raises ValueError for what no JSON can say (lone surrogates)."""
    try:
        text = orjson.dumps(raw)
    except TypeError as error:  # orjson.JSONEncodeError is one
        raise ValueError(f"It can't be stored: {error}.") from error
    return _NUL.sub(rb"\1", text) if b"\\u0000" in text else text


def digest_of(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def tender_values(notice: Notice) -> tuple[str, ...]:
    """Each field of TENDER_COLUMNS as COPY writes it."""
    return tuple(_value(name, getattr(notice, name)) for name in TENDER_COLUMNS)


def content_hash(values: Sequence[str]) -> str:
    """Of everything that people and analysers read."""
    return digest_of("\t".join(values).encode("utf-8", "surrogatepass"))


def release_line(release: Release, *, tender_id: UUID, digest: str, text: bytes, import_id: UUID, now: str) -> bytes:
    moment, _ = moment_of(release.date)
    known = "\t".join(
        (
            str(tender_id),
            escaped(release.release_id, 300),
            escaped(release.date, 60),
            _value("published_at", moment),
            escaped(orjson.dumps(release.tags).decode()),
            digest,
        )
    )
    return known.encode() + b"\t" + text.replace(b"\\", b"\\\\") + f"\t{import_id}\t{now}\n".encode()


def _value(name: str, value: Any) -> str:
    if name in _JSON:
        return escaped(orjson.dumps(_plain(value)).decode()) if value else "[]"
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return escaped(value, LIMITS.get(name, 0))
    return value.isoformat() if isinstance(value, datetime) else str(value)


def escaped(text: str, limit: int = 0) -> str:
    if limit and len(text) > limit:
        text = text[:limit]
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


def _plain(values: tuple[Any, ...]) -> list[Any]:
    if isinstance(values[0], str):
        return list(values)
    return [{k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(value).items()} for value in values]
