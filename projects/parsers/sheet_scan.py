"""A sheet's XML as bytes, whole rows at a time: which cells hold figures, formulas, errors, texts.

By patterns, because a parser took ten times as long: a hundred thousand positions are a hundred megabytes. Programs all
write a cell as `<c r="B7" …>`; a sheet that does not is told by `Scan.is_plain` and never taken for one without faults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import IO

from projects.parsers.bill import ParseError

_CHUNK = 1 << 20
_MAX_ROW = 64 << 20
_PREFIX = re.compile(rb"<(\w+:)?worksheet\b")
_HIDDEN_MARKS = (b'hidden="1"', b'hidden="true"', b'ht="0"')
_TAGS = re.compile(r"<[^>]*>")
_TYPE = re.compile(rb'\bt="(\w+)"')
_NUMBER = re.compile(rb'\br="(\d{1,7})"')


class Scan:
    """Patterns for one sheet, whose elements may all carry a prefix ("x:")."""

    def __init__(self, head: bytes) -> None:
        """`head`: the sheet's beginning, with its root element. Raises ParseError("xml_forbidden" | "damaged")."""
        if b"<!DOCTYPE" in head:
            raise ParseError(
                "A sheet of the workbook has a document type declaration, which no spreadsheet program writes. Save "
                "the workbook again as .xlsx.",
                code="xml_forbidden",
            )
        if (found := _PREFIX.search(head)) is None:
            raise ValueError("a sheet without its root element")
        p = self._p = re.escape(found[1] or b"")
        formula = rb"(?:<" + p + rb"f\b[^>]*/>|<" + p + rb"f\b[^>]*>[^<]*</" + p + rb"f>)"
        self._formula = formula
        self._row = re.compile(rb"<" + p + rb"row\b[^>]*>")
        self._hidden = re.compile(rb'\b(?:hidden="(?:1|true)"|ht="0")')
        self._odd = re.compile(rb"<" + p + rb'(?:c(?! r="[A-Z]{1,3}\d{1,7}")|row(?! r="\d))[\s/>]|<' + p + rb"c r='")
        self._error = self._cell(rb"[A-Z]{1,3}\d{1,7}", rb'[^>]*\bt="e"[^>]*', rb"<" + p + rb"v>([^<]*)<")
        self._figure = self._cell(rb"[A-Z]{1,3}\d{1,7}", rb"[^>]*[^/>]|", rb"<" + p + rb"v>")
        self._text = self._cell(
            rb"[A-Z]{1,3}\d{1,7}", rb"[^>]*[^/>]", rb"(?:<" + p + rb"v>([^<]*)<|<" + p + rb"is>(.*?)</" + p + rb"is>)"
        )

    def _cell(self, reference: bytes, attributes: bytes, content: bytes) -> re.Pattern[bytes]:
        head = rb"<" + self._p + rb'c r="(' + reference + rb')"(' + attributes + rb")>"
        return re.compile(head + self._formula + rb"?" + content, re.DOTALL)

    def in_columns(self, letters: frozenset[str]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """For `filled`: formulas and figures of these columns."""
        columns = b"|".join(sorted(name.encode() for name in letters))
        head, attributes = rb"<" + self._p + rb'c r="(' + columns + rb')(\d{1,7})"', rb"(?:[^>]*[^/>])?>"
        is_number = rb'(?![^>]*\bt="(?!n"))'
        return (
            re.compile(head + attributes + rb"<" + self._p + rb"f\b"),
            re.compile(head + is_number + attributes + rb"<" + self._p + rb"v>"),
        )

    def is_plain(self, rows: bytes) -> bool:
        """Whether all rows and cells name their places, as programs write them."""
        return self._odd.search(rows) is None and b"\0" not in rows

    def errors(self, rows: bytes) -> Iterator[tuple[str, str]]:
        """(cell, "#REF!")."""
        if b't="e"' in rows:
            for match in self._error.finditer(rows):
                yield match[1].decode(), unescape(match[3].decode("utf-8", "replace"))

    def texts(self, rows: bytes) -> Iterator[tuple[str, bool, str]]:
        """(cell, whether the text is a place in the table of texts, text)."""
        for match in self._text.finditer(rows):
            kind = _TYPE.search(match[2])
            if kind and kind[1] in (b"s", b"str", b"inlineStr"):
                content = (match[3] if match[3] is not None else match[4]).decode("utf-8", "replace")
                yield match[1].decode(), kind[1] == b"s", unescape(_TAGS.sub("", content))

    def has_figure(self, rows: bytes) -> bool:
        return any(_is_number(match[2]) for match in self._figure.finditer(rows))

    def hidden_rows(self, rows: bytes) -> Iterator[int]:
        """Numbers of hidden rows that hold a figure."""
        if not any(mark in rows for mark in _HIDDEN_MARKS):  # a pattern over all of a sheet took a third of the time
            return
        starts = list(self._row.finditer(rows))
        for place, match in enumerate(starts):
            number = _NUMBER.search(match[0])
            if number and self._hidden.search(match[0]):
                end = starts[place + 1].start() if place + 1 < len(starts) else len(rows)
                if self.has_figure(rows[match.end() : end]):
                    yield int(number[1])

    def pieces(self, head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
        """The sheet in pieces that end with a whole row. Raises ValueError where the sheet is cut short."""
        start = b"<" + self._p.replace(b"\\", b"") + b"row"
        rest, chunk = b"", head
        while chunk:
            rest += chunk
            cut = rest.rfind(start)
            if cut > 0:
                yield rest[:cut]
                rest = rest[cut:]
            if len(rest) > _MAX_ROW:
                raise ValueError("a row of more than 64 MB")
            chunk = stream.read(_CHUNK)
        if b"worksheet>" not in rest:
            raise ValueError("a sheet is cut short")
        yield rest


def _is_number(attributes: bytes) -> bool:
    kind = _TYPE.search(attributes)
    return kind is None or kind[1] == b"n"
