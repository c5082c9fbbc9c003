"""Redis makes things fast; without it people still sign in, stay signed in and are still kept out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from accounts import services
from accounts.models import User
from tests.factories.people import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_redis(settings: LazySettings) -> Iterator[None]:
    """The cache's address answers to nobody."""
    settings.REDIS_CACHE_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": settings.REDIS_CACHE_URL}}
    cache.set("anything", 1)
    assert cache.get("anything") is None
    yield


def test_people_sign_in_and_stay_signed_in(client: Client, owner: User, api: APIClient) -> None:
    assert client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD}).status_code == 302
    assert client.get("/accounts/email/").status_code == 200
    assert api.post("/api/auth/login", {"email": owner.email, "password": PASSWORD}).status_code == 200


def test_suspended_people_are_out_all_the_same(client: Client, owner: User, superuser: User) -> None:
    client.post("/accounts/login/", {"login": owner.email, "password": PASSWORD})
    services.suspend(user_id=owner.pk, actor=superuser)
    assert client.get("/accounts/email/").status_code == 302


def test_what_is_added_to_a_cache_that_is_away_counts_as_added() -> None:
    assert cache.add("a lock", 1) is True
