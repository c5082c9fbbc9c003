"""How far a workbook's sheets reach: their reader lays out every cell from the first row to the last, filled or not.

One stray figure in XFD1048576 asks for half a terabyte, and the reader does not survive being refused it. So sheets are
measured first, generously and fast; only one that seems to reach too far, or whose references are spelled oddly, is
gone through cell by cell.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any
from xml.parsers import expat

import numpy as np

MAX_CELLS = 32_000_000  # of 32 bytes: a gigabyte
MAX_ROWS, MAX_COLUMNS = 1_048_576, 16_384  # of xlsx

_CHUNK = 1 << 20
_PADDING = 16  # bytes behind a chunk: letters, digits and the quotation mark of a reference
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([1-9]\d{0,6})")


class OddlyWritten(Exception):
    """A sheet that is no XML, or whose references no program writes: nobody knows what a reader would make of it."""


def too_far(workbook: IO[bytes]) -> str:
    """The cell that stretches a sheet beyond what can be laid out ("XFD1048576"); "" if there is none, or it is no zip
    archive. Reads worksheets only; leaves the stream at its start. Raises OddlyWritten."""
    workbook.seek(0)
    try:
        with zipfile.ZipFile(workbook) as archive:
            for part in archive.infolist():
                if part.filename.lower().endswith(".xml") and (found := _too_far(archive, part)):
                    return found
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError):
        return ""  # the reader says what is wrong with it
    finally:
        workbook.seek(0)
    return ""


def _too_far(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> str:
    with archive.open(part) as stream:
        head = stream.read(_CHUNK)
        if b"worksheet" not in head and b"\0" not in head[:100]:
            return ""
    with archive.open(part) as stream:
        if _Estimate().holds(stream):
            return ""
    with archive.open(part) as stream:
        return _far_cell(stream)


class Extent:
    """From the first row and the first filled column to the last."""

    def __init__(self) -> None:
        self.last_row, self.first_column, self.last_column = 0, MAX_COLUMNS, 0

    def add(self, row: int, first_column: int, last_column: int) -> None:
        self.last_row = max(self.last_row, row)
        self.first_column = min(self.first_column, first_column)
        self.last_column = max(self.last_column, last_column)

    @property
    def fits(self) -> bool:
        width = max(0, self.last_column - self.first_column + 1)
        return self.last_row <= MAX_ROWS and self.last_column <= MAX_COLUMNS and self.last_row * width <= MAX_CELLS


class _Estimate:
    """Of everything that may be a reference, by numpy: a pattern took twenty times as long as reading."""

    def __init__(self) -> None:
        self._extent = Extent()

    def holds(self, stream: IO[bytes]) -> bool:
        """Whether it fits for certain."""
        return all(self._is_plain(chunk) and self._extent.fits for chunk in _whole_tags(stream))

    def _is_plain(self, chunk: bytes) -> bool:
        signs = np.frombuffer(bytes(4) + chunk + bytes(_PADDING), np.uint8)
        if not chunk or 0 in chunk:
            return not chunk
        return _cells_begin_with_references(signs) and self._adds_all(signs)

    def _adds_all(self, signs: Any) -> bool:
        """Whether every reference is spelled as programs do: ` r="B7"`."""
        at = np.flatnonzero(_is_quote(signs[:-_PADDING]))
        before, second, third = signs[at - 1], signs[at - 2], signs[at - 3]
        named_r = (before == ord("=")) & (second == ord("r"))
        plain = named_r & (third == ord(" ")) & (signs[at] == ord('"'))
        odd = (named_r & ~plain & ~_is_name(third)) | _is_space(before) | ((before == ord("=")) & _is_space(second))
        if _numbers(signs, at[odd] + 1)[2].any():
            return False
        columns, rows, is_reference = _numbers(signs, at[plain] + 1)
        if rows.size:
            cells = columns[columns > 0]
            first, last = (int(cells.min()), int(cells.max())) if cells.size else (MAX_COLUMNS, 0)
            self._extent.add(int(rows.max()), first, last)
        return bool(is_reference.all())


def _cells_begin_with_references(signs: Any) -> bool:
    """A cell without one stands where its reader has counted to."""
    at = np.flatnonzero(signs[:-_PADDING] == ord("c"))
    before = signs[at - 1]
    at = at[(before == ord("<")) | (before == ord(":"))]
    at = at[~_is_name(signs[at + 1])]
    return all(bool((signs[at + place] == sign).all()) for place, sign in enumerate(b' r="', start=1))


def _numbers(signs: Any, at: Any) -> tuple[Any, Any, Any]:
    """(column, row, whether it is a reference) of each place: "B7" is (2, 7), "7" (0, 7)."""
    at, columns = _digits(signs, at, "A", 26, 3)
    at, rows = _digits(signs, at, "0", 10, 8)
    return columns, rows, (rows > 0) & _is_quote(signs[at])


def _digits(signs: Any, at: Any, zero: str, base: int, most: int) -> tuple[Any, Any]:
    """(place behind it, number) of each place; 0 where there is none. Nine digits fit."""
    number = np.zeros(at.size, np.int32)
    for _ in range(most):
        digit = signs[at] - np.uint8(ord(zero))
        is_digit = digit < base
        if not is_digit.any():
            break
        number = np.where(is_digit, number * base + digit + (base == 26), number)
        at = at + is_digit
    return at, number


def _is_name(signs: Any) -> Any:
    letter = (signs | 32) - np.uint8(ord("a")) < 26
    return letter | (signs - np.uint8(ord("-")) < 14) | (signs == ord("_"))  # from "-" to ":"


def _is_quote(signs: Any) -> Any:
    return (signs == ord('"')) | (signs == ord("'"))


def _is_space(signs: Any) -> Any:
    return signs <= ord(" ")


def _whole_tags(stream: IO[bytes]) -> Iterator[bytes]:
    """The content in pieces that end with ">"."""
    rest = b""
    while chunk := stream.read(_CHUNK):
        end = chunk.rfind(b">") + 1
        if end:
            yield rest + chunk[:end]
            rest = chunk[end:]
        else:
            rest += chunk
    yield rest


def _far_cell(stream: IO[bytes]) -> str:
    """Cell by cell, as the reader counts them: what is merely formatted is not laid out. Raises OddlyWritten."""
    walk = _Walk()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    parser.StartDoctypeDeclHandler = walk.refuse
    try:
        while not walk.far and (chunk := stream.read(_CHUNK)):
            parser.Parse(chunk, False)
        if not walk.far:
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise OddlyWritten(str(error)) from error
    return walk.far


class _Walk:
    def __init__(self) -> None:
        self.far = ""
        self._extent = Extent()
        self._row, self._column = 0, 0
        self._cell: tuple[int, int] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name, reference = name.rpartition(":")[2], attributes.get("r", "")
        if name == "row":
            self._row, self._column = _row_number(reference) if reference else self._row + 1, 0
        elif name == "c":
            self._cell = self._place(reference)
            self._column = self._cell[1]
        elif self._cell:
            self._hold(*self._cell)
            self._cell = None

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "c":
            self._cell = None

    def refuse(self, *_: object) -> None:
        raise OddlyWritten("a document type")

    def _place(self, reference: str) -> tuple[int, int]:
        if not reference:
            return max(1, self._row), self._column + 1
        if not (found := _REFERENCE.fullmatch(reference)):
            raise OddlyWritten(f"a cell named {reference[:20]!r}")
        return int(found[2]), column_number(found[1])

    def _hold(self, row: int, column: int) -> None:
        self._extent.add(row, column, column)
        if not self._extent.fits and not self.far:
            self.far = f"{column_letters(column - 1)}{row}"


def _row_number(reference: str) -> int:
    if not (reference.isascii() and reference.isdigit() and len(reference) < 8):
        raise OddlyWritten(f"a row named {reference[:20]!r}")
    return int(reference)


def column_number(letters: str) -> int:
    """A → 1, AA → 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(index: int) -> str:
    """0 → A, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
