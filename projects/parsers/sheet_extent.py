"""How far a sheet reaches: its reader lays out every cell between the first and the last, filled or not.

One stray figure in XFD1048576 asks for half a terabyte, and the reader does not survive being refused it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np

MOST_CELLS = 40_000_000  # a gigabyte
CHUNK = 1 << 20
PADDING = 16  # bytes: letters and digits of a reference, behind the last quotation mark
LONGEST_CELL = 300  # bytes of a cell's head: looked at again where a chunk ends within one

# Of cells that hold something; nothing else has a letter there: <c r="B7" s="1" t="s"><v>
_HELD = re.compile(rb' r="([A-Z]+)(\d+)"[^>]*(?<!/)>\s*<')
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def too_far(workbook: IO[bytes]) -> str:
    """The cell that stretches a sheet beyond what can be laid out ("XFD1048576"); "" if there is none, or it is no zip
    archive. Reads worksheets only; leaves the stream at its start."""
    workbook.seek(0)
    try:
        with zipfile.ZipFile(workbook) as archive:
            for name in archive.namelist():
                if _SHEET.fullmatch(name) and (found := _too_far(archive, name)):
                    return found
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, RuntimeError, EOFError):
        return ""  # the reader says what is wrong with it
    finally:
        workbook.seek(0)
    return ""


def _too_far(archive: zipfile.ZipFile, name: str) -> str:
    box = _Box()
    for chunk in _chunks(archive, name):
        box.add_all(chunk)
    if box.cells <= MOST_CELLS:
        return ""
    held = _Box()  # what is merely formatted is not laid out: now one by one, which takes seconds
    for chunk in _chunks(archive, name):
        for letters, digits in _HELD.findall(chunk):
            held.add(int(digits[:12]), _number_of(letters[:8]))
            if held.cells > MOST_CELLS:
                return str(letters[:8] + digits[:12], "ascii")
    return ""


class _Box:
    """From the first to the last row and column seen."""

    def __init__(self) -> None:
        self._rows, self._columns = [1 << 62, 0], [1 << 62, 0]

    @property
    def cells(self) -> int:
        return max(0, self._rows[1] - self._rows[0] + 1) * max(0, self._columns[1] - self._columns[0] + 1)

    def add(self, row: int, column: int) -> None:
        self._rows = [min(self._rows[0], row), max(self._rows[1], row)]
        self._columns = [min(self._columns[0], column), max(self._columns[1], column)]

    def add_all(self, chunk: bytes) -> None:
        """All cells of a chunk of XML, by numpy: a pattern took twenty times as long as reading it."""
        signs = np.frombuffer(chunk + bytes(PADDING), np.uint8)
        at = np.flatnonzero(signs[:-PADDING] == ord('"')) + 1
        at = at[(signs[at - 2] == ord("=")) & (signs[at - 3] == ord("r")) & (signs[at - 4] == ord(" "))]
        at = at[_between(signs[at], "A", "Z")]
        if not at.size:
            return
        columns, at = _number(signs, at, "A", 26)
        rows, _ = _number(signs, at, "0", 10)
        self.add(int(rows.min()), int(columns.min()))
        self.add(int(rows.max()), int(columns.max()))


def _number(signs: Any, at: Any, zero: str, base: int) -> tuple[Any, Any]:
    """(number, place behind it) of each place; A counts 1. Of more than eight signs eight: large all the same."""
    number, is_in = np.zeros(at.size, np.int64), np.ones(at.size, bool)
    for _ in range(PADDING // 2):
        sign = signs[at]
        is_in &= _between(sign, zero, chr(ord(zero) + base - 1))
        if not is_in.any():
            break
        number = np.where(is_in, number * base + sign - ord(zero) + (base == 26), number)
        at = at + is_in
    return number, at


def _between(signs: Any, first: str, last: str) -> Any:
    return (signs >= ord(first)) & (signs <= ord(last))


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Each with the end of the one before: no cell's head is cut."""
    with archive.open(name) as stream:
        before = b""
        while chunk := stream.read(CHUNK):
            yield before + chunk
            before = chunk[-LONGEST_CELL:]


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
