"""How many of a search's hits there are by country, CPV division, relevance, buyer, deadline and value."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.utils import timezone

from .. import cpv
from ..models import Decision, Score, TenderIndex
from .searchfields import BANDS, DEADLINES, NOT_ASSESSED, UNDECIDED
from .searching import Search

EXACT_UP_TO = 5_000  # hits; more are told from a sample
SAMPLED_PAGES = 1_333  # of the index: some 8,000 tenders; what a tenth of them have is told to within 7 %
SURE = 1.3  # a sample says so many times EXACT_UP_TO: by chance alone it would not, so nothing is counted exactly
THIN = 100  # hits in a sample that say less than the first ones do
TOP = 20
COLUMNS = ("tender_id", "country", "cpv_main", "buyer_name", "status", "deadline_at", "value_amount")
FACETS = ("country", "cpv", "status", "deadline", "band", "relevance", "decision", "buyer")
Counts = dict[str, dict[str, int]]
Sql = tuple[str, tuple[Any, ...]]
_TABLE = f'FROM "{TenderIndex._meta.db_table}"'
_BANDS = " ".join(f"WHEN value < {high} THEN '{name}'" for name, (_, _, high) in BANDS.items() if high is not None)
_LAST_BAND = next(name for name, (_, low, high) in BANDS.items() if high is None and low is not None)
# Once over the hits for all facets. Buyers are many, of whom only the first are sent. `facet` has a bit set for each
# facet that the row is not of: GROUPING's way; all of them for the whole.
_COUNTING = f"""
WITH hits (tender, country, cpv, buyer, status, deadline, value) AS NOT MATERIALIZED ({{hits}}),
named AS (
  SELECT country, left(cpv, 2) AS cpv, buyer, status,
    CASE WHEN deadline IS NULL THEN 'none' WHEN deadline < %s THEN 'past' WHEN deadline < %s THEN 'week'
      WHEN deadline < %s THEN 'month' ELSE 'later' END AS deadline,
    CASE WHEN value IS NULL THEN 'none' {_BANDS} ELSE '{_LAST_BAND}' END AS band,
    coalesce(relevance, '{NOT_ASSESSED}') AS relevance, coalesce(choice, '{UNDECIDED}') AS decision
  FROM hits
  LEFT JOIN tenders_score s ON s.tender_id = tender AND s.organisation_id = %s
  LEFT JOIN tenders_decision d ON d.tender_id = tender AND d.organisation_id = %s AND d.is_standing),
counted AS (
  SELECT grouping({", ".join(FACETS)}) AS facet, coalesce({", ".join(FACETS)}) AS value, count(*) AS count
  FROM named GROUP BY GROUPING SETS ({", ".join(f"({name})" for name in FACETS)}, ())),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY facet, value = '' ORDER BY count DESC, value) AS place FROM counted)
SELECT facet, coalesce(value, ''), count FROM ranked WHERE place <= {TOP}
"""  # noqa: S608 - constants of this module
_ALL = 2 ** len(FACETS) - 1
_NAMES = {_ALL: "all"} | {_ALL - (1 << bit): name for bit, name in enumerate(reversed(FACETS))}


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


def facets_of(search: Search) -> Facets:
    """Of the hits of `searching.search_for`, in two to four queries whose cost does not grow with the table.

    A sample comes first: it costs little, and tells where counting would be in vain.
    """
    columns = search.hits.order_by().values_list(*COLUMNS)
    try:
        hits = columns.query.sql_with_params()
        first = columns[: EXACT_UP_TO + 1].query.sql_with_params()
    except EmptyResultSet:  # nothing can be found: no source is visible, or none of those asked for
        return Facets(count=0, is_exact=True)
    with connection.cursor() as cursor:
        share = _share(cursor)
        sampled = _counts(cursor, search, _sampled(hits, share)) if share < 1 else None
        if sampled is None or sampled["all"][""] < SURE * EXACT_UP_TO * share:
            exact = _counts(cursor, search, first)
            if exact["all"][""] <= EXACT_UP_TO:
                return _facets(exact, 1.0, is_exact=True)
            if sampled is None:
                sampled = _counts(cursor, search, hits)
            elif sampled["all"][""] < THIN:
                return _facets(exact, 1.0, is_exact=False)
    return _facets(sampled, 1 / share, is_exact=False)


def _share(cursor: Any) -> float:
    """Of the index' pages, those that are looked at."""
    cursor.execute("SELECT pg_relation_size(%s) / current_setting('block_size')::int", [TenderIndex._meta.db_table])
    return min(1.0, SAMPLED_PAGES / max(int(cursor.fetchone()[0]), 1))


def _sampled(hits: Sql, share: float) -> Sql:
    """Of hits on some of the index' pages, always the same ones."""
    sql, params = hits
    return sql.replace(_TABLE, f"{_TABLE} TABLESAMPLE SYSTEM ({100 * share:.4f}) REPEATABLE (1)", 1), params


def _counts(cursor: Any, search: Search, hits: Sql) -> Counts:
    """By facet and value; "all" has one, "". Counted by the server: only sums are sent."""
    now = timezone.now()
    moments = (now, now + timedelta(days=7), now + timedelta(days=30))
    cursor.execute(_COUNTING.format(hits=hits[0]), [*hits[1], *moments, *[search.organisation_id] * 2])
    found: Counts = {}
    for facet, value, count in cursor.fetchall():
        found.setdefault(_NAMES[facet], {})[value] = count
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
