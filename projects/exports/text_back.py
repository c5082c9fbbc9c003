"""Prices into a client's own text file: csv as a new file of the same layout, uniXML with only its prices changed.

As with a workbook, the file is read again by the reader that read it first, and must be the old one but for its prices.
"""

from __future__ import annotations

import csv
import mmap
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from projects.exports.source import ExportError
from projects.exports.write_back import (
    Opened,
    PriceOf,
    Report,
    WriteBack,
    Written,
    digest_of,
    nothing_written,
    prove,
    refuse_differences,
)
from projects.parsers.bill import Bill, BillPosition
from projects.parsers.reconcile import Reconciler
from projects.parsers.table_mapping import Mapping

_POSITION = re.compile(rb"<polozka(?:\s[^>]*)?>.*?</polozka>", re.DOTALL)
_PRICE = re.compile(rb"(<jednotkova_cena(?:\s[^>]*)?>)([^<]*)(</jednotkova_cena>)")
_SUPPLY = re.compile(rb"(<jednotkova_cena_dodavky(?:\s[^>]*)?>)([^<]*)(</jednotkova_cena_dodavky>)")
_EMPTY = re.compile(rb"<jednotkova_cena(?:\s[^>]*)?/>")


class _Taken:
    """What is to become of each position, in the order of the file."""

    def __init__(self, bill: Bill, price_of: PriceOf) -> None:
        self.outcome = WriteBack()
        self.expected: list[Written] = []
        self.prices: dict[int, tuple[BillPosition, Decimal]] = {}  # by its count in the file, from 0
        reconciler = Reconciler(bill)
        for position in reconciler.watch(bill.positions):
            self._take(position, price_of)
        result = reconciler.result()
        self.outcome.total_before = result.computed_total
        self.differences_before = {difference.source for difference in result.differences}
        if not self.outcome.written:
            raise nothing_written(self.outcome)

    def _take(self, position: BillPosition, price_of: PriceOf) -> None:
        price = price_of(position)
        reason = price.reason or ("the budget has no price" if price.unit_price is None else "")
        self.outcome.positions += 1
        expected = position.unit_price
        if reason:
            self.outcome.skip(reason, position.source)
        elif price.unit_price == position.unit_price:
            self.outcome.unchanged += 1
        else:
            assert price.unit_price is not None
            expected = price.unit_price
            self.prices[len(self.expected)] = (position, price.unit_price)
            self.outcome.written += 1
        self.expected.append(
            Written(position.source, digest_of(position), expected, money=(position.unit_price, position.total))
        )


def _comma(value: Decimal, mark: str) -> str:
    return f"{value.normalize():f}".replace(".", mark) if value else "0"


def write_back_csv(
    *, source: Path, target: Path, opened: Opened, price_of: PriceOf, mapping: Mapping, report: Report
) -> WriteBack:
    """Rows, columns, delimiter and encoding stay; quotes stand where they are needed. Raises ExportError."""
    price_at, total_at = mapping.columns.get("unit_price", -1), mapping.columns.get("total", -1)
    if price_at < 0:
        raise ExportError("The table has no column of unit prices.", code="no_price_column")
    taken = _Taken(opened(source), price_of)
    mark = mapping.decimal_mark or ","
    cells: dict[str, dict[int, str]] = {}
    for position, price in taken.prices.values():
        place = position.source
        cells[place] = {price_at: _comma(price, mark)}
        if (
            total_at >= 0
            and position.quantity is not None
            and (position.total is not None or position.unit_price is None)
        ):
            total = (position.quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            cells[place][total_at] = _comma(total, mark)
            taken.outcome.totals_written += 1
    _copy_csv(source, target, mapping, cells)
    result = prove(opened(target), taken.expected)
    stale = [d for d in result.differences if d.source and d.source not in taken.differences_before and total_at >= 0]
    if stale:
        for difference in stale:
            cells.setdefault(difference.source, {})[total_at] = _comma(difference.computed, mark)
            taken.outcome.totals_written += 1
        _copy_csv(source, target, mapping, cells)
        result = prove(opened(target), taken.expected)
    refuse_differences(result, taken.differences_before)
    taken.outcome.total = result.computed_total
    report(1, 1, "Comparing")
    return taken.outcome


def _copy_csv(source: Path, target: Path, mapping: Mapping, cells: dict[str, dict[int, str]]) -> None:
    encoding = mapping.encoding or "utf-8-sig"
    with source.open("rb") as file:
        has_mark = file.read(3) == b"\xef\xbb\xbf"
    writes = "utf-8-sig" if has_mark else "utf-8" if encoding == "utf-8-sig" else encoding
    with source.open("r", encoding=encoding, newline="") as file, target.open("w", encoding=writes, newline="") as out:
        writer = csv.writer(out, delimiter=mapping.delimiter or ";", lineterminator=_line_end(source, encoding))
        for index, row in enumerate(csv.reader(file, delimiter=mapping.delimiter or ";"), start=1):
            if index == 1 and row:
                row[0] = row[0].lstrip("\ufeff")
            for column, text in cells.get(f"row {index}", {}).items():
                row.extend([""] * (column + 1 - len(row)))
                row[column] = text
            writer.writerow(row)


def _line_end(source: Path, encoding: str) -> str:
    with source.open("r", encoding=encoding, newline="") as file:
        return "\r\n" if "\r\n" in file.read(1 << 16) else "\n"


def write_back_unixml(*, source: Path, target: Path, opened: Opened, price_of: PriceOf, report: Report) -> WriteBack:
    """Every byte stays but those of the prices. Raises ExportError."""
    taken = _Taken(opened(source), price_of)
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        head = content[:200].lower()
        if b"encoding" in head and b"utf-8" not in head:
            raise ExportError("This uniXML is not written in UTF-8. Save it anew and upload it.", code="encoding")
        with target.open("wb") as out:
            for piece in _pieces(content, taken):
                out.write(piece)
    result = prove(opened(target), taken.expected)
    refuse_differences(result, taken.differences_before)
    taken.outcome.total = result.computed_total
    report(1, 1, "Comparing")
    return taken.outcome


def _pieces(content: mmap.mmap, taken: _Taken) -> Iterator[bytes]:
    at = 0
    for count, match in enumerate(_POSITION.finditer(content)):
        if count >= len(taken.expected):
            raise ExportError("The file has more positions than were read.", code="not_true_when_read")
        if count in taken.prices:
            yield content[at : match.start()]
            yield _priced(match.group(0), taken.prices[count][1])
            at = match.end()
    yield content[at:]


def _priced(block: bytes, price: Decimal) -> bytes:
    written = _comma(price, ",").encode()
    old = _PRICE.search(block)
    if old is None:
        return _EMPTY.sub(b"<jednotkova_cena>" + written + b"</jednotkova_cena>", block, count=1)
    # What a material costs to supply is its price, where the file says so.
    supply = _SUPPLY.search(block)
    if supply is not None and supply.group(2).strip() == old.group(2).strip() not in (b"", b"0,00"):
        block = _SUPPLY.sub(rb"\g<1>" + written + rb"\g<3>", block, count=1)
    return _PRICE.sub(rb"\g<1>" + written + rb"\g<3>", block, count=1)
