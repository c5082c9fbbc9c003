"""What a batch says about its children. Counted from their rows, never incremented: no lost updates, no lock between
workers."""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from .. import announce, tuning
from ..models import BATCH_KIND, Job
from .aftermath import tell_ended

# When this process last counted a batch, and which ones it owes a count: a thousand short children cause four counts a
# second.
_counted_at: dict[UUID, float] = {}
_owed: set[UUID] = set()


def counts_of(batch_id: UUID) -> dict[str, int]:
    """How many children are in which state; states without any are left out."""
    rows = Job.objects.filter(batch_id=batch_id).order_by().values("status").annotate(n=Count("id"))
    return {row["status"]: row["n"] for row in rows}


def child_ended(batch_id: UUID) -> None:
    """To be called after a child's end was committed. Costs nothing: the count is owed."""
    _owed.add(batch_id)


def settle_due() -> None:
    """Count what is owed and was not counted a quarter of a second ago: called by the heart while work goes on."""
    now = time.monotonic()
    for batch_id in list(_owed):
        if now - _counted_at.get(batch_id, float("-inf")) >= tuning.REPORT_EVERY_S:
            settle(batch_id)


def settle_owed() -> None:
    """Count all that is owed. Workers do so when their queue is empty; if they die first, the scheduler ends batches
    whose last child has ended."""
    for batch_id in list(_owed):
        settle(batch_id)


def settle(batch_id: UUID) -> None:
    """Store and say the batch's progress; completed, failed (some child failed) or cancelled once no child is active.

    Counts and says while the batch's row is locked, so that of two processes the later one tells the later state; the
    end is said after its commit, by the one that wrote it.
    """
    if len(_counted_at) > 1000:  # batches whose last child ended in another process
        _counted_at.clear()
    _counted_at[batch_id] = time.monotonic()
    _owed.discard(batch_id)
    try:
        with transaction.atomic():
            running = Job.objects.filter(pk=batch_id, kind=BATCH_KIND, status=Job.Status.RUNNING)
            batch = running.select_for_update().first()
            if batch is not None:
                _count(batch)
    except Exception:
        _owed.add(batch_id)
        raise


def _count(batch: Job) -> None:
    """On the locked row."""
    counts = counts_of(batch.pk)
    done = sum(counts.get(status, 0) for status in Job.ENDED)
    active = sum(counts.get(status, 0) for status in Job.ACTIVE)
    values: dict[str, Any] = {"done": done, "detail": counts, "progress": 100 * done // max(1, done + active)}
    values |= {"eta_s": _eta_s(batch, done, active)} if active else _ending(counts)
    for name, value in values.items():
        setattr(batch, name, value)
    batch.save(update_fields=list(values))
    if active:
        announce.say_state(batch)
    else:
        _counted_at.pop(batch.pk, None)
        tell_ended(batch)
        transaction.on_commit(partial(announce.say_state, batch), robust=True)


def _ending(counts: dict[str, int]) -> dict[str, Any]:
    ended: dict[str, Any] = {"finished_at": timezone.now(), "eta_s": None, "result": counts, "error": None}
    failed, total = counts.get("failed", 0), sum(counts.values())
    if failed:
        message = f"{failed} of {total} jobs failed; the others ended as they should. Retry the failed ones."
        return ended | {"status": Job.Status.FAILED, "error": {"message": message, "code": "batch_has_failures"}}
    if counts.get("cancelled") and not counts.get("completed"):
        return ended | {"status": Job.Status.CANCELLED}
    return ended | {"status": Job.Status.COMPLETED}


def _eta_s(batch: Job, done: int, active: int) -> float | None:
    if not done or batch.started_at is None:
        return None
    return round((timezone.now() - batch.started_at).total_seconds() / done * active, 1)
