"""Reading a file of notices into a source: streamed, in batches, each committed; a second run writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

import structlog
from django.db import connection, connections
from django.utils import timezone

from ..entities import tell_changed
from ..exceptions import NotANoticeFile, SourceBusy
from ..models import Import, Rejection, Source
from ..readers import Reading, Rejected, read
from ..readers.reading import NotReadable
from . import apart, indexing, storing
from .blocks import Block, blocks_of

log = structlog.get_logger(__name__)
BATCH = 1000
MOST_REJECTIONS = 10_000  # kept a file; more are counted only
Report = Callable[[int, int, str], None]


def silent(done: int, total: int, message: str) -> None:
    pass


def import_stream(
    *,
    source: Source,
    stream: IO[bytes],
    record: Import,
    mapping: Mapping[str, str] | None = None,
    report: Report = silent,
) -> Import:
    """Read the stream into the source; the finished record. Raises NotANoticeFile, SourceBusy, ReadingStopped; and what
    `report` raises, after which a new run goes on where this one stopped: what is stored is known by its digest.
    """
    began, since = time.monotonic(), timezone.now()
    try:
        with alone(source.id):
            with _opened(stream, source, record, mapping or source.mapping) as reading:
                record.format = reading.format
                _Importer(source, record, report).run(reading)
            indexing.index_words(report=report)
    except NotReadable as error:
        _end(record, began, Import.Status.FAILED, str(error))
        raise NotANoticeFile(str(error)) from error
    except apart.ReadingStopped as error:
        _end(record, began, Import.Status.FAILED, str(error))
        raise
    except BaseException:
        _end(record, began, Import.Status.FAILED, record.error or "The reading was stopped before its end.")
        raise
    _end(record, began, Import.Status.COMPLETED, record.error)
    tell_changed(source_id=source.id, since=since)
    return record


@contextmanager
def alone(source_id: UUID) -> Iterator[None]:
    """One import of a source at a time, by an advisory lock of the session: it goes when the process goes."""
    key = source_id.int % (1 << 63)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        if not cursor.fetchone()[0]:
            raise SourceBusy("This source is being imported right now. Try again when that has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _end(record: Import, began: float, status: str, error: str) -> None:
    record.status, record.error = status, error[:500]
    record.finished_at, record.seconds = timezone.now(), round(time.monotonic() - began, 3)
    record.save()


class _Here:
    """A file read by this process."""

    def __init__(self, reading: Reading, country: str) -> None:
        self.format = reading.format
        self._maps = True
        self._blocks = blocks_of(reading, size=BATCH, country=country, maps=lambda: self._maps)

    def blocks(self) -> Iterator[Block]:
        return self._blocks

    def map_tenders(self, wanted: bool) -> None:
        self._maps = wanted


@contextmanager
def _opened(
    stream: IO[bytes], source: Source, record: Import, mapping: Mapping[str, str]
) -> Iterator[_Here | apart.Apart]:
    """A large file on this machine is read by a process of its own, where one can be started. Raises NotReadable."""
    place = apart.descriptor_of(stream)
    if place:
        try:
            process = apart.Apart(*place, name=record.filename, mapping=mapping, size=BATCH, country=source.country)
        except OSError as error:
            log.warning("no_process_to_read_a_file", error=str(error))  # this one reads it
        else:
            with process:
                yield process
            return
    yield _Here(read(stream, name=record.filename, mapping=mapping), source.country)


class _Importer:
    """Takes the next block while the one before is being written by a second connection: reading costs Python's time,
    writing the server's."""

    def __init__(self, source: Source, record: Import, report: Report) -> None:
        self._source, self._record, self._report = source, record, report
        self._quality: Counter[str] = Counter()
        self._writing: tuple[Future[None], storing.Batch] | None = None
        self._rejections_kept = 0

    def run(self, reading: _Here | apart.Apart) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="tenders-write") as writer:
            try:
                for block in reading.blocks():
                    self._store(block, writer)
                    known = self._record.unchanged * 2 > self._record.fetched
                    reading.map_tenders(not known)
                self._settle()
            finally:
                writer.submit(connections.close_all).result()

    def _store(self, block: Block, writer: ThreadPoolExecutor) -> None:
        record = self._record
        if self._writing and not self._writing[1].keys.isdisjoint(each.key for each in block.releases):
            self._settle()  # their tender must be there to be seen
        record.fetched += block.fetched
        record.error = block.error or record.error
        self._reject(block.rejected)
        batch = storing.prepare(block, source_id=self._source.id, import_id=record.id, country=self._source.country)
        self._settle()
        if not batch.is_empty:
            self._writing = (writer.submit(storing.write, batch), batch)
        else:
            self._count(batch)
        self._report(record.fetched, 0, f"Read {record.fetched:,} notices")

    def _settle(self) -> None:
        if self._writing:
            future, batch = self._writing
            self._writing = None
            future.result()
            self._count(batch)

    def _count(self, batch: storing.Batch) -> None:
        """What is written counts, what is not does not: a stopped import says the truth."""
        record = self._record
        record.created += batch.created
        record.updated += batch.updated
        record.unchanged += batch.unchanged
        self._reject(batch.rejected)
        self._quality.update(storing.quality_of(batch))
        record.quality = dict(self._quality)

    def _reject(self, items: list[Rejected]) -> None:
        if not items:
            return
        self._record.rejected += len(items)
        room = MOST_REJECTIONS - self._rejections_kept
        self._rejections_kept += len(items[:room])
        Rejection.objects.bulk_create(_rejection(self._record, item) for item in items[:room])


def _rejection(record: Import, item: Rejected) -> Rejection:
    text: Any = item.raw.replace("\x00", "")
    return Rejection(
        source_id=record.source_id,
        imported_by=record,
        number=item.number,
        offset=item.offset,
        reason=item.reason[:500],
        raw=text,
    )
