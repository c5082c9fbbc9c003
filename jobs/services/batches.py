"""What a batch says about its children. Counted from their rows, never incremented: no lost updates, no lock between
workers."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from .. import announce, tuning
from ..models import BATCH_KIND, Job
from .aftermath import ended_well

# When this process last counted a batch, and which ones it owes a count: a thousand short children cause four counts a
# second.
_counted_at: dict[UUID, float] = {}
_owed: set[UUID] = set()


def counts_of(batch_id: UUID) -> dict[str, int]:
    """How many children are in which state; states without any are left out."""
    rows = Job.objects.filter(batch_id=batch_id).order_by().values("status").annotate(n=Count("id"))
    return {row["status"]: row["n"] for row in rows}


def child_ended(batch_id: UUID) -> None:
    """To be called after a child's end was committed. Counts at most four times a second; what is left is owed."""
    if time.monotonic() - _counted_at.get(batch_id, 0.0) < tuning.REPORT_EVERY_S:
        _owed.add(batch_id)
    else:
        settle(batch_id)


def settle_owed() -> None:
    """Count what is owed. Workers do so when their queue is empty, and beside a job that takes long; if they die first,
    the scheduler ends batches whose last child has ended."""
    while _owed:
        settle(_owed.pop())


def settle(batch_id: UUID) -> None:
    """Store and say the batch's progress; completed, failed (some child failed) or cancelled once no child is active.

    Safe to run twice: only the update that finds the batch still running ends it and says so.
    """
    if len(_counted_at) > 1000:  # batches whose last child ended in another process
        _counted_at.clear()
    _counted_at[batch_id] = time.monotonic()
    _owed.discard(batch_id)
    counts = counts_of(batch_id)
    done = sum(counts.get(status, 0) for status in Job.ENDED)
    active = sum(counts.get(status, 0) for status in Job.ACTIVE)
    values: dict[str, Any] = {"done": done, "detail": counts, "progress": 100 * done // max(1, done + active)}
    running = Job.objects.filter(pk=batch_id, kind=BATCH_KIND, status=Job.Status.RUNNING)
    if not active:
        _counted_at.pop(batch_id, None)
        values |= _ending(counts)
    else:
        values["eta_s"] = _eta_s(batch_id, done, active)
    batch = ended_well(lambda: Job.objects.get(pk=batch_id) if running.update(**values) else None, ends=not active)
    if batch is not None:
        announce.say_state(batch)


def _ending(counts: dict[str, int]) -> dict[str, Any]:
    ended: dict[str, Any] = {"finished_at": timezone.now(), "eta_s": None, "result": counts, "error": None}
    failed, total = counts.get("failed", 0), sum(counts.values())
    if failed:
        message = f"{failed} of {total} jobs failed; the others ended as they should. Retry the failed ones."
        return ended | {"status": Job.Status.FAILED, "error": {"message": message, "code": "batch_has_failures"}}
    if counts.get("cancelled") and not counts.get("completed"):
        return ended | {"status": Job.Status.CANCELLED}
    return ended | {"status": Job.Status.COMPLETED}


def _eta_s(batch_id: UUID, done: int, active: int) -> float | None:
    started_at = Job.objects.filter(pk=batch_id).values_list("started_at", flat=True).first()
    if not done or started_at is None:
        return None
    return round((timezone.now() - started_at).total_seconds() / done * active, 1)
