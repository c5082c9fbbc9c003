"""Addresses of our pages as others can open them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.urls import reverse


def link_to(name: str, key: UUID) -> str:
    """The whole address of the page `name` of one thing."""
    return str(settings.SITE_URL).rstrip("/") + reverse(name, args=[key])
