"""What the search page offers to narrow by, what it is narrowed by, and the address of each way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.urls import reverse

from .. import cpv
from ..countries import COUNTRY_NAMES
from ..models import Decision, Score
from ..services.facets import Facets
from ..services.paging import ORDERS
from ..services.searchfields import BANDS, DEADLINES, HIDE, TenderFilters, as_query

# Each facet by its field, as the page names it; in this order.
FACETS = {
    "relevance": "Relevance",
    "deadline": "Deadline",
    "cpv": "Kind of work",
    "country": "Country",
    "band": "Value, in the notice's currency",
    "decision": "Decision",
    "buyer": "Buyer",
}
# Fields without a facet of their own.
OTHER = {
    "currency": "Currency",
    "value_min": "Value from",
    "value_max": "Value to",
    "deadline_after": "Deadline from",
    "deadline_before": "Deadline until",
    "published_after": "Published from",
    "published_before": "Published until",
    "created_after": "Come in since",
    "source": "Source",
    "status": "Status",
    "duplicates": "Published more than once",
}
_WORDS = {
    "relevance": dict(Score.Relevance.choices) | {"none": "Not assessed"},
    "decision": dict(Decision.Choice.choices) | {"none": "Undecided"},
    "deadline": DEADLINES,
    "band": {key: told[0] for key, told in BANDS.items()},
    "country": COUNTRY_NAMES,
    "duplicates": {HIDE: "Each once"},
}


@dataclass(frozen=True, slots=True)
class Option:
    """`key` is unique on the page; `count` None: chosen, and among no hit."""

    value: str
    label: str
    count: int | None
    is_chosen: bool
    key: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    title: str
    options: list[Option]
    is_single: bool  # one choice at most: a buyer


@dataclass(frozen=True, slots=True)
class Chosen:
    """`url`: the same search without this."""

    title: str
    label: str
    url: str


def groups_of(facets: Facets, filters: TenderFilters) -> list[Group]:
    return [
        Group(name, title, options, name == "buyer")
        for name, title in FACETS.items()
        if (options := _options(name, facets, filters))
    ]


def _options(name: str, facets: Facets, filters: TenderFilters) -> list[Option]:
    """Those chosen are always there, so that they can be taken back."""
    counts = {value.value: (value.label, value.count) for value in getattr(facets, name)}
    chosen = _values(filters, name)
    texts = [*counts, *(value for value in chosen if value not in counts)]
    if name in ("relevance", "decision") and texts == ["none"] and not chosen:
        return []  # nothing has been assessed or decided: there is nothing to choose between
    return [
        Option(
            value=text,
            label=_label(name, text),
            count=counts[text][1] if text in counts else None,
            is_chosen=text in chosen,
            key=f"{name}-{index}",
        )
        for index, text in enumerate(texts)
    ]


def _values(filters: TenderFilters, name: str) -> tuple[str, ...]:
    value = getattr(filters, name)
    return value if isinstance(value, tuple) else (value,) if value else ()


def _label(name: str, value: str) -> str:
    if name == "cpv":
        words = cpv.name_of(value)
        return f"{value} {words}" if words else value
    return _WORDS.get(name, {}).get(value, value.strip('"'))


def chosen_of(filters: TenderFilters, order: str) -> list[Chosen]:
    """Everything but the words, which have their own box."""
    found = []
    for name, title in (FACETS | OTHER).items():
        value: Any = getattr(filters, name)
        for part in value if isinstance(value, tuple) else (value,) if value not in ("", None) else ():
            label = part.strftime("%-d %b %Y") if hasattr(part, "strftime") else _label(name, str(part))
            found.append(Chosen(title, label, address(filters, order, without=(name, str(part)))))
    return found


def address(filters: TenderFilters, order: str, *, without: tuple[str, str] | None = None, cursor: str = "") -> str:
    """Of the search page in this state, without what is empty or as it is by default."""
    query = QueryDict(mutable=True)
    for name, value in as_query(filters).items():
        values = value if isinstance(value, list) else [value]
        if without and without[0] == name:
            values = [text for text in values if isinstance(value, list) and text != without[1]]
        if values:
            query.setlist(name, values)
    if order != next(iter(ORDERS)):
        query["order"] = order
    if cursor:
        query["cursor"] = cursor
    path = reverse("tenders:search")
    return f"{path}?{query.urlencode()}" if query else path
