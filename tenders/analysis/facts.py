"""Dates, money, qualifications and risks that a notice states in its text, each with the words it was read from."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

from ..services.wording import folded
from .amounts import amounts
from .factors import NOMINAL
from .phrases import EVENTS, MONTHS, QUALIFICATIONS, RISKS
from .schema import Fact, KeyDate, StatedValue
from .sentences import one_line, quote_around, sentences
from .subject import Subject

MOST_DATES, MOST_FACTS = 8, 6
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
_NUMERIC = re.compile(r"(?<!\d)(\d{1,2})(\s?[./-]\s?)(\d{1,2})\2(20\d\d)(?!\d)")
_ISO = re.compile(r"(?<!\d)(20\d\d)[-/](\d{1,2})[-/](\d{1,2})(?!\d)")
_NAMED = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º)?\s+(?:de\s+|of\s+)?([^\W\d_]{3,12})\.?,?\s+(?:de\s+)?(20\d\d)(?!\d)"
)
_NAMED_FIRST = re.compile(r"\b([^\W\d_]{3,12})\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(20\d\d)(?!\d)")
_NEAR = 60  # letters before a date that say what it is


def western(text: str) -> str:
    """Arabic and Persian digits as 0-9; each stands where it stood."""
    return text.translate(_DIGITS)


def key_dates(text: str, language: str) -> list[KeyDate]:
    """Each day named in the text, by date. Where day and month could be told either way, the day comes first."""
    found: dict[tuple[dt.date, str], KeyDate] = {}
    for _, sentence in sentences(text):
        for start, end, day in _dates(western(sentence), language):
            what = _event(folded(sentence), start, end)
            found.setdefault((day, what), KeyDate(what=what, on=day, quote=quote_around(sentence, start, end)))
    return sorted(found.values(), key=lambda each: (each.on, each.what))[:MOST_DATES]


def _dates(text: str, language: str) -> Iterator[tuple[int, int, dt.date]]:
    for match in _ISO.finditer(text):
        yield from _day(match, match[1], match[2], match[3])
    for match in _NUMERIC.finditer(text):
        first, second = int(match[1]), int(match[3])
        day, month = (second, first) if second > 12 >= first else (first, second)
        yield from _day(match, match[4], month, day)
    for match in _NAMED.finditer(text):
        if month := _month(match[2], language):
            yield from _day(match, match[3], month, match[1])
    for match in _NAMED_FIRST.finditer(text):
        if month := _month(match[1], language):
            yield from _day(match, match[3], month, match[2])


def _day(match: re.Match[str], year: str | int, month: str | int, day: str | int) -> Iterator[tuple[int, int, dt.date]]:
    try:
        yield match.start(), match.end(), dt.date(int(year), int(month), int(day))
    except ValueError:
        return  # 31.2.: a number that looks like a date


def _month(word: str, language: str) -> int:
    """0: it is no month's name."""
    plain = folded(word)
    for known in dict.fromkeys((language, "en")):
        for number, names in enumerate(MONTHS.get(known, ()), 1):
            if any(plain.startswith(name) for name in names.split("|")):
                return number
    return 0


def _event(sentence: str, start: int, end: int) -> str:
    """What happens then: by the nearest word before the date, else by any in the sentence after it."""
    best: tuple[int, str] | None = None
    for what, pattern in EVENTS:
        for match in pattern.finditer(sentence, max(0, start - _NEAR), start):
            if best is None or match.start() > best[0]:
                best = (match.start(), what)
    if best is None:
        for what, pattern in EVENTS:
            if pattern.search(sentence, end, end + _NEAR):
                return what
    return best[1] if best else "date named"


def qualifications(text: str) -> list[Fact]:
    return _facts(text, QUALIFICATIONS)


def risks(text: str) -> list[Fact]:
    return _facts(text, RISKS)


def _facts(text: str, patterns: tuple[tuple[str, re.Pattern[str]], ...]) -> list[Fact]:
    """One a kind and sentence; `text` names the kind, the quote is the notice's."""
    found: dict[str, Fact] = {}
    for _, sentence in sentences(text):
        plain = folded(sentence)
        for name, pattern in patterns:
            match = pattern.search(plain)
            # Folding may change a text's length ("ß"): then where it was found says nothing.
            if match and len(plain) == len(sentence):
                found.setdefault(name, Fact(text=name, quote=quote_around(sentence, match.start(), match.end())))
    return list(found.values())[:MOST_FACTS]


def stated_value(subject: Subject) -> StatedValue | None:
    """The notice's own field; without it the largest sum in the text that is called a value or budget. None: neither,
    and then no sum of the text is taken for it."""
    if subject.value_amount is not None and subject.value_amount > NOMINAL:
        return StatedValue(amount=subject.value_amount, currency=subject.value_currency)
    best: StatedValue | None = None
    for _, sentence in sentences(subject.text):
        for amount in amounts(western(sentence)):
            if amount.is_value and (best is None or amount.number > best.amount):
                quote = one_line(quote_around(sentence, amount.start, amount.end))
                best = StatedValue(amount=amount.number, currency=amount.currency, quote=quote)
    return best if best is None or best.amount >= Decimal(100) else None
