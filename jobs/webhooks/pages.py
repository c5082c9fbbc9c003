"""The webhooks pages, for the owners of an organisation. For all others there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.exceptions import Missing, PlumblineError
from accounts.models import User
from accounts.querysets import organisation_ids_owned_by

from ..models import Job, WebhookDelivery, WebhookEndpoint
from ..outbound import AddressForbidden
from . import delivering, endpoints
from .endpoints import MOST_PER_ORGANISATION
from .event_types import event_types
from .exceptions import StillTrying
from .forms import EndpointForm

PER_PAGE = 25
SOON_S = 60
NEW_SECRET = "webhooks.new_secret"  # noqa: S105 - a key of the session
FILTERS = {"": "All", **dict(WebhookDelivery.Status.choices)}

Page = Callable[..., HttpResponse]


def for_owners(page: Page) -> Page:
    """Signed in, and the owner of some organisation; what `page` does not find is 404 too."""

    @wraps(page)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not organisation_ids_owned_by(request.user).exists():
            raise Http404
        try:
            return page(request, *args, **kwargs)
        except Missing:
            raise Http404 from None

    return never_cache(login_required(guarded))


@for_owners
@require_safe
def endpoint_list(request: HttpRequest) -> HttpResponse:
    """Every endpoint with how its latest message fared: one query."""
    latest = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).order_by("-created_at")
    rows = (
        WebhookEndpoint.objects.visible_to(request.user)
        .select_related("organisation")
        .annotate(
            latest_status=Subquery(latest.values("status")[:1]), latest_at=Subquery(latest.values("created_at")[:1])
        )
        .order_by("organisation__name", "created_at")
    )
    found = list(rows)
    several = len({row.organisation_id for row in found}) > 1
    context = {"endpoints": found, "show_organisation": several, "event_types": event_types()}
    return render(request, "webhooks/list.html", context)


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_add(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    form = EndpointForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            endpoint = endpoints.create_endpoint(
                actor=user,
                url=values["url"],
                event_types=values["event_types"],
                description=values["description"],
                organisation_id=UUID(values["organisation"]) if values.get("organisation") else None,
            )
        except Missing:
            raise
        except PlumblineError as error:
            form.add_error(_field_of(error), str(error))
        else:
            request.session[NEW_SECRET] = str(endpoint.pk)
            return redirect("webhooks:detail", endpoint.pk)
    context = {"form": form, "event_types": event_types(), "most": MOST_PER_ORGANISATION}
    return render(request, "webhooks/form.html", context)


@for_owners
@require_http_methods(["GET", "HEAD", "POST"])
def endpoint_edit(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    user = _user(request)
    endpoint = _endpoint(request, endpoint_id)
    form = EndpointForm(request.POST or None, user=user, endpoint=endpoint)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            endpoints.change_endpoint(
                endpoint_id=endpoint_id,
                actor=user,
                url=values["url"],
                event_types=values["event_types"],
                description=values["description"],
            )
        except Missing:
            raise
        except PlumblineError as error:
            form.add_error(_field_of(error), str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("webhooks:detail", endpoint_id)
    context = {"form": form, "endpoint": endpoint, "event_types": event_types()}
    return render(request, "webhooks/form.html", context)


@for_owners
@require_safe
def endpoint_detail(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """The endpoint, and its deliveries, which come anew by themselves while something is about to happen. A secret
    that was just made is shown, once."""
    endpoint = _endpoint(request, endpoint_id)
    is_shown = request.method == "GET" and "HX-Request" not in request.headers
    is_new = is_shown and request.session.get(NEW_SECRET) == str(endpoint_id)
    if is_new:
        del request.session[NEW_SECRET]
    wanted = request.GET.get("status", "")
    deliveries = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("job").defer("payload")
    if wanted in WebhookDelivery.Status.values:
        deliveries = deliveries.filter(status=wanted)
    page = Paginator(deliveries, PER_PAGE).get_page(request.GET.get("page"))
    rows = [_row(delivery) for delivery in page.object_list]
    context = {
        "endpoint": endpoint,
        "secret": endpoint.secret if is_new else "",
        "has_former_secret": len(delivering.valid_secrets(endpoint)) > 1,
        "page": page,
        "rows": rows,
        "filters": FILTERS,
        "wanted": wanted,
        "is_watching": any(row["is_soon"] for row in rows),
    }
    return render(request, "webhooks/detail.html", context)


@for_owners
@require_safe
def delivery_detail(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    deliveries = WebhookDelivery.objects.visible_to(request.user).select_related("endpoint", "job")
    delivery = deliveries.filter(pk=delivery_id).first()
    if delivery is None:
        raise Http404
    context = {
        **_row(delivery),
        "endpoint": delivery.endpoint,
        "payload": json.dumps(delivery.payload, indent=2, ensure_ascii=False),
    }
    return render(request, "webhooks/delivery.html", context)


@for_owners
@require_POST
def endpoint_rotate(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoints.rotate_secret(endpoint_id=endpoint_id, actor=_user(request))
    request.session[NEW_SECRET] = str(endpoint_id)
    return redirect("webhooks:detail", endpoint_id)


@for_owners
@require_POST
def endpoint_switch(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """`is_active`: on or off."""
    is_on = request.POST.get("is_active") == "on"
    endpoints.change_endpoint(endpoint_id=endpoint_id, actor=_user(request), is_active=is_on)
    messages.success(request, "Switched on." if is_on else "Switched off. Nothing is sent to it any more.")
    return redirect("webhooks:detail", endpoint_id)


@for_owners
@require_POST
def endpoint_test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    try:
        endpoints.send_test(endpoint_id=endpoint_id, actor=_user(request))
    except StillTrying as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "A test is on its way.")
    return redirect("webhooks:detail", endpoint_id)


@for_owners
@require_POST
def endpoint_delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    endpoints.delete_endpoint(endpoint_id=endpoint_id, actor=_user(request))
    messages.success(request, "The endpoint was deleted.")
    return redirect("webhooks:list")


@for_owners
@require_POST
def delivery_again(request: HttpRequest, delivery_id: UUID) -> HttpResponse:
    delivery = WebhookDelivery.objects.visible_to(request.user).filter(pk=delivery_id).first()
    if delivery is None:
        raise Http404
    try:
        delivering.redeliver(delivery_id=delivery_id, actor=_user(request))
    except Missing:
        raise
    except PlumblineError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It is sent once more.")
    return redirect("webhooks:detail", delivery.endpoint_id)


def _endpoint(request: HttpRequest, endpoint_id: UUID) -> WebhookEndpoint:
    visible: QuerySet[WebhookEndpoint] = WebhookEndpoint.objects.visible_to(request.user)
    endpoint = visible.select_related("organisation", "created_by").filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Http404
    return endpoint


def _row(delivery: WebhookDelivery) -> dict[str, Any]:
    """What the templates draw of a delivery; `next_at` while a retry is waited for."""
    is_pending = delivery.status == WebhookDelivery.Status.PENDING
    job = delivery.job
    next_at = job.next_retry_at if is_pending and job is not None and job.status == Job.Status.RETRYING else None
    is_soon = is_pending and (next_at is None or (next_at - timezone.now()).total_seconds() < SOON_S)
    return {"delivery": delivery, "next_at": next_at, "is_soon": is_soon, "may_send_again": not is_pending}


def _field_of(error: PlumblineError) -> str | None:
    return "url" if isinstance(error, AddressForbidden) else None


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
