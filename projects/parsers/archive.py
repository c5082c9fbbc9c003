"""Zip containers (xlsx, ods): measured before anything opens them, so that a small file can't fill the memory.

The directory of an archive says how large each part will be, and may lie; so it is checked first (cheap, refuses the
honest bomb before one byte is inflated) and then every part is inflated in pieces, counted and thrown away, and must
come out exactly as large as promised. 90 MB of sheet take half a second.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from projects.parsers.bill import ParseError

# 500,000 positions (the limit of an import) with their measures are about 600 MB of sheet XML.
MAX_TOTAL = 1 << 30
# Real sheets pack 7 to 40 times; zeros pack 1,000 times. Small parts may pack as they like.
MAX_RATIO = 200
RATIO_FROM = 8 << 20
MAX_MEMBERS = 5_000
# The table of texts is held in memory whole.
MAX_SHARED_STRINGS = 256 << 20

_PIECE = 1 << 20
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_READABLE = (".xml", ".rels", ".bin", ".vml")


def open_archive(path: Path) -> zipfile.ZipFile:
    """Raises ParseError("damaged") where the file is cut short or its directory can't be read."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        raise ParseError(
            "The file begins like a zip container (xlsx, ods), but its directory can't be read: it was probably cut "
            "short while it was copied or sent. Get it again and compare its size with the original.",
            code="damaged",
        ) from error


def check_directory(archive: zipfile.ZipFile) -> None:
    """Refuses by what the directory promises: nothing is inflated. Raises ParseError("archive_bomb" | "damaged")."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise _bomb(f"it has {len(members):,} parts, more than {MAX_MEMBERS:,}")
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL:
        raise _bomb(f"it would unpack to {total / (1 << 20):,.0f} MB, more than {MAX_TOTAL >> 20:,} MB")
    for member in members:
        ratio = member.file_size / max(member.compress_size, 1)
        if member.file_size > RATIO_FROM and ratio > MAX_RATIO:
            raise _bomb(f"its part '{_name(member)}' would grow {ratio:,.0f} times when unpacked")
        if member.filename.lower().endswith("sharedstrings.xml") and member.file_size > MAX_SHARED_STRINGS:
            raise _bomb(f"its table of texts would unpack to {member.file_size >> 20:,} MB")
        if member.flag_bits & 1:
            raise ParseError(
                "The file is protected by a password. Save it without one and upload it again.", code="encrypted"
            )


def check_parts(path: Path, archive: zipfile.ZipFile) -> None:
    """Inflates every part that a reader may open, in pieces, and compares with the directory.

    Raises ParseError("archive_bomb" | "damaged").
    """
    with path.open("rb") as raw:
        for member in archive.infolist():
            if not member.filename.lower().endswith(_READABLE):
                continue
            size = 0
            for piece in _inflate(raw, member):
                size += len(piece)
                if size > member.file_size:
                    raise _bomb(f"its part '{_name(member)}' is larger than the file's directory says")
            if size != member.file_size:
                raise _damaged(member)


def _inflate(raw: BinaryIO, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The part's bytes as a reader would get them, whatever size the directory gives."""
    try:
        raw.seek(member.header_offset)
        header = _LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size))
        if header[0] != b"PK\x03\x04":
            raise _damaged(member)
        raw.seek(header[-2] + header[-1], 1)
        left = member.compress_size
        if member.compress_type == zipfile.ZIP_STORED:
            while left > 0 and (stored := raw.read(min(_PIECE, left))):
                left -= len(stored)
                yield stored
            return
        if member.compress_type != zipfile.ZIP_DEFLATED:
            raise _damaged(member)
        engine = zlib.decompressobj(-15)
        while left > 0 and not engine.eof and (packed := raw.read(min(_PIECE >> 2, left))):
            left -= len(packed)
            while packed:
                yield engine.decompress(packed, _PIECE)
                packed = engine.unconsumed_tail
    except (zlib.error, struct.error, OSError) as error:
        raise _damaged(member) from error


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename[:80]


def _bomb(what: str) -> ParseError:
    return ParseError(
        f"The file was refused before it was unpacked: {what}. A bill of quantities is never like that. If it is a "
        "real workbook, open it in a spreadsheet program, delete what is not the bill, and save it again.",
        code="archive_bomb",
    )


def _damaged(member: zipfile.ZipInfo) -> ParseError:
    return ParseError(
        f"The part '{_name(member)}' of the file is damaged: it can't be unpacked to the size the file promises. "
        "Open the original in the program that made it, save it again, and upload that.",
        code="damaged",
    )
