"""Prices into a client's own workbook: only price cells change, and what follows from them.

The sheets' XML is edited in place, every other part is copied byte for byte. Then the file is read again by the reader
that read it first: every position must be as it was but for its price, and every sum must add up, or there is no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from projects.exports.formula import cell_place
from projects.exports.functions import Value
from projects.exports.price_columns import PriceColumns, holds, price_columns
from projects.exports.recalculate import Place, Recalculator, SheetCells
from projects.exports.sheet_cells import SheetText
from projects.exports.source import ExportError
from projects.exports.workbook_parts import Package, computed_on_load
from projects.parsers.bill import Bill, BillPosition
from projects.parsers.reconcile import Reconciler, Reconciliation
from projects.parsers.table_mapping import Mapping as TableMapping

# Above that much XML the results of formulas are taken away rather than computed: a gigabyte of cells in memory.
COMPUTED_BYTES = 48 << 20
_STATED_ROUNDS = 2  # a typed sum of typed sums is right after the second

_COMPUTED = "its price is computed by a formula"
Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Price:
    """What the budget says of a position of the file: a price, or why none is written."""

    unit_price: Decimal | None
    reason: str = ""  # "" and a price: it is to be written


@dataclass(slots=True)
class WriteBack:
    """What became of the file's positions. `skipped`: reason → places, the first of them."""

    positions: int = 0
    written: int = 0
    unchanged: int = 0  # the cell held that price already
    skipped: dict[str, list[str]] = field(default_factory=dict)
    skipped_count: dict[str, int] = field(default_factory=dict)
    totals_written: int = 0  # typed totals and sums, which no formula keeps true
    formulas_computed: int = 0
    formulas_left: int = 0  # to be computed by the spreadsheet
    total_before: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    # Place → what the client's own formula sums up, where that is not all of its positions; and what they come to.
    own_sums: dict[str, tuple[str, str]] = field(default_factory=dict)
    was_locked: int = 0  # written although the sheet locks the cell, because that was asked for

    def skip(self, reason: str, place: str) -> None:
        self.skipped_count[reason] = self.skipped_count.get(reason, 0) + 1
        places = self.skipped.setdefault(reason, [])
        if len(places) < 50:
            places.append(place)


@dataclass(slots=True)
class Written:
    """A position as it was read, without its figures of money, and what it must be read as now."""

    place: str
    digest: bytes
    price: Decimal | None
    is_computed: bool = False  # the price is a formula's: it may follow from others
    money: tuple[Decimal | None, Decimal | None] = (
        None,
        None,
    )  # price and total before: a wrong one may stay as it was


Opened = Callable[[Path], Bill]
PriceOf = Callable[[BillPosition], Price]


def write_back(
    *,
    source: Path,
    target: Path,
    opened: Opened,
    price_of: PriceOf,
    mapping: TableMapping | None = None,
    into_locked: bool = False,
    report: Report = lambda done, total, message: None,
) -> WriteBack:
    """Raises ExportError; `target` is worth nothing then. `opened` reads a file as the source was read."""
    with Package(source) as package:
        writer = _Writer(package, mapping, into_locked)
        report(0, 4, "Reading the client's file")
        expected = list(writer.take(opened(source), price_of))
        outcome = writer.outcome
        if not outcome.written:
            raise nothing_written(outcome)
        report(1, 4, f"Writing {outcome.written:,} prices")
        writer.save(target)
        report(2, 4, "Reading the written file again")
        result = prove(opened(target), expected)
        for _ in range(_STATED_ROUNDS):
            stale = [d for d in result.differences if d.source and abs(d.amount) > 0]
            if not writer.correct_sums({d.source: (d.stated, d.computed) for d in stale}):
                break
            writer.save(target)
            result = prove(opened(target), expected)
        report(3, 4, "Comparing")
        outcome.own_sums = writer.own_sums(result)
        refuse_differences(result, writer.differences_before | set(outcome.own_sums))
        outcome.total = result.computed_total
        return outcome


def nothing_written(outcome: WriteBack) -> ExportError:
    reasons = "; ".join(f"{count:,} × {reason}" for reason, count in outcome.skipped_count.items())
    if "the cell is locked" in outcome.skipped_count:
        reasons += ". The client has locked these cells; choose “also into locked cells” if that is agreed with them"
    if outcome.unchanged:
        reasons = f"{outcome.unchanged:,} cells hold these prices already" + (f"; {reasons}" if reasons else "")
    return ExportError(f"No price was written: {reasons or 'the file has no positions'}.", code="nothing_written")


