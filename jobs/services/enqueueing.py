"""Asking for work. The row is written in the caller's transaction; workers are woken when it has been committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from .. import doorbell
from ..exceptions import WrongState
from ..models import BATCH_KIND, Job
from ..registry import Kind, kind_of
from ..trace import request_id
from .inserting import insert_many

if TYPE_CHECKING:
    from accounts.models import Organisation, User

Subject = tuple[str, UUID | str]


def enqueue(
    *,
    kind: str,
    params: Mapping[str, Any],
    actor: User | UUID | None = None,
    organisation: Organisation | UUID | None = None,
    subject: Subject | None = None,
    about: str = "",
    priority: int = Job.Priority.NORMAL,
    queue: str | None = None,
    batch: Job | None = None,
    dedupe_key: str | None = None,
    scheduled_for: datetime | None = None,
    max_retries: int | None = None,
    channels: Sequence[str] = (),
) -> Job:
    """Ask for one job; its row, queued. Returns at once whatever the state of Redis. `about`: the subject's name.
    With a dedupe_key whose job is still active, that job is returned instead: it may already be running, so what it
    works on must be looked up when it runs, not stored in params. Raises UnknownKind.
    """
    job = _row(
        kind_of(kind),
        params,
        actor_id=_id(actor),
        organisation_id=_id(organisation),
        subject_type=subject[0] if subject else "",
        subject_id=subject[1] if subject else None,
        about=about[:200],
        priority=priority,
        batch=batch,
        dedupe_key=dedupe_key,
        scheduled_for=scheduled_for,
        channels=list(channels),
    )
    job.queue = queue or job.queue
    job.max_retries = job.max_retries if max_retries is None else max_retries
    kept = _insert_or_find(job) if dedupe_key is not None else _insert(job)
    if kept is job:
        wake_on_commit([job])
    return kept


def enqueue_batch(
    *,
    kind: str,
    params: Iterable[Mapping[str, Any]],
    actor: User | UUID | None = None,
    organisation: Organisation | UUID | None = None,
    subject: Subject | None = None,
    about: str = "",
    priority: int = Job.Priority.NORMAL,
    message: str = "",
    channels: Sequence[str] = (),
) -> Job:
    """Ask for one job per element of `params`; the batch's row, whose `done` of `total` counts ended children.

    Inserted in bulk, woken by a handful of doorbells in one pipeline. A batch of nothing is completed at once.
    """
    described = kind_of(kind)
    common = {
        "actor_id": _id(actor),
        "organisation_id": _id(organisation),
        "subject_type": subject[0] if subject else "",
        "subject_id": subject[1] if subject else None,
        "about": about[:200],
        "priority": priority,
        "channels": list(channels),
        "request_id": request_id(),
    }
    now, listed = timezone.now(), list(params)
    batch = Job(kind=BATCH_KIND, status=Job.Status.RUNNING, queue=described.queue, started_at=now, **common)
    batch.params, batch.current_step, batch.created_at, batch.total = {"kind": kind}, message, now, len(listed)
    if not listed:
        batch.status, batch.finished_at, batch.progress = Job.Status.COMPLETED, now, 100
    with transaction.atomic():
        batch.save(force_insert=True)
        if listed:
            ids = insert_many(like=_row(described, {}, batch=batch, created_at=now, **common), params=listed)
            transaction.on_commit(partial(_ring_for, {described.queue: [(pk, 0) for pk in ids]}), robust=True)
    return batch


def wake_on_commit(jobs: Sequence[Job]) -> None:
    """Ring for these rows when they are there to be seen; robust: no failure of it reaches the caller."""
    if jobs:
        transaction.on_commit(partial(_wake, jobs), robust=True)


def _wake(jobs: Sequence[Job]) -> None:
    now = timezone.now()
    due: dict[str, list[tuple[UUID, int]]] = {}
    for job in jobs:
        if job.scheduled_for is None or job.scheduled_for <= now:
            due.setdefault(job.queue, []).append((job.id, job.attempt))
    _ring_for(due)


def _ring_for(due: Mapping[str, Sequence[tuple[UUID, int]]]) -> None:
    """(id, attempt) of rows that wait in a queue, by queue."""
    rung = True
    for queue, rows in due.items():
        (job_id, attempt), times = rows[0], min(len(rows), doorbell.RINGS_PER_BATCH)
        rung = doorbell.ring(queue, job_id=job_id, attempt=attempt, times=times) and rung
    if not rung and settings.JOBS_WHEN_REDIS_IS_DOWN == "inline":
        # Imported here: the runner stands above the services it calls, and only this policy reaches up to it.
        from ..runner import run_here

        for job_id, _ in (row for rows in due.values() for row in rows):
            run_here(job_id=job_id)


def _row(kind: Kind, params: Mapping[str, Any], **fields: Any) -> Job:
    fields.setdefault("request_id", request_id())
    return Job(kind=kind.name, queue=kind.queue, max_retries=kind.max_retries, params=dict(params), **fields)


def _insert(job: Job) -> Job:
    job.save(force_insert=True)
    return job


def _insert_or_find(job: Job) -> Job:
    """The unique constraint on active keys decides; whoever loses reads the winner's row."""
    for _ in range(5):
        found = Job.objects.active().filter(dedupe_key=job.dedupe_key).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                return _insert(job)
        except IntegrityError:
            continue  # inserted by somebody else since; or theirs has just ended, then the next turn inserts ours
    raise WrongState("The same work is being started and ended at this very moment. Try again.")


def _id(value: Model | UUID | None) -> UUID | None:
    if isinstance(value, Model):
        key: UUID = value.pk
        return key
    return value
