"""What language models cost, for owners of organisations and staff."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..services import spending as service
from . import showing

SPANS = {"7": "7 days", "30": "30 days", "90": "90 days"}


@page
@require_safe
def spending(request: PageRequest) -> HttpResponse:
    chosen = request.GET.get("days", "")
    days = chosen if chosen in SPANS else str(service.DAYS)
    found = service.spending(user=request.user, days=int(days))
    context = {
        **showing.tabs(request),
        "found": found,
        "chart": _chart(found),
        "asked_days": [row for row in reversed(found["by_day"]) if row["calls"]],
        "chosen": days,
        "spans": SPANS,
        "sees_all": service.sees_all(request.user),
    }
    return render(request, "analytics/spending.html", context)


def _chart(found: dict[str, Any]) -> dict[str, Any]:
    """Cost of each purpose by day, the dearest purpose first. Money as text: the page reads it for drawing alone."""
    days = [row["day"] for row in found["by_day"]]
    costs = {(row["day"], row["purpose"]): row["cost_usd"] for row in found["by_day_and_purpose"]}
    calls = {(row["day"], row["purpose"]): row["calls"] for row in found["by_day_and_purpose"]}
    purposes = [row["purpose"] for row in found["by_purpose"]]
    return {
        "labels": [f"{day:%-d %b}" for day in days],
        "series": [
            {
                "purpose": purpose,
                "cost": [str(costs.get((day, purpose), 0)) for day in days],
                "calls": [calls.get((day, purpose), 0) for day in days],
            }
            for purpose in purposes
        ],
    }
