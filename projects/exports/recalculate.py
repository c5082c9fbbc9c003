"""Results of formulas after some cells were changed: computed here, so that whoever reads the file without computing
(a preview, our own reader) sees what the spreadsheet will.

Only what depends on a changed cell is computed. What can't be (an unknown function, another workbook, a circle) loses
its stored result, and so does whatever depends on it: a spreadsheet computes it when it opens the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException, localcontext

from projects.exports.formula import Area, Call, Literal, Name, Node, Operation, Unsupported, parse
from projects.exports.functions import FUNCTIONS, Many, Value, compare, number_of, text_of

_ELSEWHERE = re.compile(r"'?\[\d+\][^!]*!\$?[A-Za-z]{1,3}\$?\d+")

Place = tuple[int, int]  # row, column, from 1
Key = tuple[str, int, int]  # sheet, row, column


@dataclass(slots=True)
class SheetCells:
    """A sheet's cells: constants and stored results in `values`, formulas as (text, rows moved, columns moved)."""

    values: dict[Place, Value] = field(default_factory=dict)
    formulas: dict[Place, tuple[str, int, int]] = field(default_factory=dict)
    last_row: int = 0
    last_column: int = 0


@dataclass(slots=True)
class Recalculation:
    """`results`: the changed formula cells by sheet; None where the result is left to the spreadsheet."""

    results: dict[str, dict[Place, Value | None]]
    computed: int = 0
    left: int = 0


