"""How an organisation's training calls go, as a page: figures, charts, people; for those who coach none, their own."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.pages import PageRequest, page
from accounts.querysets import acting_organisation_id

from ..api.training_analytics import FILES, file_of
from ..services.training import organisation as analytics
from ..training_exceptions import OrganisationMissing
from .training_shell import Standing, shown, standing_of, uuid_of


@page
@require_safe
def organisation(request: PageRequest) -> HttpResponse:
    standing, period = standing_of(request), _period(request)
    if not standing.all:
        return shown(request, "training/organisation.html", {"scope": None}, standing=standing)
    scope = _scope(request, standing)
    told = analytics.figures_of(scope=scope, period=period)
    people = analytics.people_of(scope=scope, period=period, cursor=request.GET.get("cursor", ""))
    context: dict[str, Any] = {
        "scope": scope,
        "period": period,
        "periods": {name: f"{days} days" for name, days in analytics.PERIODS.items()},
        "told": told,
        "people": people,
        "is_first": not request.GET.get("cursor"),
        "files": FILES,
        "trend": _trend(told),
        "criteria": _criteria(told),
        "channel": f"user:{request.user.pk}",
    }
    return shown(request, "training/organisation.html", context, standing=standing)


@page
@require_safe
def table(request: PageRequest) -> HttpResponseBase:
    standing = standing_of(request)
    return file_of(_scope(request, standing), _period(request), request.GET.get("what", ""))


def _scope(request: PageRequest, standing: Standing) -> analytics.Scope:
    """The organisation that is named; else one that is coached; else the one acted for."""
    told = request.GET.get("organisation", "")
    wanted = uuid_of(told)
    if not told:
        wanted = standing.coached[0].pk if standing.coached else acting_organisation_id(request.user)
    elif wanted is None:
        raise OrganisationMissing("You are a member of no such organisation.")
    return analytics.scope_of(user=request.user, organisation_id=wanted)


def _period(request: PageRequest) -> str:
    told = request.GET.get("period", "")
    return told if told in analytics.PERIODS else analytics.FIRST_PERIOD


def _trend(told: analytics.Figures) -> dict[str, Any]:
    """For the chart."""
    return {
        "days": [f"{each.day.day} {each.day:%b}" for each in told.trend],
        "sessions": [each.sessions for each in told.trend],
        "closed": [each.closed for each in told.trend],
        "average": [None if each.average is None else round(each.average, 1) for each in told.trend],
    }


def _criteria(told: analytics.Figures) -> dict[str, Any]:
    rows = told.criteria
    return {
        "names": [each.name for each in rows],
        "now": [None if each.average is None else round(each.average, 1) for each in rows],
        "before": [None if each.before_average is None else round(each.before_average, 1) for each in rows],
        "calls": [each.calls for each in rows],
        "calls_before": [each.before_calls for each in rows],
    }
