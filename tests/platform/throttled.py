"""What the tests of throttles share: they are off elsewhere, and counts outlive a test unless thrown away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from config.api import throttles
from config.redis_access import ask, key

DEAD_REDIS = "redis://127.0.0.1:1/0"


def forget_counts() -> None:
    def drop(client) -> None:
        for pattern in (key("throttle", "*"), key("known-place", "*")):
            for name in client.scan_iter(pattern):
                client.delete(name)

    ask(drop)
    throttles._homes.clear()


@pytest.fixture
def throttled(settings: LazySettings) -> Iterator[LazySettings]:
    """Throttles are on, and nothing has been counted yet."""
    settings.THROTTLES_ENABLED = True
    url = settings.REDIS_CACHE_URL
    forget_counts()
    yield settings
    settings.REDIS_CACHE_URL = url  # a test may have taken Redis away
    forget_counts()


def limit(settings: LazySettings, **limits: str) -> None:
    settings.THROTTLES = settings.THROTTLES | limits
