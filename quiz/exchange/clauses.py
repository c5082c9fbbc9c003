"""Clauses of a standard or a regulation from files: a tree as regulation parsers write it (JSON), or a plain CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from .content import NotReadable, bytes_of, text_of
from .item import Rejected
from .rows import plain_name
from .soundness import LONGEST_RAW
from .texts import clean, one_line

DEEPEST = 100
_HEADINGS = {
    "number": ("number", "clause", "clausenumber", "no", "section", "id", "label"),
    "title": ("title", "heading", "name"),
    "text": ("text", "body", "content", "wording"),
    "parent": ("parent", "parentnumber"),
}


@dataclass(frozen=True, slots=True)
class Clause:
    """`number` as it is cited ("1013.2(e)", "4.1.2"), unique in its edition; `parent` the number it stands under, ""
    at the top. Clauses come in the order of the document, parents before what is under them."""

    number: str
    title: str
    text: str
    parent: str = ""
    kind: str = ""  # the publisher's word: "regtext", "appendix", "interp"


def read_clauses(stream: IO[bytes]) -> Iterator[Clause | Rejected]:
    """Raises NotReadable for what is neither such a tree nor a CSV with a column of numbers."""
    text = text_of(bytes_of(stream)).lstrip("\ufeff")
    found = _tree(text) if text.lstrip().startswith("{") else _table(text)
    return _each_once(found)


def _each_once(found: Iterator[Clause | Rejected]) -> Iterator[Clause | Rejected]:
    numbers: set[str] = set()
    for position, clause in enumerate(found, 1):
        if isinstance(clause, Clause) and clause.number in numbers:
            yield Rejected(position, "duplicate", f"The clause {clause.number} comes twice.", clause.text[:LONGEST_RAW])
            continue
        if isinstance(clause, Clause):
            numbers.add(clause.number)
        yield clause


def _tree(text: str) -> Iterator[Clause | Rejected]:
    try:
        root = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotReadable(f"The JSON is damaged: {str(error)[:160]}", code="damaged") from error
    if not isinstance(root.get("label"), list) or not isinstance(root.get("children"), list):
        raise NotReadable("The JSON is no tree of clauses (label, title, text, children).", code="no_clauses")
    return _walk(root)


def _walk(root: dict[str, Any]) -> Iterator[Clause | Rejected]:
    """Depth first, without recursion: a tree may be deeper than Python's stack."""
    waiting: list[tuple[Any, str, int]] = [(root, "", 0)]
    position = 0
    while waiting:
        node, parent, depth = waiting.pop()
        position += 1
        label = node.get("label") if isinstance(node, dict) else None
        if not isinstance(label, list) or not label or depth > DEEPEST:
            yield Rejected(position, "bad_shape", "A node has no label, or lies too deep.", str(node)[:LONGEST_RAW])
            continue
        kind = str(node.get("node_type", ""))
        number = number_of_label([one_line(str(part)) for part in label], kind=kind)
        yield Clause(number, one_line(str(node.get("title") or "")), clean(str(node.get("text") or "")), parent, kind)
        children = node.get("children")
        waiting += [(each, number, depth + 1) for each in reversed(children if isinstance(children, list) else [])]


def number_of_label(label: Sequence[str], *, kind: str = "regtext") -> str:
    """As a citation has it: 1013, 2, e is 1013.2(e); its commentary 1013, 2, e, Interp, 10 is 1013.2(e)-Interp-10."""
    if kind == "interp" and "Interp" in label:
        at = label.index("Interp")
        of = number_of_label(label[:at]) if len(label[:at]) > 1 and label[1][:1].isdecimal() else "-".join(label[:at])
        return "-".join([of, *label[at:]])
    if kind == "regtext" and len(label) > 1:
        return f"{label[0]}.{label[1]}" + "".join(f"({part})" for part in label[2:])
    return "-".join(label)


def _table(text: str) -> Iterator[Clause | Rejected]:
    first = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=first.count))
    csv.field_size_limit(1024 * 1024)
    headings = [plain_name(heading) for heading in next(rows, [])]
    columns = {
        field: next(headings.index(name) for name in names if name in headings)
        for field, names in _HEADINGS.items()
        if set(names) & set(headings)
    }
    if "number" not in columns or not columns.keys() & {"title", "text"}:
        raise NotReadable("The table has no columns number, title and text.", code="no_number_column")
    return _rows(rows, columns)


def _rows(rows: Iterator[list[str]], columns: dict[str, int]) -> Iterator[Clause | Rejected]:
    numbers: set[str] = set()
    position = 0
    while True:
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            position += 1
            yield Rejected(position, "bad_row", str(error))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        position += 1
        told = {field: cells[at] for field, at in columns.items() if at < len(cells)}
        number = one_line(told.get("number", ""))
        if not number:
            yield Rejected(position, "no_number", "The row has no clause number.", "; ".join(cells)[:LONGEST_RAW])
            continue
        parent = one_line(told.get("parent", "")) or _above(number, numbers)
        numbers.add(number)
        yield Clause(number, one_line(told.get("title", "")), clean(told.get("text", "")), parent)


def _above(number: str, numbers: set[str]) -> str:
    """The nearest clause before it that its number continues: 4.1 of 4.1.2, 97.119 of 97.119(b)."""
    while (shorter := re.sub(r"(?:\([^()]*\)|[.-]?\w+)$", "", number)) not in ("", number):
        number = shorter
        if number in numbers:
            return number
    return ""
