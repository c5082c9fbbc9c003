"""A worksheet's XML as text: its cells read, single ones replaced, everything between them left as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape, unescape

from projects.exports.formula import cell_place
from projects.exports.functions import Value
from projects.exports.recalculate import Place, SheetCells
from projects.parsers.decimals import decimal_from_float
from projects.parsers.sheet_extent import column_letters

_ROW = re.compile(r"<((?:\w+:)?)row\b([^>]*?)(?:/>|>(.*?)</\1row>)", re.DOTALL)
_CELL = re.compile(r"<((?:\w+:)?)c(\s[^>]*?)?(?:/>|>(.*?)</\1c>)", re.DOTALL)
_ATTRIBUTE = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_VALUE = re.compile(r"<((?:\w+:)?)v\b[^>]*?(?:/>|>(.*?)</\1v>)", re.DOTALL)
_TEXT = re.compile(r"<((?:\w+:)?)t\b[^>]*?(?:/>|>(.*?)</\1t>)", re.DOTALL)
_FORMULA = re.compile(r"<((?:\w+:)?)f\b([^>]*?)(?:/>|>(.*?)</\1f>)", re.DOTALL)
_COLUMN = re.compile(r"<(?:\w+:)?col\b([^>]*?)/?>")
_PROTECTION = re.compile(r"<(?:\w+:)?sheetProtection\b([^>]*?)/?>")
_TYPE = re.compile(r"\st\s*=\s*(?:\"[^\"]*\"|'[^']*')")
_QUOTES = {"&quot;": '"', "&apos;": "'"}
_CHARACTER = re.compile(r"&#(x[0-9a-fA-F]{1,6}|\d{1,7});")


def _attributes(text: str | None) -> dict[str, str]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(text or "")}


def _plain(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        number = match.group(1)
        code = int(number[1:], 16) if number.startswith("x") else int(number)
        return chr(code) if code < 0x110000 else ""

    return unescape(_CHARACTER.sub(character, text), _QUOTES)


@dataclass(frozen=True, slots=True)
class FoundCell:
    """A cell as it stands; `is_there` False: the row has none at that place."""

    is_there: bool
    style: int
    has_formula: bool
    value: Decimal | None


class SheetText:
    """One worksheet part. `replaced` makes another text; this one stays."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._rows: dict[int, tuple[int, int]] = {}
        for match in _ROW.finditer(text):
            number = _attributes(match.group(2)).get("r", "")
            if number.isdecimal():
                self._rows[int(number)] = match.span()
        protection = _PROTECTION.search(text)
        told = _attributes(protection.group(1)).get("sheet", "0") if protection else "0"
        self.is_protected = told.lower() in ("1", "true")
        self._columns = [
            (int(a["min"]), int(a["max"]), int(a.get("style", "0")))
            for a in map(_attributes, _COLUMN.findall(text[: text.find("sheetData")]))
            if a.get("min", "").isdecimal() and a.get("max", "").isdecimal() and a.get("style", "0").isdecimal()
        ]

    def cell(self, place: Place) -> FoundCell | None:
        """None where the sheet has no such row."""
        span = self._rows.get(place[0])
        if span is None:
            return None
        row = _ROW.fullmatch(self._text, *span)
        assert row is not None
        for match in _CELL.finditer(row.group(3) or ""):
            attributes = _attributes(match.group(2))
            if _place(attributes) == place:
                body = match.group(3) or ""
                value = _value(attributes, body, [])
                figure = value if isinstance(value, Decimal) else None
                style = attributes.get("s", "0")
                return FoundCell(True, int(style) if style.isdecimal() else 0, bool(_FORMULA.search(body)), figure)
        return FoundCell(False, self._style_of_empty(row.group(2), place[1]), False, None)

    def _style_of_empty(self, row: str, column: int) -> int:
        attributes = _attributes(row)
        if attributes.get("customFormat", "0").lower() in ("1", "true") and attributes.get("s", "").isdecimal():
            return int(attributes["s"])
        return next((style for first, last, style in self._columns if first <= column <= last), 0)

    def cells(self, strings: list[str]) -> SheetCells:
        """All of them, formulas with their stored results."""
        found = SheetCells()
        shared: dict[str, tuple[str, Place]] = {}
        for start, end in self._rows.values():
            for match in _CELL.finditer(self._text, start, end):
                attributes = _attributes(match.group(2))
                place = _place(attributes)
                if place is None:
                    continue
                body = match.group(3) or ""
                value = _value(attributes, body, strings)
                if value is not None:
                    found.values[place] = value
                formula = _formula(body, place, shared)
                if formula is not None:
                    found.formulas[place] = formula
                if value is not None or formula is not None:
                    found.last_row = max(found.last_row, place[0])
                    found.last_column = max(found.last_column, place[1])
        return found

    def replaced(self, figures: Mapping[Place, Decimal], results: Mapping[Place, Value | None]) -> str:
        """`figures`: constants written into cells, which come to be where a row has none. `results`: of formulas; None
        takes the stored one away."""
        rows: dict[int, dict[int, tuple[bool, Value | None]]] = {}
        for (row, column), result in results.items():
            rows.setdefault(row, {})[column] = (True, result)
        for (row, column), figure in figures.items():
            rows.setdefault(row, {})[column] = (False, figure)
        pieces, at = [], 0
        for number, (start, end) in sorted(self._rows.items(), key=lambda item: item[1]):
            if number in rows:
                pieces += [self._text[at:start], self._row(self._text[start:end], number, rows[number])]
                at = end
        return "".join([*pieces, self._text[at:]])

    def without_results(self) -> str:
        """No formula has a stored result any more."""

        def bare(match: re.Match[str]) -> str:
            body = match.group(3) or ""
            return _with_result(match, body, None) if _FORMULA.search(body) else match.group(0)

        return _CELL.sub(bare, self._text)

    def _row(self, text: str, number: int, changes: dict[int, tuple[bool, Value | None]]) -> str:
        row = _ROW.fullmatch(text)
        assert row is not None
        prefix, body = row.group(1), row.group(3) or ""
        pieces, at, waiting = [], 0, dict(sorted(changes.items()))
        for match in _CELL.finditer(body):
            place = _place(_attributes(match.group(2)))
            if place is None:
                continue
            for column in [column for column in waiting if column < place[1]]:
                pieces += [body[at : match.start()], self._new(prefix, row.group(2), number, column, waiting)]
                at = match.start()
            if place[1] in waiting:
                is_result, value = waiting.pop(place[1])
                changed = _with_result(match, match.group(3) or "", value) if is_result else _constant(match, value)
                pieces += [body[at : match.start()], changed]
                at = match.end()
        pieces.append(body[at:])
        pieces += [self._new(prefix, row.group(2), number, column, waiting) for column in list(waiting)]
        head = f"<{prefix}row{row.group(2).rstrip()}>"
        return f"{head}{''.join(pieces)}</{prefix}row>"

    def _new(
        self, prefix: str, row: str, number: int, column: int, waiting: dict[int, tuple[bool, Value | None]]
    ) -> str:
        _, value = waiting.pop(column)
        style = self._style_of_empty(row, column)
        styled = f' s="{style}"' if style else ""
        stored = f"<{prefix}v>{_written(value)}</{prefix}v>"
        return f'<{prefix}c r="{column_letters(column - 1)}{number}"{styled}>{stored}</{prefix}c>'


