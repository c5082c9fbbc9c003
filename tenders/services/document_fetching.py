"""Fetching a tender's documents from their publishers, and carrying them into the project of a bid."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.core.files import File
from django.db import connection
from django.utils import timezone

from accounts.exceptions import Missing, Refused, Temporary
from accounts.models import User
from projects.models import Document, Project
from projects.services.documents import upload_document

from ..models import StoredContent, TenderDocument
from ..outgoing_querysets import TenderDocumentQuerySet
from .documents import open_document
from .downloads import Download, download
from .importing import Report

PAUSE_S = 1.0  # between two questions to one host
BUSY_FOR_S = 15.0
MOST_TOGETHER = 1024**3  # bytes, of one tender
ACCEPT = "*/*"
PAGE_TYPES = ("text/html", "application/xhtml+xml")
PAGE_NOTE = "A web page came, which may not be the document itself."
_RESERVED = re.compile(r'[<>:"/\\|?*]')
State = TenderDocument.State
log = structlog.get_logger(__name__)


def fetch_documents(
    *, tender_id: UUID, organisation_id: UUID, actor_id: UUID | None, project_id: UUID | None, report: Report
) -> dict[str, int]:
    """Fetch all that wait, one after the other, each kept at once; then carry what is there into the project.

    {"fetched", "failed", "carried"}. Raises Temporary while a publisher's server is away or busy, after all others.
    """
    mine = TenderDocument.objects.filter(tender_id=tender_id, organisation_id=organisation_id)
    _Round(list(mine.filter(state=State.WAITING)), _size_of(mine), report).run()
    carried = 0
    if project_id is not None and actor_id is not None:
        carried = carry(documents=mine.filter(state=State.FETCHED), project_id=project_id, actor_id=actor_id)
    return {
        "fetched": mine.filter(state=State.FETCHED).count(),
        "failed": mine.filter(state=State.FAILED).count(),
        "carried": carried,
    }


def _size_of(documents: TenderDocumentQuerySet) -> int:
    return sum(documents.filter(content__isnull=False).values_list("content__size", flat=True))


class _Round:
    """One pass over what waits. What may work later is tried later; the rest says why it failed."""

    def __init__(self, waiting: list[TenderDocument], size: int, report: Report) -> None:
        self._waiting, self._size, self._report = waiting, size, report
        self._later: list[Temporary] = []
        self._asked: dict[str, float] = {}

    def run(self) -> None:
        for number, document in enumerate(self._waiting):
            self._report(number, len(self._waiting), f"Fetching {document.title or document.url}")
            try:
                self._fetch(document, number)
            except Temporary as error:
                self._later.append(error)
                _note(document, error=str(error))
            except Refused as error:
                _note(document, state=State.FAILED, error=str(error))
        if self._later:
            waits = [error.retry_after_s for error in self._later if error.retry_after_s]
            raise Temporary(str(self._later[0]), retry_after_s=max(waits, default=None))

    def _fetch(self, document: TenderDocument, number: int) -> None:
        """Raises Refused, Temporary; and what the job's `report` raises."""
        room = min(settings.UPLOAD_LIMIT_BYTES, MOST_TOGETHER - self._size)
        if room <= 0:
            raise Refused("The documents of this tender are too large together. Fetch it from its publisher.")
        total, title = len(self._waiting), document.title or document.url

        def report(done: int, of: int, message: str) -> None:
            self._report(number, total, f"{title[:200]}: {message}")

        url = _secured(document.url)
        with _alone_at(urlsplit(url).hostname or "", self._asked), tempfile.TemporaryFile(prefix="document-") as file:
            if not TenderDocument.objects.filter(pk=document.pk, state=State.WAITING).exists():
                return  # another job has fetched it while this one waited
            answer = download(url=url, into=file, report=report, limit_bytes=room, accept=ACCEPT)
            content = _stored(file)
        self._size += content.size
        is_page = answer.content_type in PAGE_TYPES
        _note(
            document,
            state=State.FETCHED,
            error=PAGE_NOTE if is_page else "",
            content=content,
            content_type=answer.content_type,
            filename=safe_name(answer, document.title),
            fetched_at=timezone.now(),
        )


