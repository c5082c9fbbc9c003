"""Uploaded files of notices: checked and stored at once, read by a job."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from accounts.exceptions import Temporary
from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import FileTooLarge, ImportMissing, NotANoticeFile, SourceBusy
from ..models import Import, Rejection, Source
from ..readers.reading import NotReadable, format_of
from ..readers.streams import FileEndsEarly
from ..readers.streams import Source as Stream
from . import importing
from .sources import changeable_source, organisation_for, sha256_of, source_named

if TYPE_CHECKING:
    from accounts.models import User

IMPORT = "tenders.import_file"
DEFAULT_SOURCE = "Uploads"
BUSY_FOR_S = 20.0
INTERRUPTED = "The reading was interrupted; another attempt began anew."


def upload_notices(
    *,
    actor: User,
    file: File[bytes],
    filename: str,
    source_id: UUID | None = None,
    source_name: str = "",
    mapping: Mapping[str, str] | None = None,
) -> tuple[Import, Job]:
    """Store a file and queue its reading into a source: by id, or by name among those of the actor's organisation,
    made if there is none. The same file, still waiting or being read, is returned instead of a second reading.

    Raises NotANoticeFile, FileTooLarge, SourceMissing, OnlyReads, NoOrganisation.
    """
    _check_size(file)
    _check_content(file)
    if source_id is not None:
        source = changeable_source(source_id=source_id, user=actor)
    else:
        source = source_named(name=source_name or DEFAULT_SOURCE, organisation=organisation_for(actor))
    digest = sha256_of(file)
    if waiting := _waiting(source, digest):
        return waiting
    record = Import(source=source, filename=_safe_name(filename), sha256=digest, started_by=actor)
    record.status = Import.Status.QUEUED
    record.file.save(record.filename, file, save=False)  # files before, and outside, the transaction
    try:
        with transaction.atomic():
            record.save(force_insert=True)
            job = _queue(record, actor, mapping)
    except BaseException:
        record.file.delete(save=False)
        raise
    return record, job


def read_upload(*, import_id: UUID, mapping: Mapping[str, str] | None, report: importing.Report) -> Import:
    """Read a stored upload, from its start: what an attempt before had stored is known by its digest.

    Raises ImportMissing, NotANoticeFile; Temporary while another import of the source runs.
    """
    record = Import.objects.select_related("source").filter(pk=import_id).first()
    if record is None:
        raise ImportMissing("There is no such import any more.")
    if not record.file:  # kept for some days only
        raise ImportMissing("The file of this import is no longer stored. Upload it again.")
    _begin_again(record)
    try:
        with record.file.open("rb") as stream:
            return importing.import_stream(
                source=record.source, stream=stream, record=record, mapping=mapping, report=report
            )
    except SourceBusy as error:
        Import.objects.filter(pk=import_id).update(status=Import.Status.QUEUED, error="", finished_at=None)
        raise Temporary(str(error), retry_after_s=BUSY_FOR_S) from error
    except FileNotFoundError as error:
        raise ImportMissing("The file of this import is no longer stored. Upload it again.") from error


def read_upload_again(*, import_id: UUID, actor: User) -> tuple[Import, Job]:
    """Queue another reading of a stored upload, by its source's mapping as it is now. Of two at once one is refused:
    the state is changed only from an end. Raises ImportMissing, OnlyReads, SourceMissing, SourceBusy."""
    record = Import.objects.select_related("source").filter(pk=import_id).first()
    if record is None or not record.file:
        raise ImportMissing("There is no file of this import to read again. Upload it again.")
    changeable_source(source_id=record.source_id, user=actor)
    with transaction.atomic():
        ended = Import.objects.filter(pk=import_id, status__in=(Import.Status.COMPLETED, Import.Status.FAILED))
        if not ended.update(status=Import.Status.QUEUED, error="", finished_at=None):
            raise SourceBusy("This file is being read right now. Try again when that has ended.")
        record.refresh_from_db()
        job = _queue(record, actor, None)
    return record, job


def record_failure(*, import_id: UUID, message: str) -> None:
    """Whatever ended the job, a crash included: the import says so. One that has ended keeps its own words."""
    active = (Import.Status.QUEUED, Import.Status.RUNNING)
    now = timezone.now()
    Import.objects.filter(pk=import_id, status__in=active).update(
        status=Import.Status.FAILED, error=message[:500], finished_at=now
    )


def _begin_again(record: Import) -> None:
    """Counts of this attempt only. Rejections of an earlier one would stand twice."""
    Rejection.objects.filter(imported_by=record).delete()
    record.status, record.error, record.finished_at = Import.Status.RUNNING, "", None
    record.fetched = record.created = record.updated = record.unchanged = record.rejected = 0
    record.save()


def _waiting(source: Source, digest: str) -> tuple[Import, Job] | None:
    active = (Import.Status.QUEUED, Import.Status.RUNNING)
    record = Import.objects.filter(source=source, sha256=digest, status__in=active).first()
    job = Job.objects.active().filter(pk=record.job_id).first() if record and record.job_id else None
    return (record, job) if record and job else None


def _queue(record: Import, actor: User, mapping: Mapping[str, str] | None) -> Job:
    job = enqueue(
        kind=IMPORT,
        params={"import_id": str(record.pk), "mapping": dict(mapping) if mapping else None},
        actor=actor,
        organisation=record.source.organisation,
        subject=("tender_source", record.source_id),
        about=f"{record.source}: {record.filename}",
    )
    record.job_id = job.pk
    record.save(update_fields=["job_id"])
    return job


def _check_size(file: File[bytes]) -> None:
    size = file.size or 0
    if size > settings.UPLOAD_LIMIT_BYTES:
        limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
        message = f"This file has {filesizeformat(size)}; the limit is {limit}. Pack it with gzip, or divide it."
        raise FileTooLarge(message, extra={"limit_bytes": settings.UPLOAD_LIMIT_BYTES})


def _check_content(file: File[bytes]) -> None:
    """What is no file of notices is refused at once, in words; names lie."""
    file.seek(0)
    try:
        format_of(Stream(file).head())
    except (NotReadable, FileEndsEarly) as error:
        raise NotANoticeFile(str(error)) from error
    finally:
        file.seek(0)


def _safe_name(filename: str) -> str:
    """The last part of whatever path was sent, without control characters."""
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(letter for letter in name if letter.isprintable())[-200:] or "upload"
