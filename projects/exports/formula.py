"""A spreadsheet's formula as a tree: the grammar that bills of quantities use. Anything else is `Unsupported`.

Text is taken apart here and computed in `recalculate`; Python's eval has no part in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_LENGTH = 8192
_DEEPEST = 60

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+)
    |(?P<text>"(?:[^"]|"")*")
    |(?P<sheet>(?:'(?:[^']|'')+'|[^\W\d][\w.]*)!)
    |(?P<cell>\$?[A-Za-z]{1,3}\$?\d{1,7}(?![\w.(]))
    |(?P<name>[^\W\d][\w.]*)
    |(?P<mark><=|>=|<>|[-+*/^&=<>(),:;%])
    )""",
    re.VERBOSE,
)
_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)(\d{1,7})")


class Unsupported(Exception):
    """A function or a way of writing that is not known here: the cell's result is left to the spreadsheet."""


@dataclass(frozen=True, slots=True)
class Literal:
    value: Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Area:
    """A cell or a rectangle of them; rows and columns from 1. `sheet` "": the formula's own."""

    sheet: str
    first: tuple[int, int]
    last: tuple[int, int]
    # Which of first row, first column, last row, last column stay when the formula is shared with other cells.
    fixed: tuple[bool, bool, bool, bool]

    @property
    def is_cell(self) -> bool:
        return self.first == self.last

    def moved(self, rows: int, columns: int) -> Area:
        row, column, last_row, last_column = (
            value if is_fixed else value + by
            for value, is_fixed, by in zip(
                (*self.first, *self.last), self.fixed, (rows, columns, rows, columns), strict=True
            )
        )
        return Area(self.sheet, (row, column), (last_row, last_column), self.fixed)


@dataclass(frozen=True, slots=True)
class Name:
    word: str


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    mark: str  # "neg" and "%" have one operand
    operands: tuple[Node, ...]


Node = Literal | Area | Name | Call | Operation


def column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def cell_place(reference: str) -> tuple[int, int]:
    """ "B12" → (12, 2). Raises ValueError."""
    match = _CELL.fullmatch(reference)
    if match is None:
        raise ValueError(f"{reference!r} names no cell")
    return int(match.group(4)), column_number(match.group(2))


def parse(text: str) -> Node:
    """Raises Unsupported."""
    if len(text) > MAX_LENGTH:
        raise Unsupported("too long")
    return _Parser(_tokens(text)).whole()


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise Unsupported(f"{text[at : at + 10]!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


class _Parser:
    """By precedence: comparison, &, + and -, * and /, ^, sign, %. A chain of a thousand additions is no deep tree to
    read, for it is read in a loop."""

    _LEVELS = (("=", "<>", "<", ">", "<=", ">="), ("&",), ("+", "-"), ("*", "/"), ("^",))

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._at, self._depth = tokens, 0, 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._at != len(self._tokens):
            raise Unsupported(f"{self._tokens[self._at][1]!r}")
        return node

    def _mark(self) -> str:
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        return text if kind == "mark" else ""

    def _take(self, mark: str) -> None:
        if self._mark() != mark:
            raise Unsupported(f"no {mark!r}")
        self._at += 1

    def _binary(self, level: int) -> Node:
        if level == len(self._LEVELS):
            return self._signed()
        node = self._binary(level + 1)
        while (mark := self._mark()) in self._LEVELS[level]:
            self._at += 1
            node = Operation(mark, (node, self._binary(level + 1)))
        return node

    def _signed(self) -> Node:
        mark = self._mark()
        if mark in ("-", "+"):
            self._at += 1
            node = self._signed()
            return Operation("neg", (node,)) if mark == "-" else node
        node = self._primary()
        while self._mark() == "%":
            self._at += 1
            node = Operation("%", (node,))
        return node

    def _primary(self) -> Node:
        if self._at >= len(self._tokens):
            raise Unsupported("it breaks off")
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "number":
            return Literal(Decimal(text))
        if kind == "text":
            return Literal(text[1:-1].replace('""', '"'))
        if kind == "sheet":
            return self._on_sheet(text[:-1])
        if kind == "cell":
            return self._area("", text)
        if kind == "name":
            return self._named(text)
        if text != "(":
            raise Unsupported(f"{text!r}")
        node = self._nested()
        self._take(")")
        return node

    def _nested(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Unsupported("nested too deeply")
        node = self._binary(0)
        self._depth -= 1
        return node

    def _on_sheet(self, name: str) -> Node:
        sheet = name[1:-1].replace("''", "'") if name.startswith("'") else name
        kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
        if "[" in sheet or kind != "cell":
            raise Unsupported(f"{sheet}!{text}")
        self._at += 1
        return self._area(sheet, text)

    def _area(self, sheet: str, text: str) -> Area:
        first = _CELL.fullmatch(text)
        assert first is not None
        last = first
        if self._mark() == ":":
            self._at += 1
            kind, text = self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")
            match = _CELL.fullmatch(text) if kind == "cell" else None
            if match is None:
                raise Unsupported(f"a range to {text!r}")
            last = match
            self._at += 1
        ends = [(int(end.group(4)), column_number(end.group(2))) for end in (first, last)]
        fixed = (first.group(3) == "$", first.group(1) == "$", last.group(3) == "$", last.group(1) == "$")
        return Area(sheet, ends[0], ends[1], fixed)

    def _named(self, word: str) -> Node:
        if self._mark() != "(":
            if word.upper() in ("TRUE", "FALSE"):
                return Literal(word.upper() == "TRUE")
            return Name(word)
        self._at += 1
        arguments: list[Node] = []
        if self._mark() != ")":
            arguments.append(self._argument())
            while self._mark() in (",", ";"):
                self._at += 1
                arguments.append(self._argument())
        self._take(")")
        return Call(word.upper(), tuple(arguments))

    def _argument(self) -> Node:
        return Literal("") if self._mark() in (",", ";", ")") else self._nested()
