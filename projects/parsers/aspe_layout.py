"""Where things stand in the form SŽDC05 of Aspe: its head, its titles, and the lines of a measure sheet in one cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from projects.parsers.bill import MeasureLine
from projects.parsers.decimals import decimal_from_text
from projects.parsers.workbook import Row, figure_of, text_of

ASPE_FORMS = ("SŽDC05", "SZDC05")
HEADER_ROWS = 20  # the titles take rows 5 to 7
_SUBTITLES = 2  # rows below the titles: of price and total

_TITLES = {
    "type": ("Typ",),
    "number": ("Poř. číslo", "Poř.číslo"),
    "code": ("Kód položky",),
    "variant": ("Varianta",),
    "text": ("Název položky",),
    "unit": ("MJ",),
    "quantity": ("Množství",),
    "price": ("Jednotková cena", "Jedn. cena"),
    "system": ("Cenové soustavy", "Cenová soustava"),
}
_OPTIONAL = ("variant", "system")
_UNPRICED = "Počet položek s nulovou cenou"
_EXTRA_BEFORE = 2  # the column that the count adds, so far left of its label
_ONE_LINE = re.compile(r"(?P<text>.*?)=\s*(?P<result>-?[\d\s\u00a0]+(?:[.,]\d+)?)\s*\[[A-Z]+\]$", re.DOTALL)
_QUOTED = re.compile(r"^('+[^']*'+)\s*(.*)$")
_ARITHMETIC = re.compile(r"[-+*/()\d.,\s]*\d[-+*/()\d.,\s]*=?")
_TOTAL, _SUBTOTAL = "celkem:", "mezisoučet:"
_OPERATORS = "+-*/(.,=^"
_WORDS_BEFORE = re.compile(r"[^-+*/()=\d]*[^\W\d][^-+*/()=]*(?=\()|.*[^\W\d].*\s{2,}(?=[-+*/()\d.,]+$)")
_COEFFICIENT = re.compile(r"([-+*/()\d.,\s]+)(Koeficient\b.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the form's columns in its rows; -1 where it has no such column."""

    type: int
    number: int
    code: int
    variant: int
    text: int
    unit: int
    quantity: int
    price: int
    total: int
    system: int


@dataclass(frozen=True, slots=True)
class FormHead:
    """What stands above the first row of a form. `unpriced`: positions without a price, as the form counts them."""

    columns: Columns
    header_row: int  # the last row of the titles, 0-based
    title: str
    reference: str
    vat_rates: tuple[Decimal, ...]  # percent, by the number that positions name
    vat_at: int  # the column of that number; -1 where there is none
    unpriced: Decimal | None
    extra_column: int

    def rate_of(self, row: Row) -> Decimal | None:
        """The rate of tax that a position names by its number."""
        number = text_of(row[self.vat_at]) if 0 <= self.vat_at < len(row) else ""
        return self.vat_rates[int(number)] if number in ("0", "1", "2") and len(self.vat_rates) == 3 else None


def find_columns(row: Row) -> Columns | None:
    """The columns, if this row holds the titles of a form."""
    titles = [cell.strip() if type(cell) is str else "" for cell in row]
    places = {key: next((i for i, t in enumerate(titles) if t in names), -1) for key, names in _TITLES.items()}
    if any(place < 0 for key, place in places.items() if key not in _OPTIONAL):
        return None
    # The title of the price spans two columns, the price and the total
    return Columns(**places, total=places["price"] + 1)


