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

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from accounts.querysets import organisation_ids_of

from ..exceptions import EntityNotFound
from ..models import AskedQuestion, DemandBucket, DemandDay, Entity, EntityDemand
from ..streams.scoring import rank_at, score_at
from ..streams.trends import SPANS, TREND_LEAST, TREND_Z, is_trend
from .counting import clock

Row = dict[str, Any]
COUNTED_AT_MOST = 10_000  # of what is rising or stale: counting further would take longer than anybody reads
LOOKED_AT = 20_000  # most wanted ones looked through for stale ones
SERIES_DAYS = 30
TOP_TYPES = 10

COLUMNS = "entity_id, entity_type, rank, query_count, last_queried_at, refreshed_at, needs_update"
TOTALS = """
SELECT t.entity_type, sum(entities)::bigint, sum(queries)::bigint, sum(with_demand)::bigint,
    sum(needing_update)::bigint,
    sum(demand * power(2::float8, greatest(-extract(epoch FROM %(now)s - demand_at)::float8 / %(half_life_s)s, -1000)))
FROM analytics_entitytotal t WHERE organisation_id IS NULL OR organisation_id = ANY(%(own)s) GROUP BY 1
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
    return Scope(tuple(sorted(row["organisation_id"] for row in organisation_ids_of(user))))


def stats(*, scope: Scope) -> Row:
    """Totals. Scores are as of now; their average is over entities that were ever asked for."""
    frame, now = clock(), timezone.now()
    parameters = {"now": now, "half_life_s": frame.half_life_days * 86400, "own": list(scope.organisations)}
    rows = _rows(TOTALS, parameters)
    demand, asked = sum(row[5] or 0.0 for row in rows), sum(row[3] for row in rows)
    types = sorted(rows, key=lambda row: (-row[5], -row[2], row[0]))
    return {
        "total_entities": sum(row[1] for row in rows),
        "total_queries": sum(row[2] for row in rows),
        "entities_with_demand": asked,
        "avg_demand_score": _rounded(demand / asked) if asked else 0.0,
        "trending_entities": _count_trends(scope, "7d"),
        "needs_update": sum(row[4] for row in rows),
        "top_entity_types": [
            {"entity_type": row[0], "count": row[1], "total_demand": _rounded(row[5])} for row in types[:TOP_TYPES]
        ],
    }


def top(*, scope: Scope, limit: int, entity_type: str = "") -> Row:
    """`total`: of all entities (of the type) that were ever asked for."""
    where, parameters = ("entity_type = %(type)s", {"type": entity_type}) if entity_type else ("true", {})
    found = _best(scope, where, "rank DESC, entity_id", parameters, limit)
    found.sort(key=lambda row: (-row[2], str(row[0])))
    totals = _rows(TOTALS, {"now": timezone.now(), "half_life_s": 1.0, "own": list(scope.organisations)})
    total = sum(row[3] for row in totals if not entity_type or row[0] == entity_type)
    return {"entities": _described(found[:limit]), "total": total, "limit": limit}


def trending(*, scope: Scope, limit: int, timeframe: str) -> Row:
    """By growth: standard deviations by which the window has more than the one before."""
    extra = f"growth_{timeframe}, current_{timeframe}, previous_{timeframe}"
    found = _best(scope, _trend(timeframe), f"growth_{timeframe} DESC", {}, limit, extra)
    found.sort(key=lambda row: (-row[7], str(row[0])))
    rows = _described(found[:limit])
    for row, raw in zip(rows, found, strict=False):
        row |= {"growth": _rounded(raw[7]), "current": raw[8], "previous": raw[9]}
    return {"trending": rows, "total": _count_trends(scope, timeframe), "timeframe": timeframe}


def stale(*, scope: Scope, limit: int, min_demand_score: float, days_since_update: int) -> Row:
    """Wanted at least so much, and marked or not refreshed for so long; the most wanted first. Looked for among the
    20,000 most wanted of each organisation and the shared ones."""
    frame, now = clock(), timezone.now()
    parameters = {
        "least": rank_at(min_demand_score, now, frame.half_life_days),
        "before": now - timedelta(days=days_since_update),
        "looked_at": LOOKED_AT,
    }
    condition = "needs_update OR refreshed_at < %(before)s"
    branches = " UNION ALL ".join(
        f"(SELECT {COLUMNS} FROM (SELECT * FROM analytics_entitydemand WHERE {owner} AND rank >= %(least)s "
        f"AND rank > 0 ORDER BY rank DESC LIMIT %(looked_at)s) wanted WHERE {condition})"
        for owner in _owners(scope, parameters)
    )
    found = _rows(
        f"SELECT *, count(*) OVER () FROM ({branches}) stale ORDER BY rank DESC, entity_id LIMIT %(limit)s",
        parameters | {"limit": limit},
    )
    return {
        "stale_entities": _described([row[:7] for row in found]),
        "total": found[0][7] if found else 0,
        "criteria": {"min_demand_score": min_demand_score, "days_since_update": days_since_update},
    }


def entity(*, user: User, entity_id: UUID) -> Row:
    """One entity with its series by day, oldest first. EntityNotFound."""
    row = Entity.objects.visible_to(user).filter(pk=entity_id).values("id", "name", "entity_type").first()
    if row is None:
        raise EntityNotFound("There is no such entity, or it is not yours to see.")
    demand = EntityDemand.objects.filter(pk=entity_id).first()
    count = demand.query_count if demand else 0
    return {
        "entity": {
            **row,
            "demand_score": _score(demand.rank) if demand else 0.0,
            "query_count": count,
            "first_queried_at": demand.first_queried_at if demand else None,
            "last_queried_at": demand.last_queried_at if demand else None,
            "query_frequency": frequency(count),
            "trending": bool(demand and is_trend(demand.current_7d, demand.previous_7d)),
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
    for hour, count in DemandBucket.objects.filter(entity=entity_id, hour__gte=start).values_list("hour", "count"):
        day = hour.astimezone(UTC).date()
        counts[day] = counts.get(day, 0) + count
    for day, count in DemandDay.objects.filter(entity=entity_id, day__gte=first).values_list("day", "count"):
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


def _best(
    scope: Scope, where: str, order: str, parameters: dict[str, Any], limit: int, extra: str = ""
) -> list[tuple[Any, ...]]:
    """The first `limit` of the shared ones and of each organisation: each along its own index."""
    told = {**parameters, "limit": limit}
    columns = f"{COLUMNS}, {extra}" if extra else COLUMNS
    branches = [
        f"(SELECT {columns} FROM analytics_entitydemand WHERE {owner} AND {where} ORDER BY {order} LIMIT %(limit)s)"
        for owner in _owners(scope, told)
    ]
    return _rows(" UNION ALL ".join(branches), told)


def _owners(scope: Scope, parameters: dict[str, Any]) -> list[str]:
    parameters.update({f"own{number}": each for number, each in enumerate(scope.organisations)})
    return ["organisation_id IS NULL", *(f"organisation_id = %(own{n})s" for n in range(len(scope.organisations)))]


def _trend(span: str) -> str:
    if span not in SPANS:
        raise ValueError(span)
    return f"growth_{span} >= {TREND_Z} AND current_{span} >= {TREND_LEAST}"


def _count_trends(scope: Scope, span: str) -> int:
    """Up to 10,000 of each owner."""
    parameters: dict[str, Any] = {"most": COUNTED_AT_MOST}
    branches = [
        f"(SELECT 1 FROM analytics_entitydemand WHERE {owner} AND {_trend(span)} LIMIT %(most)s)"
        for owner in _owners(scope, parameters)
    ]
    return int(_rows(f"SELECT count(*) FROM ({' UNION ALL '.join(branches)}) rising", parameters)[0][0])


def _described(rows: Sequence[tuple[Any, ...]]) -> list[Row]:
    names = dict(Entity.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", "name"))
    frame, now = clock(), timezone.now()
    return [
        {
            "id": row[0],
            "name": names.get(row[0], ""),
            "entity_type": row[1],
            "demand_score": _rounded(score_at(row[2], now, frame.half_life_days)),
            "query_count": row[3],
            "last_queried_at": row[4],
            "last_updated_at": row[5],
            "needs_update": row[6],
        }
        for row in rows
    ]


def _score(rank: float) -> float:
    return _rounded(score_at(rank, timezone.now(), clock().half_life_days))


def _rounded(value: float) -> float:
    return round(float(value or 0.0), 3)


def _rows(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
