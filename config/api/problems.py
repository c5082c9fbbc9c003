"""RFC 9457 problem details: one shape for every error of the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from accounts.exceptions import PlumblineError
from config.api.throttles import refusal, refused_unknown
from config.failures import DATABASE_AWAY, RETRY_AFTER_S, is_database_away
from config.intake import UNSTORABLE, is_unstorable

log = structlog.get_logger(__name__)


def problem_details(error: Exception, context: dict[str, Any]) -> Response | None:
    """Response `{"type","title","status","detail","code", …}` as application/problem+json; None: Django makes its 500.

    Errors of ours carry `status`, `code` and `extra`; DRF's are translated, validation errors under `errors`
    (`{"field": ["message", …]}`).
    """
    if isinstance(error, PlumblineError):
        return _of_ours(error)
    if is_unstorable(error):
        return _problem(400, "unstorable_text", UNSTORABLE)
    if isinstance(error, SuspiciousOperation):  # a body that Django itself refuses: too large, too many fields
        return _problem(400, "bad_request", "This request was refused: it is too large, or has too many fields.")
    if is_database_away(error):  # goes away by itself; a client shall come again
        log.warning("database_away", error=type(error).__name__, exc_info=error)
        return _problem(503, "database_away", DATABASE_AWAY, headers={"Retry-After": str(RETRY_AFTER_S)})
    request = context.get("request")
    if isinstance(request, Request):
        error = refused_unknown(request._request, error)
    response = exception_handler(error, context)
    return None if response is None else _of_framework(error, response, request)


def _of_ours(error: PlumblineError) -> Response:
    headers = {"WWW-Authenticate": 'Bearer realm="api"'} if error.status == HTTPStatus.UNAUTHORIZED else {}
    if "retry_after_s" in error.extra:
        headers["Retry-After"] = str(error.extra["retry_after_s"])
    return _problem(error.status, error.code, str(error), extra=error.extra, headers=headers)


def _of_framework(error: Exception, response: Response, request: Any) -> Response:
    """What DRF would answer, in our shape."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    assert isinstance(error, exceptions.APIException)
    headers = {name: value for name, value in response.items() if name.lower() != "content-type"}
    if isinstance(error, exceptions.ValidationError):
        errors = error.detail if isinstance(error.detail, dict) else {"non_field_errors": error.detail}
        detail = "Some of the fields are not valid: see errors."
        return _problem(400, "invalid", detail, extra={"errors": errors}, headers=headers)
    if isinstance(error, exceptions.Throttled) and isinstance(request, Request):
        detail, extra = refusal(request._request)
        return _problem(429, "throttled", detail, extra=extra, headers=headers)
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else error.default_code
    told = error.detail
    detail = str(told.get("detail", error.default_detail)) if isinstance(told, dict) else str(told)
    return _problem(response.status_code, code, detail, headers=headers)


def _problem(
    status: int, code: str, detail: str, *, extra: dict[str, Any] | None = None, headers: dict[str, str] | None = None
) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **(extra or {}),
    }
    return Response(body, status=status, headers=headers, content_type="application/problem+json")
