"""What people need, read: totals, the most wanted, what is rising, what is wanted and old, one entity, questions.

Everything comes from a narrow row per entity that somebody asked for (EntityDemand) and from kept totals. What others
own is never walked over: a list is the best few of the shared ones and of each own organisation, merged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from accounts.querysets import read_organisation_ids

from ..exceptions import EntityNotFound
from ..models import AskedQuestion
from ..streams.scoring import ORIGIN, score_at
from ..streams.trends import SPANS, is_trend

Row = dict[str, Any]
COUNTED_AT_MOST = 10_000  # of what is rising or stale: counting further would take longer than anybody reads
LOOKED_AT = 5_000  # of each owner, at most
CANDIDATES = 2_000  # of each owner, that are looked through for what is stale
SERIES_DAYS = 30
TOP_TYPES = 10

COLUMNS = "entity_id, entity_type, rank, query_count, last_queried_at, refreshed_at, needs_update"
# The half-life in which ranks are stored; before anything was counted the setting's.
FRAME = "coalesce((SELECT half_life_days FROM analytics_demandclock), %(half_life_days)s)::float8"
TOTALS = """
SELECT t.entity_type, sum(entities)::bigint, sum(queries)::bigint, sum(with_demand)::bigint,
    sum(needing_update)::bigint,
    sum(demand * power(2::float8,
        greatest(-extract(epoch FROM %(now)s - demand_at)::float8 / (frame.half_life * 86400), -1000))),
    (SELECT count(*) FROM ({trends}) rising)
FROM analytics_entitytotal t, (SELECT {frame} AS half_life) frame WHERE {seen} GROUP BY 1
"""
ASKED = "SELECT coalesce(sum(with_demand), 0)::bigint FROM analytics_entitytotal WHERE {seen}"
SEEN = "(organisation_id IS NULL OR organisation_id = ANY(%(own)s))"
# In one round trip: the list, its total, the frame. A row without an entity: the list is empty. `is_short`: of some
# owner there may be more in the steps that the list reaches down to than `wanted` has.
LISTED = """
WITH wanted AS ({wanted}), first AS (SELECT * FROM wanted ORDER BY {order}, entity_id LIMIT %(limit)s
), reached AS (
    SELECT min(step) AS reach FROM (SELECT step FROM wanted ORDER BY step DESC LIMIT %(limit)s) steps
), told AS MATERIALIZED (
    SELECT ({total}) AS total, {frame} AS half_life, EXISTS (
        SELECT FROM wanted GROUP BY owner
        HAVING count(*) >= %(most)s AND min(step) >= (SELECT reach FROM reached)
    ) AS is_short
)
SELECT told.total, told.half_life, told.is_short, first.*, e.name
FROM told LEFT JOIN first ON true LEFT JOIN analytics_entity e ON e.id = first.entity_id
ORDER BY {order}, entity_id
"""
# The rank of a score is counted here, so that the frame takes no statement of its own. Nothing but what is looked at is
# read of so many rows; the rest of those listed alone. The bound is no condition of the index: not knowing what it cuts
# off, the planner sorted all that is wanted. Shaped like LISTED.
WANTED_OF = """
(SELECT entity_id, rank, needs_update, refreshed_at FROM analytics_entitydemand
WHERE {owner} AND rank_step IS NOT NULL
ORDER BY organisation_id, rank_step DESC LIMIT %(most)s)
"""
STALE = """
WITH frame AS (SELECT {frame} AS half_life), bound AS (
    SELECT CASE WHEN %(score)s::float8 > 0 THEN log(2, %(score)s::numeric)::float8
        + extract(epoch FROM %(now)s - %(origin)s)::float8 / (half_life * 86400) ELSE 0 END AS least FROM frame
), first AS (
    SELECT entity_id, count(*) OVER () AS total FROM ({wanted}) wanted
    WHERE rank >= (SELECT least FROM bound) AND rank > 0 AND (needs_update OR refreshed_at < %(before)s)
    ORDER BY rank DESC, entity_id LIMIT %(limit)s
)
SELECT first.total, frame.half_life, false, d.entity_id, d.entity_type, d.rank, d.query_count, d.last_queried_at,
    d.refreshed_at, d.needs_update, 0, 0, e.name
FROM frame, first JOIN analytics_entitydemand d USING (entity_id) JOIN analytics_entity e ON e.id = d.entity_id
ORDER BY d.rank DESC, d.entity_id
"""
ENTITY = """
SELECT e.id, e.name, e.entity_type, coalesce(d.rank, 0), coalesce(d.query_count, 0), d.first_queried_at,
    d.last_queried_at, coalesce(d.current_7d, 0), coalesce(d.previous_7d, 0), {frame}
