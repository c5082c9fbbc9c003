"""A version as csv: one row a position, every field. A text that a spreadsheet would take for a formula begins with an
apostrophe (OWASP: CSV injection), and is read back with it."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

from projects.exports import table_rows
from projects.exports.proof import Proof, figure
from projects.exports.source import ExportBill, ExportError
from projects.exports.table_rows import Cell, Rows
from projects.parsers.numbering import Numbering
from projects.parsers.registry import open_bill

DELIMITERS = {"semicolon": ";", "comma": ",", "tab": "\t"}
_FORMULA = re.compile(r"\s*[=+\-@|%＝＋－＠]")
LONGEST = 100_000  # a field; a longer note is cut, and counted


def write_csv(path: Path, bill: ExportBill, *, delimiter: str = "semicolon", bom: bool = True) -> dict[str, Any]:
    """`delimiter` "semicolon" writes decimal commas, the others points. What was written, verified by reading it."""
    mark = DELIMITERS[delimiter]
    point = "," if mark == ";" else "."
    encoding = "utf-8-sig" if bom else "utf-8"
    proof, rows, cut = Proof(), Rows(bill, Numbering([])), 0
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=mark, lineterminator="\r\n")
        writer.writerow(table_rows.headings(bill))
        for position in bill.told("Writing"):
            row = rows.row(position)
            cut += sum(1 for cell in row if isinstance(cell, str) and len(cell) > _room(cell))
            row = [_safe(cell) for cell in row]
            writer.writerow([_text(cell, point) for cell in row])
            if rows.is_position(row):
                proof.expect((str(row[0]), str(row[3])), table_rows.written(row), _counted(row))
            else:
                rows.notes += 1
    read = _read_back(path, proof, mark, encoding, point)
    return {"positions": read, "notes": rows.notes, "total": str(proof.total), "cut": cut, "read_back": read}


def _room(cell: str) -> int:
    """How much of a text there is place for: an apostrophe before it takes one character."""
    return LONGEST - bool(_FORMULA.match(cell))


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    return f"'{cell[: _room(cell)]}" if _FORMULA.match(cell) else cell[:LONGEST]


def _text(cell: Cell, point: str) -> str:
    return figure(cell).replace(".", point) if isinstance(cell, Decimal) else cell or ""


def _counted(row: list[Cell]) -> Decimal | None:
    total = row[table_rows.TOTAL]
    return total if isinstance(total, Decimal) and row[table_rows.COUNTED] == "yes" else None


def _read_back(path: Path, proof: Proof, mark: str, encoding: str, point: str) -> int:
    if not proof.count:
        raise ExportError("This version has no positions that a table could hold.", code="no_positions")
    mapping = table_rows.mapping(sheet="", header_row=0, delimiter=mark, encoding=encoding, mark=point)
    return proof.check(open_bill(path, mapping=mapping), table_rows.read)
