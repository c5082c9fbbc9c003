"""The stream of a channel in Redis: numbering, keeping, sending, reading.

One script per event, so that number, record and message are one step: two publishers never swap places between them.
A channel that is new (or was flushed) starts counting from Redis' clock in microseconds, so a number is never given
twice, even after FLUSHALL: a client that comes back with an old number finds a gap, not somebody else's event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import Any

import orjson
from django.conf import settings
from redis.exceptions import NoScriptError

from .. import tuning
from ..connections import breaker_of, events_redis, events_url

# KEYS: number, stream. ARGV: frame without its opening brace, kept, kept_s, message channel, channel name.
SCRIPT = """
if redis.call('EXISTS', KEYS[1]) == 0 then
  local now = redis.call('TIME')
  redis.call('SET', KEYS[1], string.format('%.0f', now[1] * 1000000 + now[2]))
  redis.call('DEL', KEYS[2])
end
local seq = string.format('%.0f', redis.call('INCR', KEYS[1]))
local frame = '{"seq":' .. seq .. ',' .. ARGV[1]
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], seq .. '-0', 'e', frame)
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[5] .. '\\n' .. seq .. '\\n' .. frame)
return tonumber(seq)
"""
SCRIPT_SHA = sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Replay:
    """Events after `since`, oldest first, as (seq, frame). `complete`: none between `since` and the first is
    missing."""

    events: list[tuple[int, str]]
    last_seq: int
    complete: bool


@lru_cache(maxsize=4096)
def _keys(prefix: str, channel: str) -> tuple[str, str]:
    # The braces keep both keys of a channel in one slot of a cluster.
    return f"{prefix}:events:{{{channel}}}:seq", f"{prefix}:events:{{{channel}}}"


def keys_of(channel: str) -> tuple[str, str]:
    return _keys(settings.REDIS_KEY_PREFIX, channel)


def messages_channel() -> str:
    """The one pub/sub channel of this deployment. Pub/sub ignores the database number, hence the prefix."""
    return f"{settings.REDIS_KEY_PREFIX}:events"


def control_channel() -> str:
    return f"{settings.REDIS_KEY_PREFIX}:control"


def append(items: Sequence[tuple[str, str]]) -> list[int]:
    """Send (channel, frame without its opening brace), all in one round trip; their numbers. Raises RedisError."""
    breaker = breaker_of(events_url())
    breaker.check()
    try:
        numbers = _append(items)
    except Exception:
        breaker.failed()
        raise
    breaker.worked()
    return numbers


def _append(items: Sequence[tuple[str, str]]) -> list[int]:
    client = events_redis()
    sent: list[Any] = _eval_all(items)
    missing = [index for index, answer in enumerate(sent) if isinstance(answer, NoScriptError)]
    if missing:
        client.script_load(SCRIPT)
        for index, answer in zip(missing, _eval_all([items[index] for index in missing]), strict=True):
            sent[index] = answer
    for answer in sent:
        if isinstance(answer, Exception):
            raise answer
    return [int(answer) for answer in sent]


def _eval_all(items: Sequence[tuple[str, str]]) -> list[Any]:
    to = messages_channel()
    with events_redis().pipeline(transaction=False) as pipe:
        for channel, body in items:
            seq_key, stream_key = keys_of(channel)
            pipe.evalsha(
                SCRIPT_SHA, 2, seq_key, stream_key, body, tuning.EVENTS_KEPT, tuning.EVENTS_KEPT_S, to, channel
            )
        pipe.incrby(_count_key(), len(items))  # rides along: all processes on all hosts count in one place
        return pipe.execute(raise_on_error=False)[:-1]


def _count_key() -> str:
    return f"{settings.REDIS_KEY_PREFIX}:events:published"


def published() -> int:
    """Events ever said on any channel, since Redis lost its data; a script that had to be loaded first counts twice.
    Raises RedisError."""
    return int(events_redis().get(_count_key()) or 0)


def current_seq(channel: str) -> int:
    """The last number given on the channel; 0 when there is none (any more)."""
    return int(events_redis().get(keys_of(channel)[0]) or 0)


def read_since(channel: str, since: int | None) -> Replay:
    """What is kept of the channel after `since`; None: only the number of its last event. Raises RedisError."""
    with events_redis().pipeline(transaction=True) as pipe:
        _ask(pipe, channel, since)
        return _replay(since, pipe.execute())


async def read_since_async(client: Any, channel: str, since: int | None) -> Replay:
    """The same through a client of redis.asyncio."""
    async with client.pipeline(transaction=True) as pipe:
        _ask(pipe, channel, since)
        return _replay(since, await pipe.execute())


def _ask(pipe: Any, channel: str, since: int | None) -> None:
    seq_key, stream_key = keys_of(channel)
    pipe.get(seq_key)
    if since is not None:
        pipe.xrange(stream_key, min=f"{since + 1}-0", count=2 * tuning.EVENTS_KEPT)


def _replay(since: int | None, answers: Sequence[Any]) -> Replay:
    last_seq = int(answers[0] or 0)
    if since is None:
        return Replay([], last_seq, complete=True)
    events = [(int(entry_id.split(b"-")[0]), fields[b"e"].decode()) for entry_id, fields in answers[1]]
    # Nothing is missing if the events run from since + 1 to the last number given. They do not when older ones were
    # trimmed, or when numbers went backwards (another Redis, its clock put back).
    is_complete = last_seq - since == len(events)
    return Replay(events if is_complete else [], last_seq, complete=is_complete)


def encode(channel: str, event_type: str, timestamp: str, data: Any) -> str:
    """The frame without its opening brace and number, which the script puts in front."""
    frame = {"type": event_type, "channel": channel, "timestamp": timestamp, "data": data}
    return orjson.dumps(frame, default=str, option=orjson.OPT_NON_STR_KEYS).decode()[1:]
