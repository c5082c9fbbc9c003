"""The dashboard of demand, and "refresh now"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from accounts.pacing import count_call
from accounts.pages import PageRequest, page

from ..api.demand_parameters import type_of
from ..exceptions import BadRequest
from ..registry import sources
from ..services import demand_pages
from ..services.demand import scope_of
from ..services.demand_pages import Wish
from ..streams.trends import SPANS
from . import drawing, showing

LEAST = {"0.1": "Any demand", "1": "Score 1 or more", "5": "Score 5 or more", "20": "Score 20 or more"}
DAYS = {"7": "over 7 days old", "30": "over 30 days old", "90": "over 90 days old"}
TIMEFRAMES = {"1d": "1 day", "7d": "7 days", "30d": "30 days"}
EXPORTS = {"top": "Most wanted", "trending": "Rising", "stale": "Wanted and old", "queries": "Questions"}


@page
@require_safe
def dashboard(request: PageRequest) -> HttpResponse:
    scope, wish = scope_of(request.user), wish_of(request.GET)
    channels, moments = demand_pages.moments_of(scope)
    found = demand_pages.figures(scope=scope, wish=wish, moments=moments)
    stale = found["stale"]["stale_entities"]
    context: dict[str, Any] = {
        **showing.tabs(request),
        **showing.trust(moments),
        "live_on": showing.live_on(channels, moments),
        "stats": found["stats"],
        "types": drawing.bars(found["stats"]["top_entity_types"]),
        "top": found["top"],
        "trending": [{**row, "spark": drawing.spark(row["counts"])} for row in found["trending"]["trending"]],
        "trending_total": found["trending"]["total"],
        "stale": stale,
        "stale_total": found["stale"]["total"],
        "spikes": demand_pages.recent_spikes(scope=scope)["spikes"],
        "unanswered": demand_pages.unanswered(user=request.user),
        "refreshable": _refreshable(request, [row["id"] for row in stale]),
        "jobs": showing.job_rows(request),
        "labels": {source.entity_type: source.label for source in sources()},
        **_choices(wish),
    }
    return render(request, "analytics/demand.html", context)


@page
@require_POST
def refresh(request: PageRequest) -> HttpResponse:
    """Of the entities named. Back to where one came from, which shows the job."""
    try:
        entity_ids = [UUID(each) for each in request.POST.getlist("entity")]
    except ValueError:
        raise BadRequest("One of these is no entity.") from None
    count_call(request, user_id=request.user.pk, name="expensive")
    demand_pages.refresh_now(actor=request.user, entity_ids=entity_ids)
    if not request.htmx:
        messages.info(request, "Being refreshed.")
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return redirect(back)
    return redirect("analytics:demand")


def wish_of(told: Mapping[str, str]) -> Wish:
    """What makes no sense is as if it had not been said."""
    timeframe, least, days = told.get("timeframe", ""), told.get("least", ""), told.get("days", "")
    try:
        entity_type = type_of({"entity_type": told.get("type", "")})
    except BadRequest:
        entity_type = ""
    default = Wish()
    return Wish(
        timeframe=timeframe if timeframe in SPANS else default.timeframe,
        entity_type=entity_type,
        least=float(least) if least in LEAST else default.least,
        days=int(days) if days in DAYS else default.days,
    )


def _choices(wish: Wish) -> dict[str, Any]:
    exports = {
        "top": f"&entity_type={wish.entity_type}" if wish.entity_type else "",
        "trending": f"&timeframe={wish.timeframe}",
        "stale": f"&min_demand_score={wish.least:g}&days_since_update={wish.days}",
        "queries": "&days=30",
    }
    path = reverse("demand-export")
    return {
        "wish": wish,
        "least": f"{wish.least:g}",
        "days": str(wish.days),
        "leasts": LEAST,
        "ages": DAYS,
        "timeframes": TIMEFRAMES,
        "exports": [(words, f"{path}?what={what}{exports[what]}") for what, words in EXPORTS.items()],
    }


def _refreshable(request: PageRequest, entity_ids: list[UUID]) -> set[UUID]:
    if not entity_ids:
        return set()
    rows = demand_pages.refreshable(user=request.user).filter(pk__in=entity_ids)
    return set(rows.values_list("pk", flat=True))
