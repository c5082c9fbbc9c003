"""Each reading of a bank: alone, told from its beginning to its end, with what it had to reject."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.utils import timezone

from ..exceptions import BankBusy
from ..models import Bank, SyncRejection, SyncRun
from ..querysets import SyncRejectionQuerySet
from .storing import Counts

INTERRUPTED = "The reading was interrupted. Nothing of it was kept; the next one begins anew."
OF_AIRTABLE = (SyncRun.Kind.FULL, SyncRun.Kind.DELTA, SyncRun.Kind.RETRY)
MOST_REJECTIONS = 10_000  # kept a run; more are counted only


@contextmanager
def running(*, bank: Bank, run: SyncRun) -> Iterator[SyncRun]:
    """The run, stored as running, alone with its bank; whatever ends the block is told in it. What is read into the
    tables within must be one transaction, so that nobody sees a part of it. Raises BankBusy.
    """
    began = time.monotonic()
    with _alone(bank.pk):
        # Whoever left these behind is dead: the lock of a bank goes with the session that had it.
        left = SyncRun.objects.filter(bank=bank, status=SyncRun.Status.RUNNING).exclude(pk=run.pk)
        left.update(status=SyncRun.Status.FAILED, error=INTERRUPTED, finished_at=timezone.now())
        run.status, run.error, run.finished_at = SyncRun.Status.RUNNING, "", None
        run.save()
        try:
            yield run
        except BaseException as error:
            run.fetched = run.created = run.updated = run.unchanged = run.rejected = run.retired = 0
            _end(run, began, SyncRun.Status.FAILED, str(error) or INTERRUPTED)
            raise
        _end(run, began, SyncRun.Status.COMPLETED, "")


def count(run: SyncRun, counts: Counts) -> None:
    run.created, run.updated, run.unchanged = counts.created, counts.updated, counts.unchanged


def keep_rejections(*, found: Iterable[SyncRejection], before: SyncRejectionQuerySet) -> None:
    """Of `before`, the open rejections of what has been read again: those that are still the same stay as they are, the
    others are settled."""
    wanted = {_sameness(each): each for each in found}
    with transaction.atomic():
        settled = [each.pk for each in before.unresolved() if wanted.pop(_sameness(each), None) is None]
        if settled:
            SyncRejection.objects.filter(pk__in=settled).update(resolved_at=timezone.now())
        SyncRejection.objects.bulk_create(list(wanted.values())[:MOST_REJECTIONS], batch_size=500)


def record_failure(*, bank_id: UUID, message: str, run_id: UUID | None = None) -> None:
    """Whatever ended a job, a crash included: the run that it left behind says so. Runs of commands have no job."""
    active = (SyncRun.Status.RUNNING, SyncRun.Status.QUEUED)
    left = SyncRun.objects.filter(bank_id=bank_id, status__in=active, job_id__isnull=False)
    left = left.filter(pk=run_id) if run_id else left.filter(kind__in=OF_AIRTABLE)
    left.update(status=SyncRun.Status.FAILED, error=message[:500], finished_at=timezone.now())


def told(run: SyncRun) -> dict[str, Any]:
    """The report, as JSON."""
    names = (
        "fetched",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "retired",
        "seconds",
        "drift",
        "unsupported",
        "remarks",
        "error",
    )
    return {
        "run_id": str(run.pk),
        "bank": run.bank.name,
        "kind": run.kind,
        "is_dry": run.is_dry,
        **{name: getattr(run, name) for name in names},
    }


def _sameness(each: SyncRejection) -> tuple[str, str, str, str]:
    return each.record_id, each.code, each.reason, orjson.dumps(each.raw, option=orjson.OPT_SORT_KEYS).decode()


def _end(run: SyncRun, began: float, status: str, error: str) -> None:
    run.status, run.error = status, error[:500]
    run.finished_at, run.seconds = timezone.now(), round(time.monotonic() - began, 3)
    run.save()


@contextmanager
def _alone(bank_id: UUID) -> Iterator[None]:
    """One run of a bank at a time, by an advisory lock of the session: it goes when the process goes."""
    key = "hashtextextended('quiz.run:' || %s, 0)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({key})", [str(bank_id)])
        if not cursor.fetchone()[0]:
            raise BankBusy("This bank is being read right now. Try again when that has ended.")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock({key})", [str(bank_id)])