FROM analytics_entitydemand d RIGHT JOIN (
    SELECT id, name, entity_type FROM analytics_entity WHERE id = %(id)s AND {seen}
) e ON d.entity_id = e.id
"""
SERIES = """
SELECT (hour AT TIME ZONE 'UTC')::date, sum(count)::bigint FROM analytics_demandbucket
WHERE entity_id = %(id)s AND hour >= %(start)s GROUP BY 1
UNION ALL SELECT day, count FROM analytics_demandday WHERE entity_id = %(id)s AND day >= %(first)s
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks: their organisations, in order. What everybody sees is in every scope."""

    organisations: tuple[UUID, ...]

    @property
    def key(self) -> str:
        """For caches: people of the same organisations see the same."""
        return ",".join(each.hex for each in self.organisations)


def scope_of(user: User) -> Scope:
    return Scope(read_organisation_ids(user))


def stats(*, scope: Scope) -> Row:
    """Totals. Scores are as of now; their average is over entities that were ever asked for."""
    parameters = _parameters(scope)
    rows = _rows(TOTALS.format(trends=_trends(scope, "7d", parameters), frame=FRAME, seen=SEEN), parameters)
    demand, asked = sum(row[5] or 0.0 for row in rows), sum(row[3] for row in rows)
    types = sorted(rows, key=lambda row: (-row[5], -row[2], row[0]))
    return {
        "total_entities": sum(row[1] for row in rows),
        "total_queries": sum(row[2] for row in rows),
        "entities_with_demand": asked,
        "avg_demand_score": _rounded(demand / asked) if asked else 0.0,
        "trending_entities": rows[0][6] if rows else 0,
        "needs_update": sum(row[4] for row in rows),
        "top_entity_types": [
            {"entity_type": row[0], "count": row[1], "total_demand": _rounded(row[5])} for row in types[:TOP_TYPES]
        ],
    }


def top(*, scope: Scope, limit: int, entity_type: str = "") -> Row:
    """`total`: of all entities (of the type) that were ever asked for."""
    parameters = _parameters(scope, limit=limit, type=entity_type)
    narrowed = " AND entity_type = %(type)s" if entity_type else ""
    total, rows, _ = _best(
        scope,
        parameters,
        Way(where=f"rank_step IS NOT NULL{narrowed}", step="rank_step", order="rank DESC"),
        total=ASKED.format(seen=SEEN) + narrowed,
    )
    return {"entities": rows, "total": total, "limit": limit}


def trending(*, scope: Scope, limit: int, timeframe: str) -> Row:
    """By growth: standard deviations by which the window has more than the one before."""
    parameters = _parameters(scope, limit=limit)
    way = Way(
        where=_trend(timeframe),
        step=f"trend_{timeframe}",
        order="growth DESC",
        extra=f", growth_{timeframe} AS growth, current_{timeframe}, previous_{timeframe}",
    )
    counted = f"SELECT count(*) FROM ({_trends(scope, timeframe, parameters)}) rising"
    total, rows, extras = _best(scope, parameters, way, total=counted)
    for row, (growth, current, previous) in zip(rows, extras, strict=True):
        row |= {"growth": _rounded(growth), "current": current, "previous": previous}
    return {"trending": rows, "total": total, "timeframe": timeframe}


def stale(*, scope: Scope, limit: int, min_demand_score: float, days_since_update: int) -> Row:
    """Wanted at least so much, and marked or not refreshed for so long; the most wanted first. Looked for, and counted,
    among the 2,000 most wanted of each organisation and the shared ones."""
    parameters = _parameters(scope, limit=limit, most=CANDIDATES)
    now = parameters["now"]
    parameters |= {"score": min_demand_score, "origin": ORIGIN, "before": now - timedelta(days=days_since_update)}
    wanted = " UNION ALL ".join(WANTED_OF.format(owner=owner) for owner in _owners(scope, parameters))
    found = _rows(STALE.format(wanted=wanted, frame=FRAME), parameters)
    return {
        "stale_entities": _described(found, now)[0],
        "total": found[0][0] if found else 0,
        "criteria": {"min_demand_score": min_demand_score, "days_since_update": days_since_update},
    }


def entity(*, scope: Scope, entity_id: UUID) -> Row:
    """One entity with its series by day, oldest first. EntityNotFound."""
    parameters = _parameters(scope, id=entity_id)
    found = _rows(ENTITY.format(frame=FRAME, seen=SEEN), parameters)
    if not found:
        raise EntityNotFound("There is no such entity, or it is not yours to see.")
    pk, name, entity_type, rank, count, first, last, current, previous, half_life = found[0]
    return {
        "entity": {
            "id": pk,
            "name": name,
            "entity_type": entity_type,
            "demand_score": _rounded(score_at(rank, parameters["now"], half_life)),
            "query_count": count,
            "first_queried_at": first,
            "last_queried_at": last,
            "query_frequency": frequency(count),
            "trending": is_trend(current, previous),
            "series": series(entity_id=entity_id),
        }
    }


def frequency(count: int) -> str:
    """In words, of all signals ever."""
    for most, word in ((0, "never"), (10, "low"), (50, "medium"), (100, "high")):
        if count <= most:
            return word
    return "very_high"


def series(*, entity_id: UUID, days: int = SERIES_DAYS) -> list[Row]:
    """Signals of the last days (UTC), today last, without gaps."""
    today = timezone.now().astimezone(UTC).date()
    first = today - timedelta(days=days - 1)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    counts: dict[Any, int] = {}
    for day, count in _rows(SERIES, {"id": entity_id, "start": start, "first": first}):
        counts[day] = counts.get(day, 0) + count
    listed = [first + timedelta(days=number) for number in range(days)]
    return [{"date": day, "count": counts.get(day, 0)} for day in listed]


def queries(*, user: User, limit: int, days: int, unanswered: bool) -> Row:
    """What is asked, grouped by the folded question; the most asked (or most in vain) first."""
    since = timezone.now().astimezone(UTC).date() - timedelta(days=days - 1)
    rows = AskedQuestion.objects.visible_to(user).filter(day__gte=since)
    grouped = rows.values("folded").annotate(asked=Sum("asked"), unanswered=Sum("unanswered"))
    if unanswered:
        grouped = grouped.filter(unanswered__gt=0)
    ordered = grouped.order_by("-unanswered" if unanswered else "-asked", "folded")[:limit]
    found = list(ordered.values_list("folded", "asked", "unanswered"))
    texts = {
        row["folded"]: row
        for row in rows.filter(folded__in=[each[0] for each in found])
        .order_by("last_asked_at")
        .values("folded", "text", "last_asked_at")
    }
    listed = [
        {
            "query": texts[folded]["text"],
            "asked": asked,
            "unanswered": missed,
            "last_asked_at": texts[folded]["last_asked_at"],
        }
        for folded, asked, missed in found
    ]
    return {"queries": listed, "days": days, "unanswered_only": unanswered}


def _parameters(scope: Scope, **more: Any) -> dict[str, Any]:
    told = {"own": list(scope.organisations), "now": timezone.now()}
    return told | {"half_life_days": float(settings.DEMAND_HALF_LIFE_DAYS)} | more


@dataclass(frozen=True, slots=True)
class Way:
    """Of a list: what is in it, the indexed step that it is found by, its order within and across steps. SQL."""

    where: str
    step: str
    order: str
    extra: str = ""


def _best(
    scope: Scope, parameters: dict[str, Any], way: Way, *, total: str
) -> tuple[int, list[Row], list[tuple[Any, ...]]]:
    """(total, the first `limit` described, what each has in `extra`). Of the shared ones and of each organisation, each
    along its own index, more are looked at than are wanted; where their last step holds more, 5,000."""
    parameters["most"] = 2 * parameters["limit"] + 30
    statement = _listed(_branches(scope, parameters, way), way.order, total)
    found = _rows(statement, parameters)
    if found[0][2]:
        found = _rows(statement, parameters | {"most": LOOKED_AT})
    rows, extras = _described(found, parameters["now"])
    return found[0][0], rows, extras


def _branches(scope: Scope, parameters: dict[str, Any], way: Way) -> str:
    """The organisation stands first in the order too: an index that begins with it is not seen to be in order behind
    `IS NULL` (PostgreSQL 18)."""
    return " UNION ALL ".join(
        f"(SELECT {COLUMNS}, {way.step} AS step, {number} AS owner{way.extra} FROM analytics_entitydemand "
        f"WHERE {owner} AND {way.where} ORDER BY organisation_id, {way.step} DESC LIMIT %(most)s)"
        for number, owner in enumerate(_owners(scope, parameters))
    )


def _listed(wanted: str, order: str, total: str) -> str:
    return LISTED.format(wanted=wanted, order=order, total=total, frame=FRAME)


def _described(found: Sequence[tuple[Any, ...]], now: datetime) -> tuple[list[Row], list[tuple[Any, ...]]]:
    """Rows of LISTED: the entities, and what they have beyond COLUMNS, step and owner."""
    listed = [row for row in found if row[3] is not None]
    rows: list[Row] = [
        {
            "id": row[3],
            "name": row[-1],
            "entity_type": row[4],
            "demand_score": _rounded(score_at(row[5], now, row[1])),
            "query_count": row[6],
            "last_queried_at": row[7],
            "last_updated_at": row[8],
            "needs_update": row[9],
        }
        for row in listed
    ]
    return rows, [row[12:-1] for row in listed]


def _owners(scope: Scope, parameters: dict[str, Any]) -> list[str]:
    parameters.update({f"own{number}": each for number, each in enumerate(scope.organisations)})
    return ["organisation_id IS NULL", *(f"organisation_id = %(own{n})s" for n in range(len(scope.organisations)))]


def _trend(span: str) -> str:
    if span not in SPANS:
        raise ValueError(span)
    return f"trend_{span} IS NOT NULL"


def _trends(scope: Scope, span: str, parameters: dict[str, Any]) -> str:
    """A row for each that rises, up to 10,000 of each owner."""
    parameters["counted"] = COUNTED_AT_MOST
    return " UNION ALL ".join(
        f"(SELECT 1 FROM analytics_entitydemand WHERE {owner} AND {_trend(span)} LIMIT %(counted)s)"
        for owner in _owners(scope, parameters)
    )


def _rounded(value: float) -> float:
    return round(float(value or 0.0), 3)


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
