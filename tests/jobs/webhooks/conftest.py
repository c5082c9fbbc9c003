"""An endpoint of the owner's, and the real server on loopback that it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import User
from jobs.models import WebhookEndpoint
from jobs.webhooks import endpoints

from ..receiving_end import Receiver, receiver


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    settings.OUTBOUND_ALLOW_HTTP = True
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def endpoint(owner: User, there: Receiver) -> WebhookEndpoint:
    return endpoints.create_endpoint(actor=owner, url=there.url(), event_types=["job.completed", "job.failed"])
