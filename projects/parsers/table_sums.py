"""Rows of plain tables that only sum up, or state the tax: told by their words, in Czech, Slovak, German, English and
Spanish. They are no positions; a position has a code, a unit, a quantity or a unit price."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from projects.parsers.bill import StatedTotal
from projects.parsers.table_words import normalise

# Normalised words. A head stands alone or before one of the followers, or before the name of a section: "Total station
# survey", "Summer road" and "Sump pump" begin like sums and are work.
_PARTS = ("mezisoucet", "medzisucet", "zwischensumme", "ubertrag", "subtotal", "sub total", "suma parcial",
          "total parcial")  # fmt: skip
_PLAIN = (
    "celkem", "celkom", "cena celkem", "cena celkom", "celkova cena", "celkove naklady", "naklady celkem", "soucet",
    "sucet", "soucet celkem", "suma", "suma celkem", "rozpocet celkem", "stavba celkem",
    "summe", "gesamt", "gesamtsumme", "gesamtpreis", "gesamtbetrag", "nettosumme", "bruttosumme", "endsumme",
    "angebotssumme", "auftragssumme", "summe gesamt",
    "total", "grand total", "overall total", "total price", "total cost", "total amount", "sum total",
    "total general", "importe total", "suma total", "presupuesto total", "total presupuesto", "precio total",
    "total ejecucion material", "presupuesto de ejecucion material", "presupuesto de ejecucion por contrata",
)  # fmt: skip
_ALONE = ("sum",)  # "Sum for provisional works" is an item
_WHOLE = re.compile(
    r"cena celk[eo]m|celkova cena|celkove naklady|naklady celkem|rozpocet celkem|stavba celkem|suma celkem"
    r"|celkem (?:bez dph|za stavbu|stavba|za akci|za dilo|rozpocet)|celkom (?:bez dph|za stavbu)"
    r"|gesamtsumme|gesamtpreis|gesamtbetrag|nettosumme|endsumme|angebotssumme|auftragssumme"
    r"|summe (?:gesamt|netto|ohne)|grand total|overall total|sum total"
    r"|total (?:excl|excluding|ex|net|without) ?|total general|importe total|presupuesto total|total presupuesto"
    r"|total (?:sin iva|neto|obra)|suma total|(?:total|presupuesto de) ejecucion material"
)
_FOLLOWERS = frozenset((
    "bez", "s", "vc", "vcetne", "vratane", "za", "stavba", "stavbu", "objekt", "objektu", "dil", "dilu", "oddil",
    "oddilu", "oddiel", "oddielu", "diel", "dielu", "kapitola", "kapitoly", "cast", "casti", "rozpocet", "celkem",
    "dph", "netto", "brutto", "gesamt", "ohne", "mit", "inkl", "inklusive", "exkl", "zzgl", "mwst", "ust", "titel",
    "los", "abschnitt", "gewerk", "bereich", "lv", "for", "of", "excl", "excluding", "ex", "incl", "including",
    "inc", "with", "without", "vat", "net", "gross", "section", "chapter", "bill", "price", "cost", "amount",
    "carried", "forward", "tax", "capitulo", "subcapitulo", "partidas", "presupuesto", "sin", "con", "iva", "neto",
    "bruto", "general", "ejecucion", "de", "del", "obra",
))  # fmt: skip
# "Total price of the crane" is nobody's line with a total alone; "Total de obra" is. A follower that starts a name
# ("for", "of", "de", "za") is enough, because the row has neither code nor unit nor quantity nor unit price.
_TAXED = re.compile(r"\b(?:s|vc|vcetne|vratane|inkl|inklusive|mit|incl|including|inc|with|con) (?:[\d %]+)?"
                    r"(?:dph|mwst|ust|vat|tax|iva)\b|\b(?:brutto|bruttosumme|gross|bruto)\b|iva incluido"
                    r"|por contrata")  # fmt: skip
_TAX = re.compile(
    r"(?:plus |zzgl |zuzuglich |sazba |zakladni |snizena |mas )?[\d %]*(?:dph|mwst|ust|umsatzsteuer|"
    r"mehrwertsteuer|vat|value added tax|iva|i v a)(?: (?:zakladni|snizena|sazba|at|al|z|ze|von|[\d%]+))*"
)
_OF_PART = re.compile(
    r"\b(?:dilu?|oddilu?|oddielu?|dielu?|kapitol[ay]|cast[i]?|titel|los|abschnitt|gewerk|bereich|section|chapter|"
    r"(?:sub)?capitulo|partidas|objektu?)\b"
)
_LEADING = re.compile(r"^[\d ]+(?=[a-z])")


class SumKind(Enum):
    PART = "of a part, or with the tax in it"
    PLAIN = "of whatever stands above"
    WHOLE = "of the bill, without tax"
    TAX = "the tax"


def kind_of_sum(text: str, sections: set[str]) -> SumKind | None:
    """What a text sums up; None: it is no sum. `sections`: normalised names of the sections met so far."""
    words = _LEADING.sub("", normalise(text))
    if not words:
        return None
    if _TAX.fullmatch(words):
        return SumKind.TAX
    if not _is_sum(words, sections):
        return None
    if words.startswith(_PARTS) or _TAXED.search(words) or _OF_PART.search(words):
        return SumKind.PART
    if any(words.endswith(f" {name}") for name in sections):
        return SumKind.PART
    if _WHOLE.match(words):
        return SumKind.WHOLE
    return SumKind.PLAIN if words in _PLAIN or words in _ALONE else SumKind.PART


def _is_sum(words: str, sections: set[str]) -> bool:
    if words in _ALONE:
        return True
    for head in (*_PLAIN, *_PARTS):
        if words == head or (words.endswith(f" {head}") and words.removesuffix(f" {head}") in sections):
            return True
        if words.startswith(f"{head} "):
            rest = words.removeprefix(f"{head} ")
            if rest.split()[0] in _FOLLOWERS or rest[0].isdigit() or rest in sections:
                return True
    return False


@dataclass(slots=True)
class Sums:
    """The sums of one table, in their order, and which of them is the bill's.

    Words that mean the whole bill: the last such row. A plain "Celkem": only at the very end, where it can't be the
    last section's own: it is the only one, or follows another sum with no position between. What follows the tax
    has it in it.
    """

    sections: set[str] = field(default_factory=set)
    _whole: StatedTotal | None = None
    _plain: StatedTotal | None = None
    _plain_rows: int = 0
    _follows_sum: bool = False
    _follows_tax: bool = False

    def knows(self, name: str) -> bool:
        return _LEADING.sub("", normalise(name)) in self.sections

    def told(self, cells: Iterable[str], *, code: str, text: str, section_code: str = "") -> SumKind | None:
        """What a row sums up that has neither unit nor quantity nor unit price; None: it is a position. So it is with
        a code, unless that is its section's, or the very words."""
        found = [(cell, kind) for cell in cells if cell and (kind := kind_of_sum(cell, self.sections)) is not None]
        if not found or code not in ("", section_code, found[0][0]):
            return None
        return found[0][1] if text in ("", found[0][0]) or self.knows(text) else None

    def open_section(self, *names: str) -> None:
        self.sections |= {word for name in names if (word := _LEADING.sub("", normalise(name)))}
        self._follows_sum = False

    def position(self) -> None:
        self._plain, self._follows_sum, self._follows_tax = None, False, False

    def take(self, kind: SumKind, amount: Decimal | None, source: str) -> None:
        self._follows_tax = self._follows_tax or kind is SumKind.TAX
        if amount is None or self._follows_tax:
            return
        stated = StatedTotal("bill", amount, source=source)
        if kind is SumKind.WHOLE:
            self._whole = stated
        elif kind is SumKind.PLAIN:
            self._plain_rows += 1
            self._plain = stated if self._plain_rows == 1 or self._follows_sum else None
        self._follows_sum = True

    def of_bill(self) -> list[StatedTotal]:
        found = self._whole or self._plain
        return [found] if found else []
