"""What could not be refreshed waits: an hour, then twice as long after each failure in a row, a week at most."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models import F
from django.utils import timezone

from ..models import RefreshSetback

FIRST, LONGEST = timedelta(hours=1), timedelta(days=7)
DOUBLINGS = 8  # from which on the longest holds
KEPT = timedelta(days=30)  # of what nobody asks for any more
STUBBORN = 3  # failures in a row, from which on somebody should look
log = structlog.get_logger(__name__)


def set_back(*, source: str, source_id: str = "", error: Exception) -> RefreshSetback:
    """It is left alone for now; `source_id` empty: the source. Two at once count as two failures."""
    words = f"{type(error).__name__}: {error}".replace("\x00", "")[:300]
    now = timezone.now()
    row, is_first = RefreshSetback.objects.get_or_create(
        source=source, source_id=source_id, defaults={"error": words, "failed_at": now, "wait_until": now + FIRST}
    )
    if not is_first:
        RefreshSetback.objects.filter(pk=row.pk).update(failures=F("failures") + 1, error=words, failed_at=now)
        row.refresh_from_db()
        row.wait_until = now + wait_after(row.failures)
        row.save(update_fields=["wait_until"])
    log.warning("refresh_set_back", source=source, source_id=source_id, error=words, failures=row.failures)
    return row


def wait_after(failures: int) -> timedelta:
    return min(FIRST * (1 << min(failures - 1, DOUBLINGS)), LONGEST)


def forget_setbacks(*, source: str, source_ids: Sequence[str]) -> None:
    """They went well."""
    RefreshSetback.objects.filter(source=source, source_id__in=list(source_ids)).delete()


def forget_old_setbacks() -> None:
    RefreshSetback.objects.filter(failed_at__lt=timezone.now() - KEPT, wait_until__lt=timezone.now()).delete()


def end_waiting(*, ids: Sequence[int]) -> int:
    """Let the next run try these again; how many there were. Their failures go on counting."""
    return RefreshSetback.objects.filter(pk__in=list(ids)).update(wait_until=timezone.now())


def failing_sources() -> list[RefreshSetback]:
    """Whose own way has failed several times in a row, the most stubborn first."""
    rows = RefreshSetback.objects.filter(source_id="", failures__gte=STUBBORN, failed_at__gt=timezone.now() - KEPT)
    return list(rows.order_by("-failures", "source"))


def is_set_back(*, source: str, source_id: str = "") -> bool:
    return RefreshSetback.objects.filter(source=source, source_id=source_id, wait_until__gt=timezone.now()).exists()
