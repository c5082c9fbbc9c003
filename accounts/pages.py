"""How pages answer: who comes in, and what a refusal looks like with htmx, as JSON, and without any script."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails
from rest_framework.request import Request

from .exceptions import Missing, PlumblineError
from .models import User

P = ParamSpec("P")


class PageRequest(HttpRequest):
    """A request of somebody who is signed in, past django-htmx's middleware."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def page(view: View[P]) -> Callable[..., HttpResponseBase]:
    """For people who are signed in. Errors of ours become what the asker can show; what may not be seen is 404."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_sign_in(request)
        try:
            response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        except Missing as error:
            if request.method in ("GET", "HEAD"):
                raise Http404(str(error)) from error
            response = refusal(request, error)
        except PlumblineError as error:
            response = refusal(request, error)
        # One address answers a part of the page to htmx and all of it to everybody else.
        patch_vary_headers(response, ["HX-Request", "Accept"])
        return response

    return answer


def actor_of(request: HttpRequest | Request) -> User:
    """Who asks, where only those who are signed in come in."""
    return cast(User, request.user)


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def refusal(request: HttpRequest, error: PlumblineError) -> HttpResponse:
    """The error in its own words: JSON, a fragment that the page shows in place (X-Refused tells it so), or a page."""
    response = _refusal(request, error)
    if "retry_after_s" in error.extra:
        response["Retry-After"] = str(error.extra["retry_after_s"])
    return response


def _refusal(request: HttpRequest, error: PlumblineError) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"detail": str(error), "code": error.code, **error.extra}, status=error.status)
    context = {"message": str(error), "code": error.code, "back": _back(request)}
    if request.headers.get("HX-Request"):
        response = render(request, "components/problem.html", context, status=error.status)
        response["X-Refused"] = error.code
        return response
    return render(request, "refused.html", context, status=error.status)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A redirect that htmx or a script follows would put the sign-in page inside the page."""
    if wants_json(request):
        return JsonResponse({"detail": "You are signed out. Sign in again.", "code": "signed_out"}, status=401)
    if request.headers.get("HX-Request"):
        return HttpResponseClientRedirect(resolve_url("account_login"))
    # What was sent is lost by signing in: then to the page it was sent from.
    return redirect_to_login(request.get_full_path() if request.method == "GET" else _back(request))


def _back(request: HttpRequest) -> str:
    """The path one came from, if it is ours; the list otherwise."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    is_ours = came_from.netloc == request.get_host() and not came_from.path.startswith("//")
    if is_ours and came_from.path != request.path:
        return came_from.path
    return resolve_url(settings.LOGIN_REDIRECT_URL)
