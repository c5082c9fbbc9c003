"""When the provider does not accept our key, account or model: nobody asks until an operator says so.

A row, not a flag in Redis: it must outlive Redis, or 1,000 calls would be refused once more.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import User

from ..configuration import Configuration
from ..exceptions import ProviderRefused
from ..models import ProviderPause

log = structlog.get_logger(__name__)
RETRY_AFTER_S = 900.0


def check(configuration: Configuration) -> None:
    """Raises ProviderRefused while a pause stands. One query by a unique index."""
    reason = ProviderPause.objects.standing(configuration.fingerprint).values_list("reason", flat=True).first()
    if reason is not None:
        raise refusal(configuration, reason)


def standing(configuration: Configuration) -> ProviderPause | None:
    return ProviderPause.objects.standing(configuration.fingerprint).first()


def pause(*, configuration: Configuration, status: int, reason: str) -> ProviderRefused:
    """Begin a pause, unless one stands (unique constraint). Returns the error to raise."""
    row = ProviderPause(
        provider=configuration.provider,
        model=configuration.model,
        fingerprint=configuration.fingerprint,
        status_code=status,
        reason=reason[:500],
    )
    with transaction.atomic(durable=True):
        ProviderPause.objects.bulk_create([row], ignore_conflicts=True)
    log.error("model_paused", provider=configuration.provider, model=configuration.model, reason=reason)
    return refusal(configuration, reason)


def resume(*, actor: User | None = None) -> int:
    """End all pauses that stand. How many there were."""
    return ProviderPause.objects.filter(ended_at=None).update(ended_at=timezone.now(), ended_by=actor)


def refusal(configuration: Configuration, reason: str) -> ProviderRefused:
    return ProviderRefused(
        f"{configuration.provider} does not accept our calls ({reason}). Nobody asks it again until the cause is "
        "mended and the pause ended, in the admin or by `manage.py ai_check --resume`.",
        retry_after_s=RETRY_AFTER_S,
    )
