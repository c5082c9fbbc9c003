"""Compound files (Excel and Word 97-2003, encrypted Office): the names of the streams, and one stream's bytes.

Source: [MS-CFB]. The directory is read as a list of entries and never walked as the tree that it claims to be, and a
chain of sectors can't be longer than its table: a file that leads in circles is "damaged", not endless.
"""

from __future__ import annotations

import struct
from array import array
from pathlib import Path

from projects.parsers.bill import ParseError

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
WORKBOOK_STREAMS = ("Workbook", "Book")  # Excel 97-2003, Excel 5 and 95
MAX_SIZE = 64 << 20  # 65,536 rows, the most of such a sheet, are some 15 MB

_ENTRY = 128
_STREAM, _ROOT = 2, 5
_IN_HEADER = 109  # places of the table's sectors that the header has room for
_LAST_SECTOR = 0xFFFFFFF9  # above: marks of ends and of what is free


class Compound:
    """A compound file, held in memory. Raises ParseError("damaged" | "too_large")."""

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > MAX_SIZE:
            raise ParseError(
                f"The file has more than {MAX_SIZE >> 20} MB, more than a bill in this older form ever has. Save it as "
                ".xlsx and upload that.",
                code="too_large",
            )
        self._content = path.read_bytes()
        try:
            self._read_tables()
            self._entries = self._read_directory()
        except (struct.error, ValueError, IndexError) as error:
            raise _damaged(str(error)) from error

    @property
    def names(self) -> frozenset[str]:
        """Of all streams, without the storages they lie in."""
        return frozenset(name for name, kind, _, _ in self._entries if kind == _STREAM)

    def stream(self, name: str) -> bytes:
        """The first stream of this name. Raises LookupError where there is none, ParseError("damaged")."""
        for found, kind, first, size in self._entries:
            if found == name and kind == _STREAM:
                try:
                    return self._short_stream(first, size) if size < self._cutoff else self._stream(first, size)
                except ValueError as error:
                    raise _damaged(str(error)) from error
        raise LookupError(name)

    def _read_tables(self) -> None:
        content = self._content
        (shift, short_shift) = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or short_shift != 6:
            raise ValueError(f"its sectors can't have 2^{shift} bytes")
        self._size, self._short_size = 1 << shift, 1 << short_shift
        first_directory, _, self._cutoff, first_short, _, first_more, _ = struct.unpack_from("<7I", content, 48)
        self._first_directory = first_directory
        places = array("I", struct.unpack_from(f"<{_IN_HEADER}I", content, 76))
        seen = 0
        while first_more <= _LAST_SECTOR:
            more = self._numbers(self._sector(first_more))
            places.extend(more[:-1])
            first_more, seen = more[-1], seen + 1
            if seen > len(content) // self._size:
                raise ValueError("the list of its tables leads in circles")
        used = [place for place in places if place <= _LAST_SECTOR]
        if len(used) * self._size > len(content):
            raise ValueError("its tables are larger than the file")
        self._table = array("I")
        for place in used:
            self._table.extend(self._numbers(self._sector(place)))
        self._short_table = self._numbers(b"".join(map(self._sector, self._chain(first_short, self._table))))

    def _read_directory(self) -> list[tuple[str, int, int, int]]:
        """(name, kind, first sector, bytes) of each entry."""
        entries = []
        for sector in self._chain(self._first_directory, self._table):
            piece = self._sector(sector)
            for at in range(0, len(piece) - _ENTRY + 1, _ENTRY):
                length, kind = struct.unpack_from("<HB", piece, at + 64)
                first, size = struct.unpack_from("<II", piece, at + 116)  # 4 GB and more are no bill
                name = piece[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
                entries.append((name, kind, first, size))
        if not entries or entries[0][1] != _ROOT:
            raise ValueError("its directory has no beginning")
        return entries

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        piece = self._content[start : start + self._size]
        if not piece:
            raise ValueError(f"it ends before its sector {number}")
        return piece.ljust(self._size, b"\0")  # the last one may be cut

    @staticmethod
    def _numbers(piece: bytes) -> array[int]:
        return array("I", struct.unpack(f"<{len(piece) // 4}I", piece))

    @staticmethod
    def _chain(first: int, table: array[int]) -> list[int]:
        found: list[int] = []
        while first <= _LAST_SECTOR:
            if first >= len(table) or len(found) >= len(table):
                raise ValueError("its sectors lead in circles, or out of the file")
            found.append(first)
            first = table[first]
        return found

    def _stream(self, first: int, size: int) -> bytes:
        return _whole(b"".join(map(self._sector, self._chain(first, self._table))), size)

    def _short_stream(self, first: int, size: int) -> bytes:
        """In pieces of 64 bytes of the stream that the root holds."""
        _, _, holder, held = self._entries[0]
        pieces, step = self._stream(holder, held), self._short_size
        chain = self._chain(first, self._short_table)
        return _whole(b"".join(pieces[number * step : (number + 1) * step] for number in chain), size)


def _whole(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise ValueError("a stream is shorter than its directory says")
    return content[:size]


def _damaged(detail: str) -> ParseError:
    return ParseError(
        f"The file is damaged: {detail}. It was probably cut short while it was copied or sent. Get it again, or open "
        "it in the program that made it and save it as .xlsx.",
        code="damaged",
    )
