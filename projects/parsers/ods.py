"""OpenDocument sheets say "this cell, a million times": measured before anything unfolds them."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from projects.parsers.bill import ParseError
from projects.parsers.sheet_extent import MAX_CELLS

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_PIECE = 1 << 16


class _Counter:
    """Filled cells that the sheets unfold to, and the widest place one of them has."""

    def __init__(self) -> None:
        self.cells = 0
        self._row_repeat = 1
        self._pending = 0  # repeats of the open cell
        self._in_row = 0  # filled cells of the open row

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == f"{_TABLE}|table-row":
            self._row_repeat = _repeat(attributes, "number-rows-repeated")
            self._in_row = 0
        elif name == f"{_TABLE}|table-cell":
            self._pending = _repeat(attributes, "number-columns-repeated")
            if any(key.endswith(("|value-type", "|formula")) for key in attributes):
                self._fill()
        elif self._pending:  # anything inside the cell: text, a picture
            self._fill()

    def _fill(self) -> None:
        self._in_row += self._pending
        self._pending = 0

    def end(self, name: str) -> None:
        if name == f"{_TABLE}|table-cell":
            self._pending = 0
        elif name == f"{_TABLE}|table-row":
            self.cells += self._row_repeat * self._in_row


def _repeat(attributes: dict[str, str], name: str) -> int:
    text = attributes.get(f"{_TABLE}|{name}", "1")
    return min(int(text), 1 << 31) if text.isdecimal() and len(text) < 12 else 1


def refuse_repeats(archive: zipfile.ZipFile) -> None:
    """Raises ParseError("too_large" | "xml_forbidden" | "damaged")."""
    counter = _Counter()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        with archive.open("content.xml") as stream:
            while piece := stream.read(_PIECE):
                parser.Parse(piece, False)
                if counter.cells > MAX_CELLS:
                    raise ParseError(
                        f"The sheet unfolds to more than {MAX_CELLS:,} filled cells. Save only the bill's rows.",
                        code="too_large",
                    )
    except (expat.ExpatError, zipfile.BadZipFile, OSError, KeyError, RuntimeError, NotImplementedError) as error:
        raise ParseError(f"The OpenDocument sheet is damaged: {error}. Save it again.", code="damaged") from error


def _refuse_doctype(*_: object) -> None:
    raise ParseError("The OpenDocument sheet has a document type declaration; it is refused.", code="xml_forbidden")
