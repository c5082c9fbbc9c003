"""One number per request, from the first byte to the last job that it asked for.

`RequestIdMiddleware` stands before everything and gives the number; `RequestLogMiddleware` stands last and writes the
line. The number is in every log line, in the answer's X-Request-ID, and on the jobs that the request asked for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch
from django_structlog.middlewares import RequestMiddleware

from .scrubbing import scrub_text

HEADER = "X-Request-ID"
# What proxies make: uuids, ULIDs, trace ids. Anything else could forge lines or fill the disk.
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
log = structlog.get_logger(__name__)


class RequestIdMiddleware:
    """Takes over a well-formed X-Request-ID of the proxy, else makes one; the answer always carries it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = offered if WELL_FORMED.fullmatch(offered) else uuid4().hex
        request.META["HTTP_X_REQUEST_ID"] = request_id
        request.META["plumbline.began"] = time.perf_counter()
        structlog.contextvars.clear_contextvars()  # the thread's last request may have ended in the middle
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        response.headers[HEADER] = request_id
        return response


class RequestLogMiddleware(RequestMiddleware):
    """django_structlog's, which reads the number given above; without secrets in the address, and without asking the
    database who somebody is: a health check must not need one. Machines that look every few seconds get no line."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_for_machines(request) else super().__call__(request)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return scrub_text(f"{request.method} {request.get_full_path()}")

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """As the server tells it, which believes trusted proxies only; not as any caller claims."""
        structlog.contextvars.bind_contextvars(ip=request.META.get("REMOTE_ADDR", ""))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Whoever was looked up already, by the session or by a token."""
        bind_user(getattr(request, "_cached_user", None))

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Whoever comes with a session is looked up by nearly every page anyway: now, so that the lines written on the
        way know it."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or is_for_machines(request):
            return
        try:
            bind_user(request.user if request.user.is_authenticated else None)
        except Exception as error:
            log.warning("user_not_looked_up", error=type(error).__name__)  # the page itself will say what is wrong


def is_for_machines(request: HttpRequest) -> bool:
    return request.path == "/metrics" or request.path.startswith("/health")


def bind_user(user: Any) -> None:
    """From here on the lines of this request name the user, by number only."""
    key = getattr(user, "pk", None)
    if key is not None:
        structlog.contextvars.bind_contextvars(user_id=str(key) if isinstance(key, UUID) else key)


def finished(sender: Any, request: HttpRequest, log_kwargs: dict[str, Any], **more: Any) -> None:
    """Receives django_structlog's signal: how long it took, and which route answered."""
    if "plumbline.began" in request.META:
        log_kwargs["ms"] = round((time.perf_counter() - request.META["plumbline.began"]) * 1000, 1)
    log_kwargs["route"] = route_of(request)


def route_of(request: HttpRequest) -> str:
    """The pattern that answered ("projects/<uuid:project_id>/"), never the path: patterns are few, paths are not."""
    match = request.resolver_match
    if match is not None:
        return pattern_of(match)
    return "static" if request.path.startswith(f"/{str(settings.STATIC_URL).strip('/')}/") else "none"


def pattern_of(match: ResolverMatch) -> str:
    return "/" + str(match.route).lstrip("^/")
