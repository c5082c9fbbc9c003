"""Exports of a project: asked for here, watched while they are made, downloaded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import ExportRefused
from ..models import BudgetVersion, ProjectExport
from ..services import exporting
from .answers import done, go
from .states import opened

LISTED = 60
VERSIONS_LISTED = 100
CONTENT_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "xml": "application/xml",
    "x84": "application/xml",
    "x86": "application/xml",
    "pdf": "application/pdf",
}
WORDS = {
    "priced": "Prices of the version go into the price cells of the file the client sent. Its formulas, styles and "
    "locks stay. For a GAEB tender (X83) it is the bid (X84).",
    "xlsx": "All positions in one sheet, totals as formulas, and the sums.",
    "csv": "All fields, for other programs.",
    "unixml": "For Czech estimating programs; with measure sheets.",
    "gaeb_x84": "The bid: prices by number, without texts and quantities.",
    "gaeb_x86": "The contract: numbers, texts, quantities and prices.",
    "pdf": "Totals, traffic light, the findings with most money, what was not checked. To be handed on.",
}
# What a report's figures mean, where they are not 0. The rest of the report is for clients of the API.
NOTES = {
    "totals_written": "typed totals and sums were put right",
    "formulas_left": "formulas are computed when the file is opened",
    "was_locked": "of the cells written are locked in the file",
    "notes": "rows without figures are written as notes",
    "cut": "texts were too long for a cell and are cut",
    "recoded": "codes had two texts, or none: they were given one of their own",
    "other_vat": "positions have a rate of VAT that the format has no word for",
    "figures_left": "figures of measure sheets could not be written",
    "uncounted": "positions count in no total; this format has no word for that",
    "fifteen_digits": "figures have more digits than a spreadsheet holds and are rounded to fifteen",
    "rounded": "figures were rounded to three digits",
    "alternatives": "alternatives: which group they belong to is not known",
    "unpriced": "positions have no price",
}


@page
@require_http_methods(["GET", "POST"])
@costly
def exports(request: PageRequest, project_id: UUID) -> HttpResponse:
    """GET: what can be exported, and what has been. POST: have it made (kind, version, document, options)."""
    if request.method == "POST":
        export, _ = exporting.start_export(project_id=project_id, actor=request.user, **_asked(request))
        return go(request, f"{export.filename} is being made.", reverse("projects:exports", args=[project_id]))
    project, context = opened(request, project_id, tab="exports")
    found = ProjectExport.objects.filter(project=project).select_related("created_by", "document")[:LISTED]
    running = {shown.job.pk: shown.job for shown in context["jobs"]}
    versions = BudgetVersion.objects.filter(project=project).only("number", "created_at", "total_cost", "project")
    documents = exporting.writable_documents(project) if context["can_edit"] else []
    kinds = [(value, label, WORDS[value]) for value, label in ProjectExport.Kind.choices]
    context |= {
        "exports": [_row(export, running) for export in found],
        "kinds": kinds if documents else kinds[1:],
        "documents": documents,
        "versions": versions.order_by("-number")[:VERSIONS_LISTED],
        "delimiters": exporting.DELIMITERS,
        "kept_days": settings.PROJECT_EXPORTS_KEPT_DAYS,
    }
    return render(request, "projects/exports.html", context)


def _asked(request: PageRequest) -> dict[str, Any]:
    version, document = request.POST.get("version", ""), request.POST.get("document", "")
    if version and (not version.isdecimal() or len(version) > 9):
        raise ExportRefused("A version is a number: 1, 2, …", code="version_not_found")
    try:
        document_id = UUID(document) if document else None
    except ValueError as error:
        raise ExportRefused("The document is not in this project.", code="document_not_found") from error
    return {
        "kind": request.POST.get("kind", ""),
        "version": int(version) if version else None,
        "document_id": document_id,
        "options": {
            "delimiter": request.POST.get("delimiter", ""),
            "bom": request.POST.get("bom", "") == "yes",
            "into_locked": request.POST.get("into_locked", "") == "yes",
        },
    }


def _row(export: ProjectExport, running: dict[UUID, Any]) -> dict[str, Any]:
    report = export.report or {}
    skipped: dict[str, int] = report.get("skipped_count", {})
    return {
        "export": export,
        "job": running.get(export.job_id) if export.job_id else None,
        "notes": [(report[name], words) for name, words in NOTES.items() if report.get(name)],
        "units": report.get("units") or {},
        "skipped": [(reason, many, report["skipped"].get(reason, [])[:8]) for reason, many in skipped.items()],
        "own_sums": [(place, *sums) for place, sums in (report.get("own_sums") or {}).items()][:10],
        "report": report,
    }


@page
@require_safe
def download(request: PageRequest, project_id: UUID, export_id: UUID) -> HttpResponseBase:
    return export_file(exporting.visible_export(project_id=project_id, export_id=export_id, user=request.user))


def export_file(export: ProjectExport) -> FileResponse:
    """To be kept, never shown by the browser: others wrote what is in it. Raises ExportMissing."""
    suffix = export.filename.rpartition(".")[2].lower()
    return FileResponse(
        exporting.open_file(export),
        as_attachment=True,
        filename=export.filename,
        content_type=CONTENT_TYPES.get(suffix, "application/octet-stream"),
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


@page
@require_POST
def delete(request: PageRequest, project_id: UUID, export_id: UUID) -> HttpResponse:
    exporting.delete_export(project_id=project_id, export_id=export_id, actor=request.user)
    return done(request, "Deleted.", reverse("projects:exports", args=[project_id]))
