"""What tests of the loop need: a source of things that the test holds in its hand, and entities that are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import Organisation
from analytics import registry
from analytics.models import Entity, EntityDemand
from analytics.registry import Described, EntitySource
from config.cache import invalidate

from .demand_cast import counted, make_entity, put_often

NAME = "test.thing"  # of the entities that `demand_cast.make_entity` makes


@dataclass
class Shelf:
    """`things` by key, as they are now; reading a key in `poison` raises, and so does `refresh` while it is `broken`.
    `reads` and `asked`: keys, in the order in which they came."""

    things: dict[str, Described] = field(default_factory=dict)
    poison: set[str] = field(default_factory=set)
    is_broken: bool = False
    reads: list[list[str]] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def read(self, keys: Sequence[str]) -> Iterable[Described]:
        self.reads.append(list(keys))
        if wrong := self.poison & set(keys):
            raise ValueError(f"{min(wrong)} can't be read")
        return [self.things[key] for key in keys if key in self.things]

    def refresh(self, keys: Sequence[str]) -> str:
        self.asked.append(list(keys))
        if self.is_broken:
            raise RuntimeError("The archive is closed.")
        return f"{len(keys)} fetched"

    def put(self, name: str, *, organisation: Organisation | None = None, text: str = "") -> None:
        owner = organisation.pk if organisation else None
        self.things[name] = Described(name, name, text, url=f"/things/{name}/", organisation_id=owner)


@contextmanager
def shelf_of_things() -> Iterator[Shelf]:
    """Registered as an app registers its source."""
    shelf = Shelf()
    registry.register(
        EntitySource(NAME, "clause", "Thing", read=shelf.read, keys=lambda: iter(shelf.things), refresh=shelf.refresh)
    )
    try:
        yield shelf
    finally:
        registry._sources.pop(NAME)


def make_wanted(
    shelf: Shelf,
    name: str,
    signals: int,
    *,
    days_old: float = 40,
    organisation: Organisation | None = None,
    **more: Any,
) -> Entity:
    """Asked for so often just now, and not refreshed for so long."""
    shelf.put(name, organisation=organisation)
    refreshed_at = timezone.now() - timedelta(days=days_old)
    entity = make_entity(name, organisation=organisation, updated_at=refreshed_at, **more)
    put_often(entity, signals)
    counted()
    return entity


def age(entity: Entity, **ago: float) -> None:
    """As if it had been refreshed so long ago."""
    at: datetime = timezone.now() - timedelta(**ago)
    Entity.objects.filter(pk=entity.pk).update(updated_at=at)
    EntityDemand.objects.filter(pk=entity.pk).update(refreshed_at=at)


def nothing_cached() -> None:
    for name in ("demand", "demand_patterns"):
        invalidate(name)


def closed_at_the_end(step: Any) -> Any:
    """Of threads: their connection of the database goes with them."""

    def run() -> None:
        try:
            step()
        finally:
            connection.close()

    return run