def digest_of(position: BillPosition) -> bytes:
    bare = replace(position, unit_price=None, total=None, price_components=())
    return hashlib.blake2b(repr(bare).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def prove(bill: Bill, expected: list[Written]) -> Reconciliation:
    """The file as it is read now. Raises ExportError where it is anything but the old one with the new prices."""
    reconciler = Reconciler(bill)
    count = 0
    for position in reconciler.watch(bill.positions):
        if count >= len(expected):
            raise _untrue(f"position {position.number} is one that was not there before")
        before = expected[count]
        count += 1
        if digest_of(position) != before.digest:
            raise _untrue(f"{before.place}: the position reads otherwise than before ({position.number})")
        if position.unit_price != before.price and not before.is_computed:
            raise _untrue(f"{before.place}: the price reads {position.unit_price} and should be {before.price}")
        step = bill.header.rounding.total
        is_as_before = (position.unit_price, position.total) == before.money
        if is_as_before or position.total is None:
            continue
        if position.quantity is not None and position.unit_price is not None:
            product = position.quantity * position.unit_price
            # A price of more digits than the file's own formula takes is the one difference there may be.
            if abs(position.total - product) > max(step, Decimal("0.01")) + abs(position.quantity) * Decimal("0.005"):
                raise _untrue(f"{before.place}: the total reads {position.total}, quantity × price is {product}")
    if count != len(expected):
        raise _untrue(f"{count:,} positions are read, {len(expected):,} were there before")
    return reconciler.result()


def refuse_differences(result: Reconciliation, before: set[str]) -> None:
    """Sums that did not add up in the client's file need not now; no other may be wrong."""
    for difference in result.differences:
        if difference.source not in before:
            raise _untrue(
                f"{difference.source}: the sum of {difference.where} reads {difference.stated:,.2f}, its positions "
                f"come to {difference.computed:,.2f}"
            )


def _untrue(what: str) -> ExportError:
    return ExportError(
        f"The prices were written, but the file was not right when it was read again, and is thrown away. {what}. "
        "Export the budget as xlsx instead, and report this file.",
        code="not_true_when_read",
    )


class _Writer:
    """The workbook with its changes so far."""

    def __init__(self, package: Package, mapping: TableMapping | None, into_locked: bool) -> None:
        self.outcome = WriteBack()
        self.differences_before: set[str] = set()
        self._package, self._mapping, self._into_locked = package, mapping, into_locked
        self._strings = package.shared_strings()
        self._texts: dict[str, SheetText] = {}
        self._cells: dict[str, SheetCells] = {}
        self._columns: dict[str, PriceColumns | None] = {}
        self._figures: dict[str, dict[Place, Decimal]] = {}
        self._is_computed = package.size_of_sheets() <= COMPUTED_BYTES

    def take(self, bill: Bill, price_of: PriceOf) -> Iterator[Written]:
        reconciler = Reconciler(bill)
        for position in reconciler.watch(bill.positions):
            self.outcome.positions += 1
            price = price_of(position)
            reason = price.reason or self._put(position, price.unit_price)
            if reason:
                self.outcome.skip(reason, position.source)
            expected = position.unit_price if reason else price.unit_price
            money = (position.unit_price, position.total)
            yield Written(position.source, digest_of(position), expected, reason == _COMPUTED, money)
        result = reconciler.result()
        self.outcome.total_before = result.computed_total
        self.differences_before = {difference.source for difference in result.differences}

    def save(self, target: Path) -> None:
        results: dict[str, dict[Place, Value | None]] = {}
        if self._is_computed:
            for name in self._package.sheets:
                self._sheet(name)
            cells = {name: self._texts[name].cells(self._strings) for name in self._package.sheets}
            found = Recalculator(cells, self._package.names).after(self._figures)
            results = found.results
            self.outcome.formulas_computed, self.outcome.formulas_left = found.computed, found.left
        changed = {self._package.part_name(self._package.workbook): self._workbook()}
        for name, part in self._package.sheets.items():
            figures, own = self._figures.get(name, {}), results.get(name, {})
            if figures or own or not self._is_computed:
                changed[self._package.part_name(part)] = self._written(name, figures, own)
        self._package.save(target, changed)

    def correct_sums(self, stale: Mapping[str, tuple[Decimal, Decimal]]) -> bool:
        """Typed sums (place → stated, computed) get the computed figure, where no lock forbids it. Whether any did."""
        corrected = False
        for source, (stated, computed) in stale.items():
            found = self._typed_sum(source, stated)
            if found is None or source in self.differences_before:
                continue
            sheet, place = found
            if self._lock(sheet, place):
                continue
            self._figures.setdefault(sheet, {})[place] = computed
            self.outcome.totals_written += 1
            corrected = True
        return corrected

    def own_sums(self, result: Reconciliation) -> dict[str, tuple[str, str]]:
        """Sums by the client's own formulas that leave positions out. They are not ours to change: they are told."""
        found = {}
        for difference in result.differences:
            sheet, _, reference = difference.source.rpartition("!")
            if sheet not in self._package.sheets or difference.source in self.differences_before:
                continue
            self._sheet(sheet)
            try:
                row, column = cell_place(reference)
            except ValueError:
                continue
            known = self._columns.get(sheet)
            places = {(row, column), (row, known.total if known else 0)}
            if places & self._cells[sheet].formulas.keys():
                found[difference.source] = (str(difference.stated), str(difference.computed))
        return found

    def _typed_sum(self, source: str, stated: Decimal) -> tuple[str, Place] | None:
        sheet, _, reference = source.rpartition("!")
        if sheet not in self._package.sheets:
            return None
        try:
            row, column = cell_place(reference)
        except ValueError:
            return None
        self._sheet(sheet)
        cells, known = self._cells[sheet], self._columns.get(sheet)
        own = self._figures.get(sheet, {})
        for place in ((row, column), (row, known.total if known else 0)):
            if holds(cells, place, stated) or (place in own and own[place] == stated):
                return sheet, place
        # A sum of several cells, such as what is taxed at each rate, is typed where one of them holds all of it.
        typed = [place for place in cells.values if place[0] == row and holds(cells, place, stated)]
        typed = [place for place in typed if place not in own] + [p for p in own if p[0] == row and own[p] == stated]
        return (sheet, typed[0]) if len(typed) == 1 else None

    def _put(self, position: BillPosition, price: Decimal | None) -> str:
        """Takes the price down for writing; why not, otherwise."""
        if price is None:
            return "the budget has no price"
        sheet, _, reference = position.source.rpartition("!")
        if sheet not in self._package.sheets:
            return "its sheet was not found"
        try:
            row = cell_place(reference)[0]
        except ValueError:
            return "its cell was not found"
        columns = self._columns_of(sheet, row)
        if columns is None:
            return "no title says which column holds the price"
        place = (row, columns.price)
        cell = self._texts[sheet].cell(place)
        if cell is None:
            return "its row was not found"
        if cell.has_formula:
            return _COMPUTED
        if position.unit_price == price:
            self.outcome.unchanged += 1
            return ""
        if self._lock(sheet, place):
            return "the cell is locked"
        self._figures.setdefault(sheet, {})[place] = price
        self.outcome.written += 1
        self._put_total(sheet, (row, columns.total), position, price)
        return ""

    def _put_total(self, sheet: str, place: Place, position: BillPosition, price: Decimal) -> None:
        """A typed total beside the price would be false from now on."""
        cell = self._texts[sheet].cell(place) if place[1] else None
        if cell is None or cell.has_formula or position.quantity is None or self._lock(sheet, place):
            return
        if cell.value is None and position.total is not None:
            return
        self._figures[sheet][place] = (position.quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        self.outcome.totals_written += 1

    def _lock(self, sheet: str, place: Place) -> bool:
        self._sheet(sheet)
        text = self._texts[sheet]
        cell = text.cell(place)
        if cell is None or not text.is_protected or not self._package.is_locked(cell.style):
            return False
        if self._into_locked:
            self.outcome.was_locked += 1
        return not self._into_locked

    def _columns_of(self, sheet: str, row: int) -> PriceColumns | None:
        if sheet not in self._columns:
            self._sheet(sheet)
            self._columns[sheet] = price_columns(self._cells[sheet], self._mapping, row)
        return self._columns[sheet]

    def _sheet(self, name: str) -> None:
        if name not in self._texts:
            self._texts[name] = SheetText(self._package.text(self._package.sheets[name]))
            self._cells[name] = self._texts[name].cells(self._strings)

    def _workbook(self) -> bytes:
        return computed_on_load(self._package.text(self._package.workbook)).encode()

    def _written(self, name: str, figures: dict[Place, Decimal], results: dict[Place, Value | None]) -> bytes:
        self._sheet(name)
        text = self._texts[name].replaced(figures, results)
        if not self._is_computed:
            text = SheetText(text).without_results()
        return text.encode()
