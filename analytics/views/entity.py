"""An entity: what was asked for of it and when, what led there, what goes with it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..registry import source_named
from ..services import demand_pages, demand_questions
from ..services.demand import scope_of
from . import showing


@page
@require_safe
def entity(request: PageRequest, entity_id: UUID) -> HttpResponse:
    channels, moments = demand_pages.moments_of(scope_of(request.user))
    found = demand_pages.entity(user=request.user, entity_id=entity_id)
    source = source_named(found["entity"].source)
    context = {
        **found,
        **showing.tabs(request),
        **showing.trust(moments),
        "live_on": showing.live_on(channels, moments),
        "label": source.label if source else found["entity"].entity_type,
        "led": demand_questions.led_to(user=request.user, entity_id=entity_id),
        "jobs": showing.job_rows(request),
    }
    return render(request, "analytics/entity.html", context)
