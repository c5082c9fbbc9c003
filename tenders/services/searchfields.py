"""What a search of tenders asks for: its fields, and how they are written in an address or a saved search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils.dateparse import parse_date, parse_datetime

from ..exceptions import BadFilter
from ..models import Decision, Score

LONGEST_QUERY = 300
MOST_CHOICES = 50  # of one field in one search
UNDECIDED = "none"
HIDE = "hide"
NOT_ASSESSED = "none"
DEADLINES = {
    "week": "Within 7 days",
    "month": "In 8 to 30 days",
    "later": "Later",
    "past": "Past",
    "none": "Not stated",
}
BANDS: dict[str, tuple[str, Decimal | None, Decimal | None]] = {
    "0-100k": ("Under 100,000", None, Decimal(100_000)),
    "100k-1m": ("100,000 to 1 million", Decimal(100_000), Decimal(1_000_000)),
    "1m-10m": ("1 to 10 million", Decimal(1_000_000), Decimal(10_000_000)),
    "10m-": ("10 million and more", Decimal(10_000_000), None),
    "none": ("Not stated", None, None),
}
RELEVANCES = (*Score.Relevance.values, NOT_ASSESSED)
DECISIONS = (*Decision.Choice.values, UNDECIDED)
_CPV = re.compile("[0-9]{2,8}")
_COUNTRY = re.compile("[A-Z]{2}")
_CURRENCY = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class TenderFilters:
    """All must hold; of several choices of one field, any. Empty: it does not narrow. Times carry a zone.

    `cpv`: starts of the main code. `buyer`: words of the name, or the whole name in double quotes. `deadline` and
    `band`: keys of DEADLINES and BANDS. Amounts are in the currency of each notice; `currency` keeps to one.
    """

    q: str = ""
    cpv: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    buyer: str = ""
    currency: str = ""
    value_min: Decimal | None = None
    value_max: Decimal | None = None
    band: tuple[str, ...] = ()
    deadline: tuple[str, ...] = ()
    deadline_after: datetime | None = None
    deadline_before: datetime | None = None
    published_after: datetime | None = None
    published_before: datetime | None = None
    created_after: datetime | None = None
    relevance: tuple[str, ...] = ()
    decision: tuple[str, ...] = ()
    source: tuple[UUID, ...] = ()
    status: tuple[str, ...] = ()
    duplicates: str = ""  # HIDE: without what says the same as a hit that was published earlier


def filters_from(params: Mapping[str, Any]) -> TenderFilters:
    """The fields of an address (a QueryDict), or of a saved search. Unknown names are left alone, empty values too;
    several choices come repeated, as a list, or with commas between. Raises BadFilter with `errors` by field.
    """
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field in fields(TenderFilters):
        texts = _texts(params, field.name)
        if texts:
            try:
                found[field.name] = _READERS[field.name](texts)
            except ValueError as error:
                errors[field.name] = [str(error)]
    if errors:
        raise BadFilter("Some of the search's fields are not valid: see errors.", extra={"errors": errors})
    return TenderFilters(**found)


def _texts(params: Mapping[str, Any], name: str) -> list[str]:
    if hasattr(params, "getlist"):
        given: Iterable[Any] = params.getlist(name)
    else:
        value = params.get(name)
        given = value if isinstance(value, list | tuple) else [] if value is None else [value]
    return [text for each in given if (text := str(each).replace("\x00", "").strip())]


def _words(texts: list[str]) -> str:
    if len(texts[-1]) > LONGEST_QUERY:
        raise ValueError(f"At most {LONGEST_QUERY} characters.")
    return texts[-1]


def _choices(texts: list[str]) -> list[str]:
    found = list(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))
    if len(found) > MOST_CHOICES:
        raise ValueError(f"At most {MOST_CHOICES} choices.")
    return found


def _of(allowed: Iterable[str]) -> Any:
    known = tuple(allowed)

    def read(texts: list[str]) -> tuple[str, ...]:
        found = _choices(texts)
        if unknown := [text for text in found if text not in known]:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(known)}.")
        return tuple(found)

    return read


def _matching(pattern: re.Pattern[str], expected: str) -> Any:
    def read(texts: list[str]) -> tuple[str, ...]:
        found = [text.upper() for text in _choices(texts)]
        if wrong := [text for text in found if not pattern.fullmatch(text)]:
            raise ValueError(f"{wrong[0]!r} is not {expected}.")
        return tuple(found)

    return read


def _currency(texts: list[str]) -> str:
    code = texts[-1].upper()
    if not _CURRENCY.fullmatch(code):
        raise ValueError("Three letters of ISO 4217, such as EUR.")
    return code


def _cpv(texts: list[str]) -> tuple[str, ...]:
    """ "45233220-7" as it stands in notices: the digit of control goes."""
    found = [text.partition("-")[0] for text in _choices(texts)]
    if wrong := [text for text in found if not _CPV.fullmatch(text)]:
        raise ValueError(f"{wrong[0]!r} is not the start of a CPV code: 2 to 8 digits.")
    return tuple(found)


def _amount(texts: list[str]) -> Decimal:
    try:
        amount = Decimal(texts[-1].replace(" ", ""))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount < Decimal(10) ** 16:
        raise ValueError("An amount, such as 250000.")
    return amount


def _moment(*, is_end: bool) -> Any:
    """A date means its first moment in UTC, or its last one where it is an end."""

    def read(texts: list[str]) -> datetime:
        text = texts[-1]
        try:
            moment, day = parse_datetime(text), parse_date(text)
        except ValueError:
            moment, day = None, None
        if day is not None and len(text) <= 10:
            return datetime.combine(day, time.max if is_end else time.min, UTC)
        if moment is None:
            raise ValueError("A date or a time of ISO 8601, such as 2026-11-30 or 2026-11-30T12:00:00Z.")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    return read


def _ids(texts: list[str]) -> tuple[UUID, ...]:
    try:
        return tuple(UUID(text) for text in _choices(texts))
    except ValueError:
        raise ValueError("Ids of sources.") from None


def _statuses(texts: list[str]) -> tuple[str, ...]:
    return tuple(text[:40] for text in _choices(texts))


def _hide(texts: list[str]) -> str:
    if texts[-1] != HIDE:
        raise ValueError(f"{HIDE}, or nothing.")
    return HIDE


_READERS: dict[str, Any] = {
    "q": _words,
    "cpv": _cpv,
    "country": _matching(_COUNTRY, "a country: two letters of ISO 3166"),
    "buyer": _words,
    "currency": _currency,
    "value_min": _amount,
    "value_max": _amount,
    "band": _of(BANDS),
    "deadline": _of(DEADLINES),
    "deadline_after": _moment(is_end=False),
    "deadline_before": _moment(is_end=True),
    "published_after": _moment(is_end=False),
    "published_before": _moment(is_end=True),
    "created_after": _moment(is_end=False),
    "relevance": _of(RELEVANCES),
    "decision": _of(DECISIONS),
    "source": _ids,
    "status": _statuses,
    "duplicates": _hide,
}


def as_query(filters: TenderFilters) -> dict[str, Any]:
    """As JSON for a saved search; `filters_from` reads it back."""
    found: dict[str, Any] = {}
    for field in fields(filters):
        value = getattr(filters, field.name)
        if isinstance(value, tuple):
            value = [str(each) for each in value]
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = str(value)
        if value:
            found[field.name] = value
    return found
