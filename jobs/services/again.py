"""Asking again for many failed jobs at once: those that failed for the same reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from accounts.exceptions import PlumblineError

from ..models import BATCH_KIND, Job
from .control import retry

if TYPE_CHECKING:
    from accounts.models import User

MOST_AT_ONCE = 500
GOES_BACK = timedelta(days=1)


@dataclass(frozen=True)
class Retried:
    """`refused`: reasons, for people, of those that could not be queued; `left`: more than one call may take."""

    queued: int
    refused: list[str]
    left: int


def retry_failed(*, kind: str, code: str, actor: User | None = None) -> Retried:
    """Queue again what failed in the last day with this kind and code, the oldest first, at most 500 of them.

    Each is a retry of its own (`services.retry`): one that is refused does not keep the others. What was failed by
    somebody else's retry meanwhile is left alone. Raises nothing of a single job.
    """
    failed = Job.objects.filter(
        kind=kind, status=Job.Status.FAILED, error__code=code, finished_at__gte=timezone.now() - GOES_BACK
    ).exclude(kind=BATCH_KIND)
    ids = list(failed.order_by("finished_at").values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    queued, refused = 0, []
    for job_id in ids[:MOST_AT_ONCE]:
        try:
            retry(job_id, actor)
            queued += 1
        except PlumblineError as error:
            refused.append(str(error))
    left = failed.count() - len(refused) if len(ids) > MOST_AT_ONCE else 0
    return Retried(queued, refused, left)
