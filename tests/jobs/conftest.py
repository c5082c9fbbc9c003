"""A cast, a worker of our own, and a clean Redis for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from django.conf import settings

from accounts.models import Membership, Organisation, User
from jobs import connections, limits
from jobs.connections import events_redis, queue_redis
from jobs.limits import ConcurrencyLimit
from tests.factories.people import make_organisation, make_user

from . import kinds


@pytest.fixture(autouse=True)
def _clean_redis() -> Iterator[None]:
    """Our Redis database is the worker's own (tests/services.py)."""
    queue_redis().flushdb()
    events_redis().flushdb()
    for url in (settings.REDIS_QUEUE_URL, settings.REDIS_EVENTS_URL):
        connections.breaker_of(url).worked()
    kinds.failed.clear()
    yield


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation("Firm")


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make_user("owner", organisation=organisation, role=Membership.Role.OWNER)


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


@pytest.fixture
def viewer(organisation: Organisation) -> User:
    return make_user("viewer", organisation=organisation, role=Membership.Role.VIEWER)


@pytest.fixture
def stranger() -> User:
    return make_user("stranger", organisation=make_organisation("Other firm"), role=Membership.Role.OWNER)


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("staff@example.com", "a long password")


@pytest.fixture
def redis_is_down(settings: pytest.FixtureRequest) -> None:
    settings.REDIS_QUEUE_URL = settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def narrow() -> ConcurrencyLimit:
    return ConcurrencyLimit("narrow", 1)


@pytest.fixture
async def closing() -> AsyncIterator[None]:
    """For tests that use limits in an event loop: their connections end with it."""
    yield
    await limits.aclose()
