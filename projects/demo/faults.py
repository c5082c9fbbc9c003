"""How a fault gets into a sound bill: small edits of its rows, by object and code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from ..parsers.writers.kros_rows import ItemRow, KrosRow, MeasureRow, ObjectRow, SectionRow
from .sheet import value_of

Edit = Callable[["Rows"], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, the rule that must find it, and where: the item's object and code, or no code for the whole budget."""

    rule_id: str
    object_code: str
    code: str
    story: str  # what went wrong, for people
    edits: tuple[Edit, ...]


class Rows:
    """The rows of a bill, found by object and code. LookupError where there is no such row."""

    def __init__(self, rows: Sequence[KrosRow]) -> None:
        self.rows = list(rows)

    def item(self, object_code: str, code: str) -> tuple[int, ItemRow]:
        current = ""
        for index, row in enumerate(self.rows):
            if isinstance(row, ObjectRow):
                current = row.code
            elif isinstance(row, ItemRow) and (current, row.code) == (object_code, code):
                return index, row
        raise LookupError(f"{object_code} has no item {code}")

    def section(self, object_code: str, code: str) -> tuple[int, SectionRow]:
        current = ""
        for index, row in enumerate(self.rows):
            if isinstance(row, ObjectRow):
                current = row.code
            elif isinstance(row, SectionRow) and (current, row.code) == (object_code, code):
                return index, row
        raise LookupError(f"{object_code} has no section {code}")

    def end(self, index: int) -> int:
        """Behind the item's measure lines and notes."""
        index += 1
        while index < len(self.rows) and not isinstance(self.rows[index], ItemRow | SectionRow | ObjectRow):
            index += 1
        return index


def with_faults(rows: Sequence[KrosRow], faults: Sequence[Fault]) -> list[KrosRow]:
    """The rows with every fault put in, in order."""
    edited = Rows(rows)
    for fault in faults:
        for edit in fault.edits:
            edit(edited)
    return edited.rows


def changed(object_code: str, code: str, /, **fields: Any) -> Edit:
    """Set fields of the item (`ItemRow`); a quantity set like this no longer is what the measure sheet says."""

    def edit(rows: Rows) -> None:
        index, item = rows.item(object_code, code)
        rows.rows[index] = replace(item, **fields)

    return edit


def unmeasured(object_code: str, code: str, quantity: Decimal | None) -> Edit:
    """Set the quantity and take the measure sheet away."""

    def edit(rows: Rows) -> None:
        index, item = rows.item(object_code, code)
        rows.rows[index : rows.end(index)] = [replace(item, quantity=quantity)]

    return edit


def measured(object_code: str, code: str, expression: str) -> Edit:
    """Another measure sheet, and the quantity that follows from it."""

    def edit(rows: Rows) -> None:
        index, item = rows.item(object_code, code)
        value = value_of(expression)
        rows.rows[index : rows.end(index)] = [replace(item, quantity=value), MeasureRow(expression, value)]

    return edit


def removed(object_code: str, code: str) -> Edit:
    """Take the item out, with its measure sheet."""

    def edit(rows: Rows) -> None:
        index, _ = rows.item(object_code, code)
        del rows.rows[index : rows.end(index)]

    return edit


def repeated(object_code: str, code: str) -> Edit:
    """Put the item in a second time, at the end of its section."""

    def edit(rows: Rows) -> None:
        index, _ = rows.item(object_code, code)
        copy = rows.rows[index : rows.end(index)]
        at = _end_of_section(rows, index)
        rows.rows[at:at] = copy

    return edit


def added(object_code: str, after: str, *new: KrosRow) -> Edit:
    """Put rows in after the item."""

    def edit(rows: Rows) -> None:
        index, _ = rows.item(object_code, after)
        at = rows.end(index)
        rows.rows[at:at] = new

    return edit


def section_states(object_code: str, code: str, difference: Decimal) -> Edit:
    """The section's stated sum differs from what its items come to."""

    def edit(rows: Rows) -> None:
        index, section = rows.section(object_code, code)
        rows.rows[index] = replace(section, stated_total=_sum_of(rows, index) + difference)

    return edit


def _end_of_section(rows: Rows, index: int) -> int:
    following = (at for at in range(index, len(rows.rows)) if isinstance(rows.rows[at], SectionRow | ObjectRow))
    return next(following, len(rows.rows))


def _sum_of(rows: Rows, index: int) -> Decimal:
    total = Decimal(0)
    for row in rows.rows[index + 1 :]:
        if isinstance(row, SectionRow | ObjectRow):
            break
        if isinstance(row, ItemRow):
            total += row.total if row.total is not None else (row.quantity or 0) * (row.unit_price or Decimal(0))
    return total.quantize(Decimal("0.01"))
