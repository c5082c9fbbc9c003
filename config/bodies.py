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
from django.template.defaultfilters import filesizeformat

log = structlog.get_logger(__name__)
IN_MEMORY_BYTES = 1024 * 1024
PART_BYTES = 256 * 1024
TOO_SLOW = "The rest of this request did not arrive in time. Check the connection, then send it again."


def with_whole_bodies(application: Any) -> Any:
    """The ASGI application, called once the body has come. Nothing comes for REQUEST_BODY_SILENT_S: 408.

    Bodies that are refused unread (`config.intake`: too large, or of no stated length) are not received here either. A
    few addresses take bodies that come in pieces, whose length nobody states (UNSTATED_LENGTH_LIMITS): it is stated
    once they are here. Too long: 413.
    """

    async def received(scope: Any, receive: Any, send: Any) -> None:
        is_stated = 0 < _stated_length(scope) <= settings.REQUEST_LIMIT_BYTES
        limit = settings.REQUEST_LIMIT_BYTES if is_stated else _unstated_limit(scope)
        if not limit:
            await application(scope, receive, send)
            return
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as body:
            try:
                is_whole = await _receive_into(body, receive, limit)
            except TimeoutError:
                log.info("body_not_received", path=scope["path"], received=body.tell())
                await _refuse(scope, send, HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", TOO_SLOW)
                return
            except _TooLong:
                log.info("body_too_long", path=scope["path"], limit=limit)
                message = f"This request is larger than {filesizeformat(limit)}. Send less at once."
                await _refuse(scope, send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", message)
                return
            if is_whole:
                scope = scope if is_stated else _stating(scope, body.tell())
                body.seek(0)
                await application(scope, _replay(body, receive), send)

    return received


class _TooLong(Exception):
    pass


def _stated_length(scope: Any) -> int:
    stated = dict(scope.get("headers", ())).get(b"content-length", b"")
    return int(stated) if stated.isdigit() else 0


def _unstated_limit(scope: Any) -> int:
    """0: the body has a stated length, or none is taken here without."""
    headers = dict(scope.get("headers", ()))
    if b"content-length" in headers or b"chunked" not in headers.get(b"transfer-encoding", b"").lower():
        return 0
    limits: dict[str, int] = settings.UNSTATED_LENGTH_LIMITS
    return next((limit for path, limit in limits.items() if scope["path"].startswith(path)), 0)


def _stating(scope: Any, length: int) -> Any:
    headers = [header for header in scope["headers"] if header[0] != b"transfer-encoding"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


async def _receive_into(body: Any, receive: Any, limit: int) -> bool:
    """False: the client has gone before the end. Raises TimeoutError, _TooLong."""
    while True:
        async with asyncio.timeout(settings.REQUEST_BODY_SILENT_S):
            message = await receive()
        if message["type"] != "http.request":
            return False
        body.write(message.get("body", b""))
        if body.tell() > limit:
            raise _TooLong
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


async def _refuse(scope: Any, send: Any, status: HTTPStatus, code: str, detail: str) -> None:
    answer, kind = detail, "text/plain; charset=utf-8"
    if scope["path"].startswith("/api/"):
        kind = "application/problem+json"
        told = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail, "code": code}
        answer = json.dumps(told)
    headers = [(b"content-type", kind.encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": answer.encode()})
