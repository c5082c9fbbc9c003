"""A workbook's own rounding: the digits of the ROUND in its formulas, read as text (xlsx, ods) or as tokens (xls), and
never evaluated."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Decimal

from projects.parsers.bill import Rounding
from projects.parsers.filehead import FileHead

_FORMULA_BYTES = 4 << 20
_SHEETS = 40
# A total is rounded once; Aspe rounds price and quantity before it multiplies them.
# xlsx "ROUND(I12*H12,2)"; ods "ROUND([.I12]*[.H12];2)"
_CELL = rb"(?:\[\.)?\$?[A-Z]{1,3}\$?\d+\]?"
_DIGITS = rb"[,;](-?\d)\)"
_TOTAL = re.compile(rb"[>=]ROUND\(" + _CELL + rb"\*" + _CELL + _DIGITS + rb"[<\"]")
_EACH = re.compile(
    rb"[>=]ROUND\(ROUND\(" + _CELL + _DIGITS + rb"\*ROUND\(" + _CELL + _DIGITS + _DIGITS + rb"[<\"]"
)  # fmt: skip
# xls: the same in the order in which it is computed ([MS-XLS] 2.5.198): references, times, an integer, ROUND
_CELL_TOKEN = rb"\x44.{4}"
_ROUND_TOKENS = rb"\x1e([\x00-\x09])\x00\x41\x1b\x00"
_TOTAL_TOKENS = re.compile(_CELL_TOKEN + _CELL_TOKEN + rb"\x05" + _ROUND_TOKENS, re.DOTALL)
_EACH_TOKENS = re.compile(
    _CELL_TOKEN + _ROUND_TOKENS + _CELL_TOKEN + _ROUND_TOKENS + rb"\x05" + _ROUND_TOKENS, re.DOTALL
)


def stated_rounding(head: FileHead, *, sheets: int = _SHEETS) -> Rounding:
    """Of the first formula that rounds a product in one of the first sheets; the fallback where there is none."""
    each, total = (_EACH_TOKENS, _TOTAL_TOKENS) if head.is_xls else (_EACH, _TOTAL)
    for content in _formulas(head, sheets):
        if match := each.search(content):
            price, quantity, amount = map(_step, match.groups())
            return Rounding(quantity, price, amount, is_stated=True)
        if match := total.search(content):
            return Rounding(total=_step(match.group(1)), is_stated=True)
    return Rounding()


def _formulas(head: FileHead, sheets: int) -> Iterator[bytes]:
    """What the workbook's formulas stand in, the first megabytes of each part."""
    if head.is_xls:
        yield head.xls_stream
        return
    parts = ["content.xml"] if head.is_ods else sorted(n for n in head.members if n.startswith("xl/worksheets/sheet"))
    for part in parts[:sheets]:
        try:
            with head.archive.open(part) as stream:
                yield stream.read(_FORMULA_BYTES)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError, EOFError):
            continue


def _step(digits: bytes) -> Decimal:
    """Of a digit as text, or of its byte in a token."""
    return Decimal(1).scaleb(-(digits[0] if digits[0] < 10 else int(digits)))
