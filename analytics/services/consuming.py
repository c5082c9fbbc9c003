"""The consumer of demand signals: reads in batches, has each applied in one transaction, then acknowledges.

    delivered ──► applied (SQL, with the ledger) ──► acknowledged
        │              │ raises                            what dies before this is claimed by another consumer
        │              ▼                                   after 30 s, recognised by the ledger, and acknowledged
        │         halved, and halved again … the one that raises is a dead signal
        └─► handed out a sixth time ──► dead signal

Any number of them on any hosts. Without Redis or PostgreSQL one waits, with what it has in hand, until they are back.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import django.db
import structlog
from django.db import connections
from django.db.models import F
from django.utils import timezone
from redis.exceptions import RedisError, ResponseError

from ..models import DeadSignal, DemandClock
from ..streams.entries import Entry, Malformed, pack, read_signals, read_updates, shown
from .backlog import unread
from .counting import count_signals
from .deadletters import Dead, keep_dead
from .delivery import CLAIM_IDLE_MS, Delivery
from .ledger import is_counted
from .requesting import request_refresh
from .signals import queries_stream, streams

log = structlog.get_logger(__name__)

BATCH = 80_000  # at most, where so many wait: what an entity is asked for in a batch is written once
MOST_DELIVERIES = 5
# An entry that was handed out so often goes with few others: one that kills its consumer takes few along.
SUSPECT_DELIVERIES, SUSPECT_BATCH = 3, 20
CLAIM_EVERY_S, TRIM_EVERY_S, LOOK_EVERY_S = 5.0, 10.0, 2.0
PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
LOST_CONNECTION = (django.db.OperationalError, django.db.InterfaceError)  # deadlocks too: worth another try, as it is


@dataclass(slots=True)
class Tally:
    applied: int = 0
    already: int = 0
    dead: int = 0
    batches: int = 0


class _StoppedError(Exception):
    """Told to stop while the database was away: what is in hand stays pending, for whoever comes next."""


class Consumer:
    def __init__(self, *, name: str = "", batch: int = BATCH, claim_idle_ms: int = CLAIM_IDLE_MS) -> None:
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self.batch = batch
        self.tally = Tally()
        self._delivery = Delivery(self.name, claim_idle_ms=claim_idle_ms)
        self._claim_every_s = min(CLAIM_EVERY_S, claim_idle_ms / 1000)
        self._stop = threading.Event()
        self._due: dict[str, float] = {}
        self._unread: dict[str, tuple[int, int]] = {}  # by stream: entries not acknowledged yet, and the newest's ms

    def run(self, *, once: bool = False) -> Tally:
        """Until SIGTERM or SIGINT, or with `once` until nothing is left to read or claim. No error ends it but, with
        `once`, that of a Redis that is away."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: self._stop.set())
        return self.work(once=once)

    def work(self, *, once: bool = False) -> Tally:
        log.info("consumer_started", consumer=self.name, batch=self.batch)
        pause_s = PAUSE_S
        while not self._stop.is_set():
            try:
                did = self._round(block=not once)
                pause_s = PAUSE_S
                if once and not did:
                    break
            except _StoppedError:
                break
            except (RedisError, OSError) as error:
                if once:
                    raise
                log.warning("consumer_without_redis", error=str(error) or type(error).__name__, pause_s=pause_s)
                self._stop.wait(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        self._delivery.close()
        log.info("consumer_stopped", consumer=self.name, applied=self.tally.applied, dead=self.tally.dead)
        return self.tally

    def stop(self) -> None:
        """From another thread: after the batch at hand."""
        self._stop.set()

    def _round(self, *, block: bool) -> bool:
        """What is new, what others have left, keeping house. Whether there was anything to do."""
        did = False
        try:
            with _uncollected():
                for stream, entries in self._delivery.read(self.batch, **({} if block else {"block_ms": 0})).items():
                    did = True
                    self._take(stream, entries)
            if self._is_due("claim", self._claim_every_s) or not (block or did):
                for stream in streams():
                    did |= self._take_claimed(stream)
            if self._is_due("trim", TRIM_EVERY_S):
                self._trim()
            if self._is_due("look", LOOK_EVERY_S):
                self._look()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            self._begin_groups()
            did = True
        return did

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + every_s
        return True

    def _take_claimed(self, stream: str) -> bool:
        claimed = self._delivery.claim(stream, self.batch)
        if not claimed.entries:
            return False
        log.info("signals_claimed", stream=stream, count=len(claimed.entries))
        spent: list[Entry] = []
        suspect: list[Entry] = []
        others: list[Entry] = []
        for entry in claimed.entries:
            count = claimed.deliveries.get(entry[0], 1)
            (spent if count > MOST_DELIVERIES else suspect if count >= SUSPECT_DELIVERIES else others).append(entry)
        self._take(stream, others)
        for start in range(0, len(suspect), SUSPECT_BATCH):
            self._take(stream, suspect[start : start + SUSPECT_BATCH])
        for entry in spent:
            self._bury(stream, entry, claimed.deliveries[entry[0]])
        return True

    def _take(self, stream: str, entries: Sequence[Entry]) -> None:
        """Apply them, and only then acknowledge."""
        if not entries:
            return
        dead, work = self._read_all(stream, entries)
        if dead:
            self._until_it_works(lambda: keep_dead(dead))
            self.tally.dead += len(dead)
        payloads = Payloads(entries)
        if work:
            self._apply(stream, work, payloads)
        self._delivery.acknowledge(stream, [entry[0] for entry in entries])
        self.tally.batches += 1

    def _read_all(self, stream: str, entries: Sequence[Entry]) -> tuple[list[Dead], list[Any]]:
        work: list[Any] = []
        if stream == queries_stream():
            work[:], refused = read_signals(entries, int(time.time() * 1000))
        else:
            work[:], refused = read_updates(entries)
        reason = DeadSignal.Reason.MALFORMED
        return [
            Dead(stream, 0, reason, words, shown(fields), entry_id=entry_id.decode())
            for (entry_id, fields), words in refused
        ], work

    def _apply(self, stream: str, work: Sequence[Any], payloads: Payloads) -> None:
        """In one transaction; if that raises, halves by themselves, down to the one that is to blame."""
        try:
            self._until_it_works(lambda: self._apply_all(stream, work, payloads))
        except _StoppedError:
            raise
        except Exception as error:
            if len(work) > 1:
                log.warning("batch_halved", stream=stream, count=len(work), error=f"{type(error).__name__}: {error}")
                middle = len(work) // 2
                self._apply(stream, work[:middle], payloads)
                self._apply(stream, work[middle:], payloads)
                return
            number = work[0][0] if isinstance(work[0], tuple) else work[0].number
            words = f"{type(error).__name__}: {error}"
            dead = Dead(stream, number, DeadSignal.Reason.FAILED, words, payloads[number])
            self._until_it_works(lambda: keep_dead([dead]))
            self.tally.dead += 1

    def _apply_all(self, stream: str, work: Sequence[Any], payloads: Payloads) -> None:
        if stream != queries_stream():
            request_refresh(stream=stream, requests=work, consumer=self.name)
            self.tally.applied += len(work)
            return
        counted = count_signals(stream=stream, signals=work, consumer=self.name, payloads=payloads)
        self.tally.applied += counted.applied
        self.tally.already += counted.already
        self.tally.dead += len(counted.dead)

    def _until_it_works(self, step: Callable[[], object]) -> None:
        """Again and again while the database is away. _StoppedError: told to stop meanwhile."""
        pause_s = PAUSE_S
        while True:
            try:
                step()
                return
            except LOST_CONNECTION as error:
                connections.close_all()
                log.warning("consumer_without_database", error=str(error), pause_s=pause_s)
                if self._stop.wait(pause_s):
                    raise _StoppedError from error
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _bury(self, stream: str, entry: Entry, deliveries: int) -> None:
        """Handed out again and again, and never acknowledged: its consumers died of it, or so it seems."""
        words = f"Handed out {deliveries - 1} times and never acknowledged."
        reason = DeadSignal.Reason.FAILED
        dead = Dead(stream, 0, reason, words, shown(entry[1]), deliveries, entry_id=entry[0].decode())
        if is_counted(stream=stream, number=pack(entry[0])):
            self.tally.already += 1  # it was counted, and its consumer died before it could say so
        else:
            self._until_it_works(lambda: keep_dead([dead]))
            self.tally.dead += 1
        self._delivery.acknowledge(stream, [entry[0]])

    def _trim(self) -> None:
        now_ms = int(time.time() * 1000)
        for stream in streams():
            if gone := self._delivery.trim(stream, now_ms):
                log.info("stream_trimmed", stream=stream, entries=gone)
            self._delivery.forget_consumers(stream)

    def _look(self) -> None:
        """What would be lost if Redis lost its data now."""
        for stream in streams():
            self._unread[stream] = unread(self._delivery, stream)

    def _begin_groups(self) -> None:
        """The group is gone: Redis is new, was flushed, or has lost its latest seconds. It begins again with whatever
        is in the stream. What was in Redis, not applied, and is not there any more is lost: it is counted as of the
        latest look, two seconds ago at most."""
        made = self._delivery.ensure_groups()
        lost = 0
        for stream in made:
            count, newest_ms = self._unread.pop(stream, (0, 0))
            if count and self._delivery.newest_ms(stream) < newest_ms:
                lost += count
        if lost:
            log.error("signals_lost_with_redis", count=lost)
            self._until_it_works(lambda: _note_lost(lost))
        elif made:
            log.info("groups_made", streams=made)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """A batch is a hundred thousand objects without a cycle: looking for some among all of Django's took a third of
    the consumer's time (2026-11)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class Payloads(dict[int, dict[str, Any]]):
    """Of the entries of a batch, made when one is asked for: dead signals are few."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        super().__init__()
        self._entries = entries

    def __missing__(self, number: int) -> dict[str, Any]:
        for entry_id, fields in self._entries:
            try:
                self.setdefault(pack(entry_id), shown(fields))
            except Malformed:
                continue
        return self.setdefault(number, {})

    def get(self, number: int, default: Any = None) -> Any:
        return self[number]


def _note_lost(count: int) -> None:
    DemandClock.objects.update(lost=F("lost") + count, lost_at=timezone.now())
