"""How far one is, and how it went week by week."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page

from ..exceptions import CategoryMissing
from ..services import progress, trends


@page
@require_safe
def standing(request: PageRequest) -> HttpResponse:
    """Of all categories, or of one."""
    told = [each for each in progress.categories_of(request.user) if each.seen or each.last_exam]
    chosen = _chosen(request, told)
    weeks = trends.weeks_of(request.user, category_id=chosen.category.pk if chosen else None)
    context = {
        "categories": told,
        "chosen": chosen,
        "weeks": weeks,
        "answers": sum(week.answers for week in weeks),
        "chart": _chart(weeks, chosen),
    }
    return render(request, "quiz/progress.html", context)


def _chosen(request: PageRequest, told: list[progress.CategoryProgress]) -> progress.CategoryProgress | None:
    """CategoryMissing."""
    wanted = request.GET.get("category", "")
    found = next((each for each in told if str(each.category.pk) == wanted), None)
    if wanted and found is None:
        try:
            UUID(wanted)
        except ValueError:
            return None
        raise CategoryMissing("There is no such category, or you have not practised it.")
    return found


def _chart(weeks: list[trends.Week], chosen: progress.CategoryProgress | None) -> dict[str, Any]:
    """Shares in percent."""
    return {
        "weeks": [f"{week.monday:%-d %b}" for week in weeks],
        "answers": [week.answers for week in weeks],
        "right": [_percent(week.share) for week in weeks],
        "readiness": [_percent(week.readiness) for week in weeks] if chosen else None,
        "needed": round(100 * float(chosen.category.pass_share), 1) if chosen else None,
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)
