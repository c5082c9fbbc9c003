"""Which pools of questions are asked for, remembered in Redis: what is asked for lately counts most."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, cast

import orjson

from config.redis_access import RedisAway, ask, key

MOST = 500  # remembered
HALF_LIFE_S = 7 * 24 * 3600.0
BEGAN_S = 1_767_225_600.0  # 2026-01-01: what is counted grows by the half-life from there


@dataclass(frozen=True, slots=True)
class Wanted:
    """`organisations` as pools are keyed by them, and `user_id` somebody who is in them; "" for anybody's."""

    category: str
    level: str
    organisations: str = ""
    user_id: str = ""

    @property
    def pool(self) -> tuple[str, str, str]:
        return self.category, self.level, self.organisations


def note(wanted: Wanted) -> None:
    """Once for each time that a pool had to be made for somebody. Without Redis, not at all."""
    worth = 2 ** ((time.time() - BEGAN_S) / HALF_LIFE_S)
    member = orjson.dumps([wanted.category, wanted.level, wanted.organisations, wanted.user_id])
    try:
        ask(lambda client: _note(client, member, worth))
    except RedisAway:
        return


def most_wanted() -> list[Wanted]:
    """Each pool once, the most asked for first. RedisAway."""
    members: list[bytes] = ask(lambda client: cast(Any, client.zrevrange(_key(), 0, -1)))
    found: dict[tuple[str, str, str], Wanted] = {}
    for member in members:
        wanted = Wanted(*orjson.loads(member))
        found.setdefault(wanted.pool, wanted)
    return list(found.values())


def _note(client: Any, member: bytes, worth: float) -> None:
    client.pipeline().zincrby(_key(), worth, member).zremrangebyrank(_key(), 0, -MOST - 1).execute()


def _key() -> str:
    return key("quiz-wanted", "pools")
