"""What tests of demand need: entities, signals in the stream, and a consumer that counts what is there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.utils import timezone

from accounts.models import Organisation
from analytics.models import Entity
from analytics.services.consuming import Consumer, Tally
from analytics.services.signals import QuerySignal, queries_stream
from jobs.connections import events_redis


def make_entity(
    name: str = "Preheat", *, organisation: Organisation | None = None, entity_type: str = "clause", **more: Any
) -> Entity:
    more.setdefault("source_id", name)
    return Entity.objects.create(
        name=name, entity_type=entity_type, source="test.thing", organisation=organisation, content_hash="", **more
    )


def a_signal(entity: Entity | None, query: str = "preheat for A572?", **more: Any) -> QuerySignal:
    told: dict[str, Any] = {"user_id": None, "organisation_id": None, "timestamp": timezone.now()} | more
    return QuerySignal(
        entity_id=entity.pk if entity else None,
        entity_type=entity.entity_type if entity else "",
        query=query,
        found=entity is not None,
        **told,
    )


def put(*bodies: dict[str, Any] | bytes, stream: str = "") -> list[bytes]:
    """Raw entries, as any publisher might write them; their numbers."""
    with events_redis().pipeline(transaction=False) as pipe:
        for body in bodies:
            value = body if isinstance(body, bytes) else orjson.dumps(body)
            pipe.xadd(stream or queries_stream(), {b"signal": value})
        return list(pipe.execute())


def told(entity_id: UUID | str | None, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """A well-formed signal's fields."""
    moment = at or timezone.now()
    return {"entity_id": entity_id, "query": "q", "timestamp": int(moment.timestamp() * 1000)} | more


def counted(*, batch: int = 2000, name: str = "tester", claim_idle_ms: int = 30_000) -> Tally:
    """Everything that is in the streams now."""
    return Consumer(name=name, batch=batch, claim_idle_ms=claim_idle_ms).work(once=True)


def put_often(entity: Entity, count: int, at: Sequence[datetime] | datetime | None = None) -> None:
    moments = at if isinstance(at, Sequence) else [at] * count
    put(*(told(entity.pk, moment) for moment in moments))
