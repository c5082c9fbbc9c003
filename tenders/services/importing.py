"""Reading a file of notices into a source: streamed, in batches, each committed; a second run writes nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone

from ..entities import tell_changed
from ..exceptions import NotANoticeFile, SourceBusy
from ..models import Import, Rejection, Source
from ..readers import Reading, Rejected, Release, read
from ..readers.reading import NotReadable
from . import indexing, rows, storing

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
    """Read the stream into the source; the finished record. Raises NotANoticeFile, SourceBusy; and what `report`
    raises, after which a new run goes on where this one stopped: what is stored is known by its digest.
    """
    began, since = time.monotonic(), timezone.now()
    try:
        with alone(source.id):
            reading = read(stream, name=record.filename, mapping=mapping or source.mapping)
            record.format = reading.format
            _Importer(source, record, report).run(reading)
            indexing.index_words(report=report)
    except NotReadable as error:
        _end(record, began, Import.Status.FAILED, str(error))
        raise NotANoticeFile(str(error)) from error
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


class _Importer:
    """Reads ahead while the batch before is being written by a second connection: the reading costs Python's time, the
    writing the server's."""

    def __init__(self, source: Source, record: Import, report: Report) -> None:
        self._source, self._record, self._report = source, record, report
        self._quality: Counter[str] = Counter()
        self._writing: tuple[Future[None], storing.Batch] | None = None
        self._rejections_kept = 0

    def run(self, reading: Reading) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="tenders-write") as writer:
            try:
                arrived: list[rows.Arrived] = []
                for item in reading.items:
                    self._take(item, arrived)
                    if len(arrived) >= BATCH:
                        self._store(arrived, writer)
                        arrived = []
                if arrived:
                    self._store(arrived, writer)
                self._settle()
            finally:
                writer.submit(connections.close_all).result()

    def _take(self, item: Release | Rejected, arrived: list[rows.Arrived]) -> None:
        record = self._record
        record.fetched += 1
        if isinstance(item, Release):
            try:
                arrived.append(rows.arrived(item, record.fetched))
                return
            except ValueError as error:
                item = Rejected(record.fetched, str(error))
        self._reject([item])
        if item.is_end:
            record.error = item.reason[:500]

    def _store(self, arrived: list[rows.Arrived], writer: ThreadPoolExecutor) -> None:
        if self._writing and self._writing[1].keys & {each.key for each in arrived}:
            self._settle()  # their tender must be there to be seen
        record = self._record
        batch = storing.prepare(arrived, source_id=self._source.id, import_id=record.id, country=self._source.country)
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
