"""The two streams as a consumer sees them: groups, delivery, claims, acknowledgement, trimming.

Commands of Redis 6.2. Straight on a connection: what redis-py makes of an answer costs as much as reading it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from jobs import tuning
from jobs.connections import events_url

from ..streams.entries import Entry
from .signals import streams

GROUP = "plumbline_workers"
BLOCK_MS = 1000
PIECE = 2000  # entries a command: for as long as it takes Redis does nothing else
CLAIM_IDLE_MS = 30_000  # a consumer that has been silent for so long has lost what it had
KEPT_MS = 3_600_000  # what every group is done with stays for so long, for a look and for replays
MOST_KEPT = 500_000  # but not more than so many entries
FORGOTTEN_MS = 3_600_000  # consumers that are silent and hold nothing


@dataclass(frozen=True, slots=True)
class Claimed:
    """`deliveries`: by entry, how often it was handed out, this time included."""

    entries: list[Entry]
    deliveries: dict[bytes, int]
    has_more: bool


class Delivery:
    """One per consumer; not to be shared by threads. Everything raises RedisError."""

    def __init__(self, consumer: str, *, claim_idle_ms: int = CLAIM_IDLE_MS) -> None:
        self.consumer = consumer
        self.claim_idle_ms = claim_idle_ms
        self._claimed_to: dict[str, bytes] = {}  # each call looks at a part of what is pending
        self.client = redis.Redis.from_url(
            events_url(),
            socket_connect_timeout=tuning.REDIS_CONNECT_TIMEOUT_S,
            socket_timeout=BLOCK_MS / 1000 + 10,
            retry=Retry(NoBackoff(), 0),
        )

    def ask(self, *command: Any) -> Any:
        pool: Any = self.client.connection_pool
        connection = pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        except ResponseError:
            raise
        except BaseException:
            connection.disconnect()
            raise
        finally:
            pool.release(connection)

    def ensure_groups(self) -> list[str]:
        """Streams whose group had to be made. It begins with whatever is there: the ledger knows what was counted."""
        made = []
        for stream in streams():
            try:
                self.ask("XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM")
            except ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise
            else:
                made.append(stream)
        return made

    def read(self, count: int, *, block_ms: int = BLOCK_MS) -> dict[str, list[Entry]]:
        """What nobody has got yet, at most `count` of each stream. ResponseError "NOGROUP …": there is no group."""
        found = piece = self._read_piece(min(count, PIECE), block_ms)
        while count > PIECE and any(len(entries) == PIECE for entries in piece.values()):
            count -= PIECE
            try:
                piece = self._read_piece(min(count, PIECE), 0)
            except RedisError:
                break  # first what is in hand; should it still be so the next command meets it
            for stream, entries in piece.items():
                found.setdefault(stream, []).extend(entries)
        return found

    def _read_piece(self, count: int, block_ms: int) -> dict[str, list[Entry]]:
        waiting = ("BLOCK", block_ms) if block_ms else ()
        answer = self.ask(
            "XREADGROUP", "GROUP", GROUP, self.consumer, "COUNT", count, *waiting, "STREAMS", *streams(), ">", ">"
        )
        pairs: Iterable[Any] = answer.items() if isinstance(answer, dict) else answer or ()
        return {stream.decode(): entries for stream, entries in pairs}

    def claim(self, stream: str, count: int) -> Claimed:
        """Entries of consumers that were silent for too long, this one's own of an earlier life included."""
        answer = self.ask(
            "XAUTOCLAIM", stream, GROUP, self.consumer, self.claim_idle_ms, self._claimed_to.get(stream, b"0-0"),
            "COUNT", count,
        )  # fmt: skip
        self._claimed_to[stream] = answer[0]
        entries: list[Entry] = [entry for entry in answer[1] if entry is not None]
        if not entries:
            return Claimed([], {}, answer[0] != b"0-0")
        pending = self.ask(
            "XPENDING", stream, GROUP, entries[0][0], entries[-1][0], 2 * len(entries) + 100, self.consumer
        )
        return Claimed(entries, {row[0]: int(row[3]) for row in pending}, answer[0] != b"0-0")

    def acknowledge(self, stream: str, ids: Sequence[bytes]) -> None:
        for start in range(0, len(ids), PIECE):
            self.ask("XACK", stream, GROUP, *ids[start : start + PIECE])

    def trim(self, stream: str, now_ms: int) -> int:
        """Behind the slowest group only; how many entries went."""
        length = int(self.ask("XLEN", stream))
        slowest = self.slowest(stream)
        if not length or slowest is None:
            return 0
        point = slowest if length > MOST_KEPT else min(slowest, (now_ms - KEPT_MS, 0))
        return int(self.ask("XTRIM", stream, "MINID", f"{point[0]}-{point[1]}"))

    def slowest(self, stream: str) -> tuple[int, int] | None:
        """The first entry that some group may still need; None: there is no group, and all may be needed."""
        needed = []
        for group in groups_of(self, stream):
            pending = self.ask("XPENDING", stream, group["name"])
            if pending[0]:
                needed.append(_parts(pending[1]))
            else:
                milliseconds, sequence = _parts(group["last-delivered-id"])
                needed.append((milliseconds, sequence + 1))
        return min(needed, default=None)

    def newest_ms(self, stream: str) -> int:
        """When the newest entry came; 0: there is none."""
        newest = self.ask("XREVRANGE", stream, "+", "-", "COUNT", 1)
        return _parts(newest[0][0])[0] if newest else 0

    def forget_consumers(self, stream: str) -> None:
        """Those that hold nothing and have been silent for an hour."""
        for consumer in consumers_of(self, stream):
            name = consumer["name"]
            if name.decode() != self.consumer and not consumer["pending"] and consumer["idle"] > FORGOTTEN_MS:
                self.ask("XGROUP", "DELCONSUMER", stream, GROUP, name)

    def close(self) -> None:
        self.client.close()


def groups_of(delivery: Delivery, stream: str) -> list[dict[str, Any]]:
    """[]: there is no such stream."""
    try:
        return [_named(row) for row in delivery.ask("XINFO", "GROUPS", stream)]
    except ResponseError:
        return []


def consumers_of(delivery: Delivery, stream: str) -> list[dict[str, Any]]:
    try:
        return [_named(row) for row in delivery.ask("XINFO", "CONSUMERS", stream, GROUP)]
    except ResponseError:
        return []


def _named(row: Any) -> dict[str, Any]:
    """RESP3 answers with a map, RESP2 with a list of names and values in turn."""
    pairs = row.items() if isinstance(row, dict) else zip(row[::2], row[1::2], strict=False)
    return {name.decode(): value for name, value in pairs}


def _parts(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.decode().partition("-")
    return int(milliseconds), int(sequence or 0)
