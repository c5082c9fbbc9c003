"""Rows of plain tables, from workbooks through calamine and from csv, one at a time."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from projects.parsers.bill import ParseError
from projects.parsers.filehead import FileHead
from projects.parsers.workbook import Row

_DELIMITERS = (";", "\t", ",", "|")
_MAX_SHEETS = 20
MAX_FIELD = 100_000  # characters of one csv cell


@dataclass(frozen=True, slots=True)
class TableFormat:
    """How a csv is written; empty for workbooks."""

    delimiter: str = ""
    encoding: str = ""
    decimal_mark: str = ""


def read_format(head: FileHead) -> TableFormat:
    """Raises ParseError("unknown_dialect") for text that is no table."""
    if head.is_workbook:
        return TableFormat()
    if head.kind != "text":
        raise ParseError("The file is neither a workbook nor a csv table.", code="unknown_dialect")
    delimiter = _delimiter(head.text)
    if not delimiter:
        raise ParseError(
            f"'{head.filename}' is text, but no table: its lines are not divided by semicolons, tabs, commas or bars. "
            "Upload the bill as xlsx, or as csv with one of those.",
            code="unknown_dialect",
        )
    return TableFormat(delimiter, head.encoding, _decimal_mark(head.text, delimiter))


def _lines(text: str) -> list[str]:
    lines = text.splitlines()
    return (lines[:-1] if len(lines) > 3 else lines)[:400]  # the last one may be cut


def _delimiter(text: str) -> str:
    """The mark that divides most lines into the same number of cells, at least three."""
    best, best_score = "", 0.0
    for mark in _DELIMITERS:
        counts = Counter(len(row) for row in csv.reader(io.StringIO("\n".join(_lines(text))), delimiter=mark) if row)
        wide = {width: count for width, count in counts.items() if width >= 3}
        if not wide:
            continue
        width, count = max(wide.items(), key=lambda pair: pair[1])
        score = count / sum(counts.values()) + min(width, 20) / 100
        if count >= 2 and score > best_score:
            best, best_score = mark, score
    return best


def _decimal_mark(text: str, delimiter: str) -> str:
    """By the figures in the first lines; "" where they leave it open."""
    marks: Counter[str] = Counter()
    for row in csv.reader(io.StringIO("\n".join(_lines(text))), delimiter=delimiter):
        for cell in row:
            clean = cell.strip().replace("\u00a0", "").replace(" ", "")
            last = max(clean.rfind(","), clean.rfind("."))
            if (
                last > 0
                and clean.replace(",", "").replace(".", "").lstrip("-").isdigit()
                and len(clean) - last - 1 != 3
            ):
                marks[clean[last]] += 1
    if not marks:
        return ""
    (mark, count), *others = marks.most_common()
    return mark if not others or count > 3 * others[0][1] else ""


def table_sheets(head: FileHead) -> list[str]:
    """Names of the workbook's first sheets; none for csv. Raises ParseError."""
    if not head.is_workbook:
        return []
    return head.workbook.sheet_names[:_MAX_SHEETS]


def sample_rows(head: FileHead, layout: TableFormat, sheet: str, limit: int) -> list[Row]:
    return [row for _, row in islice(table_rows(head, layout, sheet), limit)]


def table_rows(head: FileHead, layout: TableFormat, sheet: str) -> Iterator[tuple[str, Row]]:
    """Yields (place, row); the place is "Sheet!A12" or "row 12". Raises ParseError("damaged" | "no_such_sheet")."""
    if head.is_workbook:
        if sheet not in head.workbook.sheet_names:
            raise ParseError(f"The workbook has no sheet '{sheet}'. Confirm the mapping again.", code="no_such_sheet")
        opened = head.workbook.sheet(sheet)
        for index, row in enumerate(opened.rows()):
            # Columns count from A, wherever the sheet's first filled one is.
            yield f"{sheet}!A{index + 1}", [""] * opened.first_column + row if opened.first_column else row
        return
    yield from _csv_rows(head, layout)


def _csv_rows(head: FileHead, layout: TableFormat) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(MAX_FIELD)
    encoding = layout.encoding or head.encoding
    try:
        with head.path.open("r", encoding=encoding, newline="") as file:
            for index, row in enumerate(csv.reader(file, delimiter=layout.delimiter or ";")):
                if index == 0 and row:
                    row[0] = row[0].lstrip("\ufeff")
                yield f"row {index + 1}", list(row)
    except (UnicodeError, LookupError) as error:
        raise ParseError(
            f"The csv can't be read as {encoding}: {str(error)[:120]}. Save it as UTF-8 and upload it again.",
            code="damaged",
        ) from error
    except csv.Error as error:
        raise ParseError(f"The csv is damaged: {error}. Save it again and upload it.", code="damaged") from error
