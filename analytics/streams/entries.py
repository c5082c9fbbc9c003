"""One signal as it stands in a stream: the field `signal` with a JSON object. Its number is that of the entry.

query_signals    {"entity_id", "entity_type", "query", "user_id", "organisation_id", "timestamp", "found", "asked"}
update_requests  {"source", "source_ids", "operation", "timestamp"}

Times are milliseconds since 1970, or ISO 8601. `asked`: this signal stands for the asking; of an answer that shows
three entities one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

FIELD = b"signal"
SEQUENCE_BITS = 20
LONGEST_QUERY = 300
OLDEST_MS = 7 * 86_400_000
NEWEST_MS = 5 * 60_000
MOST_IDS = 10_000
LONGEST_SOURCE, LONGEST_SOURCE_ID = 40, 64

# packed number, entity, milliseconds, organisation, question, was anything found, does it stand for the asking
Signal = tuple[int, str | None, int, str | None, str, bool, bool]
Entry = tuple[bytes, Sequence[bytes] | None]


class Malformed(ValueError):
    """Not a signal; the message says why."""


@dataclass(frozen=True, slots=True)
class QuerySignal:
    """Somebody asked `query` and was shown the entity. entity_id None: nothing was found."""

    entity_id: UUID | None
    entity_type: str
    query: str
    user_id: UUID | None
    organisation_id: UUID | None
    timestamp: datetime
    found: bool = True


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    number: int
    source: str
    source_ids: tuple[str, ...]
    operation: str


def pack(entry_id: bytes | str) -> int:
    """ "1700000000000-3" as one number: milliseconds * 2^20 + sequence. Malformed: no id of this century."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, sequence = text.partition("-")
    number = int(sequence or 0)
    if number >= 1 << SEQUENCE_BITS or int(milliseconds) >= 1 << (63 - SEQUENCE_BITS):
        raise Malformed("The number of the entry was not given by the server's clock.")
    return int(milliseconds) << SEQUENCE_BITS | number


def unpack(number: int) -> str:
    return f"{number >> SEQUENCE_BITS}-{number & ((1 << SEQUENCE_BITS) - 1)}"


def encode_queries(signals: Iterable[QuerySignal]) -> list[bytes]:
    """Of several signals with one question, asker and time the first stands for the asking."""
    asked: set[tuple[str, UUID | None, datetime]] = set()
    bodies = []
    for signal in signals:
        asking = (signal.query, signal.user_id, signal.timestamp)
        told = {
            "entity_id": signal.entity_id,
            "entity_type": signal.entity_type,
            "query": signal.query[:LONGEST_QUERY].encode("utf-8", "replace").decode(),
            "user_id": signal.user_id,
            "organisation_id": signal.organisation_id,
            "timestamp": int(signal.timestamp.timestamp() * 1000),
            "found": signal.found,
            "asked": asking not in asked,
        }
        asked.add(asking)
        bodies.append(orjson.dumps(told))
    return bodies


def encode_update(source: str, source_ids: Sequence[str], operation: str, now: datetime) -> bytes:
    return orjson.dumps(
        {
            "source": source,
            "source_ids": list(source_ids),
            "operation": operation,
            "timestamp": int(now.timestamp() * 1000),
        }
    )


def read_signal(number: int, fields: Sequence[bytes] | None, now_ms: int) -> Signal:
    """Malformed. Times are clamped to [now - 7 days, now + 5 minutes]."""
    told = _object(fields)
    query = told.get("query") or ""
    if not isinstance(query, str):
        raise Malformed("`query` is not text.")
    if "\x00" in query:
        query = query.replace("\x00", "")
    at_ms = _milliseconds(told.get("timestamp"))
    clamped = min(max(at_ms, now_ms - OLDEST_MS), now_ms + NEWEST_MS)
    entity, organisation = told.get("entity_id"), told.get("organisation_id")
    return (
        number,
        None if entity is None else _identity(entity, "entity_id"),
        clamped,
        None if organisation is None else _identity(organisation, "organisation_id"),
        query[:LONGEST_QUERY],
        bool(told.get("found", True)),
        bool(told.get("asked", True)),
    )


