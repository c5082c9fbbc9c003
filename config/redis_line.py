"""The cache's Redis for coroutines: one connection per process, on which many wait for their answers at once.

Commands go out as they come, answers come back in their order. It does nothing that a quick hit does not need: a
question costs some 20 µs of CPU, a fifth of redis-py's own (2026-11). What is asked again and again is encoded once.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, ClassVar, cast

import hiredis
from redis.connection import parse_url

from config.redis_access import CONNECT_TIMEOUT_S, TIMEOUT_S, LuaScript, RedisAway, gate_of

MOST_WAITING = 10_000


class ScriptCall:
    """A script with its keys and arguments, as it goes out."""

    __slots__ = ("_parts", "_text", "packed")

    def __init__(self, script: LuaScript, keys: Sequence[str], arguments: Sequence[Any]) -> None:
        self._text, self._parts = script.text, (len(keys), *keys, *arguments)
        self.packed = packed("EVALSHA", script.sha, *self._parts)

    def with_text(self) -> bytes:
        """For a server that does not know the script."""
        return packed("EVAL", self._text, *self._parts)


def packed(*command: Any) -> bytes:
    """A command as it goes out."""
    encoded: bytes = hiredis.pack_command(command)
    return encoded


class NumbersOf:
    """A command on one key whose other arguments are numbers, from 0 on, that differ from call to call."""

    _packed: ClassVar[list[bytes]] = []  # each number, as it goes out

    __slots__ = ("_key",)

    def __init__(self, name: str, key: str) -> None:
        self._key = (b"$%d\r\n%b\r\n" * 2) % (len(name), name.encode(), len(key.encode()), key.encode())

    def packed(self, numbers: Sequence[int]) -> bytes:
        try:
            pieces = [self._packed[each] for each in numbers]
        except IndexError:
            self._packed.extend(b"$%d\r\n%d\r\n" % (len(str(n)), n) for n in range(len(self._packed), max(numbers) + 1))
            return self.packed(numbers)
        return b"*%d\r\n%b%b" % (2 + len(pieces), self._key, b"".join(pieces))


class RedisLine:
    """Belongs to the event loop that asks first. Connects when it is asked, again after it was lost."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._gate = gate_of(url)
        self._wire: _Wire | None = None
        self._connecting: asyncio.Task[_Wire] | None = None

    def run(self, call: ScriptCall, then: bytes = b"") -> Coroutine[Any, Any, tuple[Any, Any]]:
        """What a script returns, and what the packed command `then` does that follows it in the same round trip (None
        without one). RedisAway."""
        return self._told(call.packed, then, call)

    async def ask(self, command: bytes) -> Any:
        """What a packed command does. RedisAway."""
        answer, _ = await self._told(command)
        return answer

    async def _told(self, command: bytes, then: bytes = b"", call: ScriptCall | None = None) -> tuple[Any, Any]:
        self._gate.enter()
        try:
            wire = self._wire
            if wire is None or wire.is_lost:
                wire = await self._connected()
            told = await wire.ask(command, then)
            if call is not None and isinstance(told[0], hiredis.ReplyError) and str(told[0]).startswith("NOSCRIPT"):
                told = await wire.ask(call.with_text(), then)
            for each in told:
                if isinstance(each, hiredis.ReplyError):
                    raise ConnectionError(str(each))
        except (OSError, TimeoutError, ValueError) as error:
            self._gate.failed(error)
            raise RedisAway(str(error) or type(error).__name__) from error
        self._gate.worked()
        return told

    def close(self) -> None:
        if self._wire is not None:
            self._wire.lose(ConnectionError("closed"))

    async def _connected(self) -> _Wire:
        """Many who find no connection wait for the same one."""
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(self._connect())
            self._connecting.add_done_callback(self._forget)
        return await asyncio.shield(self._connecting)

    def _forget(self, task: asyncio.Task[_Wire]) -> None:
        self._connecting = None
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody waiting is no error

    async def _connect(self) -> _Wire:
        loop = asyncio.get_running_loop()
        told: dict[str, Any] = dict(parse_url(self._url))  # type: ignore[no-untyped-call]
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            if "path" in told:
                _, wire = await loop.create_unix_connection(_Wire, told["path"])
            else:
                secure = ssl.create_default_context() if self._url.startswith("rediss://") else None
                host, port = told.get("host", "localhost"), int(told.get("port", 6379))
                _, wire = await loop.create_connection(_Wire, host, port, ssl=secure)
        if told.get("password"):
            await self._said(wire, "AUTH", *filter(None, [told.get("username"), told["password"]]))
        if told.get("db"):
            await self._said(wire, "SELECT", told["db"])
        self._wire = wire
        return wire

    @staticmethod
    async def _said(wire: _Wire, *command: Any) -> None:
        answer, _ = await wire.ask(packed(*command))
        if isinstance(answer, hiredis.ReplyError):
            wire.lose(ConnectionError(str(answer)))
            raise ConnectionError(str(answer))


class _Wire(asyncio.Protocol):
    """One connection. Losing it fails everybody who waits: answers that are missing can't be told from late ones."""

    def __init__(self) -> None:
        self.is_lost = False
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Any] | None] = deque()  # None: its answer goes with the one that follows
        self._first: tuple[Any] | None = None  # what came for it
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._watch: asyncio.TimerHandle | None = None
        self._answered = 0

    def ask(self, command: bytes, then: bytes = b"") -> asyncio.Future[tuple[Any, Any]]:
        """The answers of one packed command, or of two. OSError: it is lost, or too many wait already."""
        if self.is_lost or self._transport is None or len(self._waiting) >= MOST_WAITING:
            raise ConnectionError("There is no connection to Redis." if self.is_lost else "Redis is overrun.")
        future: asyncio.Future[tuple[Any, Any]] = self._loop.create_future()
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(command)
        if then:
            self._unsent.append(then)
            self._waiting.append(None)
        self._waiting.append(future)
        if self._watch is None:
            self._watch = self._loop.call_later(TIMEOUT_S, self._look, self._answered)
        return future

    def _send(self) -> None:
        """All that was asked in this round of the loop at once: a write each, and Redis woken by each, took both sides
        a third of their time (2026-11)."""
        commands, self._unsent = self._unsent, []
        if self._transport is not None and not self.is_lost:
            self._transport.write(b"".join(commands))

    def _look(self, answered: int) -> None:
        """Nothing has come for a whole timeout, though somebody waits: it hangs."""
        self._watch = None
        if not self._waiting:
            return
        if self._answered == answered:
            self.lose(TimeoutError("Redis does not answer."))
        else:
            self._watch = self._loop.call_later(TIMEOUT_S, self._look, self._answered)

    def lose(self, error: Exception) -> None:
        self.is_lost = True
        if self._transport is not None:
            self._transport.abort()
        while self._waiting:
            future = self._waiting.popleft()
            if future is not None and not future.done():
                future.set_exception(error)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not False:
                self._answered += 1
                future = self._waiting.popleft()
                if future is None:
                    self._first = (answer,)
                    continue
                told = (answer, None) if self._first is None else (self._first[0], answer)
                self._first = None
                if not future.done():  # its caller may have gone
                    future.set_result(told)
        except (hiredis.ProtocolError, IndexError) as error:
            self.lose(ConnectionError(f"Redis says what can't be read: {error}"))

    def connection_lost(self, error: Exception | None) -> None:
        self.lose(ConnectionError(str(error) if error else "Redis has closed the connection."))
