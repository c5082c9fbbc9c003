"""Who may read figures: whoever holds METRICS_TOKEN, and staff who may see jobs."""

from __future__ import annotations

import functools
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

View = Callable[[HttpRequest], HttpResponse]


def guarded(view: View) -> View:
    """Open while METRICS_TOKEN is not set; else 401 for whoever has neither the token nor the permission."""

    @functools.wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not settings.METRICS_TOKEN or has_token(request) or is_operator(request):
            return view(request)
        return refusal()

    return checked


def has_token(request: HttpRequest) -> bool:
    """`Authorization: Bearer <METRICS_TOKEN>`, compared in constant time."""
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer" and bool(settings.METRICS_TOKEN)
    return is_bearer and constant_time_compare(offered.strip(), settings.METRICS_TOKEN)


def is_operator(request: HttpRequest) -> bool:
    """A signed-in member of staff who may see jobs. Only asked of those who bring a session."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    return bool(request.user.is_active and request.user.is_staff and request.user.has_perm("jobs.view_job"))


def refusal() -> JsonResponse:
    answer = JsonResponse({"status": 401, "detail": "Send Authorization: Bearer <METRICS_TOKEN>."}, status=401)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
    return answer
