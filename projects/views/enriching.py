"""Looking up what positions cost elsewhere, and taking such a price over."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..exceptions import Refused
from ..services.access import editable_project
from ..services.enriching.enriching import start_enriching
from ..services.enriching.taking_over import take_over
from .answers import done, go, told
from .positions import position_context
from .report import lineage_of


@page
@require_POST
@costly
def enrich(request: PageRequest, project_id: UUID) -> HttpResponse:
    start_enriching(project_id=project_id, actor=request.user)
    return done(request, "Prices and codes are being looked up.", reverse("projects:detail", args=[project_id]))


@page
@require_POST
def take_over_price(request: PageRequest, project_id: UUID, lineage: UUID) -> HttpResponse:
    """`seen`: the row that the person had before them; `source`: whose price."""
    project = editable_project(project_id=project_id, user=request.user)
    seen = request.POST.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 19):
        raise Refused("Open the position again.", code="bad_seen")
    source = request.POST.get("source", "")
    version = take_over(project_id=project.pk, lineage=lineage, actor=request.user, seen=int(seen), source=source)
    message = f"Taken over: this is version {version.number}."
    if not request.htmx:
        return go(request, message, reverse("projects:position", args=[project.pk, lineage]))
    project.refresh_from_db()
    context = position_context(request, project, lineage_of(project, lineage, None)) | {"version": None}
    return told(render(request, "projects/_position.html", context), message)
