"""Requests to refresh entities: they are marked, and a job does it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from jobs.services import enqueue

from ..streams.entries import UpdateRequest
from . import live
from .ledger import Ledger, SeenBeforeError
from .raw import raw_cursor

KIND = "analytics.refresh"
AT_ONCE = 500  # keys a job

# Who is marked, in id order; then the copies beside them, in id order; then the totals, by key.
MARK = """
WITH wanted AS MATERIALIZED (
    SELECT e.id FROM analytics_entity e
    JOIN unnest(%s::text[], %s::text[]) AS w (source, source_id) ON e.source = w.source AND e.source_id = w.source_id
    WHERE NOT e.needs_update ORDER BY e.id FOR UPDATE OF e
)
UPDATE analytics_entity e SET needs_update = true FROM wanted WHERE e.id = wanted.id
RETURNING e.id::text, e.organisation_id, e.entity_type
"""
COPY = """
WITH rows AS MATERIALIZED (
    SELECT entity_id FROM analytics_entitydemand WHERE entity_id = ANY(%s::text[]::uuid[])
    ORDER BY entity_id FOR UPDATE
)
UPDATE analytics_entitydemand d SET needs_update = true FROM rows WHERE d.entity_id = rows.entity_id
"""
TOTALS = """
INSERT INTO analytics_entitytotal AS t (organisation_id, entity_type, entities, queries, with_demand, needing_update,
    demand, demand_at)
SELECT organisation, entity_type, 0, 0, 0, n, 0, now() FROM unnest(%s::uuid[], %s::text[], %s::bigint[])
    AS v (organisation, entity_type, n)
ORDER BY organisation, entity_type
ON CONFLICT (organisation_id, entity_type) DO UPDATE SET needing_update = t.needing_update + excluded.needing_update
"""


def request_refresh(*, stream: str, requests: Sequence[UpdateRequest], consumer: str) -> int:
    """Mark what is known of the things that the requests name and enqueue their refreshing, in one transaction with
    the ledger: a request that is handed out again does nothing. How many jobs."""
    left = list(requests)
    while left:
        try:
            with transaction.atomic():
                return _requested(stream, left, consumer)
        except SeenBeforeError as seen:
            left = [request for request in left if request.number not in seen.numbers]
    return 0


def _requested(stream: str, requests: Sequence[UpdateRequest], consumer: str) -> int:
    wanted: dict[tuple[str, str], dict[str, None]] = {}
    for request in requests:
        keys = wanted.setdefault((request.source, request.operation), {})
        keys.update(dict.fromkeys(request.source_ids))
    mark(keys=[(source, key) for (source, _), keys in wanted.items() for key in keys])
    with raw_cursor() as cursor:
        Ledger([request.number for request in requests]).enter(cursor, stream, consumer)
    count = 0
    for (source, operation), keys in wanted.items():
        listed = list(keys)
        for start in range(0, len(listed), AT_ONCE):
            params = {"source": source, "source_ids": listed[start : start + AT_ONCE], "operation": operation}
            enqueue(kind=KIND, params=params, queue="low", about=source)
            count += 1
    return count


def mark(*, keys: Sequence[tuple[str, str]]) -> int:
    """Entities of these (source, key) need an update, until they are refreshed; how many did not before."""
    with transaction.atomic(), raw_cursor() as cursor:
        marked = cursor.execute(MARK, [[key[0] for key in keys], [key[1] for key in keys]]).fetchall()
        if not marked:
            return 0
        cursor.execute(COPY, [[row[0] for row in marked]])
        sums: dict[tuple[UUID | None, str], int] = {}
        for _, organisation, entity_type in marked:
            sums[organisation, entity_type] = sums.get((organisation, entity_type), 0) + 1
        cursor.execute(TOTALS, [[key[0] for key in sums], [key[1] for key in sums], list(sums.values())])
        live.moved_on_commit(key[0] for key in sums)
        return len(marked)