def _note(document: TenderDocument, **values: object) -> None:
    if "error" in values:
        values["error"] = str(values["error"])[:500]
    TenderDocument.objects.filter(pk=document.pk).update(**values)


def _secured(url: str) -> str:
    """Publishers' old addresses: nearly all of their servers speak https too."""
    if url.startswith("http://") and not settings.OUTBOUND_ALLOW_HTTP:
        return f"https://{url.removeprefix('http://')}"
    return url


@contextmanager
def _alone_at(host: str, asked: dict[str, float]) -> Iterator[None]:
    """One question to a host at a time, over all workers, and not one right after the other: an advisory lock of the
    session, which goes when the process goes. Raises Temporary while another job asks there."""
    key = int.from_bytes(hashlib.sha256(f"tender-documents:{host}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        if not cursor.fetchone()[0]:
            raise Temporary(f"Another document of {host} is being fetched.", retry_after_s=BUSY_FOR_S)
    try:
        time.sleep(max(0.0, asked.get(host, 0.0) + PAUSE_S - time.monotonic()))
        yield
    finally:
        asked[host] = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _stored(file: IO[bytes]) -> StoredContent:
    """The bytes, kept once: of two jobs that bring the same, the first one's row stands. Raises Refused."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while block := file.read(1024 * 1024):
        digest.update(block)
        size += len(block)
    if not size:
        raise Refused("The publisher's server sent an empty file.")
    sha256 = digest.hexdigest()
    storage = StoredContent._meta.get_field("file").storage
    known = StoredContent.objects.filter(pk=sha256).first()
    if known is not None and storage.exists(known.file.name or ""):
        return known
    file.seek(0)
    made = StoredContent(sha256=sha256, size=size)
    name = storage.save(made.file.field.generate_filename(made, sha256), File(file))
    content, is_new = StoredContent.objects.get_or_create(sha256=sha256, defaults={"size": size, "file": name})
    if not is_new and content.file.name != name:
        if storage.exists(content.file.name or ""):
            storage.delete(name)
        else:
            StoredContent.objects.filter(pk=sha256).update(file=name)
    return content


def safe_name(answer: Download, title: str) -> str:
    """A name that every system takes: the server's, else of the address or the title, with an ending by its type."""
    name = PurePath(answer.filename.replace("\\", "/")).name
    name = "".join(letter for letter in _RESERVED.sub("_", name) if letter.isprintable()).strip(" .")
    if not PurePath(name).suffix or name == "notices":
        ending = mimetypes.guess_extension(answer.content_type) or ""
        told = "".join(letter for letter in _RESERVED.sub("_", title) if letter.isprintable()).strip(" .")
        name = f"{(told or name or 'document')[:150]}{ending}"
    stem, ending = PurePath(name).stem[:170], PurePath(name).suffix[:20]
    return f"{stem}{ending}" or "document"


def carry(*, documents: TenderDocumentQuerySet, project_id: UUID, actor_id: UUID) -> int:
    """Into the project, as documents that are not read: which of them is the bill, a person says. The same content
    twice is one document there. How many are there now."""
    project, actor = Project.objects.filter(pk=project_id).first(), User.objects.filter(pk=actor_id).first()
    if project is None or actor is None:
        return 0
    carried = 0
    for document in documents.select_related("content"):
        try:
            with open_document(document) as stored:
                upload_document(
                    project_id=project.pk,
                    actor=actor,
                    file=File(stored, name=document.filename),
                    filename=document.filename,
                    kind=Document.Kind.OTHER,
                )
            carried += 1
        except (Missing, Refused) as error:  # whoever asked may write there no more; or the file is gone
            log.warning("document_not_carried", document=str(document.pk), error=str(error))
    return carried


def record_failure(*, tender_id: UUID, organisation_id: UUID, message: str) -> None:
    """Whatever ended the job: what waits still says so."""
    waiting = TenderDocument.objects.filter(tender_id=tender_id, organisation_id=organisation_id, state=State.WAITING)
    waiting.filter(error="").update(error=(message or "It was cancelled.")[:500])
    waiting.update(state=State.FAILED)
