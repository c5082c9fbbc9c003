"""The one address of sockets, and what stands before it: the origin of the page, then its session."""

from __future__ import annotations

from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from .consumer import LiveConsumer

_router = URLRouter([re_path(r"^ws/?$", LiveConsumer.as_asgi())])
_of_pages = AllowedHostsOriginValidator(AuthMiddlewareStack(_router))


async def socket_application(scope: Any, receive: Any, send: Any) -> None:
    """Browsers always name the page's origin: it must be ours, for they send our cookies from any page.

    Whoever names none is no browser. Nothing is read of its cookies: it has to bring a token.
    """
    names_origin = any(name == b"origin" for name, _ in scope.get("headers", ()))
    await (_of_pages if names_origin else _router)(scope, receive, send)
