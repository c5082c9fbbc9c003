"""Choosing whom one acts for, for people in several organisations."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.pages import PageRequest, page

from ..exceptions import OrganisationMissing
from ..middleware import SESSION_KEY
from ..services.access import organisation_to_act_for


@page
@require_POST
def act_for(request: PageRequest) -> HttpResponse:
    """From now on, on every tender page; back to where one was."""
    try:
        wanted = UUID(request.POST.get("organisation", ""))
    except ValueError:
        raise OrganisationMissing("You are a member of no such organisation.") from None
    organisation = organisation_to_act_for(organisation_id=wanted, user=request.user)
    request.session[SESSION_KEY] = str(organisation.pk)
    messages.success(request, f"You act for {organisation.name} now.")
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else "tenders:search")
