"""The search page: words, facets, hits; the address holds the state, and each change fetches its part alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from accounts.pages import PageRequest, page

from .. import cpv
from ..exceptions import BadFilter
from ..models import Score, Source, Tender
from ..services import paging
from ..services.access import acting_organisation, may_write
from ..services.duplicates import with_duplicates
from ..services.facets import facets_of
from ..services.profiles import profile_of
from ..services.searchfields import TenderFilters, filters_from
from ..services.searching import search_for
from .narrowing import address, chosen_of, groups_of

PAGE = 25


@page
@require_safe
def search(request: PageRequest) -> HttpResponse:
    """With htmx: the hits with the facets, or, after a cursor, the further cards alone."""
    order = request.GET.get("order", paging.NEWEST)
    try:
        filters = filters_from(request.GET)
        found = search_for(user=request.user, filters=filters)
        shown = paging.page_of(found, order=order, size=PAGE, cursor=request.GET.get("cursor", ""))
    except BadFilter as error:
        return _refused(request, error)
    context = _cards(request, shown, filters, order)
    is_part = bool(request.htmx) and not request.htmx.history_restore_request
    if is_part and request.htmx.target == "more":
        return render(request, "tenders/_cards.html", context)
    facets = facets_of(found)
    context |= {
        "facets": facets,
        "groups": groups_of(facets, filters),
        "chosen": chosen_of(filters, order),
        "is_narrowed": bool(filters != TenderFilters()),
        "is_part": is_part,
        "save_url": reverse("tenders:search-new")
        + address(filters, paging.NEWEST).removeprefix(reverse("tenders:search")),
    }
    if is_part:
        return push_url(render(request, "tenders/_results.html", context), address(filters, order))
    return render(request, "tenders/search.html", context | _surroundings(request))


def _cards(request: PageRequest, shown: paging.TenderPage, filters: TenderFilters, order: str) -> dict[str, Any]:
    whys = _whys(request, shown.rows)
    again = with_duplicates([tender.pk for tender in shown.rows], user=request.user)
    return {
        "cards": [
            {"tender": tender, "why": whys.get(tender.pk, ""), "is_duplicate": tender.pk in again}
            for tender in shown.rows
        ],
        "next_url": address(filters, order, cursor=shown.next) if shown.next else "",
        "filters": filters,
        "order": order,
    }


def _whys(request: PageRequest, tenders: list[Tender]) -> dict[UUID, str]:
    """Of those assessed, what counted most."""
    scored = [tender.pk for tender in tenders if getattr(tender, "relevance", None)]
    if not scored:
        return {}
    found = Score.objects.filter(tender_id__in=scored, organisation=acting_organisation(request.user))
    return {
        tender_id: strongest(factors or [])
        for tender_id, factors in found.values_list("tender_id", "enrichment__result__factors")
    }


def strongest(factors: list[dict[str, Any]]) -> str:
    """The reason that counted most, for or against."""
    ranked = sorted(factors, key=lambda factor: abs(float(factor.get("contribution") or 0)), reverse=True)
    return str(ranked[0].get("why", "")) if ranked else ""


def _surroundings(request: PageRequest) -> dict[str, Any]:
    organisation = acting_organisation(request.user)
    return {
        "orders": paging.ORDERS,
        "cpv_choices": cpv.choices(),
        "profile": profile_of(organisation),
        "may_write": may_write(request.user, organisation),
        "has_sources": Source.objects.visible_to(request.user).exists(),
    }


def _refused(request: PageRequest, error: BadFilter) -> HttpResponse:
    """What is wrong with each field, in the place of the hits; htmx would not show an answer of another status."""
    told = [text for texts in error.extra.get("errors", {}).values() for text in texts]
    context: dict[str, Any] = {
        "problems": told or [str(error)],
        "filters": TenderFilters(q=request.GET.get("q", "").replace("\x00", "")[:300]),
        "order": paging.NEWEST,
        "home": reverse("tenders:search"),
    }
    if request.htmx:
        return render(request, "tenders/_results.html", context | {"is_part": False})
    return render(request, "tenders/search.html", context | _surroundings(request), status=400)
