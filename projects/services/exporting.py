"""Exports of a project: asked for on its page or by REST, made by a job, kept for some days."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue

from ..exceptions import ExportMissing, ExportRefused
from ..models import BudgetVersion, Document, Project, ProjectExport
from .access import editable_project, visible_project

if TYPE_CHECKING:
    from accounts.models import User

EXPORT = "projects.export"
TRIM = "projects.trim_exports"
MOST_AT_ONCE = 5  # of one project
ACTIVE = (ProjectExport.Status.QUEUED, ProjectExport.Status.RUNNING)
Kind = ProjectExport.Kind
SUFFIXES = {
    Kind.XLSX: "xlsx", Kind.CSV: "csv", Kind.UNIXML: "xml", Kind.GAEB_X84: "x84", Kind.GAEB_X86: "x86", Kind.PDF: "pdf",
}  # fmt: skip
DELIMITERS = ("semicolon", "comma", "tab")
# Which clients' files prices can be written into, by content; what becomes of each.
WORKBOOK, TEXT, XML = "xlsx", "csv", "xml"
_AS_CALLED = {"ole": "xls"}  # what was read as a bill in an older Office file is a workbook
TENDERS = ("X81", "X83")
_AT_ONCE = 100


def start_export(
    *,
    project_id: UUID,
    actor: User,
    kind: str,
    version: int | None = None,
    document_id: UUID | None = None,
    options: dict[str, Any] | None = None,
) -> tuple[ProjectExport, Job]:
    """Queue a file of the current (or the named) version. The same, still being made, is returned instead of a second.

    Whoever sees the project may export it; prices into the client's file are written by those who may change it.
    `options`: of csv `delimiter` ("semicolon", "comma", "tab") and `bom`; of a client's file `into_locked`.
    Raises ProjectNotFound, ReadOnly, ExportRefused.
    """
    if kind not in Kind.values:
        raise ExportRefused(f"Choose what to export: {', '.join(Kind.values)}.", code="bad_kind")
    find = editable_project if kind == Kind.PRICED else visible_project
    project = find(project_id=project_id, user=actor)
    number = _version(project, version)
    document = _document(project, document_id) if kind == Kind.PRICED else None
    asked = {
        "kind": kind, "version_number": number, "document_id": document.pk if document else None,
        "options": _options(kind, options or {}),
    }  # fmt: skip
    with transaction.atomic():
        # Two requests for one project go one after the other.
        Project.objects.select_for_update(of=("self",), no_key=True).only("pk").get(pk=project.pk)
        active = list(ProjectExport.objects.filter(project=project, status__in=ACTIVE))
        if same := _being_made(active, asked):
            return same
        if len(active) >= MOST_AT_ONCE:
            raise ExportRefused(f"{MOST_AT_ONCE} files are being made. Wait for one of them.", code="too_many")
        export = ProjectExport(project=project, created_by=actor, **asked)
        export.filename = _filename(project, export, document)
        job = _enqueue(export, project, actor)
        export.job_id = job.pk
        export.save(force_insert=True)
    return export, job


def _being_made(active: list[ProjectExport], asked: dict[str, Any]) -> tuple[ProjectExport, Job] | None:
    for known in active:
        job = Job.objects.active().filter(pk=known.job_id).first() if known.job_id else None
        if job is not None and all(getattr(known, name) == value for name, value in asked.items()):
            return known, job
    return None


def _enqueue(export: ProjectExport, project: Project, actor: User) -> Job:
    return enqueue(
        kind=EXPORT,
        params={"export_id": str(export.pk)},
        actor=actor,
        organisation=project.organisation,
        subject=("project", project.pk),
        about=f"{project.name}: {export.filename}",
    )


def _version(project: Project, version: int | None) -> int:
    if project.version_number == 0:
        raise ExportRefused("There is nothing to export yet. Upload a bill of quantities first.", code="nothing")
    number = project.version_number if version is None else version
    found = BudgetVersion.objects.filter(project=project, number=number).only("total_positions").first()
    if found is None:
        raise ExportRefused(f"This project has no version {number}.", code="version_not_found")
    if found.total_positions == 0:
        raise ExportRefused(f"Version {number} has no positions.", code="nothing")
    return number


def _document(project: Project, document_id: UUID | None) -> Document:
    """The client's file; the only one there is, if none is named."""
    if document_id is None:
        candidates = writable_documents(project)
        if len(candidates) != 1:
            message = "Say into which of the project's documents the prices are to be written."
            raise ExportRefused(message, code="document_needed")
        return candidates[0]
    document: Document | None = Document.objects.filter(project=project, pk=document_id).first()
    if document is None:
        raise ExportRefused("The document is not in this project.", code="document_not_found")
    if why := why_not_writable(document):
        raise ExportRefused(why, code="not_writable")
    return document


def writable_documents(project: Project) -> list[Document]:
    """Those that prices can be written into, newest first. One query."""
    read = Document.objects.filter(
        project=project, kind=Document.Kind.BILL, parse_status=Document.ParseStatus.COMPLETED
    ).defer("indexed_content")
    return [document for document in read.order_by("-created_at")[:200] if not why_not_writable(document)]


