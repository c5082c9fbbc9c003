"""Who has a project open just now, and which position they are changing: in Redis, for less than a minute.

Pages say it again every twenty seconds; whoever says nothing for 45 s is gone. Without Redis nobody is shown. Coming,
going and turning to another position are told on the project's channel, so that other pages ask at once.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.conf import settings

from accounts.models import User
from jobs import events
from jobs.connections import RedisError, breaker_of, events_redis, events_url

EVENT: Final = "presence"
GONE_AFTER_S = 45
KEPT_S = 120  # of the whole, in Redis: longer than anybody is shown
MOST = 50  # people told of


@dataclass(frozen=True, slots=True)
class Present:
    """`editing`: lineage of the position whose form they have open; "" none."""

    user_id: str
    name: str
    editing: str = ""

    @property
    def initials(self) -> str:
        words = [word for word in self.name.replace("@", " ").split() if word[0].isalnum()]
        return "".join(word[0] for word in words[:2]).upper() or "?"


def arrive(*, project_id: UUID, user: User, editing: str = "") -> list[Present]:
    """Say that the user is here (the caller has checked that they may), and who else is: by name, without the user."""
    key, me = _key(project_id), str(user.pk)
    told = orjson.dumps([user.get_full_name() or user.email, editing, time.time()])
    found = _ask(lambda pipe: pipe.hget(key, me).hset(key, me, told).expire(key, KEPT_S).hgetall(key))
    if found is None:
        return []
    before, present = _read(found[0]), _present(found[3])
    if before is None or before[1] != editing:
        events.publish(f"project:{project_id}", EVENT, {"project_id": str(project_id)})
    others = [person for pk, person in present.items() if pk != me]
    return sorted(others, key=lambda person: person.name.casefold())[:MOST]


def leave(*, project_id: UUID, user: User) -> None:
    found = _ask(lambda pipe: pipe.hdel(_key(project_id), str(user.pk)))
    if found and found[0]:
        events.publish(f"project:{project_id}", EVENT, {"project_id": str(project_id)})


def _present(rows: dict[bytes, bytes]) -> dict[str, Present]:
    latest = time.time() - GONE_AFTER_S
    told = {pk.decode(): _read(row) for pk, row in rows.items()}
    return {pk: Present(pk, row[0], row[1]) for pk, row in told.items() if row is not None and row[2] > latest}


def _read(row: bytes | None) -> tuple[str, str, float] | None:
    if row is None:
        return None
    name, editing, at = orjson.loads(row)
    return (name, editing, at) if at > time.time() - GONE_AFTER_S else None


def _key(project_id: UUID) -> str:
    return f"{settings.REDIS_KEY_PREFIX}:presence:{project_id}"


def _ask(commands: Any) -> list[Any] | None:
    """Their answers, in one round trip; None: Redis is away."""
    breaker = breaker_of(events_url())
    if breaker.is_open:
        return None
    try:
        pipe = events_redis().pipeline(transaction=False)
        commands(pipe)
        answers: list[Any] = pipe.execute()
    except (RedisError, OSError):
        breaker.failed()
        return None
    return answers
