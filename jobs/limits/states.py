"""What the operations page sees of limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, TypedDict


class Holder(TypedDict):
    """`who`: as given to `hold`, or host:process. `until`: when the place becomes free unless it is extended."""

    id: str
    queue: str
    who: str
    since: datetime
    until: datetime


class LimitState(TypedDict):
    """`effective`: how many are admitted at present, at most `size`. `paused_until`, `reason`: None and "" unless
    paused now. `holders`: longest first."""

    kind: Literal["concurrency"]
    name: str
    size: int
    effective: int
    reserved: dict[str, int]
    held: int
    waiting: int
    paused_until: datetime | None
    reason: str
    holders: list[Holder]


class BucketState(TypedDict):
    """`available`: below 0 when calls used more than they had reserved."""

    kind: Literal["bucket"]
    name: str
    per_minute: float
    burst: float
    available: float
    waiting: int


def limit_state(name: str, size: int, reserved: Mapping[str, int], answer: Sequence[Any]) -> LimitState:
    """From the answer of the script STATE."""
    now, effective, paused_until, reason, waiting, held, since = answer
    began = dict(zip(since[::2], since[1::2], strict=True))
    holders = [
        _holder(lease_id, int(began.get(lease_id, now)), int(float(ends)))
        for lease_id, ends in zip(held[::2], held[1::2], strict=True)
    ]
    is_paused = int(paused_until) > int(now)
    return LimitState(
        kind="concurrency",
        name=name,
        size=size,
        effective=int(effective),
        reserved=dict(reserved),
        held=len(holders),
        waiting=int(waiting),
        paused_until=_at(int(paused_until)) if is_paused else None,
        reason=_text(reason) if is_paused else "",
        holders=sorted(holders, key=lambda holder: holder["since"]),
    )


def bucket_state(name: str, per_minute: float, burst: float, answer: Sequence[Any]) -> BucketState:
    """From the answer of the script BUCKET_STATE."""
    level, waiting = answer
    return BucketState(
        kind="bucket",
        name=name,
        per_minute=per_minute,
        burst=burst,
        available=round(float(level), 3),
        waiting=int(waiting),
    )


def _holder(lease_id: Any, since_ms: int, until_ms: int) -> Holder:
    queue, who, _ = _text(lease_id).split("|", 2)
    return Holder(id=_text(lease_id), queue=queue, who=who, since=_at(since_ms), until=_at(until_ms))


def _at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
