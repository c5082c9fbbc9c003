"""What organisations' other systems are told of entities. Called in the transaction of what is told.

An endpoint is told what members of its organisation see: their own entities, and the shared ones, which everybody sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from jobs.webhooks import declare, emit_each, listening_organisations

UPDATED, SPIKE = "entity.updated", "demand.spike"
MOST_TOLD = 100  # things that a message names; it says how many there are
ENTITY: dict[str, Any] = {
    "id": "7d0f3c52-3b5e-4f0a-9a55-0c2f4a1d9b11",
    "entity_type": "clause",
    "name": "AWS D1.1 4.1.2 Preheating",
    "link": "https://plumbline.example/quiz/clauses/2c7f4a11-98e2-4a53-8d0e-1b5b6f0d9a42/",
}

declare(
    UPDATED,
    description=(
        "Things that can be searched for have other words now than before: your own, and those that everybody sees. "
        f"One message for each refreshing of up to 500; `entities`: at most {MOST_TOLD} of its `count`. What is new or "
        "was removed is not told of."
    ),
    example={"count": 1, "entities": [ENTITY]},
)
declare(
    SPIKE,
    description=(
        "Within an hour something was asked for far more often than in the hours before: your own things, and those "
        f"that everybody sees. Of one thing once a day at most; `spikes`: at most {MOST_TOLD} of `count`."
    ),
    example={
        "count": 1,
        "spikes": [ENTITY | {"hour": "2026-11-22T13:00:00+00:00", "signals": 42, "expected": 3.1, "z": 7.9}],
    },
)


class Named(NamedTuple):
    """An entity, as messages name it. `url`: path of its page."""

    organisation_id: UUID | None
    id: UUID
    entity_type: str
    name: str
    url: str

    def told(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "entity_type": self.entity_type,
            "name": self.name,
            "link": str(settings.SITE_URL).rstrip("/") + self.url if self.url else "",
        }


class Spiked(NamedTuple):
    entity: Named
    hour: str
    signals: int
    expected: float
    z: float

    @property
    def organisation_id(self) -> UUID | None:
        return self.entity.organisation_id

    def told(self) -> dict[str, Any]:
        rest = {"hour": self.hour, "signals": self.signals, "expected": self.expected, "z": self.z}
        return self.entity.told() | rest


def tell_updated(entities: Sequence[Named]) -> int:
    """How many endpoints are told. A query where nobody listens."""
    return _tell(UPDATED, "entities", entities)


def tell_spikes(spikes: Sequence[Spiked]) -> int:
    return _tell(SPIKE, "spikes", spikes)


def _tell(event_type: str, name: str, rows: Sequence[Named | Spiked]) -> int:
    if not rows:
        return 0
    messages: dict[UUID, Mapping[str, Any]] = {}
    for organisation_id in listening_organisations(event_type):
        seen = [row for row in rows if row.organisation_id in (None, organisation_id)]
        if seen:
            messages[organisation_id] = {"count": len(seen), name: [row.told() for row in seen[:MOST_TOLD]]}
    return emit_each(event_type=event_type, data=messages)
