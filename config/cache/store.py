"""How a value lies in Redis, and the steps that nothing may come between.

An entry is a hash: `v` the value, `g` the generation of its namespace (a mark, drawn anew whenever the whole of it
becomes stale, and when Redis has lost it) from when its making began, `u` until when it is fresh
and `m` how long it took to make (both ms). Beside it, for a while, lie its lock (who is making it) and the mark of
whoever forgot it last. A value is stored only if neither its namespace nor itself was made stale while it was made:
else a reader who began before a commit could store what the commit has just changed.
"""

from __future__ import annotations

import math
import pickle
import random
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import uuid4

import structlog

from config.redis_access import LuaScript, key

from .policy import Namespace

log = structlog.get_logger(__name__)
FORGOTTEN_S = 900  # the longest that anything is made
COMPRESS_BYTES = 4096

# KEYS entry, generation, lock, forgotten, counts. ARGV token, lock ms, early factor, namespace, counts?
# A value that is nearly stale is due the sooner the longer it takes to make (XFetch, Vattani et al. 2015): then one
# caller makes it anew while all others still have the old one.
READ = LuaScript("""
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local generation = redis.call('GET', KEYS[2])
if not generation then
  generation = ARGV[1]
  redis.call('SET', KEYS[2], generation)
end
local entry = redis.call('HMGET', KEYS[1], 'v', 'g', 'u', 'm')
local state = 'missing'
if entry[1] and entry[2] == generation then
  state = 'fresh'
  if now + entry[4] * ARGV[3] >= tonumber(entry[3]) then state = 'due' end
end
local mine = 0
if state ~= 'fresh' and redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2]) then mine = 1 end
if ARGV[5] == '1' then
  local what = ':hits'
  if state == 'missing' or mine == 1 then what = ':misses' end
  redis.call('HINCRBY', KEYS[5], ARGV[4] .. what, 1)
end
return {state, state ~= 'missing' and entry[1] or '', mine, generation, redis.call('GET', KEYS[4]) or ''}
""")

# KEYS as above. ARGV value, generation, forgotten, fresh ms, kept ms, took ms, token
STORE = LuaScript("""
if redis.call('GET', KEYS[3]) == ARGV[7] then redis.call('DEL', KEYS[3]) end
if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 0 end
if (redis.call('GET', KEYS[4]) or '') ~= ARGV[3] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'v', ARGV[1], 'g', ARGV[2], 'u', string.format('%.0f', now + ARGV[4]), 'm', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
""")

# KEYS as above. ARGV token, namespace
FAILED = LuaScript("""
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end
redis.call('HINCRBY', KEYS[5], ARGV[2] .. ':errors', 1)
""")

# KEYS as above. ARGV mark, seconds
FORGET = LuaScript("""
redis.call('SET', KEYS[4], ARGV[1], 'EX', ARGV[2])
return redis.call('DEL', KEYS[1], KEYS[3])
""")
INVALIDATE = LuaScript("redis.call('SET', KEYS[1], ARGV[1])")


class State(StrEnum):
    FRESH = "fresh"
    DUE = "due"  # there is a value, but it is time for a new one
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Found:
    """What lies there. `is_mine`: the caller holds the lock, by `token`, and makes the value."""

    state: State
    value: Any
    is_mine: bool
    token: str
    generation: str
    forgotten: str


def read(namespace: Namespace, entry: str, *, is_first: bool = True) -> Found:
    """One round trip: value, lock if there is something to make, and the count. `is_first`: count it. RedisAway."""
    token = uuid4().hex
    early = -math.log(1.0 - random.random())  # noqa: S311  # spreads refreshes, hides nothing
    arguments = [token, namespace.compute_s * 1000, early, namespace.name, int(is_first)]
    state, raw, mine, generation, forgotten = READ.run(_keys(namespace, entry), arguments)
    found = State(state.decode())
    value = None
    if found is not State.MISSING:
        try:
            value = _decoded(raw)
        except Exception as error:  # a value of another release: whatever it raises, it is no value
            log.warning("cache.unreadable", namespace=namespace.name, error=repr(error))
            found, mine = State.MISSING, 1  # nobody else is making it: don't wait
    return Found(found, value, mine == 1, token, generation.decode(), forgotten.decode())


def store(namespace: Namespace, entry: str, found: Found, value: Any, *, ttl_s: float, took_s: float) -> bool:
    """Keep it and let the lock go; whether it was kept: not if it was made stale meanwhile. RedisAway."""
    fresh_ms, kept_ms = int(ttl_s * 1000), int((ttl_s + namespace.grace_s) * 1000)
    arguments = [
        _encoded(value),
        found.generation,
        found.forgotten,
        fresh_ms,
        kept_ms,
        math.ceil(took_s * 1000),
        found.token,
    ]
    return bool(STORE.run(_keys(namespace, entry), arguments))


def failed(namespace: Namespace, entry: str, token: str) -> None:
    """Let the lock go, so that the next caller tries. RedisAway."""
    FAILED.run(_keys(namespace, entry), [token, namespace.name])


def forget(namespace: Namespace, entry: str) -> None:
    """RedisAway."""
    FORGET.run(_keys(namespace, entry), [uuid4().hex, FORGOTTEN_S])


def invalidate(namespace: Namespace) -> None:
    """RedisAway."""
    INVALIDATE.run([generation_key(namespace)], [uuid4().hex])


def generation_key(namespace: Namespace) -> str:
    return key("cache-generation", namespace.name)


def counts_key() -> str:
    return key("cache-counts")


def _keys(namespace: Namespace, entry: str) -> list[str]:
    return [entry, generation_key(namespace), f"{entry}:lock", f"{entry}:forgotten", counts_key()]


def _encoded(value: Any) -> bytes:
    """Pickled, like everything in Django's caches: Redis is as trusted as the database, sessions lie there too."""
    pickled = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    return b"z" + zlib.compress(pickled, 1) if len(pickled) > COMPRESS_BYTES else b"p" + pickled


def _decoded(raw: bytes) -> Any:
    return pickle.loads(zlib.decompress(raw[1:]) if raw[:1] == b"z" else raw[1:])  # noqa: S301  # see _encoded
