"""Pages of tenders by key: the hundredth costs what the first does, and nothing is skipped when new ones come."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from ..exceptions import BadFilter
from ..models import Score, Tender
from .searching import Search

NEWEST, BY_DEADLINE, BY_RELEVANCE = "published", "deadline", "relevance"
ORDERS = {NEWEST: "Newest first", BY_DEADLINE: "Earliest deadline first", BY_RELEVANCE: "Most relevant first"}


@dataclass(frozen=True, slots=True)
class TenderPage:
    """`next`: the cursor of the page that follows; "" on the last."""

    rows: list[Tender]
    next: str


@dataclass(frozen=True, slots=True)
class _Order:
    column: str
    is_descending: bool
    last_id: str  # how the id of the row before compares: less, when ids go down
    ids: str
    has_nulls: bool  # rows without the value come last; by relevance, only what has been assessed is listed


_ORDERS = {
    NEWEST: _Order("published_at", True, "tender_id__lt", "-tender_id", True),
    BY_DEADLINE: _Order("deadline_at", False, "tender_id__lt", "-tender_id", True),
    BY_RELEVANCE: _Order("relevance_score", True, "tender_id__gt", "tender_id", False),
}


def page_of(search: Search, *, order: str = NEWEST, size: int = 50, cursor: str = "") -> TenderPage:
    """One page of `searching.search_for`. One query; a second one where it reaches those without the sorted value.

    By relevance only assessed tenders are listed. Raises BadFilter for an unknown order or a damaged cursor.
    """
    way = _ORDERS.get(order)
    if way is None:
        raise BadFilter("There is no such order.", extra={"errors": {"ordering": [f"One of {', '.join(ORDERS)}."]}})
    value, last = _read(cursor, order) if cursor else (None, None)
    keys = _keys(search, order)
    found: list[Tender] = []
    if last is None or value is not None:
        found = _tenders(search, _with_value(keys, way, value, last)[: size + 1], way)
    if len(found) <= size and way.has_nulls:
        without = keys.filter(**{f"{way.column}__isnull": True}).order_by(way.ids)
        if last is not None and value is None:
            without = without.filter(**{way.last_id: last})
        found += _tenders(search, without[: size + 1 - len(found)], way)
    shown = found[:size]
    return TenderPage(shown, _written(shown[-1], order) if len(found) > size else "")


def _keys(search: Search, order: str) -> QuerySet[Any]:
    """What is sorted: the index' rows, or the scores. The page is cut there, before anything else is read."""
    if order != BY_RELEVANCE:
        return search.hits
    scores = Score.objects.filter(Q(("organisation_id", search.organisation_id)))
    return scores.filter(tender_id__in=search.hits.values("tender_id"))


def _tenders(search: Search, keys: QuerySet[Any], way: _Order) -> list[Tender]:
    column = F(way.column)
    sorting = column.desc(nulls_last=True) if way.is_descending else column.asc(nulls_last=True)
    rows = search.assessed.filter(pk__in=keys.values("tender_id"))
    return list(rows.order_by(sorting, way.ids.replace("tender_id", "id")))


def _with_value(rows: QuerySet[Any], way: _Order, value: Any, last: UUID | None) -> QuerySet[Any]:
    column = F(way.column)
    sorting = column.desc(nulls_last=True) if way.is_descending else column.asc(nulls_last=True)
    rows = rows.filter(**{f"{way.column}__isnull": False}).order_by(
        column.desc() if not way.has_nulls else sorting, way.ids
    )
    if last is None:
        return rows
    side = "lt" if way.is_descending else "gt"
    # The first condition is the index's; the second sorts out those with the very same value.
    further = Q(**{f"{way.column}__{side}": value}) | Q(**{way.last_id: last})
    return rows.filter(Q(**{f"{way.column}__{side}e": value}), further)


def _written(tender: Tender, order: str) -> str:
    value = {
        NEWEST: tender.published_at,
        BY_DEADLINE: tender.deadline_at,
        BY_RELEVANCE: getattr(tender, "relevance_score", None),
    }[order]
    told = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([order, told, str(tender.pk)]).encode()).decode().rstrip("=")


def _read(cursor: str, order: str) -> tuple[Any, UUID]:
    try:
        said, told, last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        value: Any = told if told is None or order == BY_RELEVANCE else datetime.fromisoformat(told)
        if said != order or (order == BY_RELEVANCE and not isinstance(value, float | int)):
            raise ValueError(said)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError(told)
        return value, UUID(last)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        message = "This cursor is not of this list. Begin again without it."
        raise BadFilter(message, extra={"errors": {"cursor": [message]}}) from None
