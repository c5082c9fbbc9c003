"""Sums over entities that come, go or change hands; kept in the transaction that changes the entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from ..streams.scoring import DAY_S
from .counting import clock
from .raw import raw_cursor

Key = tuple[UUID | None, str]  # organisation, entity_type

# By key, like everybody who changes totals. What is taken away is weighed as of `demand_at`.
CHANGE = """
INSERT INTO analytics_entitytotal AS t (organisation_id, entity_type, entities, queries, with_demand, needing_update,
    demand, demand_at)
SELECT organisation, entity_type, entities, queries, asked, needing, demand, now()
FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::float8[])
    AS v (organisation, entity_type, entities, queries, asked, needing, demand)
ORDER BY organisation, entity_type
ON CONFLICT (organisation_id, entity_type) DO UPDATE SET
    entities = t.entities + excluded.entities, queries = t.queries + excluded.queries,
    with_demand = t.with_demand + excluded.with_demand,
    needing_update = t.needing_update + excluded.needing_update,
    demand = greatest(0, t.demand + excluded.demand * power(2::float8,
        least(1000, extract(epoch FROM now() - t.demand_at)::float8 / %s::float8)))
"""


@dataclass(slots=True)
class Change:
    """What is added to the sums of one key; `demand`: scores as of now."""

    entities: int = 0
    queries: int = 0
    asked: int = 0
    needing: int = 0
    demand: float = 0.0

    def add(self, other: Change, sign: int = 1) -> None:
        self.entities += sign * other.entities
        self.queries += sign * other.queries
        self.asked += sign * other.asked
        self.needing += sign * other.needing
        self.demand += sign * other.demand


def change_totals(changes: Mapping[Key, Change]) -> None:
    """In the caller's transaction, after all rows of entities and of their demand are written."""
    told = [(key, change) for key, change in changes.items() if change != Change()]
    if not told:
        return
    half_life_s = clock().half_life_days * DAY_S
    columns = [
        [key[0] for key, _ in told],
        [key[1] for key, _ in told],
        [change.entities for _, change in told],
        [change.queries for _, change in told],
        [change.asked for _, change in told],
        [change.needing for _, change in told],
        [change.demand for _, change in told],
    ]
    with raw_cursor() as cursor:
        cursor.execute(CHANGE, [*columns, half_life_s])
