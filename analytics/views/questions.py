"""What is asked, and what of it found nothing."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..services import demand_pages, demand_questions
from ..services.demand import scope_of
from . import showing

DAYS = {"1": "Today", "7": "7 days", "30": "30 days", "90": "90 days"}


@page
@require_safe
def questions(request: PageRequest) -> HttpResponse:
    chosen = request.GET.get("days", "")
    days = chosen if chosen in DAYS else "7"
    is_unanswered = request.GET.get("show", "") == "unanswered"
    after = request.GET.get("after", "")[:2000]
    channels, moments = demand_pages.moments_of(scope_of(request.user))
    context = {
        **showing.tabs(request),
        **showing.trust(moments),
        "live_on": showing.live_on(channels, moments),
        "asked": demand_questions.questions(
            user=request.user, days=int(days), is_unanswered=is_unanswered, after=after
        ),
        "sums": demand_questions.sums(user=request.user, days=int(days)),
        "days": days,
        "spans": DAYS,
        "is_unanswered": is_unanswered,
        "is_first": not after,
    }
    return render(request, "analytics/questions.html", context)
