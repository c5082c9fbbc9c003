"""The certificate of an audit: asked for and downloaded."""

from __future__ import annotations

from uuid import UUID

from django.http import FileResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import Missing, Refused
from ..models import AuditRecord
from ..services import certificates
from .answers import go


@page
@require_http_methods(["GET", "HEAD", "POST"])
@costly
def certificate(request: PageRequest, project_id: UUID) -> HttpResponseBase:
    """GET: the file. POST: have it made. Of the newest audit, or of ?run=…"""
    run_id = _run_id(request)
    if request.method == "POST":
        certificates.request_certificate(project_id=project_id, actor=request.user, run_id=run_id)
        return go(request, "The certificate is being made.", reverse("projects:audit", args=[project_id]))
    return certificate_answer(certificates.certificate_file(project_id=project_id, user=request.user, run_id=run_id))


def _run_id(request: PageRequest) -> int | None:
    value = request.GET.get("run", "")
    if value and (not value.isdecimal() or len(value) > 18):
        raise Refused("run is the number of an audit.", code="invalid_run")
    return int(value) if value else None


def certificate_answer(record: AuditRecord) -> FileResponse:
    """To be kept. Raises Missing where the file has gone."""
    try:
        file = record.certificate.open("rb")
    except FileNotFoundError as error:
        raise Missing("The certificate's file is gone. Have it made again.", code="certificate_not_made") from error
    return FileResponse(
        file,
        as_attachment=True,
        filename=certificates.filename_of(record),
        content_type="application/gzip",
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )
