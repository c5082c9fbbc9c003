"""What people ask of a job that exists: cancel it, retry it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from .. import announce
from ..exceptions import JobMissing, NotChangeable, WrongState
from ..models import Job
from ..querysets import JobQuerySet
from ..registry import kind_of
from . import batches, lifecycle
from .enqueueing import wake_on_commit

if TYPE_CHECKING:
    from accounts.models import User

WAITING = (Job.Status.QUEUED, Job.Status.RETRYING)
FAILED = (Job.Status.FAILED,)
STOPPED = (Job.Status.FAILED, Job.Status.CANCELLED)


def cancel(job_id: UUID | str, actor: User | None = None) -> Job:
    """Cancel a waiting job at once, a running one at its next report; a batch: all its children that are not yet ended.

    Asking twice is the same as asking once. Raises JobMissing, NotChangeable, WrongState (it has ended). No actor:
    the system.
    """
    job = _changeable(job_id, actor)
    with transaction.atomic():
        if job.is_batch:
            _cancel_children(job)
        elif lifecycle.cancel_waiting(job_id=job.pk):
            transaction.on_commit(lambda: _say_ended(job.pk), robust=True)
        elif not _request(Job.objects.filter(pk=job.pk)):
            job.refresh_from_db()
            if job.status != Job.Status.CANCELLED:
                raise WrongState(f"This job has already ended ({job.get_status_display().lower()}).")
    return Job.objects.get(pk=job.pk)


def _request(jobs: JobQuerySet) -> int:
    """Rows are locked in the order of their ids, as workers do that complete many: else each could wait for the
    other."""
    with transaction.atomic():
        running = jobs.filter(status=Job.Status.RUNNING).order_by("pk").select_for_update().values_list("pk", flat=True)
        return Job.objects.filter(pk__in=list(running), status=Job.Status.RUNNING).update(
            cancel_requested_at=timezone.now()
        )


def _cancel_children(batch: Job) -> None:
    if not batch.is_active:
        raise WrongState(f"This batch has already ended ({batch.get_status_display().lower()}).")
    children = Job.objects.filter(batch=batch)
    for child_id in children.filter(status__in=WAITING).values_list("pk", flat=True):
        lifecycle.cancel_waiting(job_id=child_id)
    _request(children)
    transaction.on_commit(lambda: batches.settle(batch.pk), robust=True)


def _say_ended(job_id: UUID) -> None:
    job = Job.objects.get(pk=job_id)
    announce.say_state(job)
    if job.batch_id:
        batches.settle(job.batch_id)


def retry(job_id: UUID | str, actor: User | None = None, *, only_failed: bool = False) -> Job:
    """Run a failed or cancelled job again, with all its retries; of a batch, every child that failed or was cancelled,
    or only those that failed. A batch may still be running.

    Raises JobMissing, NotChangeable, WrongState (it is active, completed, or an equal job is active), UnknownKind.
    """
    job = _changeable(job_id, actor)
    if not job.is_batch:
        kind_of(job.kind)
    with transaction.atomic():
        again = _requeue(job, FAILED if only_failed else STOPPED)
        if not again:
            raise WrongState(_why_not(job, only_failed=only_failed))
        batch_id = job.pk if job.is_batch else job.batch_id
        if batch_id:
            ended = Job.objects.filter(pk=batch_id).exclude(status=Job.Status.RUNNING)
            ended.update(status=Job.Status.RUNNING, finished_at=None, error=None, result=None)
        wake_on_commit(again)
        transaction.on_commit(lambda: _say_queued(job.pk, batch_id), robust=True)
    return Job.objects.get(pk=job.pk)


def _why_not(job: Job, *, only_failed: bool) -> str:
    if job.is_batch:
        return f"No job of this batch {'has failed' if only_failed else 'has failed or was cancelled'}."
    allowed = "failed" if only_failed else "failed or cancelled"
    return f"Only {allowed} jobs can be retried; this one is {job.get_status_display().lower()}."


def _requeue(job: Job, statuses: tuple[Job.Status, ...]) -> list[Job]:
    """failed, cancelled → queued, of the job or the batch's children; `attempt` goes on, for it is the fence."""
    which = {"batch": job} if job.is_batch else {"pk": job.pk}
    stopped = Job.objects.filter(**which, status__in=statuses)
    ids = list(stopped.select_for_update().values_list("pk", flat=True))
    fresh = {"progress": 0, "done": 0, "total": 0, "current_step": "", "detail": {}, "eta_s": None, "result": None}
    try:
        with transaction.atomic():
            Job.objects.filter(pk__in=ids).update(
                status=Job.Status.QUEUED,
                attempts_before=F("attempt"),
                error=None,
                finished_at=None,
                cancel_requested_at=None,
                scheduled_for=None,
                **fresh,
            )
    except IntegrityError:
        raise WrongState("The same work has been asked for again since, and is not finished yet.") from None
    return list(Job.objects.filter(pk__in=ids))


def _say_queued(job_id: UUID, batch_id: UUID | None) -> None:
    if batch_id:
        batches.settle(batch_id)
    if batch_id != job_id:
        announce.say_state(Job.objects.get(pk=job_id))


def _changeable(job_id: UUID | str, actor: User | None) -> Job:
    """The job, if the actor may change it. The two refusals differ only for those who see it."""
    try:
        if actor is None:
            return Job.objects.get(pk=job_id)
        job = Job.objects.changeable_by(actor).filter(pk=job_id).first()
    except (Job.DoesNotExist, ValidationError):
        raise JobMissing("There is no such job.") from None
    if job is not None:
        return job
    if Job.objects.visible_to(actor).filter(pk=job_id).exists():
        raise NotChangeable("You can see this job, but not change it. Ask a member of the organisation.")
    raise JobMissing("There is no such job.")
