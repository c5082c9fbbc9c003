"""What a printed line of a bill says: a heading, a position, a sum; told by its words and by where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from projects.parsers.decimals import decimal_from_text
from projects.parsers.pdf_pages import Line, Word
from projects.parsers.table_words import meaning_of, normalise

# What stands at the end of a page: which one it is.
FOOT = re.compile(r"(?i)^(?:seite|strana|page|blatt)\b.{0,20}\d+|^\d+\s*(?:/|von|z|of)\s*\d+$")
NUMBER = re.compile(r"\d+(?:[.\-/]\d+)*(?:\.[A-Za-z0-9]{1,3})?\.?")
_FIGURE = re.compile(r"[-+\u2212]?\d[\d.,' \u00a0]*(?:,-)?")
_CURRENCY = {"eur", "€", "czk", "kč", "kc", "chf", "usd", "$", "sfr"}
_ONLY_PRICE = re.compile(r"(?i)\bnur\s+(?:e\.?\s?p\.?|einh\S*pr\S*)\s*$")
_SURCHARGE = re.compile(r"(?i)\b(?:zuschlag|přirážka|prirazka|surcharge)\b")
_FIGURES = ("quantity", "unit_price", "total")
_CODE = re.compile(r"(?=.*\d)[A-Za-z]{0,4}[\d.\-]{4,}[A-Za-z0-9.\-]*")
_SHORT = {"einh": "unit", "ehp": "unit_price", "einzelpreis": "unit_price", "mnoz": "quantity"}
_MAX_UNIT = 12


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the titles stand, from left to right: field → (left, right) in points."""

    at: dict[str, tuple[float, float]]
    title: str

    @property
    def is_quantity_first(self) -> bool:
        """Quantity before unit, as German bills have it; else unit before quantity, as Czech ones do."""
        if "unit" not in self.at:
            return True
        return self.at["quantity"][0] < self.at["unit"][0]

    def is_number_place(self, word: Word) -> bool:
        place = self.at.get("number")
        return place is None or abs(word.left - place[0]) < 30 or place[0] - 5 <= word.left <= place[1]


def columns_of(line: Line) -> Columns | None:
    """The titles of a printed bill: a quantity, a price or total, and two more that are beyond doubt."""
    found: dict[str, tuple[float, float]] = {}
    at, words = 0, line.words
    while at < len(words):
        for length in (4, 3, 2, 1):
            part = words[at : at + length]
            name = _title(" ".join(word.text for word in part)) if len(part) == length else ""
            if name and name not in found:
                found[name] = (part[0].left, part[-1].right)
                at += length
                break
        else:
            at += 1
    is_heading = "quantity" in found and bool(found.keys() & {"unit_price", "total"}) and len(found) >= 4
    return Columns(found, line.text) if is_heading else None


def _title(text: str) -> str:
    name, confidence = meaning_of(text)
    if confidence == 1.0:
        return name
    if " " in text:
        return ""
    word = normalise(text)
    return _SHORT.get(word, "total" if word.endswith(("summe", "gesamt")) else "")


def figure_of(text: str, mark: str) -> Decimal | None:
    """None where the word is no figure."""
    if not _FIGURE.fullmatch(text):
        return None
    try:
        return decimal_from_text(text, mark)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Tail:
    """The figures of a position's line. `text`: what stands between number and figures."""

    text: str = ""
    code: str = ""
    unit: str = ""
    quantity: Decimal | None = None
    unit_price: Decimal | None = None
    total: Decimal | None = None
    is_price_only: bool = False  # the line says that it is in no sum ("Nur E.P.")
    is_surcharge: bool = False
    base: str = ""  # of a surcharge, as printed


