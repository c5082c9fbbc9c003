"""Notices as rows: CSV and xlsx, with headings in several languages or a mapping that somebody made."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import python_calamine

from projects.parsers.sheet_extent import OddlyWritten, too_far

from .headings import FIELDS, suggested
from .notice import Rejected, Release
from .ocds_records import excerpt
from .streams import Source
from .texts import text_of

ENCODINGS = ("utf-8-sig", "cp1250", "latin-1")
# What a spreadsheet makes of a long number: nothing of it can be told apart any more.
RUINED = re.compile(r"^\d(?:[.,]\d+)?E\+\d+$", re.IGNORECASE)
LARGEST_WORKBOOK = 256 * 1024 * 1024
EMPTY_ROWS_IN_A_ROW = 1000


@dataclass(slots=True)
class Table:
    headings: list[str]
    mapping: dict[str, str]  # field: heading
    rows: Iterator[tuple[int, Sequence[Any]]]
    day_first: bool

    def releases(self) -> Iterator[Release | Rejected]:
        columns = {field: self.headings.index(heading) for field, heading in self.mapping.items()}
        for number, row in self.rows:
            values = {field: row[at] for field, at in columns.items() if at < len(row)}
            if any(text_of(_plain(value)) for value in row):
                yield _release(number, row, values, self.headings, day_first=self.day_first)


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a table, as texts; `suggested`: field to heading, as far as the headings tell it."""

    headings: list[str]
    rows: list[list[str]]
    suggested: dict[str, str]


def preview(source: Source, *, most: int = 5) -> Preview:
    """Whatever its columns hold. Raises reading.NotReadable for what is no table."""
    rows = _rows(source)
    headings = _headings(rows)
    shown = [[text_of(_plain(cell)) for cell in row] for _, row in itertools.islice(rows, most)]
    return Preview(headings, shown, suggested(headings))


def _rows(source: Source) -> Iterator[tuple[int, Sequence[Any]]]:
    head = source.head()
    return _workbook(source) if head.startswith(b"PK\x03\x04") else _csv(source, head)


def _headings(rows: Iterator[tuple[int, Sequence[Any]]]) -> list[str]:
    return [text_of(_plain(cell)) for _, row in [next(rows, (0, ()))] for cell in row]


def open_table(source: Source, *, name: str, mapping: Mapping[str, str] | None) -> Table:
    """Raises reading.NotReadable when no column can hold a title."""
    from .reading import NotReadable

    rows = _rows(source)
    headings = _headings(rows)
    found = {field: heading for field, heading in (mapping or {}).items() if heading in headings and field in FIELDS}
    found = found or suggested(headings)
    if "title" not in found and "description" not in found:
        shown = ", ".join(heading for heading in headings[:12] if heading) or "none"
        raise NotReadable(
            f"No column of {name or 'the table'} looks like a title or a description (headings: {shown}). "
            "Say which column is which."
        )
    sample, rows = _sampled(rows)
    return Table(headings, found, rows, _is_day_first(sample, headings, found))


def _csv(source: Source, head: bytes) -> Iterator[tuple[int, Sequence[Any]]]:
    encoding = _encoding_of(head)
    text = io.TextIOWrapper(io.BufferedReader(source), encoding=encoding, errors="replace", newline="")
    sample = head.decode(encoding, "replace").replace("\x00", "").splitlines()
    delimiter = max(",;\t|", key=(sample[0] if sample else "").count)
    csv.field_size_limit(4 * 1024 * 1024)
    rows = csv.reader((line.replace("\x00", "") for line in text), delimiter=delimiter)
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:  # a field beyond the limit, a quote that never ends
            continue
        source.since = 0
        yield number, row


def _encoding_of(head: bytes) -> str:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    for encoding in ENCODINGS:
        try:
            # Not final: the head may end within a character.
            codecs.getincrementaldecoder(encoding)().decode(head, final=False)
            return encoding
        except UnicodeDecodeError:
            continue
    return "latin-1"


def _workbook(source: Source) -> Iterator[tuple[int, Sequence[Any]]]:
    """The first sheet with anything on it. A workbook can't be streamed: its size is limited instead."""
    from .reading import NotReadable

    content = io.BytesIO()
    while more := source.read(1024 * 1024):
        source.since = 0
        content.write(more)
        if content.tell() > LARGEST_WORKBOOK:
            raise NotReadable(f"The workbook is larger than {LARGEST_WORKBOOK // (1024 * 1024)} MB: save it as CSV.")
    try:
        if cell := too_far(content):
            raise NotReadable(f"The cell {cell} lies too far out: delete what is in it, or save the sheet as CSV.")
    except OddlyWritten as error:
        raise NotReadable("This is a damaged xlsx workbook.") from error
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(content)
        for sheet in workbook.sheet_names:
            opened = workbook.get_sheet_by_name(sheet)
            if opened.total_height > 1:
                yield from enumerate(opened.iter_rows(), 1)
                return
    except (python_calamine.CalamineError, ValueError, OSError) as error:
        raise NotReadable("This is no xlsx workbook, or a damaged one.") from error
    raise NotReadable("The workbook has no sheet with rows.")


def _sampled(
    rows: Iterator[tuple[int, Sequence[Any]]],
) -> tuple[list[Sequence[Any]], Iterator[tuple[int, Sequence[Any]]]]:
    first: list[tuple[int, Sequence[Any]]] = []
    for numbered in rows:
        first.append(numbered)
        if len(first) == 200:
            break

    def again() -> Iterator[tuple[int, Sequence[Any]]]:
        yield from first
        yield from rows

    return [row for _, row in first], again()


