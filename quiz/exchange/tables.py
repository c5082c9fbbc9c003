"""Questions as CSV: one a row, under headings in common spellings; and the CSV that we write."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal

from .answers import counted_from
from .content import NotReadable
from .item import Item, Kind, Range, Rejected
from .rows import ARROW, FIELDS, Row, choice_place, item_of, joined, placed, plain_name
from .soundness import BadQuestion, sound
from .texts import plain_number

LARGEST_CELL = 1024 * 1024
_WRITTEN = (
    "id", "kind", "category", "title", "question", "correct_letter", "explanation", "references", "tags", "difficulty",
    "markup", "case_sensitive",
)  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Columns:
    """Which column holds what."""

    def __init__(self, headings: Sequence[str]) -> None:
        places = {at: place for at, name in enumerate(headings) if (place := choice_place(name)) is not None}
        first = min(places.values(), default=0)
        run = first
        while run in places.values():
            run += 1
        # Only a run from the first: a column "n" is no choice.
        self.choices = {at: place for at, place in places.items() if first <= 1 and place < run}
        self.fields: dict[str, int] = {}
        for at, name in enumerate(headings):
            key = FIELDS.get(plain_name(name))
            if key and at not in self.choices:
                self.fields.setdefault(key, at)

    def row(self, cells: Sequence[str]) -> Row:
        values = {key: cells[at] for key, at in self.fields.items() if at < len(cells)}
        return Row(values, placed((place, cells[at]) for at, place in self.choices.items() if at < len(cells)))


def is_table(text: str) -> bool:
    line = text.lstrip("\ufeff\n").split("\n", 1)[0]
    columns = Columns(next(csv.reader([line[:20_000]], delimiter=_delimiter(line)), []))
    return "stem" in columns.fields and bool(columns.choices or columns.fields.keys() & {"right", "letter"})


def _delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)


def read_table(text: str) -> Iterator[Item | Rejected]:
    """Raises NotReadable where no column holds questions."""
    text = text.lstrip("\ufeff\n")
    csv.field_size_limit(LARGEST_CELL)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text.split("\n", 1)[0]))
    try:
        headings = next(rows, [])
    except csv.Error:
        headings = []
    columns = Columns(headings)
    if "stem" not in columns.fields:
        shown = ", ".join(heading[:40] for heading in headings[:12]) or "none"
        raise NotReadable(f"No column is named 'question' (headings: {shown}).", code="no_question_column")
    read = list(_rows(rows))
    parsed = [columns.row(cells) if isinstance(cells, list) else cells for cells in read]
    first = counted_from([(row.values.get("right", ""), len(row.choices)) for row in parsed if isinstance(row, Row)])
    for position, row in enumerate(parsed, 1):
        if not isinstance(row, Row):
            yield Rejected(position, "bad_row", str(row))
            continue
        raw = joined([*row.values.values(), *row.choices])
        try:
            item = item_of(row, first=first)
        except BadQuestion as bad:
            yield bad.rejected(position, raw)
        else:
            yield sound(item, position=position, raw=raw)


def _rows(rows: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    """Rows with anything in them; a cell beyond LARGEST_CELL costs its row only."""
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield error
            continue
        if any(cell.strip() for cell in cells):
            yield cells


def table_of(items: Sequence[Item]) -> str:
    """The CSV of these items, as many choice columns as the longest of them needs."""
    most = max([len(_cells(item)) for item in items], default=0)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*_WRITTEN, *(_heading(at) for at in range(most))])
    for item in items:
        writer.writerow([*_fields(item), *_cells(item)])
    return text.getvalue()


def _heading(at: int) -> str:
    """Past z by number: choices are named by letters there no more."""
    return _LETTERS[at] if at < len(_LETTERS) else f"choice {at}"


def _fields(item: Item) -> list[str]:
    right = [at for at, choice in enumerate(item.choices) if choice.share > 0]
    if item.kind is Kind.SINGLE:
        right = [at for at, choice in enumerate(item.choices) if choice.share == 1]
    letters = joined([_LETTERS[at].upper() for at in right if at < len(_LETTERS)])
    if item.kind is Kind.TRUE_FALSE:
        letters = next(choice.text for choice in item.choices if choice.share == Decimal(1))
    return [
        item.external_id,
        str(item.kind),
        " / ".join(item.category),
        item.title,
        item.stem,
        letters,
        item.explanation,
        joined(item.references),
        joined(item.tags),
        plain_number(item.difficulty) if item.difficulty is not None else "",
        str(item.markup),
        "yes" if item.is_case_sensitive else "",
    ]


def _cells(item: Item) -> list[str]:
    """Answers that get only part of the mark are left out: the table would make them as good as the right ones."""
    if item.kind is Kind.TRUE_FALSE:
        return []
    if item.kind is Kind.NUMERIC:
        return [_range(taken) for taken in item.ranges if taken.share == 1]
    texts = [choice.text for choice in item.choices]
    texts += [accepted.text for accepted in item.accepted if accepted.share == 1]
    return texts + [f"{pair.left}{ARROW}{pair.right}" for pair in item.pairs] + list(item.sequence)


def _range(taken: Range) -> str:
    low, high = plain_number(taken.low), plain_number(taken.high)
    return low if low == high else f"{low}..{high}"
