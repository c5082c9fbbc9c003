"""Redis makes things fast; without it people still sign in, stay signed in and are still kept out."""

from __future__ import annotations

import contextlib
import socket
import threading
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


class Hanging:
    """A server that accepts connections and never says a word; `connections` counts them."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.accepted: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.accepted.append(self.socket.accept()[0])

    def close(self) -> None:
        self.socket.close()
        for connection in self.accepted:
            connection.close()


def test_a_redis_that_hangs_is_waited_for_once_not_with_every_question(settings: LazySettings) -> None:
    hanging = Hanging()
    settings.REDIS_CACHE_URL = f"redis://127.0.0.1:{hanging.socket.getsockname()[1]}/0"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": settings.REDIS_CACHE_URL}}
    try:
        for number in range(20):
            assert cache.get(f"key {number}") is None
            cache.set(f"key {number}", number)
        asked = len(hanging.accepted)
        assert 1 <= asked < 5  # of forty questions; more than one only where this takes longer than a pause
        assert cache.delete("ended") is not True  # tried all the same: a session must not come back with Redis
        assert len(hanging.accepted) > asked
    finally:
        hanging.close()
