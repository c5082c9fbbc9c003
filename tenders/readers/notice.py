"""What reading yields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

# Flags of a notice: what a reader should know before relying on it.
TITLE_FROM_DESCRIPTION = "title_from_description"
TITLE_FROM_RATIONALE = "title_from_rationale"
TITLE_MISSING = "title_missing"
DEADLINE_SUSPICIOUS = "deadline_suspicious"  # more than five years after publication, or before it
DEADLINE_WITHOUT_ZONE = "deadline_without_zone"  # read as UTC
TEST_NOTICE = "test_notice"

EXCERPT = 4000  # characters of a record that could not be read


class Format(StrEnum):
    """How a file is written."""

    OCDS_PACKAGE = "ocds_package"  # release or record package, or a list of them
    OCDS_LINES = "ocds_lines"  # one release, record or package a line
    EFORMS = "eforms"
    TABLE = "table"  # CSV or xlsx


class Release(NamedTuple):  # made in a quarter of the time of a frozen dataclass
    """One publication about one tender, as received. `raw` is JSON; `date` as stated, RFC 3339 or ""."""

    key: str  # ocid, contract folder, or the row's own number: what all publications of a tender share
    release_id: str
    date: str
    tags: tuple[str, ...]
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not be read: the n-th of the file, from 1, or what ended the reading (`is_end`)."""

    number: int
    reason: str
    offset: int | None = None  # byte in the file as unpacked, where it is known
    raw: str = ""
    is_end: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    title: str
    url: str
    format: str = ""
    document_type: str = ""


@dataclass(frozen=True, slots=True)
class Lot:
    number: str
    title: str
    description: str = ""
    value_amount: Decimal | None = None
    value_currency: str = ""


class Notice(NamedTuple):
    """The fields of a tender that people search, sort and decide by. Texts are "" where the publisher left them out."""

    title: str
    description: str = ""
    language: str = ""  # ISO 639-1
    country: str = ""  # ISO 3166-1 alpha-2
    buyer_name: str = ""
    buyer_id: str = ""
    status: str = ""  # OCDS tender status
    procedure: str = ""  # OCDS procurementMethod
    category: str = ""  # works, goods, services
    cpv_main: str = ""  # eight digits
    cpv_codes: tuple[str, ...] = ()  # all, the main one first
    unspsc_codes: tuple[str, ...] = ()
    value_amount: Decimal | None = None
    value_currency: str = ""
    published_at: datetime | None = None
    deadline_at: datetime | None = None
    url: str = ""
    regions: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    lots: tuple[Lot, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(slots=True)
class Reading:
    """An open file: its format, what it yields, and for tables how its columns were understood."""

    format: Format
    items: Iterator[Release | Rejected]
    mapping: dict[str, str] = field(default_factory=dict)
