"""What a caller can't put in a proxy's mouth, seen through the application that a server runs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from django.http import HttpRequest

from config.asgi import application
from config.intake import without_disguised_headers
from config.throttling import client_address

PROXYS = (b"x-forwarded-for", b"203.0.113.7")


def environ_of(headers: list[tuple[bytes, bytes]], *, is_guarded: bool = True) -> dict[str, str]:
    """What Django would get, of a request with these headers."""

    def echo(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [json.dumps({name: value for name, value in environ.items() if isinstance(value, str)}).encode()]

    app: Any = WSGIMiddleware(echo, workers=1)
    said = said_by(without_disguised_headers(app) if is_guarded else app, headers)
    found: dict[str, str] = json.loads(b"".join(message.get("body", b"") for message in said))
    return found


def said_by(app: Any, headers: list[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
    scope = {
        "type": "http", "method": "GET", "path": "/health", "query_string": b"", "http_version": "1.1",
        "headers": headers, "client": ("10.0.0.1", 1), "server": ("localhost", 80), "scheme": "http",
    }  # fmt: skip
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    asyncio.run(app(scope, receive, send))
    return said


def test_a_header_with_underscores_does_not_pass_for_the_proxys(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    forged = [PROXYS, (b"x_forwarded_for", b"198.51.100.1"), (b"x_forwarded_proto", b"https")]
    for headers in (forged, forged[::-1]):
        request = HttpRequest()
        request.META = environ_of(headers)
        assert client_address(request) == "203.0.113.7"
        assert "HTTP_X_FORWARDED_PROTO" not in request.META


def test_without_that_it_would() -> None:
    assert environ_of([PROXYS, (b"x_forwarded_for", b"1.1.1.1")], is_guarded=False)["HTTP_X_FORWARDED_FOR"].endswith(
        "1.1.1.1"
    )


@pytest.mark.django_db  # its threads may have kept a connection of an earlier test, and look at it
def test_the_site_is_served_through_it() -> None:
    started = said_by(application, [(b"host", b"testserver"), (b"x_request_id", b"forged-number")])[0]
    assert started["status"] == 200
    assert b"forged-number" not in dict(started["headers"])[b"x-request-id"]
    started = said_by(application, [(b"host", b"testserver"), (b"x-request-id", b"proxys-number")])[0]
    assert dict(started["headers"])[b"x-request-id"] == b"proxys-number"
