"""Bills that KROS printed: positions stand in ruled boxes, what belongs to them below, each line's type before it.

Types as in its workbooks: D section, VV measure line, P, PP and PSC notes. A position's text is as high as it needs and
its number stands beside the middle of it: only the box says which lines are its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from projects.parsers.bill import Bill, BillPosition, MeasureLine, PositionKind, StatedTotal
from projects.parsers.kros_layout import section_level
from projects.parsers.numbering import Numbering
from projects.parsers.pdf_lines import FOOT, Columns, Tail, columns_of, figure_of
from projects.parsers.pdf_pages import Box, Line, Page, Word
from projects.parsers.pdf_rows import offered

NOTES = ("P", "PP", "PSC")
SECTION, MEASURE = "D", "VV"
_SUM_OF_OBJECT, _SUM_OF_BILL = ("náklady soupisu celkem", "náklady súpisu celkom"), ("náklady z rozpočt",)
_OBJECT = ("objekt:", "soupis:")  # above or before the name of what a sheet is of
TO_CONFIRM = "to be confirmed"
_MATERIAL = "M"
_SUBTOTALS = ("součet", "mezisoučet", "súčet", "medzisúčet")
_BROKEN_RANGE = re.compile(r"(\d-) (?=\d)")  # "200-" at the end of a line, "300 mm" below
_TYPE_TITLE = "typ"
_BESIDE = 9.0  # points between a type and the larger words of its section
_AROUND = 1.5  # of a box's edges


class Position(NamedTuple):
    number: str
    tail: Tail
    is_material: bool


class Typed(NamedTuple):
    """A line below the titles; `type` is "" where it has none."""

    type: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def is_kros(columns: Columns) -> bool:
    return _TYPE_TITLE in columns.title.lower().split() and {"number", "code", "description"} <= columns.at.keys()


def in_order(page: Page, columns: Columns, mark: str) -> Iterator[Position | Line]:
    """What stands on the page, from top to bottom: positions, and lines outside of their boxes."""
    found = [(box, position) for box in page.boxes if (position := _position(box, columns, mark))]
    things: list[tuple[float, Position | Line]] = [(box.top, position) for box, position in found]
    for line in _joined(page.lines, columns):
        if not any(box.top - _AROUND <= line.top < box.bottom - _AROUND for box, _ in found):
            things.append((line.top, line))
    return (thing for _, thing in sorted(things, key=lambda pair: pair[0]))


def decimal_mark_of(page: Page, columns: Columns) -> str:
    """Quantities are printed with three digits. "" where the page has none."""
    found = (_cells(box, columns)["quantity"] for box in page.boxes)
    marks = Counter(text[-4] for text in found if len(text) > 4 and text[-4] in ",." and text[-3:].isdecimal())
    return marks.most_common(1)[0][0] if marks else ""


def _cells(box: Box, columns: Columns) -> dict[str, str]:
    """What stands below each title."""
    cells: dict[str, str] = {}
    for name, (left, right) in columns.at.items():
        middle = (left + right) / 2
        cells[name] = next((cell.text for cell in box.cells if cell.left <= middle <= cell.right), "")
    return cells


def _position(box: Box, columns: Columns, mark: str) -> Position | None:
    cells = _cells(box, columns)
    quantity = figure_of(cells.get("quantity", ""), mark)
    number, unit = cells.get("number", ""), cells.get("unit", "")
    text = _BROKEN_RANGE.sub(r"\1", cells.get("description", ""))
    if not (number.isdecimal() and text and (quantity is not None or unit)):
        return None
    price, total = (figure_of(cells.get(name, ""), mark) for name in ("unit_price", "total"))
    code = cells.get("code", "").replace(" ", "")  # a long one is broken in two
    is_material = any(cell.text == _MATERIAL for cell in box.cells)
    return Position(number, Tail(text, code, unit, quantity, price, offered(price, total)), is_material)


def _joined(lines: tuple[Line, ...], columns: Columns) -> Iterator[Line]:
    """A section's name is printed larger than the "D" before it, and so a little higher. A long measure's type and
    result stand beside the middle of its text, with lines of it above and below. Each is one line."""
    rest = list(lines)
    for line in lines:
        kind, words = typed(line, columns)
        if not (kind == MEASURE or (kind == SECTION and not words)):
            continue
        near = [other for other in rest if other is not line and abs(other.top - line.top) < _BESIDE]
        own = _parts_of_measure(line, near, columns) if kind == MEASURE else _name_of_section(line, near, columns)
        if own:
            above = [word for other in own if other.top < line.top for word in other.words]
            below = [word for other in own if other.top >= line.top for word in other.words]
            rest[rest.index(line)] = replace(line, words=(line.words[0], *above, *_with_result_last(words, below)))
            rest = [other for other in rest if other not in own]
    yield from rest


def _name_of_section(line: Line, near: list[Line], columns: Columns) -> list[Line]:
    name = min(near, key=lambda other: abs(other.top - line.top), default=None)
    is_name = name and line.words[0].right < name.words[0].left < columns.at["code"][0] + 60
    return [name] if name and is_name else []


def _parts_of_measure(line: Line, near: list[Line], columns: Columns) -> list[Line]:
    left, right = columns.at["code"][1], columns.at["quantity"][0]
    texts = [other for other in near if left < other.words[0].left and other.words[-1].right < right]
    return texts if {other.top < line.top for other in texts} == {True, False} else []


def _with_result_last(words: tuple[Word, ...], below: list[Word]) -> list[Word]:
    """The rest of a text goes before the result, which is the furthest to the right."""
    return sorted(words, key=lambda word: word.left)[:-1] + below + list(words[-1:]) if words else below


def typed(line: Line, columns: Columns) -> Typed:
    first = line.words[0]
    stands_between = columns.at["number"][1] - 5 < first.left < columns.at["code"][0]
    if stands_between and first.text in (SECTION, MEASURE, *NOTES):
        return Typed(first.text, line.words[1:])
    return Typed("", line.words)


def section_of(words: tuple[Word, ...], mark: str) -> tuple[str, str, Decimal | None]:
    """(code, name, sum) of a section's line."""
    texts = [word.text for word in words]
    amount = figure_of(texts[-1], mark) if len(texts) > 1 and mark in texts[-1] else None
    if amount is not None:
        texts.pop()
    return texts[0], " ".join(texts[1:]), amount


