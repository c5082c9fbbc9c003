"""Sums of money in a text, as each country writes its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from ..services.wording import folded

_SIGNS = {
    "£": "GBP", "€": "EUR", "$": "USD", "kč": "CZK", "kc": "CZK", "czk": "CZK", "eur": "EUR", "gbp": "GBP",
    "usd": "USD", "pln": "PLN", "zł": "PLN", "zl": "PLN", "sar": "SAR", "ريال": "SAR", "ر.س": "SAR", "aed": "AED",
    "chf": "CHF", "huf": "HUF", "ft": "HUF", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "pyg": "PYG", "gs.": "PYG",
    "r$": "BRL", "brl": "BRL", "euro": "EUR", "euros": "EUR", "inr": "INR", "₹": "INR", "cad": "CAD", "aud": "AUD",
}  # fmt: skip
_SCALES = {
    "million": 6, "millions": 6, "mln": 6, "mil": 6, "mio": 6, "m": 6, "milion": 6, "miliony": 6, "milionu": 6,
    "millionen": 6, "millones": 6, "milhoes": 6, "milioni": 6, "مليون": 6, "billion": 9, "bn": 9, "mld": 9, "مليار": 9,
    "k": 3, "thousand": 3, "tis": 3, "الف": 3,
}  # fmt: skip
_SIGN = "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True))
_SCALE = "|".join(sorted(map(re.escape, _SCALES), key=len, reverse=True))
_NUMBER = r"\d{1,3}(?:[  .,'’٬]\d{3})+(?:[.,٫]\d{1,2})?|\d+(?:[.,٫]\d{1,2})?"
_SUM = re.compile(
    rf"(?:(?<!\w)(?P<before>{_SIGN})\s?)?(?<![\d.,])(?P<number>{_NUMBER})(?![\d])"
    rf"(?:\s?(?P<scale>{_SCALE})\b\.?)?(?:\s?,?-*\s?(?P<after>{_SIGN})(?!\w))?",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"valu|budget|estimat|worth|price of the contract|hodnot|predpokladan|auftragswert|gesamtwert|geschatzt|wartosc|"
    r"szacunkow|valor|presupuest|importe|precio base|orcament|montant|valeur|estime|importo|valore|stimato|قيمه|ميزاني"
)
_NEAR = 80


@dataclass(frozen=True, slots=True)
class Amount:
    """`is_value`: the words before it call it the value, budget or estimate."""

    number: Decimal
    currency: str
    start: int
    end: int
    is_value: bool


def amounts(text: str) -> Iterator[Amount]:
    """Numbers with a currency. The digits are 0-9 (`facts.western`)."""
    for match in _SUM.finditer(text):
        sign = match["before"] or match["after"]
        if not sign:
            continue
        number = _number(match["number"])
        if match["scale"]:
            number *= Decimal(10) ** _SCALES[folded(match["scale"])]
        context = folded(text[max(0, match.start() - _NEAR) : match.start()])
        yield Amount(number, _SIGNS[sign.lower()], match.start(), match.end(), bool(_CALLED.search(context)))


def _number(text: str) -> Decimal:
    """The last point or comma with one or two digits after it parts the decimals; all else parts thousands."""
    text = text.replace("٫", ".")
    decimals = re.search(r"[.,](\d{1,2})$", text)
    whole = text[: decimals.start()] if decimals else text
    digits = re.sub(r"\D", "", whole)
    return Decimal(f"{digits}.{decimals[1]}" if decimals else digits)