def tail_of(words: tuple[Word, ...], columns: Columns, mark: str) -> Tail | None:
    """What follows the number on a position's line; None where it is no such line."""
    text = " ".join(word.text for word in words)
    if _SURCHARGE.search(text) and "%" in text:
        return _surcharge(words, mark)
    is_price_only = bool(_ONLY_PRICE.search(text))
    if is_price_only:
        words = words[: len(words) - len(_ONLY_PRICE.search(text).group().split())]  # type: ignore[union-attr]
    kept = [word for word in words if word.text.lower().strip(".") not in _CURRENCY]
    figures: list[tuple[Word, Decimal]] = []
    while kept and (value := figure_of(kept[-1].text, mark)) is not None:
        figures.insert(0, (kept.pop(), value))
    if columns.is_quantity_first:
        return _german(kept, figures, columns, mark, is_price_only)
    return _czech(kept, figures, columns, is_price_only)


def _german(
    kept: list[Word], figures: list[tuple[Word, Decimal]], columns: Columns, mark: str, is_price_only: bool
) -> Tail | None:
    if len(kept) < 2 or len(figures) > 2 or len(kept[-1].text) > _MAX_UNIT:
        return None
    quantity = figure_of(kept[-2].text, mark)
    if quantity is None:
        return None
    prices = _assigned(figures, ("unit_price", "total"), columns)
    code, text = _code_and_text(kept[:-2], columns)
    return Tail(text, code, kept[-1].text, quantity, prices.get("unit_price"), prices.get("total"), is_price_only)


def _czech(kept: list[Word], figures: list[tuple[Word, Decimal]], columns: Columns, is_price_only: bool) -> Tail | None:
    if not kept or not 1 <= len(figures) <= 3 or len(kept[-1].text) > _MAX_UNIT:
        return None
    left, right = columns.at["unit"]
    if not left - 25 <= kept[-1].left <= right + 25:
        return None
    found = _assigned(figures, _FIGURES, columns)
    code, text = _code_and_text(kept[:-1], columns)
    return Tail(text, code, kept[-1].text, found.get("quantity"), found.get("unit_price"), found.get("total"),
                is_price_only)  # fmt: skip


def _assigned(figures: list[tuple[Word, Decimal]], names: tuple[str, ...], columns: Columns) -> dict[str, Decimal]:
    """Each figure to a column, in order, so that their right ends are nearest: that is how figures are printed."""
    there = [name for name in names if name in columns.at] or list(names)
    if len(figures) >= len(there):
        return {name: value for name, (_, value) in zip(there, figures, strict=False)}
    best = min(
        combinations(there, len(figures)),
        key=lambda chosen: sum(
            abs(columns.at.get(name, (0.0, 0.0))[1] - word.right)
            for name, (word, _) in zip(chosen, figures, strict=True)
        ),
    )
    return {name: value for name, (_, value) in zip(best, figures, strict=True)}


def _code_and_text(words: list[Word], columns: Columns) -> tuple[str, str]:
    """A code where the print has a column of codes, behind a letter for the kind of row ("K", "M"), if there is one."""
    if "code" in columns.at:
        start = 1 if len(words) > 1 and len(words[0].text) == 1 and words[0].text.isalpha() else 0
        if start < len(words) and _CODE.fullmatch(words[start].text):
            return words[start].text, " ".join(word.text for word in words[start + 1 :])
    return "", " ".join(word.text for word in words)


def _surcharge(words: tuple[Word, ...], mark: str) -> Tail:
    """ "Zuschlag von 10,00 % auf einen Gesamtbetrag von 850.000,00 EUR 85.000,00 EUR"."""
    at = next((i for i, word in enumerate(words) if "%" in word.text), 0)
    rate = figure_of(words[at].text.strip("% ") or words[at - 1].text, mark)
    rest = [(word.text, value) for word in words[at + 1 :] if (value := figure_of(word.text, mark)) is not None]
    base = str(rest[-2][1]) if len(rest) > 1 else ""
    return Tail(unit="%", unit_price=rate, total=rest[-1][1] if rest else None, is_surcharge=True, base=base)


def decimal_mark(texts: list[str]) -> str:
    """By the figures that end in one mark and two or three digits."""
    text = "\n".join(texts)
    commas = len(re.findall(r"\d,\d{2,3}(?![\d.,])", text))
    points = len(re.findall(r"\d\.\d{2}(?![\d.,])", text))
    return "," if commas >= points else "."