def measure_of(words: tuple[Word, ...], columns: Columns, mark: str) -> MeasureLine:
    """A line with its result below the quantities; one without is a remark."""
    left = columns.at["quantity"][0] - 25
    value = figure_of(words[-1].text, mark) if words and words[-1].left > left else None
    text = " ".join(word.text for word in (words if value is None else words[:-1]))
    if value is None:
        return MeasureLine(text, "comment")
    return MeasureLine(text, "subtotal" if text.lower().startswith(_SUBTOTALS) else "expression", value)


@dataclass(slots=True)
class _Open:
    """A position whose measure lines and notes are still to come."""

    position: Position
    page: int
    path: tuple[str, ...]
    measure: list[MeasureLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class KrosPrint:
    """Reads pages one after the other; covers and recapitulations too, for objects and sums stand on them."""

    def __init__(self, bill: Bill, numbering: Numbering, mark: str) -> None:
        self._bill, self._numbering, self._mark = bill, numbering, mark
        self._object = ("", "")
        self._path: tuple[str, ...] = ()
        self._open: _Open | None = None
        self._is_below_titles = False
        self._whole: Line | None = None
        self._ordinal = 0

    def look_at_cover(self, page: Page) -> None:
        """The bill's sum stands on a page before all titles."""
        self._whole = next((line for line in page.lines if line.text.lower().startswith(_SUM_OF_BILL)), self._whole)

    def page(self, page: Page, columns: Columns) -> Iterator[BillPosition]:
        self._mark = decimal_mark_of(page, columns) or self._mark
        if self._whole and (amount := self._amount(self._whole)) is not None:
            self._bill.totals.append(StatedTotal("bill", amount, source=f"page {self._whole.page}"))
        self._whole = None
        self._is_below_titles = not any(columns_of(line) for line in page.lines)
        is_named = False  # by the next line
        for thing in in_order(page, columns, self._mark):
            if isinstance(thing, Position):
                yield from self.close()
                self._open = _Open(thing, page.number, self._path)
            elif columns_of(thing):
                self._is_below_titles = True
            elif is_named:
                self._enter(thing.text)
                is_named = False
            elif thing.text.lower().startswith(_OBJECT):
                yield from self.close()
                self._is_below_titles = False
                if beside := thing.text.partition(":")[2].strip():
                    self._enter(beside)
                is_named = not beside
            else:
                yield from self._line(thing, columns)

    def _enter(self, name: str) -> None:
        code, _, rest = name.partition(" - ")
        if (code, rest or code) != self._object:
            self._object, self._path = (code, rest or code), ()

    def _line(self, line: Line, columns: Columns) -> Iterator[BillPosition]:
        if self._take_sum(line) or not self._is_below_titles or FOOT.search(line.text):
            return
        kind, words = found = typed(line, columns)
        if kind == SECTION and words:
            yield from self.close()
            self._enter_section(words, line.page)
        elif self._open is None:
            return
        elif kind == MEASURE and words:
            self._open.measure.append(measure_of(words, columns, self._mark))
        elif kind in NOTES or (self._open.notes and line.words[0].left >= columns.at["code"][1]):
            self._open.notes.append(found.text)

    def _take_sum(self, line: Line) -> bool:
        if not line.text.lower().startswith(_SUM_OF_OBJECT):
            return False
        if (amount := self._amount(line)) is not None:
            self._bill.totals.append(StatedTotal("object", amount, self._object[0], source=f"page {line.page}"))
        return True

    def _amount(self, line: Line) -> Decimal | None:
        """The first figure: without the tax."""
        figures = (figure_of(word.text, self._mark) for word in line.words if self._mark in word.text)
        return next((figure for figure in figures if figure is not None), None)

    def _enter_section(self, words: tuple[Word, ...], page: int) -> None:
        code, name, amount = section_of(words, self._mark)
        self._path = (*self._path[: section_level(code, self._path)], f"{code} {name}".strip())
        if amount is not None:
            self._bill.totals.append(StatedTotal("section", amount, self._object[0], self._path, f"page {page}"))

    def close(self) -> Iterator[BillPosition]:
        if self._open is None:
            return
        found, self._open = self._open, None
        self._ordinal += 1
        number, tail, is_material = found.position
        code, name = self._object
        yield BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim(code, number, f"Page {found.page}"),
            description=tail.text,
            kind=PositionKind.MATERIAL if is_material else PositionKind.WORK,
            object_code=code,
            object_name=name,
            section_path=found.path,
            code=tail.code,
            long_text="\n".join(found.notes),
            unit=tail.unit or None,
            quantity=tail.quantity,
            quantity_reason="" if tail.quantity is not None else "no quantity can be read in the print",
            unit_price=tail.unit_price,
            total=tail.total,
            measure=tuple(found.measure),
            source=f"page {found.page} of the print, {TO_CONFIRM}",
        )
