"""Sources with an https address: fetched when something has changed, page after page, by a job of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urljoin
from uuid import UUID

import ijson  # type: ignore[import-untyped]
from django.utils import timezone

from accounts.exceptions import Refused, Temporary
from jobs.models import Job
from jobs.services import enqueue, rested

from ..exceptions import SourceBusy, SourceMissing, SourceRefused
from ..models import Import, Source
from ..readers import streams
from ..readers.notice import Format
from . import importing
from .downloads import Download, download
from .sources import changeable_source, import_file
from .uploads import BUSY_FOR_S, INTERRUPTED

if TYPE_CHECKING:
    from accounts.models import User

SYNC = "tenders.sync"
MOST_PAGES = 10_000
LONGEST_ADDRESS = 500
REST = timedelta(hours=6)  # between two fetches that nobody and no schedule asked for
Totals = dict[str, Any]
COUNTS = ("fetched", "created", "updated", "unchanged", "rejected")


def start_sync(*, source_id: UUID, actor: User) -> Job:
    """Queue the fetching of a source now; the job that is under way already, if there is one. Raises SourceMissing,
    OnlyReads, SourceRefused."""
    source = changeable_source(source_id=source_id, user=actor)
    if source.kind != Source.Kind.URL:
        raise SourceRefused("This source has no https address to fetch. Upload its files.")
    return _queue(source, actor)


def start_due() -> list[UUID]:
    """Queue one job for each scheduled source; the ids of the jobs."""
    due = Source.objects.filter(is_scheduled=True, kind=Source.Kind.URL).select_related("organisation").order_by("pk")
    return [_queue(source, None).pk for source in due]


def start_wanted(*, source_ids: Collection[UUID]) -> list[UUID]:
    """Queue the fetching of those with an https address that were not fetched lately; the ids of the jobs. After
    failures they rest longer."""
    there = Source.objects.filter(pk__in=source_ids, kind=Source.Kind.URL).select_related("organisation")
    ids = [source.pk for source in there]
    ready = rested(kind=SYNC, subject_type="tender_source", subject_ids=ids, every=REST)
    return [_queue(source, None).pk for source in there.order_by("pk") if source.pk in ready]


def _queue(source: Source, actor: User | None) -> Job:
    return enqueue(
        kind=SYNC,
        params={"source_id": str(source.pk)},
        actor=actor,
        organisation=source.organisation,
        subject=("tender_source", source.pk),
        about=source.name,
        dedupe_key=f"{SYNC}:{source.pk}",
    )


def sync_source(*, source_id: UUID, job_id: UUID | None = None, report: importing.Report = importing.silent) -> Totals:
    """Fetch and read a source from its address, or from the page where an earlier run stopped: the address of the next
    page is stored after each. {"pages", "is_unchanged", "fetched", "created", …}.

    Raises SourceMissing, SourceRefused, what `download` raises, NotANoticeFile; Temporary while it is being read.
    """
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        raise SourceMissing("There is no such source any more.")
    if source.kind != Source.Kind.URL:
        raise SourceRefused("This source has no https address to fetch.")
    if job_id is not None:  # of an attempt whose process was killed
        left = Import.objects.filter(source=source, job_id=job_id, status=Import.Status.RUNNING)
        left.update(status=Import.Status.FAILED, error=INTERRUPTED, finished_at=timezone.now())
    return _Sync(source, job_id, report).run()


class _Sync:
    def __init__(self, source: Source, job_id: UUID | None, report: importing.Report) -> None:
        self._source, self._job_id, self._report = source, job_id, report
        self._totals: Totals = {"pages": 0, "is_unchanged": False, **dict.fromkeys(COUNTS, 0)}

    def run(self) -> Totals:
        """From the beginning again, next time, if the publisher does not have what the cursor names any more."""
        try:
            return self._run()
        except Refused:
            self._keep(cursor="")
            raise

    def _run(self) -> Totals:
        source = self._source
        url = source.cursor or source.location
        is_first = not source.cursor
        seen = {url}
        etag = last_modified = ""
        while url:
            answer, following = self._page(url, is_conditional=is_first and self._totals["pages"] == 0)
            if is_first and self._totals["pages"] == 0:
                etag, last_modified = answer.etag, answer.last_modified
            if answer.is_unchanged:
                self._totals["is_unchanged"] = True
                self._keep(cursor="")
                return self._totals
            self._totals["pages"] += 1
            if following in seen or self._totals["pages"] >= MOST_PAGES:
                raise SourceRefused("The publisher's pages lead back to themselves, or there is no end of them.")
            seen.add(following)
            url = following
            self._keep(cursor=url)
        # Only now: of a run that stopped half-way, the server would say that nothing has changed.
        self._keep(cursor="", etag=etag, last_modified=last_modified)
        return self._totals

    def _page(self, url: str, *, is_conditional: bool) -> tuple[Download, str]:
        """What came of one page, and the address of the next one, "" after the last."""
        source = self._source
        with tempfile.TemporaryFile(prefix="notices-") as file:
            answer = download(
                url=url,
                into=file,
                report=self._report,
                etag=source.etag if is_conditional else "",
                last_modified=source.last_modified if is_conditional else "",
            )
            if answer.is_unchanged:
                return answer, ""
            record = self._read(file, answer)
            following = answer.next or next_page(file, record.format)
        return answer, _address(answer.url, following)

    def _read(self, file: IO[bytes], answer: Download) -> Import:
        try:
            record = import_file(
                source=self._source, stream=file, filename=answer.filename, job_id=self._job_id, report=self._report
            )
        except SourceBusy as error:
            raise Temporary(str(error), retry_after_s=BUSY_FOR_S) from error
        for name in COUNTS:
            self._totals[name] += getattr(record, name)
        return record

    def _keep(self, **values: str) -> None:
        Source.objects.filter(pk=self._source.pk).update(last_run_at=timezone.now(), **values)


def record_failure(*, source_id: UUID, message: str) -> bool:
    """Whatever ended the job: the imports that it left behind say so, and the source shows when it was tried. False:
    the same was said of the run before."""
    now, message = timezone.now(), message[:500]
    if not Source.objects.filter(pk=source_id).update(last_run_at=now):
        return False
    running = Import.objects.filter(
        source_id=source_id, status=Import.Status.RUNNING, file="", job_id__isnull=False
    )  # uploads and commands speak for themselves
    if running.update(status=Import.Status.FAILED, error=message, finished_at=now):
        return True
    newest = Import.objects.filter(source_id=source_id).order_by("-started_at").first()
    if newest is not None and newest.error == message:  # hourly the same: once is enough
        return False
    Import.objects.create(
        source_id=source_id, filename="(not fetched)", status=Import.Status.FAILED, error=message, finished_at=now
    )
    return True


def next_page(file: IO[bytes], format: str) -> str:
    """`links.next` of a package (OCDS: pagination), "" where there is none; the file is read through for it."""
    if format != Format.OCDS_PACKAGE:
        return ""
    file.seek(0)
    try:
        found = next(ijson.items(streams.Source(file, largest_record=1 << 62), "links.next"), "")
    except (ijson.JSONError, streams.FileEndsEarly, streams.RecordTooLarge):
        return ""  # cut off: its reading has said so
    return found if isinstance(found, str) else ""


def _address(base: str, following: str) -> str:
    if not following:
        return ""
    try:
        address = urljoin(base, following)
    except ValueError:
        address = ""
    if not address or len(address) > LONGEST_ADDRESS:
        raise SourceRefused("The publisher's address of the next page can't be used.")
    return address
