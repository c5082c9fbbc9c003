"""Questions and their wordings as COPY writes them: columns in one place, hashes of what is written."""

from __future__ import annotations

import hashlib
import os
import time
from decimal import Decimal

import orjson

from ..exchange.item import Item
from .bodies import body_of

QUESTION_COLUMNS = (
    "id", "bank_id", "edition", "external_id", "category_id", "current_id", "source_hash", "retired_at",
    "retired_reason", "flag", "created_at", "updated_at", "title", "keeper_hash",
)  # fmt: skip
CONTENT_COLUMNS = ("kind", "markup", "stem", "body", "explanation", '"references"', "tags", "difficulty")
VERSION_COLUMNS = ("id", "question_id", "number", *CONTENT_COLUMNS, "content_hash", "created_at", "created_by_id")
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\x00": ""})
_DIFFICULTY = Decimal("0.001")


def new_id() -> str:
    """A UUID of version 7 (RFC 9562, 5.7): those of one run follow each other, and so do their entries in indexes."""
    now = time.time_ns() // 1_000_000
    text = f"{now:012x}7{os.urandom(10).hex()}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:32]}"


def content_of(item: Item) -> str:
    """Each of CONTENT_COLUMNS as COPY writes it, with tabs between them. What is equal here is the same wording."""
    return "\t".join(
        (
            item.kind.value,
            item.markup.value,
            escaped(item.stem),
            _json(body_of(item)),
            escaped(item.explanation),
            _json(item.references),
            _json(item.tags),
            NULL if item.difficulty is None else str(item.difficulty.quantize(_DIFFICULTY)),
        )
    )


def digest_of(*texts: str) -> str:
    return hashlib.blake2b("\t".join(texts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def escaped(text: str) -> str:
    # Searches for one letter each take a fraction of what one pattern takes.
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text or "\x00" in text:
        return text.translate(_ESCAPES)
    return text


def _json(value: object) -> str:
    return escaped(orjson.dumps(value).decode())
