"""Steps that tests of webhooks share."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import time_machine

from accounts.models import Organisation
from jobs.models import Job, WebhookDelivery
from jobs.sweeper import sweep
from jobs.webhooks import emit, signing

from ..receiving_end import Came

Drain = Callable[[], int]


def tell(organisation: Organisation, event_type: str = "job.completed", **data: Any) -> int:
    return emit(event_type=event_type, organisation_id=organisation.pk, data=lambda: data or {"job_id": "1"})


def only_delivery() -> WebhookDelivery:
    return WebhookDelivery.objects.select_related("endpoint", "job").get()


def again(delivery: WebhookDelivery, drain: Drain) -> None:
    """Let the retry that is waited for come due, and run it."""
    due = Job.objects.get(pk=delivery.job_id).next_retry_at
    assert due is not None
    with time_machine.travel(due + timedelta(seconds=1)):
        assert sweep().retries_released == 1
        drain()
    delivery.refresh_from_db()
    delivery.endpoint.refresh_from_db()


def verify(came: Came, secret: str) -> None:
    signing.verify([secret], headers=came.headers, body=came.body, now=time.time())
