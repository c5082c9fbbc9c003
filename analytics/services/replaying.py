"""Counting a slice of the query stream again: what was counted is recognised, what was missed is made up."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..models import DeadSignal
from ..streams.entries import Entry, Malformed, Signal, pack, read_signal, shown
from .consuming import Payloads, Tally
from .counting import count_signals
from .deadletters import Dead, keep_dead
from .delivery import Delivery
from .signals import queries_stream

AT_ONCE = 2000


def replay(*, start: str, end: str) -> Tally:
    """Entries with ids from `start` to `end` ("-" and "+": first and last), both included. Raises RedisError."""
    tally, stream = Tally(), queries_stream()
    delivery = Delivery("replay")
    try:
        for block in _blocks(delivery, stream, start, end):
            tally.batches += 1
            signals, dead = _read(stream, block)
            if signals:
                payloads = Payloads(block)
                counted = count_signals(stream=stream, signals=signals, consumer="replay", payloads=payloads)
                tally.applied += counted.applied
                tally.already += counted.already
                tally.dead += len(counted.dead)
            keep_dead(dead)
            tally.dead += len(dead)
    finally:
        delivery.close()
    return tally


def _blocks(delivery: Delivery, stream: str, start: str, end: str) -> Iterator[list[Entry]]:
    while True:
        block: list[Entry] = delivery.ask("XRANGE", stream, start, end, "COUNT", AT_ONCE)
        if not block:
            return
        yield block
        start = "(" + block[-1][0].decode()


def _read(stream: str, block: list[Entry]) -> tuple[list[Signal], list[Dead]]:
    signals: list[Signal] = []
    dead: list[Dead] = []
    now_ms = int(time.time() * 1000)
    for entry_id, fields in block:
        try:
            signals.append(read_signal(pack(entry_id), fields, now_ms))
        except Malformed as error:
            reason = DeadSignal.Reason.MALFORMED
            dead.append(Dead(stream, 0, reason, str(error), shown(fields), entry_id=entry_id.decode()))
    return signals, dead
