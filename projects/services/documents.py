"""Uploads: stored by content hash, then read by a job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.template.defaultfilters import filesizeformat

from jobs.events import publish_on_commit
from jobs.models import Job
from jobs.services import enqueue

from ..entities import tell_document
from ..exceptions import Conflict, FileTooLarge, Refused
from ..models import Document, Project
from . import activity
from .access import editable_project
from .document_text import queue_text
from .filetypes import MODEL, file_type_of
from .superseding import is_in_budget
from .versions import locked_project

if TYPE_CHECKING:
    from accounts.models import User

PARSE, READ_MODEL = activity.PARSE, activity.READ_MODEL
UNREAD = (
    "This file is kept with the project; no positions are made from it. Building models (IFC) make positions in "
    "projects whose quantities come from drawings: choose that in the project's settings."
)


@dataclass(frozen=True, slots=True)
class Upload:
    document: Document
    job: Job | None  # None: the file is there already and has been read
    is_new: bool


def upload_document(
    *,
    project_id: UUID,
    actor: User,
    file: File[bytes],
    filename: str,
    kind: str = Document.Kind.BILL,
    options: dict[str, Any] | None = None,
) -> Upload:
    """Store a file and queue its reading. The same content twice in a project is one document: read once if it was
    read, again if that failed.

    `options` go to the reading job: `mapping` (columns of a plain table), `replaces` (id of the document whose
    positions this one supersedes), `accept_difference` (import although the totals do not reconcile), `dialect` (read
    it as this one), `preview_only` (show what is in it, without putting it into the budget).
    Raises FileTooLarge, Refused("empty_file" | "replaces_unknown" | "no_preview"), ProjectNotFound, ReadOnly.
    """
    project = editable_project(project_id=project_id, user=actor)
    _check_replaced(project_id=project.pk, options=options)
    _check_size(file)
    digest = _sha256(file)
    file_type, mime_type, kind = _known(file, kind, options)
    existing = Document.objects.filter(project=project, sha256=digest).first()
    if existing:
        if kind == Document.Kind.BILL and existing.kind != kind:  # it came along with others
            Document.objects.filter(pk=existing.pk).update(kind=kind)
            existing.kind = kind
        return _again(document=existing, actor=actor, options=options)
    document = Document(
        project=project, uploaded_by=actor, original_filename=_safe_name(filename), kind=kind, file_type=file_type,
        mime_type=mime_type, size=file.size, sha256=digest,
    )  # fmt: skip
    document.file.save(document.original_filename, file, save=False)  # files before, and outside, the transaction
    return _insert(document=document, actor=actor, options=options)


def _known(file: File[bytes], kind: str, options: dict[str, Any] | None) -> tuple[str, str, str]:
    """(type, MIME type, kind) by the content; a building model is a drawing, whatever it was sent as."""
    file_type, mime_type = file_type_of(file.read(4096))
    file.seek(0)
    if file_type != MODEL:
        return file_type, mime_type, kind
    if (options or {}).get("preview_only"):
        message = "A building model can't be looked at first. Upload it as it is: an earlier version can be restored."
        raise Refused(message, code="no_preview")
    return file_type, mime_type, Document.Kind.DRAWING


def makes_positions(document: Document) -> bool:
    """Whether a job reads it: bills always; building models where the quantities come from drawings."""
    if document.file_type == MODEL:
        return document.project.workflow == Project.Workflow.FROM_DRAWINGS
    return document.kind == Document.Kind.BILL


def _check_size(file: File[bytes]) -> None:
    size = file.size or 0
    if size > settings.UPLOAD_LIMIT_BYTES:
        limit = filesizeformat(settings.UPLOAD_LIMIT_BYTES)
        message = f"This file has {filesizeformat(size)}; the limit is {limit}. Split the bill by building object."
        raise FileTooLarge(message, extra={"limit_bytes": settings.UPLOAD_LIMIT_BYTES})
    if size == 0:
        raise Refused("This file is empty. Export the bill again and upload the new file.", code="empty_file")


def _insert(*, document: Document, actor: User, options: dict[str, Any] | None) -> Upload:
    """Row and job together; if the same content arrived twice at once, the other one is the document."""
    try:
        with transaction.atomic():
            document.save(force_insert=True)
            is_read = makes_positions(document)
            job = queue_reading(document=document, actor=actor, options=options) if is_read else None
            if not is_read:
                queue_text(document=document, actor=actor)
            announce_document(document)
            from .filestore.mirroring import mirror  # by way of versions and imports it needs this module

            mirror(project_id=document.project_id)
    except BaseException as error:
        document.file.delete(save=False)
        same = Document.objects.filter(project_id=document.project_id, sha256=document.sha256)
        existing = same.first() if isinstance(error, IntegrityError) else None
        if existing is None:
            raise
        return _again(document=existing, actor=actor, options=options)
    return Upload(document, job, is_new=True)


def read_again(*, document_id: UUID, actor: User, options: dict[str, Any] | None = None) -> Upload:
    """Read a stored bill once more: after a mapping was confirmed, or a failure was looked into.

    Raises Conflict("already_read") when its positions are in the budget.
    """
    from .access import visible_document

    document = visible_document(document_id=document_id, user=actor)
    editable_project(project_id=document.project_id, user=actor)
    _check_replaced(project_id=document.project_id, options=options)
    upload = _again(document=document, actor=actor, options=options)
    if upload.job is None:
        if not makes_positions(document):
            raise Refused(UNREAD, code="not_read_here")
        raise Conflict("This document has been read already; its positions are in the budget.", code="already_read")
    return upload


def _check_replaced(*, project_id: UUID, options: dict[str, Any] | None) -> None:
    """A document of another project, or none at all, would be superseded by silently adding every position again."""
    replaced = (options or {}).get("replaces")
    if replaced and not Document.objects.filter(pk=replaced, project_id=project_id).exists():
        raise Refused("The document to be replaced is not in this project.", code="replaces_unknown")


def _again(*, document: Document, actor: User, options: dict[str, Any] | None) -> Upload:
    """Read what was never read, or what the budget has lost since (an earlier version was restored)."""
    if not makes_positions(document):
        return Upload(document, None, is_new=False)
    with transaction.atomic():
        locked_project(project_id=document.project_id)  # or its reading could end between this look and the next step
        document.refresh_from_db(fields=["parse_status"])
        is_read = document.parse_status == Document.ParseStatus.COMPLETED and is_in_budget(document)
        if is_read and not _asks_for_more(document, options):
            return Upload(document, None, is_new=False)
        job = queue_reading(document=document, actor=actor, options=options)
    return Upload(document, job, is_new=False)


def _asks_for_more(document: Document, options: dict[str, Any] | None) -> bool:
    """Whether a document that is in the budget shall be looked at again, or read as another dialect."""
    given = options or {}
    return bool(given.get("preview_only")) or given.get("dialect", document.parser) != document.parser


def queue_reading(*, document: Document, actor: User | None, options: dict[str, Any] | None) -> Job:
    """Inside the caller's transaction. One active reading a document (dedupe key)."""
    Document.objects.filter(pk=document.pk).update(
        parse_status=Document.ParseStatus.PENDING, parse_error="", parse_error_code=""
    )
    kind = READ_MODEL if document.file_type == MODEL else PARSE
    job = enqueue(
        kind=kind,
        params={"document_id": str(document.pk), "actor_id": str(actor.pk) if actor else None, **(options or {})},
        actor=actor,
        organisation=document.project.organisation,
        subject=("project", document.project_id),
        about=f"{document.project.name}: {document.original_filename}",
        dedupe_key=f"{kind}:{document.pk}",
    )
    activity.show_activity(project_id=document.project_id)
    return job


def announce_document(document: Document) -> None:
    """On commit: a document has come, or has been read."""
    publish_on_commit(
        f"project:{document.project_id}",
        "document_uploaded",
        {
            "project_id": str(document.project_id),
            "document_id": str(document.pk),
            "filename": document.original_filename,
            "size": document.size,
        },
    )
    tell_document(document.pk)


def _sha256(file: File[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _safe_name(filename: str) -> str:
    """The last part of whatever path was sent, without control characters, at most 255 long."""
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(char for char in name if char.isprintable())[:255] or "upload"