def read_signals(entries: Sequence[Entry], now_ms: int) -> tuple[list[Signal], list[tuple[Entry, str]]]:
    """Those that are signals; the others with what is wrong. What `read_signal` says of each, but well-formed ones, by
    far most, take a third of the time: no call of ours for any of their members."""
    signals: list[Signal] = []
    refused: list[tuple[Entry, str]] = []
    oldest_ms, newest_ms = now_ms - OLDEST_MS, now_ms + NEWEST_MS
    loads, canonical, add = orjson.loads, _canonical, signals.append
    for entry in entries:
        try:
            entry_id, (name, body) = entry  # type: ignore[misc]
            milliseconds, _, sequence = entry_id.partition(b"-")
            told = loads(body)
            at_ms, query = told["timestamp"], told["query"]
            if name != FIELD or len(milliseconds) != 13 or len(sequence) > 6 or "\x00" in query:
                raise Malformed
            if type(at_ms) is not int or type(query) is not str:
                raise Malformed
            entity, organisation = told["entity_id"], told["organisation_id"]
            add(
                (
                    int(milliseconds) << SEQUENCE_BITS | int(sequence),
                    None if entity is None else canonical(entity),
                    oldest_ms if at_ms < oldest_ms else newest_ms if at_ms > newest_ms else at_ms,
                    None if organisation is None else canonical(organisation),
                    query[:LONGEST_QUERY],
                    bool(told["found"]),
                    bool(told["asked"]),
                )
            )
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
            try:
                add(read_signal(pack(entry[0]), entry[1], now_ms))
            except (Malformed, RecursionError) as error:
                refused.append((entry, str(error)))
    return signals, refused


def read_updates(entries: Sequence[Entry]) -> tuple[list[UpdateRequest], list[tuple[Entry, str]]]:
    """Those that are requests; the others with what is wrong."""
    requests: list[UpdateRequest] = []
    refused: list[tuple[Entry, str]] = []
    for entry in entries:
        try:
            requests.append(read_update(pack(entry[0]), entry[1]))
        except (Malformed, RecursionError) as error:
            refused.append((entry, str(error)))
    return requests, refused


def read_update(number: int, fields: Sequence[bytes] | None) -> UpdateRequest:
    """Malformed."""
    told = _object(fields)
    source, ids, operation = told.get("source"), told.get("source_ids"), told.get("operation", "refresh")
    if not isinstance(source, str) or not 0 < len(source) <= LONGEST_SOURCE:
        raise Malformed("`source` is not the name of a source.")
    if not isinstance(ids, list) or len(ids) > MOST_IDS:
        raise Malformed(f"`source_ids` is not a list of at most {MOST_IDS} keys.")
    if not all(isinstance(each, str) and 0 < len(each) <= LONGEST_SOURCE_ID and "\x00" not in each for each in ids):
        raise Malformed("One of `source_ids` is not a key.")
    if not isinstance(operation, str) or len(operation) > LONGEST_SOURCE:
        raise Malformed("`operation` is not a word.")
    return UpdateRequest(number, source, tuple(ids), operation)


def _object(fields: Sequence[bytes] | None) -> dict[str, Any]:
    if not fields or len(fields) < 2:
        raise Malformed("The entry is empty, or was removed.")
    body = fields[1] if fields[0] == FIELD else dict(zip(fields[::2], fields[1::2], strict=False)).get(FIELD)
    if body is None:
        raise Malformed("There is no field `signal`.")
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"`signal` is not JSON: {error}.") from None
    if not isinstance(told, dict):
        raise Malformed("`signal` is not a JSON object.")
    return told


@lru_cache(maxsize=65_536)
def _canonical(text: str) -> str:
    return str(UUID(text))


def _identity(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise Malformed(f"`{name}` is not an id.")
    try:
        return _canonical(value)
    except ValueError:
        raise Malformed(f"`{name}` is not an id.") from None


def _milliseconds(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        if isinstance(value, float):
            return int(value)
        if isinstance(value, str):
            told = datetime.fromisoformat(value)
            return int((told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise Malformed("`timestamp` is not a time.")


def shown(fields: Sequence[bytes] | None) -> dict[str, str]:
    """An entry's fields for people and for DeadSignal.payload: text that PostgreSQL takes, cut."""
    pairs = zip((fields or ())[::2], (fields or ())[1::2], strict=False)
    return {_text(name)[:100]: _text(value)[:4000] for name, value in pairs}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").replace("\x00", "\ufffd")
