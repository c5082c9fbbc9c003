"""What is asked for together, and hours in which something was asked for far more than usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import User

from ..exceptions import EntityNotFound
from ..models import DemandBucket, Entity
from ..streams.trends import spikes
from .demand import Row, Scope, scope_of, trending

RELATED_DAYS = 30
RELATED_HOURS = 48
SERIES_H = 14 * 24
LOOKED_AT = 100  # what rises most within a day: an hour that is a spike makes its day rise

# Of the busiest hours of the entity: who was asked for in the same ones, and not merely always.
RELATED = """
WITH own AS (
    SELECT hour, count FROM analytics_demandbucket WHERE entity_id = %(id)s AND hour >= %(since)s
    ORDER BY count DESC, hour DESC LIMIT %(hours)s
), together AS (
    SELECT b.entity_id, sum(least(b.count, own.count))::bigint AS n FROM own
    JOIN analytics_demandbucket b ON b.hour = own.hour AND b.entity_id <> %(id)s
    GROUP BY 1
)
SELECT e.id, e.name, e.entity_type, t.n FROM together t
JOIN analytics_entity e ON e.id = t.entity_id JOIN analytics_entitydemand d ON d.entity_id = e.id
WHERE e.organisation_id IS NULL OR e.organisation_id = ANY(%(own)s)
ORDER BY t.n / sqrt(greatest(d.query_count, 1)) DESC, e.id LIMIT %(limit)s
"""


def related(*, user: User, entity_id: UUID, limit: int) -> Row:
    """Entities asked for in the same hours of the last 30 days, the closest first. EntityNotFound."""
    if not Entity.objects.visible_to(user).filter(pk=entity_id).exists():
        raise EntityNotFound("There is no such entity, or it is not yours to see.")
    parameters: dict[str, Any] = {
        "id": entity_id,
        "since": timezone.now() - timedelta(days=RELATED_DAYS),
        "own": list(scope_of(user).organisations),
        "hours": RELATED_HOURS,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(RELATED, parameters)
        found = cursor.fetchall()
    return {"related": [{"id": row[0], "name": row[1], "entity_type": row[2], "together": row[3]} for row in found]}


def recent_spikes(*, scope: Scope, limit: int, hours: int) -> Row:
    """Of the hundred entities that rise most within a day: their spikes of the last hours, the latest first."""
    rising = trending(scope=scope, limit=LOOKED_AT, timeframe="1d")["trending"]
    last = timezone.now().replace(minute=0, second=0, microsecond=0)
    start = last - timedelta(hours=SERIES_H - 1)
    series = _series([row["id"] for row in rising], start)
    found = []
    for row in rising:
        for spike in spikes(series[row["id"]]):
            if spike.index >= SERIES_H - hours:
                at = start + timedelta(hours=spike.index)
                told = {"count": spike.count, "expected": round(spike.expected, 2), "z": round(spike.z, 2)}
                found.append({name: row[name] for name in ("id", "name", "entity_type")} | {"hour": at, **told})
    found.sort(key=lambda spike: (spike["hour"], spike["z"]), reverse=True)
    return {"spikes": found[:limit], "total": len(found), "hours": hours}


def _series(ids: Sequence[UUID], start: datetime) -> dict[UUID, list[int]]:
    """By entity, signals of each hour from `start` on."""
    made = {each: [0] * SERIES_H for each in ids}
    rows = DemandBucket.objects.filter(entity__in=ids, hour__gte=start)
    for entity_id, hour, count in rows.values_list("entity_id", "hour", "count"):
        index = int((hour - start).total_seconds() // 3600)
        if index < SERIES_H:
            made[entity_id][index] = count
    return made
