"""Carries the steps of a limit out, one after the other or in an event loop.

What a limit does is written once, as a generator that yields `Call`s and `Wait`s and is sent the answers; `drive` and
`adrive` differ only in how they talk to Redis.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from config.redis_access import evaluate

from .. import tuning
from ..connections import breaker_of, queue_redis, queue_url
from .exceptions import LimitUnreachable
from .scripts import Script

# Other answers of Redis (a script that fails) are our own mistakes and must not be told as an outage.
OUTAGES = (RedisConnectionError, RedisTimeoutError, OutOfMemoryError, ReadOnlyError, OSError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """Run a script. `persistent`: also while the breaker says that Redis is down."""

    script: Script
    keys: tuple[str, ...]
    arguments: tuple[Any, ...]
    persistent: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Until somebody rings the bell or the time is over."""

    bell: str
    seconds: float


Step = Call | Wait
Steps = Generator[Step, Any, T]


def drive(steps: Steps[T]) -> T:
    """Errors of a step are raised inside the generator, which may tidy up with further steps."""
    try:
        step = next(steps)
        while True:
            try:
                answer = _do(step)
            except BaseException as error:  # a job's cancellation too
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        value: T = done.value
        return value


async def adrive(steps: Steps[T]) -> T:
    try:
        step = next(steps)
        while True:
            try:
                answer = await _ado(step)
            except BaseException as error:  # a task's cancellation too
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        value: T = done.value
        return value


def _do(step: Step) -> Any:
    if isinstance(step, Call):
        return run(step)
    _wait(step)
    return None


async def _ado(step: Step) -> Any:
    if isinstance(step, Call):
        return await arun(step)
    await _await(step)
    return None


def run(call: Call) -> Any:
    """The script's answer. Raises LimitUnreachable."""
    breaker = breaker_of(queue_url())
    try:
        if not call.persistent:
            breaker.check()
        answer = evaluate(queue_redis(), call.script.sha, call.script.text, call.keys, call.arguments)
    except OUTAGES as error:
        breaker.failed()
        raise _unreachable(error) from error
    breaker.worked()
    return answer


async def arun(call: Call) -> Any:
    breaker = breaker_of(queue_url())
    client: Any = _async_redis()
    script = call.script
    try:
        if not call.persistent:
            breaker.check()
        try:
            answer = await client.execute_command("EVALSHA", script.sha, len(call.keys), *call.keys, *call.arguments)
        except NoScriptError:
            answer = await client.execute_command("EVAL", script.text, len(call.keys), *call.keys, *call.arguments)
    except OUTAGES as error:
        breaker.failed()
        raise _unreachable(error) from error
    breaker.worked()
    return answer


def _unreachable(error: BaseException) -> LimitUnreachable:
    return LimitUnreachable(
        f"The limits shared by all workers can't be read: Redis does not answer ({error}). Nothing was started; "
        "it is tried again when Redis is back.",
        retry_after_s=tuning.REDIS_PAUSE_S,
    )


def _wait(wait: Wait) -> None:
    # Blocks a connection per waiting thread, which Redis has plenty of, and nothing else: neither side is busy.
    try:
        queue_redis().blpop([wait.bell], timeout=wait.seconds)
    except RedisTimeoutError:
        return  # late, as on a loaded machine; the call that follows finds out what is wrong, if anything
    except (RedisError, OSError):
        time.sleep(min(wait.seconds, 0.2))


async def _await(wait: Wait) -> None:
    try:
        await _async_redis().blpop([wait.bell], timeout=wait.seconds)
    except RedisTimeoutError:
        return
    except (RedisError, OSError):
        await asyncio.sleep(min(wait.seconds, 0.2))


# Connections belong to the loop that made them.
_async_clients: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[str, redis.asyncio.Redis]]
_async_clients = weakref.WeakKeyDictionary()


def _async_redis() -> redis.asyncio.Redis:
    loop, url = asyncio.get_running_loop(), queue_url()
    known = _async_clients.get(loop)
    if known is None or known[0] != url:
        client = redis.asyncio.Redis.from_url(
            url,
            socket_connect_timeout=tuning.REDIS_CONNECT_TIMEOUT_S,
            socket_timeout=tuning.REDIS_TIMEOUT_S,
            retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
            health_check_interval=30,
        )
        known = _async_clients[loop] = (url, client)
    return known[1]


async def aclose() -> None:
    """Close the running loop's connections, at its end."""
    known = _async_clients.pop(asyncio.get_running_loop(), None)
    if known is not None:
        await known[1].aclose()