def why_not_writable(document: Document) -> str:
    """ "" where prices can be written into it; else what to do instead."""
    if document.parse_status != Document.ParseStatus.COMPLETED:
        return "This document has not been read into the budget."
    phase = document.extracted_data.get("header", {}).get("phase", "")
    if document.parser == "gaeb_xml":
        if phase in TENDERS:
            return ""
        return f"A GAEB file {phase} takes no prices. Export a bid (X84) or a contract (X86) instead."
    if document.parser == "unixml" or document.file_type in (WORKBOOK, TEXT):
        return ""
    kind = _AS_CALLED.get(document.file_type, document.file_type) or document.parser
    return (
        f"Prices can't be written into a file of this kind ({kind}). Save the client's file as .xlsx and upload that, "
        "or export the budget as xlsx, uniXML or GAEB."
    )


def _options(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Only what the kind knows, with its defaults. Raises ExportRefused."""
    if kind == Kind.CSV:
        delimiter = given.get("delimiter") or DELIMITERS[0]
        if delimiter not in DELIMITERS:
            raise ExportRefused(f"The delimiter is one of {', '.join(DELIMITERS)}.", code="bad_option")
        return {"delimiter": delimiter, "bom": bool(given.get("bom", True))}
    if kind == Kind.PRICED:
        return {"into_locked": bool(given.get("into_locked", False))}
    return {}


def _filename(project: Project, export: ProjectExport, document: Document | None) -> str:
    if document is not None:
        own = PurePath(document.original_filename)
        is_tender = document.parser == "gaeb_xml"
        suffix = ".x84" if is_tender else own.suffix[:10]
        return f"{own.stem[:180]} - priced v{export.version_number}{suffix}"
    name = "".join(" " if char in '\\/:*?"<>|' or not char.isprintable() else char for char in project.name)
    middle = " - report" if export.kind == Kind.PDF else ""
    return (
        f"{' '.join(name.split())[:150] or 'budget'}{middle} - v{export.version_number}.{SUFFIXES[Kind(export.kind)]}"
    )


def visible_export(*, project_id: UUID, export_id: UUID, user: User) -> ProjectExport:
    """Raises ExportMissing (404), for strangers too."""
    found: ProjectExport | None = (
        ProjectExport.objects.visible_to(user).filter(project_id=project_id, pk=export_id).first()
    )
    if found is None:
        raise ExportMissing("There is no such export. Files are kept for some days only.")
    return found


def open_file(export: ProjectExport) -> IO[bytes]:
    """Raises ExportMissing, for one that is not there yet, too."""
    try:
        if export.status != ProjectExport.Status.COMPLETED:
            raise FileNotFoundError
        opened: IO[bytes] = export.file.open("rb")
    except OSError as error:
        raise ExportMissing("This file is not there, or no longer. Have it made again.") from error
    return opened


def delete_export(*, project_id: UUID, export_id: UUID, actor: User) -> None:
    """One's own, or any of those who may change the project. Refused while it is being made."""
    export = visible_export(project_id=project_id, export_id=export_id, user=actor)
    if export.created_by_id != actor.pk:
        editable_project(project_id=project_id, user=actor)
    if export.status in ACTIVE:
        raise ExportRefused("This file is being made. Cancel its job first.", code="being_made")
    name = _stored_name(export)
    export.delete()  # the row first: a row without its file would offer what is not there
    ProjectExport._meta.get_field("file").storage.delete(name)


def _stored_name(export: ProjectExport) -> str:
    """Also of a failed one: an attempt that was killed may have stored its file without a word in the row."""
    return export.file.name or str(export.file.field.generate_filename(export, export.filename))


def record_failure(*, export_id: UUID, message: str) -> None:
    """Whatever ended the job, a crash included. One that has ended keeps its own words."""
    ProjectExport.objects.filter(pk=export_id, status__in=ACTIVE).update(
        status=ProjectExport.Status.FAILED, error=(message or "It was cancelled.")[:500], finished_at=timezone.now()
    )


def trim_exports(*, now: datetime | None = None) -> dict[str, int]:
    """Remove files older than PROJECT_EXPORTS_KEPT_DAYS, but none being made. The row before its file; each piece is a
    transaction of its own, a second run goes on."""
    before = (now or timezone.now()) - timedelta(days=settings.PROJECT_EXPORTS_KEPT_DAYS)
    storage = ProjectExport._meta.get_field("file").storage
    removed = 0
    while True:
        with transaction.atomic():
            old = ProjectExport.objects.filter(created_at__lt=before).exclude(status__in=ACTIVE)
            locked = old.select_for_update(skip_locked=True, of=("self",)).order_by("pk")
            rows = list(locked.only("pk", "project_id", "file", "filename")[:_AT_ONCE])
            ProjectExport.objects.filter(pk__in=[export.pk for export in rows]).delete()
        for export in rows:
            storage.delete(_stored_name(export))
        removed += len(rows)
        if len(rows) < _AT_ONCE:
            return {"removed": removed}
