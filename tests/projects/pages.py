"""What the page tests share: signed-in clients, addresses, counting queries."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from projects.models import Position, Project

HTMX = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def signed_in(user: User, **options: Any) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"projects:{name}", args=args)


def rows_of(project: Project) -> list[Position]:
    """Current positions in the order of the bill."""
    return list(Position.objects.filter(project=project, removed_in__isnull=True).order_by("ordinal"))


def queries(client: Client, address: str, headers: dict[str, str] | None = None) -> int:
    """How many a warm request takes: caches are filled by a first one."""
    client.get(address, headers=headers)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address, headers=headers)
    assert response.status_code == 200
    return len(captured)
