"""What kind of file it is, told from its first bytes and not from its name; and the reader that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import IO

from . import eforms, ocds_lines, ocds_packages, tables
from .notice import Format, Reading, Rejected, Release
from .streams import FileEndsEarly, RecordTooLarge, Source

BOMS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ZIP = b"PK\x03\x04"


class NotReadable(ValueError):
    """No format of notices; the message says what was expected."""


def read(stream: IO[bytes], *, name: str = "", mapping: Mapping[str, str] | None = None) -> Reading:
    """Open a file of notices. `mapping`: for tables, field to column heading, in place of what the headings suggest.

    Raises NotReadable when it is none; what goes wrong later is yielded as Rejected with `is_end`.
    """
    source = Source(stream)
    try:
        head = source.head()
    except FileEndsEarly as error:
        raise NotReadable(str(error)) from error
    kind = format_of(head)
    if kind is Format.TABLE:
        table = tables.open_table(source, name=name, mapping=mapping)
        return Reading(kind, _guarded(table.releases(), source), table.mapping)
    readers = {
        Format.EFORMS: eforms.read_notice,
        Format.OCDS_LINES: ocds_lines.read_lines,
        Format.OCDS_PACKAGE: ocds_packages.read_packages,
    }
    return Reading(kind, _guarded(readers[kind](source), source))


def format_of(head: bytes) -> Format:
    """Raises NotReadable for what is no file of notices."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise NotReadable("The file is empty.")
    if start.startswith(b"<") or (head[:2] in (b"\xff\xfe", b"\xfe\xff") and b"<\x00" in head[:8]):
        if b"<html" in start[:1000].lower() or b"<!doctype html" in start[:1000].lower():
            raise NotReadable("This is a web page, not a file of notices: perhaps the address asks for a sign-in.")
        return Format.EFORMS
    if start.startswith((b"{", b"[")):
        return Format.OCDS_LINES if ocds_lines.is_lines(start) else Format.OCDS_PACKAGE
    if start.startswith(ZIP):
        return Format.TABLE  # xlsx is a ZIP; the table's reader says so if it is another one
    if b"\x00" in head[:4096] and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise NotReadable("This is no text, JSON, XML or xlsx file.")
    return Format.OCDS_LINES if ocds_lines.is_lines(start) else Format.TABLE


def _guarded(items: Iterator[Release | Rejected], source: Source) -> Iterator[Release | Rejected]:
    """What ends the reading is told as the last item: all that was read before it counts."""
    count = 0
    try:
        for item in items:
            count += 1
            source.since = 0
            yield item
    except (FileEndsEarly, RecordTooLarge) as error:
        yield Rejected(count + 1, str(error), source.position, is_end=True)
