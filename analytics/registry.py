"""What becomes an entity: the apps above register their sources here, in `AppConfig.ready()`.

register(EntitySource(name="quiz.clause", entity_type="clause", label="Clause", read=read_clauses, keys=keys_of))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Described:
    """A thing as it is to be found: `source_id` its key, `code` what people type to get exactly it ("4.1.2"),
    `text` what is searched and quoted, `organisation_id` None for what everybody may see."""

    source_id: str
    name: str
    text: str
    url: str
    code: str = ""
    organisation_id: UUID | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EntitySource:
    """`read(keys)` describes those of the keys that are there (others are gone), in bulk; a key may stand for several
    things, which are described under keys of their own. `keys()` walks over all of them in constant memory. `refresh`,
    where the app can do more than read its own row (sync a clause, read a tender again), starts that for keys that are
    wanted and stale. `is_public`: what belongs to nobody is found without signing in.
    """

    name: str
    entity_type: str
    label: str
    read: Callable[[Sequence[str]], Iterable[Described]]
    keys: Callable[[], Iterator[str]]
    refresh: Callable[[Sequence[str]], object] | None = None
    is_public: bool = False


_sources: dict[str, EntitySource] = {}


def register(source: EntitySource) -> None:
    """ValueError: the name is another source's."""
    known = _sources.get(source.name)
    if known is not None and known != source:
        raise ValueError(f"There is a source named {source.name} already.")
    _sources[source.name] = source


def source_named(name: str) -> EntitySource | None:
    return _sources.get(name)


def sources() -> list[EntitySource]:
    return list(_sources.values())