class Recalculator:
    def __init__(self, sheets: Mapping[str, SheetCells], names: Mapping[tuple[str, str], str]) -> None:
        self._sheets = sheets
        self._folded = {name.casefold(): name for name in sheets}
        self._names = {(sheet, name.casefold()): text for (sheet, name), text in names.items()}
        self._trees: dict[str, Node | None] = {}
        self._dirty: set[Key] = set()
        self._unknown: set[Key] = set()

    def after(self, changed: Mapping[str, Mapping[Place, Value]]) -> Recalculation:
        """Results once `changed` (sheet → cell → value) is in place. The stored values are changed too."""
        for sheet, cells in changed.items():
            for place, constant in cells.items():
                self._sheets[sheet].values[place] = constant
                self._dirty.add((sheet, *place))
        outcome = Recalculation({name: {} for name in self._sheets})
        for key in self._in_order():
            sheet, place = key[0], key[1:]
            tree = self._tree(key)
            is_missing = place not in self._sheets[sheet].values
            if not self._depends(tree, sheet, is_missing=is_missing) or (tree is None and self._is_elsewhere(key)):
                continue
            self._dirty.add(key)
            value: Value | None = None if tree is None else self._result(tree, key)
            if value is None:
                self._unknown.add(key)
                outcome.left += 1
            else:
                self._sheets[sheet].values[place] = value
                outcome.computed += 1
            outcome.results[sheet][place] = value
        return outcome

    def _tree(self, key: Key) -> Node | None:
        """The formula of a cell, its references moved to where it stands; None for one that is not understood."""
        text, rows, columns = self._sheets[key[0]].formulas[key[1:]]
        tag = f"{rows}/{columns}/{text}"
        if tag not in self._trees:
            try:
                tree = parse(text)
                self._trees[tag] = _moved(tree, rows, columns) if rows or columns else tree
            except (Unsupported, RecursionError):
                self._trees[tag] = None
        return self._trees[tag]

    def _areas(self, node: Node | None, own: str) -> Iterator[Area]:
        waiting: list[Node] = [node] if node is not None else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, Area):
                yield node
            elif isinstance(node, Call):
                waiting.extend(node.arguments)
            elif isinstance(node, Operation):
                waiting.extend(node.operands)
            elif isinstance(node, Name):
                named = self._named(node.word, own)
                if named is not None:
                    yield named

    def _named(self, word: str, own: str) -> Area | None:
        """What a defined name stands for: the sheet's own, else the workbook's."""
        folded = word.casefold()
        text = self._names.get((own, folded)) or self._names.get(("", folded), "")
        tag = f"name {text}"
        if tag not in self._trees:
            try:
                self._trees[tag] = parse(text)
            except Unsupported:
                self._trees[tag] = None
        found = self._trees[tag]
        return found if isinstance(found, Area) and found.sheet else None

    def _sheet(self, area: Area, own: str) -> str | None:
        return self._folded.get(area.sheet.casefold()) if area.sheet else own

    def _keys(self, area: Area, own: str) -> Iterator[Key]:
        sheet = self._sheet(area, own)
        if sheet is None:
            return
        cells = self._sheets[sheet]
        for row in range(area.first[0], min(area.last[0], cells.last_row) + 1):
            for column in range(area.first[1], min(area.last[1], cells.last_column) + 1):
                yield sheet, row, column

    def _depends(self, tree: Node | None, own: str, *, is_missing: bool) -> bool:
        """An unreadable formula may depend on anything: its result is not trusted any more; nor is one that is not
        stored."""
        if tree is None or is_missing:
            return True
        return any(key in self._dirty for area in self._areas(tree, own) for key in self._keys(area, own))

    def _is_elsewhere(self, key: Key) -> bool:
        """Whether it only shows a cell of another workbook: that stays what it was."""
        return _ELSEWHERE.fullmatch(self._sheets[key[0]].formulas[key[1:]][0]) is not None

    def _in_order(self) -> Iterator[Key]:
        """Formula cells, each after those it reads; without recursion, for running sums make long chains. Cells of a
        circle come in some order: each that reads an unfinished one is unknown."""
        done: set[Key] = set()
        open_: set[Key] = set()
        for sheet, cells in self._sheets.items():
            for place in cells.formulas:
                stack: list[tuple[Key, Iterator[Key]]] = []
                key: Key = (sheet, *place)
                if key not in done:
                    open_.add(key)
                    stack.append((key, self._read_by(key)))
                while stack:
                    at, needed = stack[-1]
                    following = next((k for k in needed if k not in done), None)
                    if following is None:
                        stack.pop()
                        open_.discard(at)
                        done.add(at)
                        yield at
                    elif following in open_:
                        self._unknown.add(at)
                        self._dirty.add(following)
                    else:
                        open_.add(following)
                        stack.append((following, self._read_by(following)))

    def _read_by(self, key: Key) -> Iterator[Key]:
        for area in self._areas(self._tree(key), key[0]):
            for other in self._keys(area, key[0]):
                if other[1:] in self._sheets[other[0]].formulas:
                    yield other

    def _result(self, tree: Node, key: Key) -> Value | None:
        if key in self._unknown:
            return None
        try:
            with localcontext() as context:
                context.prec = 28
                value = self._value(tree, key[0])
        except (Unsupported, DecimalException, ValueError, OverflowError, RecursionError):
            return None
        if isinstance(value, Many):
            return None
        return value if value is not None else Decimal(0)

    def _value(self, node: Node, own: str) -> Value | Many | None:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Name):
            area = self._named(node.word, own)
            if area is None:
                raise Unsupported(node.word)
            return self._value(area, own)
        if isinstance(node, Area):
            return self._read(node, own)
        if isinstance(node, Operation):
            return self._operate(node, own)
        if node.function == "IF" and len(node.arguments) in (2, 3):
            return self._choose(node, own)
        function = FUNCTIONS.get(node.function)
        if function is None:
            raise Unsupported(node.function)
        return function([self._value(argument, own) for argument in node.arguments])

    def _choose(self, node: Call, own: str) -> Value | Many | None:
        condition = self._value(node.arguments[0], own)
        is_true = condition if isinstance(condition, bool) else number_of(condition) != 0
        if is_true:
            return self._value(node.arguments[1], own)
        return self._value(node.arguments[2], own) if len(node.arguments) == 3 else False

    def _read(self, area: Area, own: str) -> Value | Many | None:
        sheet = self._sheet(area, own)
        if sheet is None:
            raise Unsupported(area.sheet)
        values = self._sheets[sheet].values
        if area.is_cell:
            key = (sheet, *area.first)
            if key in self._unknown:
                raise Unsupported("what it reads is not known")
            return values.get(area.first)
        keys = list(self._keys(area, own))
        if any(key in self._unknown for key in keys):
            raise Unsupported("what it reads is not known")
        width = max(0, min(area.last[1], self._sheets[sheet].last_column) - area.first[1] + 1)
        return Many([values.get(key[1:]) for key in keys], width, area.last[0] - area.first[0] + 1)

    def _operate(self, node: Operation, own: str) -> Value:
        # A chain a + b + c + … is a tree that leans to the left: its left side is walked down in a loop.
        chain: list[Operation] = []
        inner: Node = node
        while isinstance(inner, Operation):
            chain.append(inner)
            inner = inner.operands[0]
        value = self._value(inner, own)
        for operation in reversed(chain):
            right = self._value(operation.operands[1], own) if len(operation.operands) == 2 else None
            value = _operated(operation.mark, value, right)
        assert value is not None and not isinstance(value, Many)
        return value


def _operated(mark: str, left: Value | Many | None, right: Value | Many | None) -> Value:
    if mark == "neg":
        return -number_of(left)
    if mark == "%":
        return number_of(left) / 100
    if mark == "&":
        return text_of(left) + text_of(right)
    if mark in ("=", "<>", "<", ">", "<=", ">="):
        return compare(mark, left, right)
    a, b = number_of(left), number_of(right)
    if mark == "+":
        return a + b
    if mark == "-":
        return a - b
    if mark == "*":
        return a * b
    if mark == "/":
        return a / b
    if b != b.to_integral_value() or abs(b) > 64:
        raise Unsupported("a power with a fraction")
    return a ** int(b)


def _moved(node: Node, rows: int, columns: int) -> Node:
    if isinstance(node, Area):
        return node.moved(rows, columns)
    if isinstance(node, Call):
        return Call(node.function, tuple(_moved(each, rows, columns) for each in node.arguments))
    if isinstance(node, Operation):
        return Operation(node.mark, tuple(_moved(each, rows, columns) for each in node.operands))
    return node
