"""What an endpoint can ask to be told of. Each floor declares its own when its app is ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVERYTHING = "*"
TEST = "webhook.test"


@dataclass(frozen=True)
class EventType:
    """`example`: the `data` of one such message, as documented to receivers."""

    name: str
    description: str
    example: Mapping[str, Any]


_types: dict[str, EventType] = {}


def declare(name: str, *, description: str, example: Mapping[str, Any]) -> None:
    """Make `name` something that can be emitted and subscribed to. Declared twice differently: ValueError."""
    new = EventType(name, description, dict(example))
    if _types.setdefault(name, new) != new:
        raise ValueError(f"Event type {name!r} is declared twice.")


def event_types() -> list[EventType]:
    return sorted(_types.values(), key=lambda each: each.name)


def is_declared(name: str) -> bool:
    return name in _types


declare(
    TEST,
    description="Sent when an owner presses “Send a test”. Tried once; goes to that endpoint, whatever it asked for.",
    example={"message": "This is a test.", "endpoint_id": "0d6f3a52-4a7e-4d0b-8c5e-0c2f4a1d9b11"},
)
