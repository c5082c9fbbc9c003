"""Documents of a project: upload, what became of each, reading one again with a person's word."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page, wants_json

from ..exceptions import DocumentRefused, Missing, Refused
from ..forms import MappingForm
from ..models import Document, Project
from ..parsers.bill import ParseError
from ..parsers.registry import dialect_label, dialects
from ..parsers.table_mapping import MappingProposal, propose_mapping
from ..services.access import editable_project, visible_document
from ..services.activity import READINGS
from ..services.documents import Upload, makes_positions, read_again, upload_document
from ..services.filetypes import MODEL
from ..services.importing import local_file
from ..services.previewing import checked_dialect
from ..services.superseding import counted_documents, superseded_by, twins_of
from ..services.taking_out import take_out
from .answers import done, go
from .states import described, opened

LISTED = 200


@page
@require_safe
def document_list(request: PageRequest, project_id: UUID) -> HttpResponse:
    project, context = opened(request, project_id, tab="documents")
    rows = Document.objects.filter(project=project).select_related("uploaded_by").defer("indexed_content")
    found = list(rows[:LISTED])
    jobs = {shown.job.params.get("document_id"): shown for shown in context["jobs"] if shown.job.kind in READINGS}
    context["dialects"] = dialects()
    counted = list(counted_documents(project_id=project.pk).defer("indexed_content")[:LISTED])
    twins, inside = twins_of(counted), {document.pk for document in counted}
    newer = superseded_by(found, inside)
    context["documents"] = [
        _row(project, document, jobs.get(str(document.pk)))
        | {"twin": twins.get(document.pk), "is_inside": document.pk in inside, "newer": newer.get(document.pk)}
        for document in found
    ]
    part = request.htmx and request.htmx.target == "documents"
    return render(request, "projects/_documents.html" if part else "projects/documents.html", context)


def _row(project: Project, document: Document, job: Any) -> dict[str, Any]:
    document.project = project
    data = document.extracted_data or {}
    is_read = document.parse_status == Document.ParseStatus.COMPLETED
    trouble = described(document) if makes_positions(document) and not is_read and job is None else None
    return {
        "document": document,
        "job": job,
        "trouble": trouble,
        "dialect": data.get("header", {}).get("dialect_label") or (document.parser and dialect_label(document.parser)),
        "header": {"currency": ""} | data.get("header", {}),
        "warnings": data.get("warnings", []),
        "warnings_count": data.get("warnings_count", len(data.get("warnings", []))),
        "reconciliation": data.get("reconciliation"),
        "detection": data.get("detection", {}),
        "preview": data.get("preview"),
        "looked_at": data.get("looked_at"),
        "is_read": is_read,
        "is_kept_only": document.file_type == MODEL and not makes_positions(document),
        "model": data.get("model"),
    }


@page
@require_POST
@costly
def upload(request: PageRequest, project_id: UUID) -> HttpResponse:
    """One file or several, as form data; answers JSON to a script that shows the progress of sending."""
    files = request.FILES.getlist("file")
    if not files:
        raise Refused("No file arrived. Choose a bill of quantities.", code="no_file")
    told = []
    options = {"preview_only": True} if request.POST.get("preview_only") == "yes" else None
    for file in files:
        assert isinstance(file, UploadedFile)
        outcome = upload_document(
            project_id=project_id, actor=request.user, file=file, filename=file.name or "upload", options=options
        )
        told.append(_told(outcome))
    url = reverse("projects:detail", args=[project_id])
    if wants_json(request):
        return JsonResponse({"url": url, "message": " ".join(told)}, status=201)
    return done(request, " ".join(told), url)


def _told(outcome: Upload) -> str:
    name = outcome.document.original_filename
    if outcome.job is not None:
        return f"{name} is uploaded."
    if outcome.document.file_type == MODEL and not makes_positions(outcome.document):
        return (
            f"{name} is kept as a drawing: this project's quantities come from a bill, no positions are made from it."
        )
    return f"{name} is here already and has been read."


@page
@require_safe
def download(request: PageRequest, project_id: UUID, document_id: UUID) -> HttpResponseBase:
    """The file as it was uploaded; never shown by the browser, for it came from somewhere else."""
    document = _document(request, project_id, document_id)
    try:
        stored = document.file.open("rb")
    except OSError as error:
        raise Missing("The file is no longer in the storage.", code="file_missing") from error
    return FileResponse(
        stored, as_attachment=True, filename=document.original_filename, content_type="application/octet-stream"
    )


@page
@require_POST
@costly
def read_document_again(request: PageRequest, project_id: UUID, document_id: UUID) -> HttpResponse:
    """`accept_difference`: import although the stated total and the positions do not agree; `dialect`: read it as that
    one; `preview_only`: show what is in it, and leave the budget alone."""
    document = _document(request, project_id, document_id)
    options: dict[str, Any] = {
        name: True for name in ("accept_difference", "preview_only") if request.POST.get(name) == "yes"
    }
    if name := request.POST.get("dialect", ""):
        options["dialect"] = checked_dialect(name)
    read_again(document_id=document.pk, actor=request.user, options=options or None)
    url = reverse("projects:documents", args=[project_id])
    said = "is being looked at" if "preview_only" in options else "is being read again"
    return done(request, f"{document.original_filename} {said}.", url)


@page
@require_POST
@costly
def take_document_out(request: PageRequest, project_id: UUID, document_id: UUID) -> HttpResponse:
    document = _document(request, project_id, document_id)
    version = take_out(document_id=document.pk, actor=request.user)
    message = f"{document.original_filename} is out of the budget, which is version {version.number} now."
    return done(request, message, reverse("projects:documents", args=[project_id]))


@page
@require_http_methods(["GET", "POST"])
@costly
def confirm_mapping(request: PageRequest, project_id: UUID, document_id: UUID) -> HttpResponse:
    """Which column of a plain table is what: a proposal with sample rows, to be confirmed or corrected."""
    project, context = opened(request, project_id, tab="documents")
    document = _document(request, project_id, document_id)
    editable_project(project_id=project_id, user=request.user)
    if document.parse_status == Document.ParseStatus.COMPLETED:
        raise Refused("This document has been read already; its positions are in the budget.", code="already_read")
    proposal = _proposal(document)
    letters = [column.letter for column in proposal.columns]
    form = MappingForm(
        request.POST or None, letters=letters, sheets=proposal.sheets, initial=_initial(proposal, project)
    )
    if request.method == "POST" and form.is_valid():
        layout = proposal.mapping
        mapping = form.mapping(delimiter=layout.delimiter, encoding=layout.encoding)
        read_again(document_id=document.pk, actor=request.user, options={"mapping": mapping})
        message = f"{document.original_filename} is being read with these columns."
        return go(request, message, reverse("projects:detail", args=[project_id]))
    context |= {"document": document, "proposal": proposal, "form": form, "columns": _columns(proposal, form)}
    return render(request, "projects/mapping.html", context, status=422 if form.is_bound else 200)


def _document(request: PageRequest, project_id: UUID, document_id: UUID) -> Document:
    document = visible_document(document_id=document_id, user=request.user)
    if document.project_id != project_id:
        raise Missing("There is no such document.", code="document_not_found")
    return document


def _proposal(document: Document) -> MappingProposal:
    try:
        with local_file(document) as path:
            return propose_mapping(path, document.original_filename)
    except ParseError as error:
        raise DocumentRefused(str(error), code=error.code) from error
    except OSError as error:
        raise Missing("The file is no longer in the storage. Upload it again.", code="file_missing") from error


def _initial(proposal: MappingProposal, project: Project) -> dict[str, Any]:
    mapping = proposal.mapping
    initial: dict[str, Any] = {
        "sheet": mapping.sheet,
        "header_row": mapping.header_row + 1,
        "decimal_mark": mapping.decimal_mark,
        "currency": mapping.currency or project.currency,
    }
    fields = {column: name for name, column in mapping.columns.items()}
    return initial | {f"column_{guess.column}": fields.get(guess.column, "") for guess in proposal.columns}


def _columns(proposal: MappingProposal, form: MappingForm) -> list[dict[str, Any]]:
    """For each column: its title, its select, and what stands in it below."""
    return [
        {
            "guess": guess,
            "field": field,
            "cells": [row[guess.column] if guess.column < len(row) else "" for row in proposal.sample],
        }
        for guess, field in zip(proposal.columns, form.column_fields(), strict=True)
    ]
