"""The sheets of an xlsx as ods and as Excel 97-2003 (.xls): what another program makes of "save as".

Sources: OpenDocument 1.2 part 1, 9; [MS-CFB]; [MS-XLS] 2.4.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from python_calamine import CalamineWorkbook

from tests.factories.bills import pack_ods

Sheets = Mapping[str, list[list[Any]]]

_SECTOR = 512
_END, _FREE, _TABLE, _LIST = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC
_IN_HEADER, _IN_SECTOR = 109, 127  # places of the table's sectors
_DAY, _GENERAL = 1, 0  # of the two formats of cells


def sheets_of(path: Path) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_path(str(path))
    found: dict[str, list[list[Any]]] = {}
    for name in book.sheet_names:
        sheet = book.get_sheet_by_name(name)
        left = [""] * (sheet.start[1] if sheet.start else 0)
        found[name] = [left + row for row in sheet.iter_rows()]
    return found


def write_ods_sheets(path: Path, sheets: Sheets, *, formula: str = "") -> Path:
    """`formula` stands in the first sheet's first cell that holds a figure."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    if formula:
        tables = tables.replace('office:value-type="float"', f'table:formula="{formula}" office:value-type="float"', 1)
    return pack_ods(path, tables)


def _ods_cell(value: Any) -> str:
    if value == "" and type(value) is str:
        return "<table:table-cell/>"
    if isinstance(value, str):
        lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in value.split("\n"))
        return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'
    if isinstance(value, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value.isoformat()}"/>'
    return f'<table:table-cell office:value-type="float" office:value="{float(value)!r}"/>'


def write_xls_sheets(path: Path, sheets: Sheets, *, tokens: bytes = b"") -> Path:
    """`tokens`: a formula as it is computed, in the first cell of the first sheet that holds a figure."""
    bodies = []
    for rows in sheets.values():
        cells = b"".join(
            _xls_cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row) if value != ""
        )
        bodies.append(_record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + cells + _record(0x000A))
    if tokens:
        bodies[0] = _with_formula(bodies[0], tokens)
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    head += b"".join(_record(0x00E0, struct.pack("<HH16x", 0, number)) for number in (0, 14))  # general, a day
    names = [struct.pack("<BB", len(name), 1) + name.encode("utf-16-le") for name in sheets]
    start = len(head) + sum(4 + 6 + len(name) for name in names) + 4
    for name, body in zip(names, bodies, strict=True):
        head += _record(0x0085, struct.pack("<IBB", start, 0, 0) + name)
        start += len(body)
    path.write_bytes(compound({"Workbook": head + _record(0x000A) + b"".join(bodies)}))
    return path


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _xls_cell(row: int, column: int, value: Any) -> bytes:
    if isinstance(value, bool):
        return _record(0x0205, struct.pack("<HHHBB", row, column, _GENERAL, value, 0))
    if isinstance(value, str):
        text = struct.pack("<HB", len(value.encode("utf-16-le")) // 2, 1) + value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHH", row, column, _GENERAL) + text)
    if isinstance(value, date):
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)
        days = (moment - datetime(1899, 12, 30)).total_seconds() / 86400
        return _record(0x0203, struct.pack("<HHHd", row, column, _DAY, days))
    return _record(0x0203, struct.pack("<HHHd", row, column, _GENERAL, value))


def _with_formula(body: bytes, tokens: bytes) -> bytes:
    at = 0
    while True:
        kind, size = struct.unpack_from("<HH", body, at)
        if kind == 0x0203:
            content = body[at + 4 : at + 4 + size] + struct.pack("<HIH", 0, 0, len(tokens)) + tokens
            return body[:at] + _record(0x0006, content) + body[at + 4 + size :]
        at += 4 + size


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file with these streams, each filled up to the 4,096 bytes from which it has sectors of its own."""
    table: list[int] = []
    data = b""

    def place(content: bytes) -> int:
        nonlocal data
        first, count = len(table), -(-len(content) // _SECTOR)
        table.extend([*range(first + 1, first + count), _END])
        data += content.ljust(count * _SECTOR, b"\0")
        return first

    entries = _entry("Root Entry", 5, _END, 0, child=1)
    for number, (name, content) in enumerate(streams.items(), 2):
        filled = content.ljust(4096, b"\0")
        entries += _entry(name, 2, place(filled), len(filled), right=number if number <= len(streams) else _FREE)
    directory = place(entries)
    count, more = 1, 0
    while (len(table) + count + more) * 4 > count * _SECTOR:
        count += 1
        more = -(-max(0, count - _IN_HEADER) // _IN_SECTOR)
    first = len(table)
    numbers = [*table, *[_TABLE] * count, *[_LIST] * more]
    numbers += [_FREE] * (count * _SECTOR // 4 - len(numbers))
    data += struct.pack(f"<{len(numbers)}I", *numbers)
    places = [*range(first, first + count), *[_FREE] * (_IN_HEADER + more * _IN_SECTOR - count)]
    for number in range(more):
        at = _IN_HEADER + number * _IN_SECTOR
        following = first + count + number + 1 if number + 1 < more else _END
        data += struct.pack(f"<{_IN_SECTOR}II", *places[at : at + _IN_SECTOR], following)
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<7I", 0, count, directory, 0, 4096, _END, 0)
    head += struct.pack("<2I", first + count if more else _END, more) + struct.pack("<109I", *places[:_IN_HEADER])
    return head + data


def _entry(name: str, kind: int, first: int, size: int, *, right: int = _FREE, child: int = _FREE) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return text.ljust(64, b"\0") + struct.pack("<HBB3I36xIQ", len(text), kind, 1, _FREE, right, child, first, size)
