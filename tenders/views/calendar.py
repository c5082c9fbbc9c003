"""The address of one's deadlines, and the calendar that stands there."""

from __future__ import annotations

import hashlib
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_safe

from accounts.exceptions import Refused
from accounts.pacing import count_call
from accounts.pages import PageRequest, page
from config.api.throttles import TooManyCalls, begin_unproved
from config.throttling.windows import give_back

from ..exceptions import CalendarMissing
from ..models import SavedSearch
from ..services import calendars
from ..services.access import acting_organisation
from ..services.ical import CONTENT_TYPE


@page
@require_http_methods(["GET", "POST"])
def calendar(request: PageRequest) -> HttpResponse:
    if request.method == "POST":
        return _act(request)
    organisation = acting_organisation(request.user)
    feed = calendars.feed_of(actor=request.user)
    address = calendars.address_of(feed) if feed else ""
    context = {
        "organisation": organisation,
        "feed": feed,
        "address": address,
        "webcal": f"webcal:{address.partition(':')[2]}",
        "searches": SavedSearch.objects.visible_to(request.user).filter(organisation=organisation).order_by("name"),
        "reminders": calendars.REMINDERS,
    }
    return render(request, "tenders/calendar.html", context)


def _act(request: PageRequest) -> HttpResponse:
    action = request.POST.get("action")
    if action == "renew":
        calendars.renew(actor=request.user)
        messages.success(request, "This is the new address. The old one opens nothing any more.")
    elif action == "close":
        calendars.close_feed(actor=request.user)
        messages.success(request, "The address opens nothing any more.")
    elif action == "open":
        calendars.open_feed(
            actor=request.user,
            remind_days=_number(request.POST.get("remind_days", "")),
            search_id=_chosen(request.POST.get("search", "")),
        )
        messages.success(request, "Kept.")
    else:
        raise Refused("There is no such action.", code="no_such_action")
    return redirect("tenders:calendar")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


def _chosen(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise CalendarMissing("There is no such saved search.") from None


@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """For calendar programs: no session, the address is what proves them. Guessing counts against where it comes from,
    reading against the feed's owner."""
    try:
        guessed = begin_unproved(request)
        found = calendars.feed_by_secret(secret)
        give_back(guessed)
        count_call(request, user_id=found.user_id, name="user")
    except CalendarMissing as error:
        raise Http404(str(error)) from error
    except TooManyCalls as error:
        wait = str(error.extra.get("retry_after_s", 60))
        return HttpResponse(str(error), status=429, content_type="text/plain", headers={"Retry-After": wait})
    body = calendars.read_feed(found)
    answer = HttpResponse(body, content_type=CONTENT_TYPE)
    answer["ETag"] = etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer["Cache-Control"] = "private, no-cache"
    answer["Content-Disposition"] = 'inline; filename="tenders.ics"'
    return get_conditional_response(request, etag=etag, response=answer) or answer
