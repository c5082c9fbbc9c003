"""How many of a search's hits there are by country, CPV division, relevance, buyer, deadline and value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from .. import cpv
from ..models import Decision, Score, Tender
from .searchfields import BANDS, DEADLINES, NOT_ASSESSED, UNDECIDED

EXACT_UP_TO = 5_000  # hits; more are told from a sample
SAMPLE = 20_000  # tenders looked at, of the whole table
TOP = 20
COLUMNS = (
    "country", "cpv_main", "buyer_name", "status", "deadline_at", "value_amount", "score__relevance",
    "standing__choice",
)  # fmt: skip
_TABLE = f'FROM "{Tender._meta.db_table}"'


@dataclass(frozen=True, slots=True)
class FacetValue:
    """`value` is what the filter of the facet's name takes; `count` a number of hits, rounded where estimated."""

    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """`count`: of all hits. Not `is_exact`: this and the others are estimates, to two digits."""

    count: int
    is_exact: bool
    country: list[FacetValue] = field(default_factory=list)
    cpv: list[FacetValue] = field(default_factory=list)
    relevance: list[FacetValue] = field(default_factory=list)
    decision: list[FacetValue] = field(default_factory=list)
    buyer: list[FacetValue] = field(default_factory=list)
    status: list[FacetValue] = field(default_factory=list)
    deadline: list[FacetValue] = field(default_factory=list)
    band: list[FacetValue] = field(default_factory=list)


def facets_of(rows: QuerySet[Tender]) -> Facets:
    """Of the rows of `search_tenders`, in one to three queries whose cost does not grow with the table."""
    columns = rows.order_by().select_related(None).values_list(*COLUMNS)
    hits = list(columns[: EXACT_UP_TO + 1])
    if len(hits) <= EXACT_UP_TO:
        return _counted(hits, 1.0)
    sampled, share = _sample(columns)
    if len(sampled) < 100:  # a sample too thin says less than the first hits: at least so many
        return _counted(hits[:EXACT_UP_TO], 1.0, at_least=EXACT_UP_TO)
    return _counted(sampled, 1 / share, at_least=EXACT_UP_TO)


def _sample(columns: Any) -> tuple[list[tuple[Any, ...]], float]:
    """Hits among the tenders of some of the table's pages, always the same ones; and which share of all these are."""
    sql, params = columns.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [Tender._meta.db_table])
        share = min(1.0, SAMPLE / max(float(cursor.fetchone()[0]), SAMPLE))
        sampled = f"{_TABLE} TABLESAMPLE SYSTEM ({100 * share:.4f}) REPEATABLE (1)"
        cursor.execute(sql.replace(_TABLE, sampled, 1), params)
        return cursor.fetchall(), share


def _counted(hits: list[tuple[Any, ...]], factor: float, *, at_least: int = 0) -> Facets:
    is_exact = not at_least
    countries, codes, buyers, statuses, deadlines, values, grades, choices = (
        zip(*hits, strict=True) if hits else ((),) * len(COLUMNS)
    )

    def top(texts: Iterable[str], labels: dict[str, str] | None = None, *, in_order: bool = False) -> list[FacetValue]:
        found = Counter(texts)
        found.pop("", None)
        names = [name for name in labels or {} if name in found] if in_order else None
        ranked = [(name, found[name]) for name in names] if names is not None else found.most_common(TOP)
        return [
            FacetValue(name, (labels or {}).get(name, name), count if is_exact else _rounded(count * factor))
            for name, count in ranked
        ]

    now = timezone.now()
    relevances = dict(Score.Relevance.choices) | {NOT_ASSESSED: "Not assessed"}
    decisions = dict(Decision.Choice.choices) | {UNDECIDED: "Undecided"}
    divisions = [code[:2] for code in codes]
    named = top(buyers)
    return Facets(
        count=len(hits) if is_exact else max(at_least, _rounded(len(hits) * factor)),
        is_exact=is_exact,
        country=top(countries),
        cpv=top(divisions, {code: cpv.name_of(code) or code for code in set(divisions)}),
        relevance=top((grade or NOT_ASSESSED for grade in grades), relevances, in_order=True),
        decision=top((choice or UNDECIDED for choice in choices), decisions, in_order=True),
        buyer=[FacetValue(f'"{buyer.value}"', buyer.label, buyer.count) for buyer in named],
        status=top(statuses),
        deadline=top((_bucket(at, now) for at in deadlines), DEADLINES, in_order=True),
        band=top((_band(value) for value in values), {name: told[0] for name, told in BANDS.items()}, in_order=True),
    )


def _rounded(count: float) -> int:
    """To two digits: more would look as if it had been counted."""
    whole = round(count)
    step: int = 10 ** max(0, len(str(whole)) - 2)
    return round(whole / step) * step


def _bucket(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "none"
    if at < now:
        return "past"
    return "week" if at < now + timedelta(days=7) else "month" if at < now + timedelta(days=30) else "later"


def _band(value: Decimal | None) -> str:
    if value is None:
        return "none"
    return next(name for name, (_, _, high) in BANDS.items() if high is None or value < high)
