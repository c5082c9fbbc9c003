"""The one address of sockets, and what stands before it: the origin of the page, then its session."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from .consumer import LiveConsumer

socket_application = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([re_path(r"^ws/?$", LiveConsumer.as_asgi())]))
)
