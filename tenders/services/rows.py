"""Tenders and releases as lines of COPY. Free of Django: a process that only reads files makes them too."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from ..readers import Notice, Release
from ..readers.texts import moment_of, without_nul

TENDER_COLUMNS = Notice._fields
# Lines lack what only the database knows, or all rows of a batch share: ids before them, sources and moments after.
TENDER_LINE = ("key", *TENDER_COLUMNS, "content_hash", "releases_count")
RELEASE_LINE = ("release_id", "date_stated", "published_at", "tags", "digest", "raw")
QUALITY_FIELDS = ("description", "country", "buyer_name", "cpv_main", "value_amount", "published_at", "deadline_at")
LONGEST_NAME, LONGEST_DATE = 300, 60
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": ""})
FEW = 8
_NULL = "\\N"
_BETWEEN_COLUMNS = len(TENDER_COLUMNS) - 1
_stated = attrgetter(*QUALITY_FIELDS)


class Arrived(NamedTuple):
    """A release that is not stored yet: the n-th record of its file. Kept as text, which takes a tenth of the memory of
    its objects, and less time than the garbage collector takes to look through those.
    """

    key: str
    digest: str
    number: int
    line: bytes  # RELEASE_LINE

    @property
    def text(self) -> bytes:
        """The release as JSON, which the line ends with; of what COPY escapes, JSON holds backslashes alone."""
        return self.line[self.line.rindex(b"\t") + 1 :].replace(b"\\\\", b"\\")


class Mapped(NamedTuple):
    """What some releases say of their tender, if there are no others."""

    line: bytes  # TENDER_LINE
    releases: int
    quality: tuple[Any, ...]  # whether each of QUALITY_FIELDS is stated; flags


def arrived(release: Release, number: int) -> Arrived:
    """Cut to what the columns hold. Raises ValueError for what can't be stored."""
    text = release_json(release.raw)
    digest, date = digest_of(text), release.date[:LONGEST_DATE]
    head = (
        f"{escaped(release.release_id[:LONGEST_NAME])}\t{escaped(date)}\t{_moment(moment_of(date)[0])}\t"
        f"{escaped(_texts(release.tags))}\t{digest}\t"
    ).encode()
    line = head + (text.replace(b"\\", b"\\\\") if b"\\" in text else text)
    return Arrived(release.key[:LONGEST_NAME], digest, number, line)


def release_json(raw: dict[str, Any]) -> bytes:
    """As stored: JSON without NUL characters. Raises ValueError for what no JSON can say (lone surrogates)."""
    try:
        text = orjson.dumps(raw)
    except TypeError as error:  # orjson.JSONEncodeError is one
        raise ValueError(f"It can't be stored: {error}.") from error
    return without_nul(text)


def digest_of(text: bytes) -> str:
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def new_ids() -> Iterator[str]:
    """UUIDs of version 7 (RFC 9562, 5.7), without end: those of one import follow each other in indexes."""
    while True:
        moment = f"{time.time_ns() // 1_000_000:012x}"
        start, random = f"{moment[:8]}-{moment[8:]}-7", os.urandom(200).hex()
        for at in range(0, 400, 20):
            text = random[at : at + 20]
            yield f"{start}{text[:3]}-{'89ab'[int(text[3], 16) & 3]}{text[4:7]}-{text[7:19]}"


def mapped(notice: Notice, *, key: str, releases: int, country: str) -> Mapped:
    """`country`: where the notice states none."""
    if country and not notice.country:
        notice = notice._replace(country=country)
    written = tender_values(notice).encode()
    line = b"%b\t%b\t%b\t%d" % (escaped(key).encode(), written, digest_of(written).encode(), releases)
    return Mapped(line, releases, (*map(bool, _stated(notice)), *notice.flags))


def tender_values(notice: Notice) -> str:
    """The fields of TENDER_COLUMNS as COPY writes them, with tabs between. The hash of this is the tender's
    `content_hash`: it is everything that people and analysers read."""
    (
        title, description, language, country, buyer_name, buyer_id, status, procedure, category, cpv_main, cpv_codes,
        unspsc_codes, amount, currency, published_at, deadline_at, url, regions, documents, lots, flags,
    ) = notice  # fmt: skip
    line = "\t".join(
        (
            title, description, language, country, buyer_name, buyer_id, status, procedure, category, cpv_main,
            _texts(cpv_codes), _texts(unspsc_codes), _NULL if amount is None else str(amount), currency,
            _moment(published_at), _moment(deadline_at),
            url, _texts(regions), _written(documents), _written(lots), _texts(flags),
        )
    )  # fmt: skip
    # Nearly always nothing is to be escaped: looked for once, in all of them.
    if "\n" in line or "\r" in line or "\x00" in line or line.count("\t") != _BETWEEN_COLUMNS:
        return _escaped_values(notice)
    nulls = (amount is None) + (published_at is None) + (deadline_at is None)
    return line if line.count("\\") == nulls else _escaped_values(notice)


def _escaped_values(notice: Notice) -> str:
    return "\t".join([_NULL if value is None else escaped(_written(value)) for value in notice])


def escaped(text: str) -> str:
    # Searches for one letter each take a fraction of what one pattern takes.
    if "\\" in text or "\n" in text or "\t" in text or "\r" in text or "\x00" in text:
        return text.translate(_ESCAPES)
    return text


def _written(value: Any) -> str:
    """A text, a moment, an amount, or a tuple as JSON; not escaped yet."""
    if value is None:
        return _NULL
    if type(value) is tuple:
        return orjson.dumps(value, default=str).decode() if value else "[]"
    return _moment(value) if isinstance(value, datetime) else str(value)


def _texts(texts: tuple[str, ...]) -> str:
    """As JSON; not escaped yet."""
    return _few(texts) if len(texts) < FEW else orjson.dumps(texts).decode()


@lru_cache(maxsize=4000)  # codes, regions, tags: always the same
def _few(texts: tuple[str, ...]) -> str:
    return orjson.dumps(texts).decode()


def _moment(moment: datetime | None) -> str:
    """As isoformat() writes it, which takes several times as long."""
    return orjson.dumps(moment)[1:-1].decode() if moment else _NULL