def _is_day_first(sample: Sequence[Sequence[Any]], headings: list[str], mapping: Mapping[str, str]) -> bool:
    """Whether 7/6/2025 is the seventh of June: told from dates in the file that can only be read one way."""
    first, second = 0, 0
    columns = [headings.index(mapping[field]) for field in ("published", "deadline") if field in mapping]
    for row in sample:
        for at in columns:
            parts = re.match(r"\s*(\d{1,2})[/.](\d{1,2})[/.]\d{4}", text_of(_plain(row[at]))) if at < len(row) else None
            if parts:
                first += int(parts[1]) > 12
                second += int(parts[2]) > 12
    return first > second or (first == second == 0)


def _release(
    number: int, row: Sequence[Any], values: Mapping[str, Any], headings: Sequence[str], *, day_first: bool
) -> Release | Rejected:
    texts = {field: text_of(_plain(value)) for field, value in values.items()}
    if not texts.get("title") and not texts.get("description"):
        return Rejected(number, "The row has neither a title nor a description.", raw=excerpt([_plain(c) for c in row]))
    key = _key(texts)
    published = _moment(values.get("published"), day_first=day_first)
    raw: dict[str, Any] = {
        "ocid": key,
        "id": f"{key}-{_digest(*texts.values())[:12]}",
        "date": published,
        "tag": ["tender"],
        "language": texts.get("language", "") or _language_of(texts),
        "buyer": {"name": texts.get("buyer", "")},
        "parties": _parties(texts),
        "url": _url(texts.get("url", "")),
        "tender": _tender(texts, values, day_first=day_first),
        "row": {heading: _plain(cell) for heading, cell in zip(headings, row, strict=False) if heading and cell != ""},
    }
    return Release(key, raw["id"], published, ("tender",), raw)


def _tender(texts: Mapping[str, str], values: Mapping[str, Any], *, day_first: bool) -> dict[str, Any]:
    codes = re.findall(r"\b\d{8}(?:-\d)?\b", texts.get("cpv", ""))
    deadline = _moment(values.get("deadline"), day_first=day_first, is_deadline=True)
    tender: dict[str, Any] = {
        "title": texts.get("title", ""),
        "description": texts.get("description", ""),
        "status": texts.get("status", ""),
        "classification": {"scheme": "CPV", "id": codes[0]} if codes else {},
        "additionalClassifications": [{"scheme": "CPV", "id": code} for code in codes[1:]],
        "tenderPeriod": {"endDate": deadline} if deadline else {},
        "items": [{"id": "1", "deliveryAddress": {"region": texts["region"]}}] if texts.get("region") else [],
    }
    amount = _number(values.get("value"))
    if amount:
        tender["value"] = {"amount": amount, "currency": texts.get("currency", "")}
    return {name: content for name, content in tender.items() if content not in ("", [], {})}


def _parties(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    if not texts.get("country"):
        return []
    return [{"name": texts.get("buyer", ""), "roles": ["buyer"], "address": {"country": texts["country"]}}]


def _key(texts: Mapping[str, str]) -> str:
    """The row's own number; its address if a spreadsheet ruined that; else a digest of what names it."""
    number = texts.get("number", "")
    if number and not RUINED.match(number):
        return number[:300]
    url = _url(texts.get("url", ""))
    if url:
        return f"url:{_digest(url)[:32]}"
    named = (texts.get("buyer", ""), texts.get("title", ""), texts.get("description", ""), texts.get("published", ""))
    return f"row:{_digest(*named)[:32]}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _url(text: str) -> str:
    """Without the marks that one publisher writes into its addresses."""
    return text.replace("*@@**", "").strip()


def _language_of(texts: Mapping[str, str]) -> str:
    """Only what the script tells for sure; the rest is left to the analyser."""
    title = texts.get("title", "") + texts.get("description", "")
    arabic = sum("\u0600" <= letter <= "\u06ff" for letter in title)
    return "ar" if arabic > len(title) / 3 else ""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _number(value: Any) -> str:
    """ "1234.50" for 1234.5, "1 234,50", "1,234.50" or "1.234,50"; "" for what is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = re.sub(r"[^\d.,-]", "", text_of(value))
    if not any(letter.isdigit() for letter in text):
        return ""
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point:
        is_decimal = text.count(",") == 1 and (point >= 0 or len(text) - comma - 1 != 3)
        text = text.replace(".", "").replace(",", "." if is_decimal else "")
    else:
        is_decimal = point >= 0 and text.count(".") == 1
        text = text.replace(",", "") if is_decimal else text.replace(",", "").replace(".", "")
    return text


def _moment(value: Any, *, day_first: bool, is_deadline: bool = False) -> str:
    """RFC 3339, a date alone without time; "" for what is no date."""
    if isinstance(value, datetime):
        return value.isoformat()
    text = text_of(_plain(value))
    parts = re.match(r"(\d{1,2})[/.]\s*(\d{1,2})[/.]\s*(\d{4})(?:\s+(\d{1,2}):(\d\d))?", text)
    if parts:
        first, second, year = int(parts[1]), int(parts[2]), int(parts[3])
        day, month = (first, second) if day_first else (second, first)
        try:
            moment = datetime(year, month, day, int(parts[4] or 0), int(parts[5] or 0))  # noqa: DTZ001 - as written
        except ValueError:
            return ""
        text = moment.isoformat() if parts[4] else moment.date().isoformat()
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f"{text}T23:59:59" if is_deadline and len(text) == 10 else text
