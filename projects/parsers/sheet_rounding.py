"""A workbook's own rounding: the digits of the ROUND in its formulas, read as text and never evaluated."""

from __future__ import annotations

import re
import zipfile
import zlib
from decimal import Decimal

from projects.parsers.bill import Rounding
from projects.parsers.filehead import FileHead

_FORMULA_BYTES = 4 << 20
_SHEETS = 40
_CELL = rb"\$?[A-Z]{1,3}\$?\d+"
_TOTAL = re.compile(rb"<f>ROUND\(" + _CELL + rb"\*" + _CELL + rb",(-?\d)\)</f>")
# Aspe rounds price and quantity before it multiplies them
_EACH = re.compile(rb"<f>ROUND\(ROUND\(" + _CELL + rb",(-?\d)\)\*ROUND\(" + _CELL + rb",(-?\d)\),(-?\d)\)</f>")


def stated_rounding(head: FileHead, *, sheets: int = _SHEETS) -> Rounding:
    """Of the first formula that rounds a product in one of the first sheets; the fallback where there is none."""
    parts = sorted(name for name in head.members if name.startswith("xl/worksheets/sheet"))
    for part in parts[:sheets]:
        try:
            with head.archive.open(part) as stream:
                content = stream.read(_FORMULA_BYTES)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError):
            continue
        if match := _EACH.search(content):
            price, quantity, total = map(_step, match.groups())
            return Rounding(quantity, price, total, is_stated=True)
        if match := _TOTAL.search(content):
            return Rounding(total=_step(match.group(1)), is_stated=True)
    return Rounding()


def _step(digits: bytes) -> Decimal:
    return Decimal(1).scaleb(-int(digits))
