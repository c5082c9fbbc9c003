"""What time does to demand: windows move on by the hour, old hours become days, ranks follow a changed half-life."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ..streams.scoring import DAY_S, ORIGIN_S
from ..streams.trends import HOURS_OF, SPANS
from .counting import FRAME_LOCK, clock
from .raw import raw_cursor

KEPT_HOURS_DAYS = 60  # as far back as windows look; a day more is kept in hours, for the step over the edge
ALONE = f"SELECT pg_advisory_xact_lock({FRAME_LOCK})"

# Of hours that leave a window, or the one before it, between the old end and the new: an hour's signals per step.
# In id order, so that nobody who locks rows one by one can meet it half way.
MOVE = """
WITH moved AS (
    SELECT entity_id,
        {sums}
    FROM analytics_demandbucket
    WHERE {ranges}
    GROUP BY entity_id
), locked AS MATERIALIZED (
    SELECT d.entity_id FROM analytics_entitydemand d JOIN moved USING (entity_id) ORDER BY d.entity_id FOR UPDATE OF d
)
UPDATE analytics_entitydemand d SET {sets}
FROM moved m JOIN locked USING (entity_id) WHERE d.entity_id = m.entity_id
"""
ROLL = """
WITH old AS (
    DELETE FROM analytics_demandbucket WHERE hour < %(edge)s RETURNING entity_id, hour, count
), orphans AS (
    DELETE FROM analytics_demandday WHERE NOT EXISTS (SELECT FROM analytics_entity e WHERE e.id = entity_id)
)
INSERT INTO analytics_demandday AS d (entity_id, day, count)
SELECT o.entity_id, (o.hour AT TIME ZONE 'UTC')::date, sum(o.count) FROM old o
JOIN analytics_entity e ON e.id = o.entity_id GROUP BY 1, 2
ON CONFLICT (entity_id, day) DO UPDATE SET count = d.count + excluded.count
"""
ORPHANS = (
    "DELETE FROM analytics_demandbucket b WHERE NOT EXISTS (SELECT FROM analytics_entity e WHERE e.id = b.entity_id)"
)
SNAPSHOT = """
UPDATE analytics_entity e SET demand_score = d.rank FROM analytics_entitydemand d
WHERE d.entity_id = e.id AND d.last_queried_at > %(since)s AND e.demand_score <> d.rank
"""
FOLLOW = """
WITH changed AS MATERIALIZED (
    SELECT d.entity_id, e.organisation_id, e.entity_type, e.needs_update, e.updated_at
    FROM analytics_entitydemand d JOIN analytics_entity e ON e.id = d.entity_id
    WHERE e.id = ANY(%s::uuid[]) ORDER BY d.entity_id FOR UPDATE OF d
)
UPDATE analytics_entitydemand d SET organisation_id = c.organisation_id, entity_type = c.entity_type,
    needs_update = c.needs_update, refreshed_at = c.updated_at
FROM changed c WHERE d.entity_id = c.entity_id
"""


class Moved(TypedDict):
    windows_at: str
    entities: int
    rescaled: bool


def follow_entities(*, entity_ids: Sequence[UUID]) -> int:
    """Copy what a refresh has changed of these entities to their demand; how many have any. To be called in the
    transaction that changes them, before EntityTotal: locks go by table and id."""
    if not entity_ids:
        return 0
    with transaction.atomic(), raw_cursor() as cursor:
        return int(cursor.execute(FOLLOW, [list(entity_ids)]).rowcount)


def move_windows(*, now: datetime | None = None) -> Moved:
    """Let all windows end with this hour. Idempotent; however many hours were missed, one step catches up."""
    hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(ALONE)
        frame = clock()
        is_new = frame._state.adding
        before = frame.windows_at
        entities = 0
        if not is_new and hour > before:
            statement, parameters = _move(before, hour)
            entities = cursor.execute(statement, parameters).rowcount
            frame.windows_at = hour
        rescaled = _rescale(cursor, frame.half_life_days, now or timezone.now())
        if rescaled:
            frame.half_life_days = float(settings.DEMAND_HALF_LIFE_DAYS)
        frame.save()
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(SNAPSHOT, {"since": before - timedelta(hours=2)})
    return {"windows_at": frame.windows_at.isoformat(), "entities": entities, "rescaled": rescaled}


def _move(before: datetime, after: datetime) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {}
    sums, sets, ranges = [], [], []
    for span in SPANS:
        length = timedelta(hours=HOURS_OF[span])
        # An hour is current if it is later than (end - length), previous if later than (end - 2 lengths).
        parameters |= {
            f"{span}_cur_old": before - length,
            f"{span}_cur_new": after - length,
            f"{span}_pre_old": before - 2 * length,
            f"{span}_pre_new": after - 2 * length,
        }
        left = f"hour > %({span}_cur_old)s AND hour <= %({span}_cur_new)s"
        gone = f"hour > %({span}_pre_old)s AND hour <= %({span}_pre_new)s"
        sums.append(f"coalesce(sum(count) FILTER (WHERE {left}), 0)::int AS left_{span}")
        sums.append(f"coalesce(sum(count) FILTER (WHERE {gone}), 0)::int AS gone_{span}")
        ranges += [f"({left})", f"({gone})"]
        current, previous = (
            f"(d.current_{span} - m.left_{span})",
            f"(d.previous_{span} + m.left_{span} - m.gone_{span})",
        )
        sets += [
            f"current_{span} = {current}",
            f"previous_{span} = {previous}",
            f"growth_{span} = ({current} - {previous}) / sqrt(greatest({current} + {previous} + 1, 1))",
        ]
    statement = MOVE.format(sums=",\n        ".join(sums), ranges=" OR ".join(ranges), sets=", ".join(sets))
    return statement, parameters


def _rescale(cursor: Any, half_life_days: float, now: datetime) -> bool:
    """Where the setting has changed: every score stays what it is now, and decays by the new half-life from here."""
    wanted = float(settings.DEMAND_HALF_LIFE_DAYS)
    if wanted == half_life_days:
        return False
    age_s = now.timestamp() - ORIGIN_S
    shift = age_s / DAY_S / wanted - age_s / DAY_S / half_life_days
    cursor.execute("UPDATE analytics_entitydemand SET rank = greatest(rank + %s, 1e-9) WHERE rank <> 0", [shift])
    return True


def roll_up(*, now: datetime | None = None) -> int:
    """Hours older than the windows look back become days, sums unchanged; how many rows of days were written. What
    removed entities left behind goes."""
    edge = (now or timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    edge -= timedelta(days=KEPT_HOURS_DAYS + 1)
    with transaction.atomic(), raw_cursor() as cursor:
        cursor.execute(ALONE)
        cursor.execute(ORPHANS)
        return int(cursor.execute(ROLL, {"edge": edge}).rowcount)