def _place(attributes: dict[str, str]) -> Place | None:
    try:
        return cell_place(attributes.get("r", ""))
    except ValueError:
        return None


def _value(attributes: dict[str, str], body: str, strings: list[str]) -> Value | None:
    kind = attributes.get("t", "n")
    if kind == "inlineStr":
        return _plain("".join(text for _, text in _TEXT.findall(body)))
    match = _VALUE.search(body)
    if match is None:
        return None
    text = match.group(2) or ""
    if not text:
        return "" if kind == "str" else None
    if kind == "s":
        return strings[int(text)] if text.isdecimal() and int(text) < len(strings) else ""
    if kind == "str":
        return _plain(text)
    if kind == "b":
        return text.strip() == "1"
    if kind == "e":
        return f"#{text}"
    try:
        return decimal_from_float(float(text))
    except ValueError:
        return None


def _formula(body: str, place: Place, shared: dict[str, tuple[str, Place]]) -> tuple[str, int, int] | None:
    match = _FORMULA.search(body)
    if match is None:
        return None
    attributes, text = _attributes(match.group(2)), _plain(match.group(3) or "")
    if attributes.get("t") == "shared":
        index = attributes.get("si", "")
        if text:
            shared[index] = (text, place)
        elif index in shared:
            text, first = shared[index]
            return text, place[0] - first[0], place[1] - first[1]
    elif attributes.get("t") in ("array", "dataTable"):
        return "{an array formula}", 0, 0
    return text or "{nothing}", 0, 0


def _written(value: Value | None) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    return escape(value or "")


def _constant(match: re.Match[str], value: Value | None) -> str:
    prefix = match.group(1)
    attributes = _TYPE.sub("", (match.group(2) or "").rstrip())
    return f"<{prefix}c{attributes}><{prefix}v>{_written(value)}</{prefix}v></{prefix}c>"


def _with_result(match: re.Match[str], body: str, value: Value | None) -> str:
    """The cell with its formula and another result."""
    prefix = match.group(1)
    attributes = _TYPE.sub("", (match.group(2) or "").rstrip())
    rest = _VALUE.sub("", body)
    if value is None:
        return f"<{prefix}c{attributes}>{rest}</{prefix}c>"
    kind = ' t="b"' if isinstance(value, bool) else ' t="str"' if isinstance(value, str) else ""
    formula = _FORMULA.search(rest)
    end = formula.end() if formula else 0
    stored = f"<{prefix}v>{_written(value)}</{prefix}v>"
    return f"<{prefix}c{attributes}{kind}>{rest[:end]}{stored}{rest[end:]}</{prefix}c>"
