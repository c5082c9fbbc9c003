"""`?secret=…` of /api/cron/ becomes a header before anything can log the address it came in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest, HttpResponse

PATH = "/api/cron"


class CronSecretMiddleware:
    """The first of all. Some services that call an address by the clock can send no header; logs, error reports and
    pages must not see their secret all the same, so from here on it is an `Authorization` header like any other."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PATH) and "secret=" in request.META.get("QUERY_STRING", ""):
            _hide(request)
        return self.get_response(request)


def _hide(request: HttpRequest) -> None:
    """A header that is there already wins. `request.GET` is read from QUERY_STRING later."""
    pairs = parse_qsl(request.META["QUERY_STRING"], keep_blank_values=True)
    secret = next((value for name, value in pairs if name == "secret"), "")
    request.META["QUERY_STRING"] = urlencode([pair for pair in pairs if pair[0] != "secret"])
    request.META.setdefault("HTTP_AUTHORIZATION", f"Bearer {secret}")
