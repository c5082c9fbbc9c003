"""How many of a search's hits there are by country, CPV division, relevance, buyer, deadline and value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from .. import cpv
from ..models import Decision, Score, Tender
from .searchfields import BANDS, DEADLINES, NOT_ASSESSED, UNDECIDED

EXACT_UP_TO = 5_000  # hits; more are told from a sample
SAMPLE = 8_000  # tenders looked at, of the whole table: what a tenth of them have is told to within 7 %
TOP = 20
COLUMNS = (
    "country", "cpv_main", "buyer_name", "status", "deadline_at", "value_amount", "score__relevance",
    "standing__choice",
)  # fmt: skip
THIN = 100
MOST = 2**31
Counts = dict[str, dict[str, int]]
Sql = tuple[str, tuple[Any, ...]]
_TABLE = f'FROM "{Tender._meta.db_table}"'
_BANDS = " ".join(f"WHEN value < {high} THEN '{name}'" for name, (_, _, high) in BANDS.items() if high is not None)
_LAST_BAND = next(name for name, (_, low, high) in BANDS.items() if high is None and low is not None)
_IF_FEW = "WHERE (SELECT count FROM total) <= {most}"  # looked at once, before any facet is counted
_EACH = "\n".join(
    f"UNION ALL SELECT '{name}', {name}, count(*) FROM named {_IF_FEW} GROUP BY {name}"  # noqa: S608 - as below
    for name in ("country", "cpv", "status", "deadline", "band", "relevance", "decision")
)
# How many there are is told first, from keys alone: of too many, no columns are read and no assessments joined. Then
# once over the hits for each facet; buyers are many, of whom only the first are sent.
_COUNTING = f"""
WITH hits (country, cpv, buyer, status, deadline, value, relevance, decision) AS NOT MATERIALIZED ({{hits}}),
named AS MATERIALIZED (
  SELECT country, left(cpv, 2) AS cpv, buyer, status,
    CASE WHEN deadline IS NULL THEN 'none' WHEN deadline < %s THEN 'past' WHEN deadline < %s THEN 'week'
      WHEN deadline < %s THEN 'month' ELSE 'later' END AS deadline,
    CASE WHEN value IS NULL THEN 'none' {_BANDS} ELSE '{_LAST_BAND}' END AS band,
    coalesce(relevance, '{NOT_ASSESSED}') AS relevance, coalesce(decision, '{UNDECIDED}') AS decision
  FROM hits),
total AS MATERIALIZED (SELECT count(*) AS count FROM ({{keys}}) AS keys)
SELECT 'all', '', count FROM total
{_EACH}
UNION ALL (SELECT 'buyer', buyer, count(*) FROM named {_IF_FEW} AND buyer <> '' GROUP BY buyer
  ORDER BY 3 DESC, 2 LIMIT {TOP})
"""  # noqa: S608 - constants of this module


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
    """Of the rows of `search_tenders`, in one to four queries whose cost does not grow with the table."""
    rows = rows.order_by().select_related(None)
    columns, few = rows.values_list(*COLUMNS), EXACT_UP_TO + 1
    try:
        keys = rows.values_list("pk")[:few].query.sql_with_params()
        hits = columns[:few].query.sql_with_params()
    except EmptyResultSet:  # nothing can be found: no source is visible, or none of those asked for
        return Facets(count=0, is_exact=True)
    with connection.cursor() as cursor:
        exact = _counts(cursor, hits, keys, most=EXACT_UP_TO)
        if exact["all"][""] <= EXACT_UP_TO:
            return _facets(exact, 1.0, is_exact=True)
        sampled, share = _sample(cursor, columns)
        if sampled["all"].get("", 0) < THIN:
            # A sample too thin says less than the first hits: at least so many.
            return _facets(_counts(cursor, hits), 1.0, is_exact=False)
    return _facets(sampled, 1 / share, is_exact=False)


def _sample(cursor: Any, columns: Any) -> tuple[Counts, float]:
    """Of hits among the tenders of some of the table's pages, always the same ones; and these pages' share of all."""
    sql, params = columns.query.sql_with_params()
    cursor.execute("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [Tender._meta.db_table])
    share = min(1.0, SAMPLE / max(float(cursor.fetchone()[0]), SAMPLE))
    sampled = f"{_TABLE} TABLESAMPLE SYSTEM ({100 * share:.4f}) REPEATABLE (1)"
    return _counts(cursor, (sql.replace(_TABLE, sampled, 1), params)), share


def _counts(cursor: Any, hits: Sql, keys: Sql = ("SELECT FROM named", ()), *, most: int = MOST) -> Counts:
    """By facet and value; "all" has one, "", and stands alone where there are more than `most`. Counted by the server:
    only sums are sent."""
    now = timezone.now()
    sql = _COUNTING.format(hits=hits[0], keys=keys[0], most=most)
    cursor.execute(sql, [*hits[1], now, now + timedelta(days=7), now + timedelta(days=30), *keys[1]])
    found: Counts = {"all": {"": 0}}
    for facet, value, count in cursor.fetchall():
        found.setdefault(facet, {})[value] = count
    return found


def _facets(counts: Counts, factor: float, *, is_exact: bool) -> Facets:
    def shown(facet: str, labels: dict[str, str] | None = None) -> list[FacetValue]:
        found = counts.get(facet, {})
        if labels:
            names = [name for name in labels if name in found]
        else:
            names = sorted((name for name in found if name), key=lambda name: (-found[name], name))[:TOP]
        told = {name: found[name] if is_exact else _rounded(found[name] * factor) for name in names}
        return [FacetValue(name, (labels or {}).get(name, name), count) for name, count in told.items()]

    count = counts["all"][""]
    return Facets(
        count=count if is_exact else max(EXACT_UP_TO, _rounded(count * factor)),
        is_exact=is_exact,
        country=shown("country"),
        cpv=[replace(each, label=cpv.name_of(each.value) or each.value) for each in shown("cpv")],
        relevance=shown("relevance", dict(Score.Relevance.choices) | {NOT_ASSESSED: "Not assessed"}),
        decision=shown("decision", dict(Decision.Choice.choices) | {UNDECIDED: "Undecided"}),
        buyer=[replace(each, value=f'"{each.value}"') for each in shown("buyer")],
        status=shown("status"),
        deadline=shown("deadline", DEADLINES),
        band=shown("band", {name: told[0] for name, told in BANDS.items()}),
    )


def _rounded(count: float) -> int:
    """To two digits: more would look as if it had been counted."""
    whole = round(count)
    step: int = 10 ** max(0, len(str(whole)) - 2)
    return round(whole / step) * step
