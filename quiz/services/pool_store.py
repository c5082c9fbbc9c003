"""How pools lie in Redis: a hash of questions by number, each encoded as it goes out, and beside it the generation of
its namespace from when its making began, for as long as it is fresh.

A call asks once: a script says whether the pool may be drawn from and how large it is, counting the call against the
throttle, and questions of random numbers follow. (SRANDMEMBER of a set within the script took three times as long of
Redis, 94 µs against 32 for ten of 10,000: copies, and lists of Lua's. 2026-11.) A pool that is stale goes on being
drawn from while one process makes the next one; nobody does: `missing`, and whoever gets `mine` makes it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.conf import settings

from config.cache import cache_key
from config.cache.policy import namespace_of
from config.cache.store import counts_key, generation_key
from config.redis_access import LuaScript, ask, key
from config.throttling import ACQUIRE

LOCK_MS = 30_000  # the longest that making a pool takes; a process that died is replaced after it
GRACE_MS = 600_000  # beyond its freshness a pool is drawn from while another one is made
CHUNK = 1000

# KEYS pool, fresh, lock, generation, counts, then those of the throttle. ARGV token, lock ms, then the throttle's.
# With a token: whoever finds no fresh pool makes it. Without: a pool that nobody makes anew is passed on.
# → {'drawn', size, what ACQUIRE says} | {'refused', 0, the same} | {'mine', generation} | {'missing'}
LOOK = LuaScript(f"""
local function acquire(KEYS, ARGV)
{ACQUIRE.text}
end
local found = redis.call('MGET', KEYS[2], KEYS[4])
local generation = found[2]
if not generation and ARGV[1] ~= '' then
  generation = ARGV[1]
  redis.call('SET', KEYS[4], generation)
end
if not (generation and found[1] == generation) then
  if ARGV[1] ~= '' then
    if redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2]) then
      redis.call('HINCRBY', KEYS[5], 'quiz:misses', 1)
      return {{'mine', generation}}
    end
  elseif redis.call('EXISTS', KEYS[3]) == 0 then
    return {{'missing'}}
  end
  if redis.call('EXISTS', KEYS[1]) == 0 then
    if ARGV[1] ~= '' then redis.call('HINCRBY', KEYS[5], 'quiz:misses', 1) end
    return {{'missing'}}
  end
end
local standing = {{}}
if #KEYS > 5 then
  standing = acquire({{unpack(KEYS, 6)}}, {{unpack(ARGV, 3)}})
  if standing[1] == 0 then return {{'refused', 0, standing}} end
end
redis.call('HINCRBY', KEYS[5], 'quiz:hits', 1)
return {{'drawn', redis.call('HLEN', KEYS[1]), standing}}
""")

# KEYS pool, fresh, lock, generation, made. ARGV token, generation, fresh ms, kept ms. Not kept if the namespace has
# become stale meanwhile, or somebody else makes it now.
KEEP = LuaScript("""
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
if redis.call('GET', KEYS[4]) ~= ARGV[2] then
  redis.call('DEL', KEYS[5])
  return 0
end
if redis.call('EXISTS', KEYS[5]) == 1 then
  redis.call('RENAME', KEYS[5], KEYS[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
  redis.call('DEL', KEYS[1])
end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1
""")
RELEASE = LuaScript("if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end")


@dataclass(frozen=True, slots=True)
class Drawn:
    """`questions`, encoded; None: there is no pool. `generation` and `token` where the caller makes the next one."""

    questions: list[bytes] | None
    token: str = ""
    generation: str = ""

    @property
    def is_mine(self) -> bool:
        return bool(self.generation)


def keys_of(category: str, level: str, organisations: str = "") -> list[str]:
    """Of the pool of a category, by its name as asked for; `organisations` are those whose own questions are in it."""
    name = cache_key("quiz", "questions", category, level, organisations)
    return [name, f"{name}:fresh", f"{name}:lock", generation_key(namespace_of("quiz")), counts_key()]


def numbers_of(size: int, count: int) -> list[int]:
    """Which questions of a pool to draw: other ones each time, in any order. No secret is made of it."""
    if 4 * count > size:
        return random.sample(range(size), min(size, count))
    found = dict.fromkeys(random.choices(range(size), k=count))  # noqa: S311  # a quarter of the time of sample
    while len(found) < count:
        found[int(random.random() * size)] = None  # noqa: S311
    return list(found)


def draw(keys: Sequence[str], count: int) -> Drawn:
    """RedisAway."""
    token = uuid4().hex
    answer = LOOK.run(keys, [token, LOCK_MS])
    if answer[0] == b"mine":
        return Drawn(None, token, answer[1].decode())
    if answer[0] != b"drawn":
        return Drawn(None)
    numbers = numbers_of(answer[1], count)
    questions: Any = ask(lambda client: client.hmget(keys[0], numbers)) if numbers else []
    return Drawn(None if None in questions else questions)  # a smaller pool may have come in between


def keep(keys: Sequence[str], drawn: Drawn, questions: Sequence[bytes]) -> bool:
    """Make a pool of these; whether it was kept. RedisAway."""
    made = key("quiz-making", drawn.token)
    for at in range(0, len(questions), CHUNK):
        chunk = dict(enumerate(questions[at : at + CHUNK], at))
        ask(lambda client, chunk=chunk: client.pipeline().hset(made, mapping=chunk).pexpire(made, LOCK_MS).execute())  # type: ignore[misc]
    fresh_ms = int(settings.QUIZ_CACHE_TTL) * 1000
    arguments = [drawn.token, drawn.generation, fresh_ms, fresh_ms + GRACE_MS]
    return bool(KEEP.run([*keys[:4], made], arguments))


def release(keys: Sequence[str], drawn: Drawn) -> None:
    """Whoever asks next may make it. RedisAway."""
    RELEASE.run([keys[2]], [drawn.token])
