"""The hits of a search as a file: asked for here, watched while it is made, downloaded."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.exceptions import Refused
from accounts.pacing import costly
from accounts.pages import PageRequest, page
from jobs.models import Job

from ..models import Export
from ..sending import export_file
from ..services import exporting
from ..services.access import acting_organisation
from ..services.paging import NEWEST, ORDERS
from ..services.searchfields import filters_from
from ..services.searching import search_tenders
from .narrowing import address, chosen_of

LISTED = 30


@page
@require_http_methods(["GET", "POST"])
@costly
def exports(request: PageRequest) -> HttpResponse:
    """GET: the search of the address, to be exported, and one's files. POST: have it made."""
    filters = filters_from(request.GET)
    order = request.GET.get("order", NEWEST)
    organisation = acting_organisation(request.user)
    organisation_id = organisation.pk if organisation else None
    if request.method == "POST":
        format = request.POST.get("format", "")
        exporting.start_export(
            actor=request.user, query=request.GET, format=format, order=order, organisation_id=organisation_id
        )
        return redirect("tenders:exports")
    if order not in ORDERS:
        raise Refused("There is no such order. Go back to the search and choose one.", code="bad_order")
    context: dict[str, Any] = {
        "rows": _rows(request),
        "formats": Export.Format.choices,
        "kept_days": settings.TENDER_EXPORTS_KEPT_DAYS,
    }
    if request.GET:
        hits = search_tenders(user=request.user, filters=filters, organisation_id=organisation_id)
        context |= {
            "is_asked": True,
            "words": filters.q,
            "parts": chosen_of(filters, order),
            "order_words": ORDERS[order],
            "count": hits.count(),
            "back": address(filters, order),
        }
    return render(request, "tenders/exports.html", context)


def _rows(request: PageRequest) -> list[dict[str, Any]]:
    """One's files, the newest first, each with its job while that goes on. Two queries."""
    found = list(Export.objects.visible_to(request.user).order_by("-created_at")[:LISTED])
    active = [export.job_id for export in found if export.status in exporting.ACTIVE and export.job_id]
    jobs = Job.objects.in_bulk(active) if active else {}
    return [
        {"export": export, "job": jobs.get(export.job_id) if export.job_id else None, **_criteria(export)}
        for export in found
    ]


def _criteria(export: Export) -> dict[str, Any]:
    """A search that this version no longer understands is shown without its words."""
    try:
        filters = filters_from(export.query)
    except Refused:
        return {"words": "", "parts": []}
    return {"words": filters.q, "parts": chosen_of(filters, NEWEST)}


@page
@require_safe
def download(request: PageRequest, export_id: UUID) -> HttpResponseBase:
    return export_file(exporting.own_export(export_id=export_id, user=request.user))


@page
@require_POST
def delete(request: PageRequest, export_id: UUID) -> HttpResponse:
    exporting.delete_export(export_id=export_id, actor=request.user)
    messages.success(request, "Deleted.")
    return redirect("tenders:exports")
