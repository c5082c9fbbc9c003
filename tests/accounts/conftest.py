"""The cast: two people of one office, somebody who has nothing to do with it, staff, and somebody suspended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts import services
from accounts.models import Membership, Organisation, User
from tests.factories.people import make_organisation, make_user
from tests.platform.throttled import forget_counts


@pytest.fixture(autouse=True)
def _fresh_attempts() -> Iterator[None]:
    """Attempts to sign in are counted in Redis: each test begins at none."""
    cache.delete_pattern("allauth:rl:*")  # clear() would empty the whole Redis database
    forget_counts()
    yield


@pytest.fixture
def organisation(db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make_user("owner", organisation=organisation, role=Membership.Role.OWNER)


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("stranger", organisation=make_organisation("Elsewhere"), role=Membership.Role.OWNER)


@pytest.fixture
def superuser(db: None) -> User:
    user = make_user("root", is_staff=True)
    user.is_superuser = True
    user.save()
    return user


@pytest.fixture
def suspended(organisation: Organisation, superuser: User) -> User:
    user = make_user("suspended", organisation=organisation)
    return services.suspend(user_id=user.pk, actor=superuser)


@pytest.fixture
def api() -> APIClient:
    return APIClient()
