"""A request's body is received whole before one of the few WSGI threads is taken.

The event loop can wait for thousands of slow senders, threads for eight. And an upload that breaks off is never
handled: WSGI could not tell it from one that is complete.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)
IN_MEMORY_BYTES = 1024 * 1024
PART_BYTES = 256 * 1024
TOO_SLOW = "The rest of this request did not arrive in time. Check the connection, then send it again."


def with_whole_bodies(application: Any) -> Any:
    """The ASGI application, called once the body has come. Nothing comes for REQUEST_BODY_SILENT_S: 408.

    Bodies that are refused unread (`config.intake`: too large, or of no stated length) are not received here either.
    """

    async def received(scope: Any, receive: Any, send: Any) -> None:
        if not 0 < _stated_length(scope) <= settings.REQUEST_LIMIT_BYTES:
            await application(scope, receive, send)
            return
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
            try:
                is_whole = await _receive_into(body, receive)
            except TimeoutError:
                log.info("body_not_received", path=scope["path"], received=body.tell())
                await _refuse(scope, send)
                return
            if is_whole:
                body.seek(0)
                await application(scope, _replay(body, receive), send)

    return received


def _stated_length(scope: Any) -> int:
    stated = dict(scope.get("headers", ())).get(b"content-length", b"")
    return int(stated) if stated.isdigit() else 0


async def _receive_into(body: Any, receive: Any) -> bool:
    """False: the client has gone before the end. Raises TimeoutError."""
    while True:
        async with asyncio.timeout(settings.REQUEST_BODY_SILENT_S):
            message = await receive()
        if message["type"] != "http.request":
            return False
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return True


def _replay(body: Any, receive: Any) -> Any:
    is_over = False

    async def next_part() -> Any:
        nonlocal is_over
        if is_over:
            return await receive()
        part = body.read(PART_BYTES)
        is_over = len(part) < PART_BYTES
        return {"type": "http.request", "body": part, "more_body": not is_over}

    return next_part


async def _refuse(scope: Any, send: Any) -> None:
    status = HTTPStatus.REQUEST_TIMEOUT
    answer, kind = TOO_SLOW, "text/plain; charset=utf-8"
    if scope["path"].startswith("/api/"):
        kind = "application/problem+json"
        answer = json.dumps(
            {
                "type": "about:blank",
                "title": status.phrase,
                "status": status,
                "detail": TOO_SLOW,
                "code": "body_too_slow",
            }
        )
    headers = [(b"content-type", kind.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": answer.encode()})
