"""Saved searches: keeping the present one, coming back to it, what one wants to be told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.exceptions import Refused
from accounts.pages import PageRequest, page
from config.api.throttles import TooManyCalls, begin_unproved
from config.throttling.windows import give_back

from ..exceptions import BadFilter, SearchExists, SearchMissing
from ..forms import SavedSearchForm
from ..models import SavedSearch
from ..services import saved_searches, unsubscribing
from ..services.paging import NEWEST
from ..services.searchfields import filters_from
from .narrowing import address, chosen_of


@page
@require_safe
def listing(request: PageRequest) -> HttpResponse:
    """One's own, each with how many tenders are new in it."""
    rows = [_row(search, request) for search in SavedSearch.objects.visible_to(request.user).order_by("name")]
    return render(request, "tenders/searches.html", {"rows": rows})


def _row(search: SavedSearch, request: PageRequest) -> dict[str, Any]:
    """A search that this version no longer understands is shown, to be deleted."""
    try:
        filters = filters_from(search.query)
        most = saved_searches.MOST_COUNTED
        news = saved_searches.news_of(search, user=request.user).values("pk")[: most + 1].count()
    except BadFilter as error:
        return {"search": search, "trouble": str(error)}
    return {
        "search": search,
        "words": filters.q,
        "parts": chosen_of(filters, NEWEST),
        "news": f"{most}+" if news > most else news,
        "has_news": bool(news),
    }


@page
@require_http_methods(["GET", "POST"])
def new(request: PageRequest) -> HttpResponse:
    """The search of the address, to be given a name."""
    filters = filters_from(request.GET)
    form = SavedSearchForm(request.POST or None, initial={"name": filters.q[:120], "is_alerting": True})
    if request.method == "POST" and form.is_valid():
        try:
            saved_searches.save_search(actor=request.user, query=request.GET, **form.cleaned_data)
        except SearchExists as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("tenders:searches")
    context = {
        "form": form,
        "words": filters.q,
        "parts": chosen_of(filters, NEWEST),
        "back": address(filters, NEWEST),
    }
    return render(request, "tenders/search_new.html", context, status=422 if form.is_bound else 200)


@page
@require_safe
def open_search(request: PageRequest, search_id: UUID) -> HttpResponse:
    """To its hits, the newest first; what is among them is no news any more."""
    search = saved_searches.look(search_id=search_id, actor=request.user)
    return redirect(address(filters_from(search.query), NEWEST))


@page
@require_POST
def change(request: PageRequest, search_id: UUID) -> HttpResponse:
    wanted = request.POST.get("alerts", "")
    if wanted not in ("none", "here", "email"):
        raise Refused("Say whether you want to be told, and how.", code="bad_choice")
    saved_searches.set_alerts(
        search_id=search_id, actor=request.user, is_alerting=wanted != "none", by_email=wanted == "email"
    )
    messages.success(request, "Kept.")
    return redirect("tenders:searches")


@page
@require_POST
def delete(request: PageRequest, search_id: UUID) -> HttpResponse:
    saved_searches.delete_search(search_id=search_id, actor=request.user)
    messages.success(request, "Deleted.")
    return redirect("tenders:searches")


@csrf_exempt  # a mail program presses the button for its user, without a session (RFC 8058)
@require_http_methods(["GET", "POST"])
def stop_mails(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in an e-mail: looking ends nothing, for mail programs look at links by themselves; the button
    does."""
    try:
        guessed = begin_unproved(request)
        user = unsubscribing.user_of(token)
        give_back(guessed)
    except SearchMissing as error:
        raise Http404(str(error)) from error
    except TooManyCalls as error:
        wait = str(error.extra.get("retry_after_s", 60))
        return HttpResponse(str(error), status=429, content_type="text/plain", headers={"Retry-After": wait})
    names = unsubscribing.mailing_searches(user)
    if request.method == "POST":
        unsubscribing.stop_mails(user)
    context = {"names": names, "is_done": request.method == "POST"}
    response = render(request, "tenders/alerts_stop.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response
