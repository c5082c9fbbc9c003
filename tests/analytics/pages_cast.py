"""What tests of the demand pages need: empty streams, a reader, and what a page says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from analytics import alarms
from analytics.services import signals
from analytics.services.signals import queries_stream, updates_stream
from config.cache import invalidate
from jobs.connections import events_redis


@pytest.fixture(autouse=True)
def empty_streams() -> Iterator[None]:
    names = (queries_stream(), updates_stream(), signals.lost_key())
    events_redis().delete(*names)
    fresh()
    yield
    events_redis().delete(*names)


def fresh() -> None:
    """What is kept is kept no longer."""
    invalidate("demand")
    invalidate("demand_patterns")
    alarms.forget()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str = "demand", *args: object) -> str:
    return reverse(f"analytics:{name}", args=args)


def page_of(user: User, address: str = "", status: int = 200) -> str:
    answer = signed_in(user).get(address or url())
    assert answer.status_code == status
    return answer.content.decode()


def figure(page: str, name: str) -> str:
    """A number of the totals."""
    [found] = re.findall(rf'id="{name}">([^<]*)<', page)
    return found.strip()


def queries_of(user: User, address: str) -> int:
    client = signed_in(user)
    client.get(address)
    fresh()
    with CaptureQueriesContext(connection) as told:
        assert client.get(address).status_code == 200
    return len(told)
