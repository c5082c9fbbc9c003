"""Which entries of the streams have been applied: what is handed out a second time is recognised by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..streams.entries import SEQUENCE_BITS
from .delivery import PIECE  # entries a row: as many as are read at once, so that consumers' rows do not overlap
from .raw import BigInts, raw_cursor

# Rows that reach into a piece of this batch. What is handed out for the first time lies between the entries of other
# batches, not among them: there are none, and only firsts and lasts had to be sent.
NEAR = f"""
SELECT a.id FROM unnest(%s::bigint[], %s::bigint[]) AS mine (first, last)
JOIN analytics_appliedbatch a ON a.stream = %s
    AND a.last_ms >= mine.first >> {SEQUENCE_BITS} AND a.first_ms <= mine.last >> {SEQUENCE_BITS}
WHERE a.entries[1] <= mine.last AND a.entries[cardinality(a.entries)] >= mine.first
"""
SEEN = """
SELECT entry FROM analytics_appliedbatch a, unnest(a.entries) AS entry
WHERE a.id = ANY(%s) AND entry = ANY(%s)
"""
ENTER = """
INSERT INTO analytics_appliedbatch (stream, first_ms, last_ms, entries, consumer, applied_at)
VALUES (%s, %s, %s, %s, %s, now())
"""


class SeenBeforeError(Exception):
    def __init__(self, numbers: set[int]) -> None:
        super().__init__()
        self.numbers = numbers


class Ledger:
    """The numbers of a batch, in order and in pieces, as they go into the ledger."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = np.sort(np.array(numbers, np.int64))
        self._pieces = [self._numbers[start : start + PIECE] for start in range(0, len(numbers), PIECE)]

    def enter(self, cursor: Any, stream: str, consumer: str) -> None:
        """SeenBeforeError: some are there already."""
        if seen := self.seen(cursor, stream):
            raise SeenBeforeError(seen)
        rows = [
            (stream, int(piece[0]) >> SEQUENCE_BITS, int(piece[-1]) >> SEQUENCE_BITS, BigInts(piece), consumer)
            for piece in self._pieces
        ]
        cursor.executemany(ENTER, rows)

    def seen(self, cursor: Any, stream: str) -> set[int]:
        """Which of them are in the ledger."""
        firsts = BigInts(np.array([piece[0] for piece in self._pieces], np.int64))
        lasts = BigInts(np.array([piece[-1] for piece in self._pieces], np.int64))
        near = [row[0] for row in cursor.execute(NEAR, [firsts, lasts, stream]).fetchall()]
        if not near:
            return set()
        return {int(row[0]) for row in cursor.execute(SEEN, [near, BigInts(self._numbers)]).fetchall()}


def is_counted(*, stream: str, number: int) -> bool:
    """Is it in the ledger?"""
    with raw_cursor() as cursor:
        return bool(Ledger([number]).seen(cursor, stream))
