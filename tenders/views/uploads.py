"""Files of notices: uploading them, and what came of each import."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page, wants_json
from jobs.models import Job

from ..exceptions import ImportMissing, NotANoticeFile
from ..models import Import, Rejection, Source
from ..services.access import acting_organisation, may_write
from ..services.columns import has_columns
from ..services.rows import QUALITY_FIELDS
from ..services.uploads import upload_notices

LISTED = 20
REJECTIONS_SHOWN = 100
FIELD_WORDS = {
    "description": "Description",
    "country": "Country",
    "buyer_name": "Buyer",
    "cpv_main": "CPV",
    "value_amount": "Value",
    "published_at": "Date of publication",
    "deadline_at": "Deadline",
}


@page
@require_safe
def imports(request: PageRequest) -> HttpResponse:
    """The latest files, and a place to drop another."""
    organisation = acting_organisation(request.user)
    found = Import.objects.visible_to(request.user).select_related("source", "started_by").order_by("-started_at")
    context = {
        "imports": found[:LISTED],
        "organisation": organisation,
        "may_write": may_write(request.user, organisation),
        "own_sources": Source.objects.changeable_by(request.user).filter(
            kind=Source.Kind.UPLOAD, organisation=organisation
        ),
    }
    return render(request, "tenders/imports.html", context)


@page
@require_POST
@costly
def upload(request: PageRequest) -> HttpResponse:
    """One file as form data, into the source chosen by id or named anew; then to the page of its import."""
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        raise NotANoticeFile("No file arrived. Choose a file of notices.", code="no_file")
    record, _ = upload_notices(
        actor=request.user,
        file=file,
        filename=file.name or "upload",
        source_id=_chosen(request.POST.get("source", "")),
        source_name=request.POST.get("name", "").replace("\x00", "").strip()[:120],
    )
    url = reverse("tenders:import", args=[record.pk])
    if wants_json(request):
        return JsonResponse({"url": url, "message": f"{record.filename} is uploaded."}, status=201)
    messages.success(request, f"{record.filename} is uploaded.")
    return redirect(url)


def _chosen(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


@page
@require_safe
def import_detail(request: PageRequest, import_id: UUID) -> HttpResponse:
    """Live while it runs; then how good the file was, and what of it could not be read."""
    found = Import.objects.visible_to(request.user).select_related("source", "started_by")
    record = found.filter(pk=import_id).first()
    if record is None:
        raise ImportMissing("There is no such import.")
    job = Job.objects.visible_to(request.user).filter(pk=record.job_id).first() if record.job_id else None
    rejections = Rejection.objects.visible_to(request.user).filter(imported_by=record).order_by("number")
    context = {
        "record": record,
        "job": job,
        "is_over": record.status in (Import.Status.COMPLETED, Import.Status.FAILED),
        "quality": quality_of(record),
        "flags": {name: count for name, count in sorted(record.quality.items()) if name not in QUALITY_FIELDS},
        "rejections": rejections[:REJECTIONS_SHOWN],
        "rejections_shown": REJECTIONS_SHOWN,
        "columns_url": _columns_url(request, record),
    }
    return render(request, "tenders/import.html", context)


def _columns_url(request: PageRequest, record: Import) -> str:
    """Where its columns can be chosen, for those who may; "" where there are none."""
    if not has_columns(record):
        return ""
    may_change = Source.objects.changeable_by(request.user).filter(pk=record.source_id).exists()
    return reverse("tenders:columns", args=[record.pk]) if may_change else ""


def quality_of(record: Import) -> list[dict[str, Any]]:
    """Of the tenders that the file brought or changed: how many state each field. [] if it did neither."""
    # A tender counts once a batch, so that those it changed are between none and `updated`: the fullest field tells.
    total = max(record.created, *(record.quality.get(name, 0) for name in QUALITY_FIELDS))
    if not total:
        return []
    return [
        {"words": FIELD_WORDS[name], "count": record.quality.get(name, 0), "share": record.quality.get(name, 0) / total}
        for name in QUALITY_FIELDS
    ]
