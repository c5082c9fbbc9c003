"""Connections to voice services, for owners. A secret is shown once: in the answer to what made it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages import PageRequest, page

from ..api.training_hooks import ADDRESS
from ..models import TrainingTemplate, VoiceConnection
from ..services.training import connecting
from ..services.training.connecting_proof import USUAL_HEADER
from ..services.training.reconciling import with_trouble
from ..training_exceptions import BadConnection, ConnectionMissing
from .training_shell import Standing, shown, standing_of, uuid_of

TEXTS = ("name", "method", "header", "timestamp_header", "api_url")


@page
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def connections(request: PageRequest) -> HttpResponse:
    """POST: a new one."""
    standing = standing_of(request)
    if request.method != "POST":
        return _list(request, standing)
    try:
        made = connecting.create_connection(
            actor=request.user,
            organisation_id=standing.owned_one(request.POST.get("organisation", "")).pk,
            values=_values(request, is_new=True),
        )
    except BadConnection as error:
        return _list(request, standing, problem=str(error), typed=request.POST)
    return _list(request, standing, shown_once=made)


@page
@never_cache
@require_POST
def change(request: PageRequest, connection_id: UUID) -> HttpResponse:
    """What `do` says: keep what the form says, switch on or off, a new secret, remove."""
    what = request.POST.get("do", "")
    if what == "rotate":
        made = connecting.rotate_secret(connection_id=connection_id, actor=request.user)
        return _list(request, standing_of(request), shown_once=made)
    if what == "remove":
        connecting.remove_connection(connection_id=connection_id, actor=request.user)
        messages.info(request, "The connection is gone; its calls stay.")
    elif what in ("on", "off"):
        connecting.change_connection(
            connection_id=connection_id, actor=request.user, values={"is_active": what == "on"}
        )
    else:
        connecting.change_connection(connection_id=connection_id, actor=request.user, values=_values(request))
        messages.success(request, "Saved.")
    return redirect("training:connections")


def _values(request: PageRequest, *, is_new: bool = False) -> dict[str, Any]:
    """What the form says. An empty key or header of the time leaves what there is, or what is usual."""
    told = request.POST
    values: dict[str, Any] = {name: told[name] for name in TEXTS if name in told}
    if is_new and not values.get("timestamp_header"):
        values.pop("timestamp_header", None)
    if told.get("api_key"):
        values["api_key"] = told["api_key"]
    if "template" in told:
        values["template_id"] = uuid_of(told["template"])
    return values


def _list(
    request: PageRequest,
    standing: Standing,
    *,
    shown_once: VoiceConnection | None = None,
    problem: str = "",
    typed: Any = None,
) -> HttpResponse:
    if not standing.is_owner:
        raise ConnectionMissing("Connections are for owners of an organisation.")
    rows = VoiceConnection.objects.visible_to(request.user).select_related("organisation", "template")
    templates = TrainingTemplate.objects.in_use().filter(organisation__in=standing.owned).order_by("name", "pk")
    site = str(settings.SITE_URL).rstrip("/")
    context: dict[str, Any] = {
        "rows": [
            {
                "it": row,
                "address": site + ADDRESS.format(row.pk),
                "header": _header_of(row),
            }
            for row in with_trouble(rows.order_by("name", "pk"))
        ],
        "methods": VoiceConnection.Method.choices,
        "templates": templates.only("name", "organisation"),
        "once": shown_once,
        "once_address": site + ADDRESS.format(shown_once.pk) if shown_once else "",
        "once_header": _header_of(shown_once) if shown_once else "",
        "problem": problem,
        "typed": typed or {},
    }
    return shown(request, "training/connections.html", context, standing=standing, status=400 if problem else 200)


def _header_of(row: VoiceConnection) -> str:
    return row.header or USUAL_HEADER[VoiceConnection.Method(row.method)]
