"""Measurements of a FIEBDC-3 file as lines of a measure sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from projects.parsers.bc3_records import Measured
from projects.parsers.bill import MeasureLine

_VARIABLE = re.compile(r"(?<![\w.])[abcdABCD](?![\w(])")
_PI = re.compile(r"(?<![\w.])[pP](?![\w(])")


def measure_lines(measured: Measured, *, is_quantity: bool = True) -> tuple[MeasureLine, ...]:
    """Each line as an expression with its remark, and last the total that the file states, which is the quantity.

    Subtotals (kinds 1 and 2) are kept as comments: the file states no figure for them. Nothing is calculated here.
    """
    if not measured.lines:
        return ()
    lines = [line for given in measured.lines for line in _line(*given)]
    total = MeasureLine("Total", "subtotal", measured.total, is_quantity=is_quantity)
    return (*lines, total)


def _line(kind: str, remark: str, units: str, length: str, width: str, height: str) -> Iterator[MeasureLine]:
    remark = " ".join(remark.split())
    factors = (units, length, width, height)
    if kind in ("1", "2"):
        yield MeasureLine(remark or ("Subtotal" if kind == "1" else "Accumulated subtotal"), "comment")
    elif kind == "3":
        yield MeasureLine(_expression(remark, factors), "expression")
    elif any(factors):
        product = "*".join(_factor(factor) for factor in factors if factor)
        yield MeasureLine(f"{product} '{remark.replace(chr(39), '’')}" if remark else product, "expression")
    elif remark:
        yield MeasureLine(remark, "comment")


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _expression(formula: str, factors: tuple[str, ...]) -> str:
    """a, b, c, d are the line's four figures and p is pi; a letter without a figure stays, and can't be evaluated."""

    def value(match: re.Match[str]) -> str:
        given = factors["abcd".index(match.group().lower())]
        return _factor(given) if given else match.group()

    return _PI.sub("pi", _VARIABLE.sub(value, formula))
