"""What no request may bring, refused before anything reads it: bodies without end, charsets that are none, text that
PostgreSQL can't store; and headers that pass for others, which are dropped."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat

# Python's codecs hold decompressors and escapes too: `charset=bz2` would unpack 5 MB to gigabytes, others crash.
CHARSETS = {"utf-8", "ascii", "iso8859-1"}
UNSTORABLE = "The input has characters that can't be stored (NUL, or half of a surrogate pair). Remove them."


def without_disguised_headers(application: Any) -> Any:
    """The ASGI application, which is not told of headers with an underscore in their name.

    WSGI spells `X-Forwarded-For` and `X_Forwarded_For` alike. Proxies write the first and let the second through, so
    with it a caller could add the address, or the scheme, that we believe proxies to have stated.
    """

    async def told(scope: Any, receive: Any, send: Any) -> None:
        headers = [header for header in scope.get("headers", ()) if b"_" not in header[0]]
        await application({**scope, "headers": headers}, receive, send)

    return told


class IntakeMiddleware:
    """Stands before everything that looks at the body, the query or the cookies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.encoding is not None and codecs.lookup(request.encoding).name not in CHARSETS:
            request.encoding = settings.DEFAULT_CHARSET  # or even the refusal could not be logged
            return _refusal(request, 415, "charset_unknown", "Send UTF-8.")
        if _length(request) > (limit := _limit(request)):
            message = f"This request is larger than {filesizeformat(limit)}. Send less at once."
            return _refusal(request, 413, "request_too_large", message)
        if any("\x00" in value for value in request.COOKIES.values()):  # quoted cookies may spell it \000
            return _refusal(request, 400, "unstorable_text", UNSTORABLE)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _refusal(request, 400, "unstorable_text", UNSTORABLE) if is_unstorable(error) else None


def is_unstorable(error: BaseException) -> bool:
    """Whether the database driver refused a text for what is in it, which only input can bring."""
    if isinstance(error, UnicodeEncodeError):
        return "surrogates" in error.reason
    return isinstance(error, DataError) and "NUL (0x00)" in str(error)


def _length(request: HttpRequest) -> int:
    """Without a stated length Django reads no body at all."""
    stated = request.META.get("CONTENT_LENGTH") or ""
    return int(stated) if stated.isdecimal() else 0


def _limit(request: HttpRequest) -> int:
    """Forms with files go to disk; all else is held in memory."""
    if request.content_type == "multipart/form-data":
        return int(settings.REQUEST_LIMIT_BYTES)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


def _refusal(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    is_api = request.path.startswith("/api/")
    if not is_api and not request.headers.get("Accept", "").startswith("application/json"):
        return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": message, "code": code}
    return JsonResponse(body, status=status, content_type="application/problem+json" if is_api else "application/json")