def read_form_head(rows: list[Row]) -> FormHead | None:
    """None for a sheet that is no form."""
    at, columns = next(((i, found) for i, row in enumerate(rows) if (found := find_columns(row))), (-1, None))
    if columns is None:
        return None
    title = reference = ""
    unpriced: Decimal | None = None
    extra = -1
    for row in rows[: at + _SUBTITLES + 1]:
        if text_of(row[columns.type]) == "S":
            title, reference = text_of(row[columns.text]), text_of(row[columns.code])
        if _UNPRICED in row:
            place = row.index(_UNPRICED)
            unpriced = next((figure_of(cell) for cell in row[place + 1 :] if type(cell) is float), None)
            extra = place - _EXTRA_BEFORE
    header_row = at + _SUBTITLES if _has_subtitles(rows, at, columns) else at
    vat_at, rates = _vat_rates(rows, at, columns)
    return FormHead(columns, header_row, title, reference, rates, vat_at, unpriced, extra)


def _has_subtitles(rows: list[Row], at: int, columns: Columns) -> bool:
    below = rows[at + _SUBTITLES] if len(rows) > at + _SUBTITLES else []
    return len(below) > columns.total and text_of(below[columns.total]) == "Celkem"


def _vat_rates(rows: list[Row], at: int, columns: Columns) -> tuple[int, tuple[Decimal, ...]]:
    """(column of a position's number of rate, the rates): three rows up to the titles, beside the price systems."""
    rate_at = columns.system + 1
    if columns.system < 0 or at < 2 or len(rows[at]) <= rate_at + 1:
        return -1, ()
    rates: list[Decimal] = []
    for row in rows[at - 2 : at + 1]:
        try:
            rate = decimal_from_text(text_of(row[rate_at]), ",")
        except ValueError:
            rate = None
        if rate is None or not 0 <= rate < 100:
            return -1, ()
        rates.append(rate)
    return rate_at + 1, tuple(rates)


def measure_lines(text: str) -> tuple[MeasureLine, ...]:
    """The lines of a measure sheet: "2*1.25=2.500 [A]", "'a comment'", "Mezisoučet: …", "Celkem: 1+2=3 [C]".

    The last "Celkem" names what it adds up, line by line, and is the quantity.
    """
    return tuple(line for written in text.split("\n") if (part := written.strip()) for line in _measure_line(part))


def _measure_line(line: str) -> list[MeasureLine]:
    if (quoted := _QUOTED.match(line)) and quoted.group(2):
        return [MeasureLine(quoted.group(1), "comment"), *_measure_line(quoted.group(2))]
    match = _ONE_LINE.fullmatch(line)
    value = _result(match.group("result")) if match else None
    if match is None or value is None:
        return [MeasureLine(line, "expression" if _ARITHMETIC.fullmatch(line) else "comment")]
    if line.lower().startswith(_TOTAL):
        return [MeasureLine(line, "expression", value, is_quantity=True)]
    if line.lower().startswith(_SUBTOTAL):
        return [MeasureLine(line, "subtotal", value)]
    if coefficient := _COEFFICIENT.fullmatch(match.group("text")):
        # The quantity of what the lines above come to, and more: the result is what counts
        return [MeasureLine(coefficient.group(1).strip(), "expression", value, is_quantity=True),
                MeasureLine(coefficient.group(2).strip(), "comment")]  # fmt: skip
    remark = _remark_before(match.group("text"), value)
    lines = [MeasureLine(remark.strip(), "comment")] if remark.strip() else []
    return [*lines, MeasureLine(line[len(remark) :].strip(), "expression", value)]


def _remark_before(text: str, value: Decimal) -> str:
    """The program puts remark and expression together without a mark ("ozn.K 02a178.80=178.800"): the remark, where
    there is no doubt: before a figure that is the result itself, words before a parenthesis or before a gap."""
    body = text.rstrip()
    for digits in (3, 2, 1, 0):
        figure = f"{value:.{digits}f}"
        rest = body.removesuffix(figure)
        if Decimal(figure) == value and rest != body and rest.strip() and rest.rstrip()[-1] not in _OPERATORS:
            return rest
    return found.group(0) if (found := _WORDS_BEFORE.match(body)) else ""


def _result(text: str) -> Decimal | None:
    try:
        return decimal_from_text(text, "." if "." in text else ",")
    except ValueError:
        return None
