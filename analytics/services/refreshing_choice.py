"""What is to be refreshed next: wanted, and marked or old; the most wanted of each owner first, in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from ..models import RefreshSetback
from ..models.demand import RANK_STEPS
from ..registry import EntitySource
from ..streams.scoring import rank_at
from .counting import clock

# As the list of stale entities has it, unless told otherwise there.
WANTED = 5.0  # the least score of what is merely old; what is marked needs to have been asked for at all
OLD = timedelta(days=30)
LATELY = timedelta(hours=1)  # what was refreshed since is left alone, however often it is marked
LOOKED_AT = 2000  # most wanted ones of each owner looked through for old ones

_COLUMNS = "entity_id, organisation_id, rank, refreshed_at"
_MARKED = f"""(SELECT {_COLUMNS} FROM analytics_entitydemand
    WHERE {{owner}} AND needs_update AND refreshed_at < %(lately)s AND entity_type = ANY(%(types)s) AND rank > 0
    ORDER BY organisation_id, rank_step DESC, rank DESC LIMIT %(most)s)"""
_OLD = f"""(SELECT {_COLUMNS} FROM (
        SELECT {_COLUMNS}, entity_type FROM analytics_entitydemand
        WHERE {{owner}} AND rank_step >= %(step)s AND rank >= %(least)s
        ORDER BY organisation_id, rank_step DESC, rank DESC LIMIT %(looked_at)s
    ) d WHERE refreshed_at < %(old)s AND entity_type = ANY(%(types)s) ORDER BY rank DESC LIMIT %(most)s)"""
# Each owner along its own index: what one has in plenty does not stand before what another one has. The organisation
# stands first in the order too: behind `IS NULL` PostgreSQL does not see that the index is in order.
CHOOSE = f"""
WITH owners AS (
    SELECT DISTINCT organisation_id AS id FROM analytics_entitytotal
    WHERE with_demand > 0 AND organisation_id IS NOT NULL
), found AS (
    {_MARKED.format(owner="organisation_id IS NULL")}
    UNION {_OLD.format(owner="organisation_id IS NULL")}
    UNION (SELECT f.* FROM owners o CROSS JOIN LATERAL (
        {_MARKED.format(owner="organisation_id = o.id")} UNION {_OLD.format(owner="organisation_id = o.id")}
    ) f)
), named AS (
    SELECT e.id, e.source, e.source_id, f.rank,
        row_number() OVER (PARTITION BY f.organisation_id ORDER BY f.rank DESC, f.entity_id) AS turn
    FROM found f JOIN analytics_entity e ON e.id = f.entity_id
    WHERE e.source = ANY(%(sources)s) AND NOT EXISTS (
        SELECT FROM analytics_refreshsetback s
        WHERE s.source = e.source AND s.source_id = e.source_id AND s.wait_until > %(now)s
    )
)
SELECT id, source, source_id FROM named ORDER BY turn, rank DESC, id LIMIT %(limit)s
"""
STILL = """
SELECT e.id, e.source_id FROM analytics_entity e
WHERE e.id = ANY(%(ids)s) AND e.source = %(source)s
    AND (e.needs_update AND e.updated_at < %(lately)s OR e.updated_at < %(old)s)
"""


@dataclass(frozen=True, slots=True)
class Chosen:
    id: UUID
    source: str
    source_id: str


def choose(*, limit: int, sources: Sequence[EntitySource], now: datetime | None = None) -> list[Chosen]:
    """In turn: the most wanted of the shared ones and of each organisation, then the second of each, and so on. Not
    what was refreshed within the hour, nor what waits after a failure, by itself or with its source."""
    now = now or timezone.now()
    waiting = list(RefreshSetback.objects.filter(wait_until__gt=now).values_list("source", "source_id"))
    set_back = {source for source, source_id in waiting if not source_id}
    free = [source for source in sources if source.name not in set_back]
    least = rank_at(WANTED, now, clock().half_life_days)
    parameters: dict[str, Any] = {
        **_bounds(now),
        "now": now,
        "least": least,
        "step": floor(least * RANK_STEPS),
        "looked_at": LOOKED_AT,
        "most": limit + len(waiting),
        "types": [source.entity_type for source in free],
        "sources": [source.name for source in free],
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(CHOOSE, parameters)
        return [Chosen(*row) for row in cursor.fetchall()]


def still_due(*, source: str, entity_ids: list[UUID]) -> list[str]:
    """Keys of those that nobody has refreshed since they were chosen, in the order given."""
    with connection.cursor() as cursor:
        cursor.execute(STILL, {"ids": entity_ids, "source": source, **_bounds(timezone.now())})
        found = dict(cursor.fetchall())
    return [found[each] for each in entity_ids if each in found]


def _bounds(now: datetime) -> dict[str, datetime]:
    return {"lately": now - LATELY, "old": now - OLD}
