"""How pools lie in Redis: a set of questions, each encoded as it goes out, and beside it a hash with the generation of
its namespace from when its making began (`g`) and until when it is fresh (`u`, ms).

Drawing is one round trip, throttle included. A pool that is stale goes on being drawn from while one process makes the
next one; nobody does: `missing`, and whoever gets `mine` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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

# KEYS pool, about, lock, generation, counts, then those of the throttle. ARGV count, token, lock ms, then the
# throttle's. With a token: whoever finds no fresh pool makes it. Without: a pool that nobody makes anew is passed on.
DRAW = LuaScript(f"""
local function acquire(KEYS, ARGV)
{ACQUIRE.text}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local about = redis.call('HMGET', KEYS[2], 'g', 'u')
local generation = redis.call('GET', KEYS[4])
if not generation and ARGV[2] ~= '' then
  generation = ARGV[2]
  redis.call('SET', KEYS[4], generation)
end
if not (about[1] and about[1] == generation and now < tonumber(about[2])) then
  if ARGV[2] ~= '' then
    if redis.call('SET', KEYS[3], ARGV[2], 'NX', 'PX', ARGV[3]) then
      redis.call('HINCRBY', KEYS[5], 'quiz:misses', 1)
      return {{'mine', generation}}
    end
  elseif redis.call('EXISTS', KEYS[3]) == 0 then
    return {{'missing'}}
  end
  if not about[1] then
    if ARGV[2] ~= '' then redis.call('HINCRBY', KEYS[5], 'quiz:misses', 1) end
    return {{'missing'}}
  end
end
local standing = {{}}
if #KEYS > 5 then
  standing = acquire({{unpack(KEYS, 6)}}, {{unpack(ARGV, 4)}})
  if standing[1] == 0 then return {{'refused', standing}} end
end
redis.call('HINCRBY', KEYS[5], 'quiz:hits', 1)
return {{'drawn', standing, redis.call('SRANDMEMBER', KEYS[1], ARGV[1])}}
""")

# KEYS pool, about, lock, generation, made. ARGV token, generation, fresh ms, kept ms. Not kept if the namespace has
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
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], 'g', ARGV[2], 'u', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[2], ARGV[4])
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
    name = cache_key("quiz", "pool", category, level, organisations)
    return [name, f"{name}:about", f"{name}:lock", generation_key(namespace_of("quiz")), counts_key()]


def draw(keys: Sequence[str], count: int) -> Drawn:
    """RedisAway."""
    token = uuid4().hex
    answer = DRAW.run(keys, [count, token, LOCK_MS])
    if answer[0] == b"mine":
        return Drawn(None, token, answer[1].decode())
    return Drawn(answer[2] if answer[0] == b"drawn" else None)


def keep(keys: Sequence[str], drawn: Drawn, questions: Sequence[bytes]) -> bool:
    """Make a pool of these; whether it was kept. RedisAway."""
    made = key("quiz-making", drawn.token)
    for at in range(0, len(questions), CHUNK):
        chunk = questions[at : at + CHUNK]
        ask(lambda client, chunk=chunk: client.pipeline().sadd(made, *chunk).pexpire(made, LOCK_MS).execute())  # type: ignore[misc]
    fresh_ms = int(settings.QUIZ_CACHE_TTL) * 1000
    arguments = [drawn.token, drawn.generation, fresh_ms, fresh_ms + GRACE_MS]
    return bool(KEEP.run([*keys[:4], made], arguments))


def release(keys: Sequence[str], drawn: Drawn) -> None:
    """Whoever asks next may make it. RedisAway."""
    RELEASE.run([keys[2]], [drawn.token])
