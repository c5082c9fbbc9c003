"""Response headers that keep a browser from running what is not ours."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PAGES = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Unfold's Alpine.js evaluates expressions and writes style attributes; Swagger UI writes inline styles and a script.
LENIENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
LENIENT_PATHS = ("/admin/", "/api/docs")


class ContentSecurityPolicyMiddleware:
    """Sets Content-Security-Policy: no inline script on our own pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        policy = LENIENT if request.path.startswith(LENIENT_PATHS) else PAGES
        if settings.STORAGE == "s3" and settings.MEDIA_ORIGINS:  # recordings are played from the bucket
            policy += f"; media-src 'self' {' '.join(settings.MEDIA_ORIGINS)}"
        response.headers.setdefault("Content-Security-Policy", policy)
        return response
