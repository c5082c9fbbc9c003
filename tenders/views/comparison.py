"""The model's reading of a tender beside that of the rules; and having it read again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import costly
from accounts.pages import PageRequest, page

from ..services import comparing, modelling, runs
from ..services.access import acting_organisation, may_write, visible_tender
from ..services.contrast import factors_of, found_by


@page
@require_safe
def comparison(request: PageRequest, tender_id: UUID) -> HttpResponse:
    """Part of the tender's page, fetched by it: the rules read the tender for it. A page of its own without script."""
    tender = visible_tender(tender_id=tender_id, user=request.user)
    organisation = acting_organisation(request.user)
    compared = comparing.comparison(tender, organisation.pk) if organisation else None
    context: dict[str, Any] = {
        "tender": tender,
        "organisation": organisation,
        "compared": compared,
        "has_model": modelling.is_configured(),
        "may_write": may_write(request.user, organisation),
    }
    if compared:
        context |= {"factors": factors_of(compared), "found": found_by(compared)}
    template = "tenders/_comparison.html" if request.htmx else "tenders/comparison.html"
    return render(request, template, context)


@page
@require_POST
@costly
def read(request: PageRequest, tender_id: UUID) -> HttpResponse:
    """Have it read now, by the model if there is one; the page shows when it is done."""
    runs.read_again(actor=request.user, tender_id=tender_id)
    return redirect(f"{reverse('tenders:detail', args=[tender_id])}#relevance")
