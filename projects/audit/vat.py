"""Rates of value added tax by country and date, in percent; and which countries a budget may be of.

0 is everywhere the reverse charge, an exemption or an export. Sources, as in force in 2026-11:
CZ: zákon č. 235/2004 Sb. § 47, as amended by 349/2023 Sb.; SK: zákon č. 222/2004 Z. z. § 27, as amended by 278/2024
Z. z.; DE: UStG § 12, for the second half of 2020 § 28; AT: UStG § 10; ES: Ley 37/1992 art. 90 and 91, as amended by
RDL 20/2012; PL: ustawa o VAT art. 41 and 146ef.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

# Of each country: (first day, rates), the latest first.
Periods = tuple[tuple[date, frozenset[Decimal]], ...]


def _of(*rates: int) -> frozenset[Decimal]:
    return frozenset(map(Decimal, (0, *rates)))


RATES: dict[str, Periods] = {
    "CZ": ((date(2024, 1, 1), _of(12, 21)), (date(2015, 1, 1), _of(10, 15, 21)), (date(2013, 1, 1), _of(15, 21))),
    # 5 % came during the older period, for supported rental housing: let pass throughout it.
    "SK": ((date(2025, 1, 1), _of(5, 19, 23)), (date(2011, 1, 1), _of(5, 10, 20))),
    # What was begun before July 2020 and not handed over in that half year kept the rates of before.
    "DE": ((date(2021, 1, 1), _of(7, 19)), (date(2020, 7, 1), _of(5, 7, 16, 19)), (date(2007, 1, 1), _of(7, 19))),
    "AT": ((date(2016, 1, 1), _of(10, 13, 20)), (date(1995, 1, 1), _of(10, 12, 20))),
    "ES": ((date(2012, 9, 1), _of(4, 10, 21)), (date(2010, 7, 1), _of(4, 8, 18))),
    "PL": ((date(2011, 1, 1), _of(5, 8, 23)),),
}
BY_CURRENCY = {"CZK": ("CZ",), "PLN": ("PL",)}
# The euro is the money of twenty countries; a format of one trade tells more. GAEB is Germany's and is used in Austria;
# BC3 is Spain's (a budget of the Canary Islands bears another tax, with rates of its own: see `OTHER_TAX`).
BY_DIALECT = {"gaeb": ("DE", "AT"), "bc3": ("ES",), "kros": ("SK",)}
# IGIC of the Canary Islands, Ley 4/2012 art. 51: such a rate in a Spanish budget is no proof of a mistake.
OTHER_TAX = {"ES": _of(3, 5, 7) | {Decimal("6.5"), Decimal("9.5"), Decimal("13.5"), Decimal(15), Decimal(20)}}


def countries_of(*, currency: str, dialect: str) -> tuple[str, ...]:
    """Where a budget may be of, by its money, and where that is the euro by the format of its file; () unknown."""
    if currency == "EUR":
        return next((found for start, found in BY_DIALECT.items() if dialect.startswith(start)), ())
    return BY_CURRENCY.get(currency, ())


def rates_in(countries: Sequence[str], on: date) -> frozenset[Decimal] | None:
    """The rates valid on that day in any of the countries; None: of one of them they are not known."""
    together: frozenset[Decimal] = frozenset()
    for country in countries:
        rates = next((rates for first_day, rates in RATES[country] if on >= first_day), None)
        if rates is None:
            return None
        together |= rates
    return together


def is_of_another_tax(rate: Decimal, countries: Sequence[str]) -> bool:
    return any(rate in OTHER_TAX.get(country, ()) for country in countries)
