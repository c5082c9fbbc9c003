"""Figures as files write them → Decimal: binary floats of spreadsheets, decimal commas, thousands separators."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache

# A double holds 15 significant decimal digits, which is also what a spreadsheet shows: rounding there removes what
# binary arithmetic left behind (4810986.279999999 → 4810986.28, 0.30000000000000004 → 0.3) and keeps every typed digit.
_SIGNIFICANT = ".15g"
_SMALLEST = Decimal("1E-10")
# 18 digits and 4 decimals is what a position can hold; anything beyond is no figure of a bill.
LARGEST = Decimal("1E14")
_LARGEST_FLOAT = 1e14

_SPACES = re.compile("[\\s\u00a0\u202f\u2009']")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_GROUPED_BY_POINT = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+")
_GROUPED_BY_COMMA = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_CURRENCY = re.compile(r"^(?:CZK|EUR|USD|Kč|€|\$)|(?:CZK|EUR|USD|Kč|€|\$|,-)$", re.IGNORECASE)


# Figures repeat: a measure is its position's quantity, prices recur. Half of the calls are answered from here.
@lru_cache(maxsize=1 << 14)
def decimal_from_float(value: float) -> Decimal:
    """15 significant and at most 10 fractional digits. Raises ValueError for infinity, NaN and figures beyond 1E14."""
    if not -_LARGEST_FLOAT <= value <= _LARGEST_FLOAT:  # also not for NaN
        raise ValueError(f"{value} is not a figure of a bill")
    text = format(value, _SIGNIFICANT)
    result = Decimal(text)
    if "e" not in text and len(text) - text.find(".") <= 11:
        return result
    return bounded(result)


def bounded(figure: Decimal) -> Decimal:
    """At most 10 fractional digits: 1E-999999999 is short as a figure, and fills the memory when it is written out."""
    text = str(figure)
    if "E" not in text and len(text) - text.find(".") <= 11:  # nearly all, and a third of the time of `as_tuple`
        return figure
    exponent = figure.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -10:
        figure = figure.quantize(_SMALLEST)
        return figure.normalize() if figure else Decimal(0)
    return figure


def decimal_from_text(text: str, mark: str = "") -> Decimal | None:
    """A figure written by hand: "1 234,50", "1.234,50", "1,234.50", "0,5", "12,50 Kč". None for an empty text.

    `mark` is the file's decimal mark, "," or "."; "" lets the text decide: with both marks the last one is the decimal
    mark, a lone comma or point too, one that repeats groups thousands. Raises ValueError where the text is no figure.
    """
    clean = _SPACES.sub("", text)
    clean = _CURRENCY.sub("", clean).replace("\u2212", "-")
    if not clean:
        return None
    result = _parse(clean, mark)
    if abs(result) > LARGEST:
        raise ValueError(f"{text!r} is too large for a figure of a bill")
    return result


def _parse(clean: str, mark: str) -> Decimal:
    if not mark:
        mark = "," if clean.rfind(",") > clean.rfind(".") else "."
        if clean.count(mark) > 1:  # 1.234.567 or 1,234,567: the only mark there is groups thousands
            mark = "." if mark == "," else ","
    grouped = _GROUPED_BY_POINT if mark == "," else _GROUPED_BY_COMMA
    whole, _, fraction = clean.partition(mark)
    if grouped.fullmatch(whole):
        whole = whole.replace("." if mark == "," else ",", "")
    plain = f"{whole}.{fraction}" if mark in clean else whole
    if not _PLAIN.fullmatch(plain) or not plain.isascii():
        raise ValueError(f"{clean!r} is not a figure")
    try:
        return Decimal(plain)
    except InvalidOperation as error:  # pragma: no cover - the pattern admits nothing else
        raise ValueError(f"{clean!r} is not a figure") from error


def decimal_from_xml(text: str | None, mark: str = ".") -> Decimal | None:
    """A figure of an XML file: one decimal mark, no grouping. None for an empty text; ValueError for no figure."""
    clean = (text or "").strip()
    if not clean:
        return None
    plain = clean.replace(mark, ".") if mark != "." else clean
    if not _PLAIN.fullmatch(plain) or not plain.isascii():
        raise ValueError(f"{clean!r} is not a figure")
    result = Decimal(plain)
    if abs(result) > LARGEST:
        raise ValueError(f"{clean!r} is too large for a figure of a bill")
    return result
