"""Running one claimed job: call the handler, write the end, whatever happens. Nothing a handler does ends the
worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog
from django.db import connections, transaction

from . import announce, deadlines, doorbell, isolation, trace
from .exceptions import Cancelled, HandedBack, JobStopped, LeaseLost, UnknownKind
from .failures import as_told, describe, is_transient, wait_asked_s
from .heart import Heart
from .models import Job
from .registry import Kind, kind_of
from .run import Run
from .services import batches, lifecycle

log = structlog.get_logger(__name__)


def run_claimed(job: Job, *, heart: Heart, isolate: bool = True, aside: bool = False) -> None:
    """Run a job that this process has just claimed, in a child of its own if its kind asks for that. Raises nothing.

    `aside`: in a thread of its own, beside others. When not even the end can be written (the database is away) the row
    stays running, and is taken back after its lease.
    """
    with trace.bound_to(job):
        try:
            kind = kind_of(job.kind)
        except UnknownKind as error:
            unknown = error
            _guarded(lambda: _failed(Run(job), unknown, None))
            return
        if kind.isolated and isolate:
            heart.stop()  # no other thread may live through the fork: the child would inherit its locks, held for ever
            _guarded(lambda: _supervise(job, kind, heart))
        else:
            execute(job, kind, heart=heart, aside=aside)
        heart.hand.count()


def run_here(*, job_id: UUID) -> None:
    """Claim and run this job in the calling thread, a web request's perhaps, where forking is not safe: so without
    isolation, time or memory limit."""
    job = lifecycle.claim_one(job_id=job_id)
    if job is not None:
        heart = Heart()
        try:
            run_claimed(job, heart=heart, isolate=False)
        finally:
            heart.stop()
        _guarded(batches.settle_owed)


def execute(job: Job, kind: Kind, *, heart: Heart, aside: bool = False) -> None:
    """Call the handler in this process and write the end, or have it kept to be written with others. Raises nothing
    but what stops the process itself."""
    run = Run(job)
    try:
        with heart.beating_for(run, aside=aside), _deadline(run, kind.timeout_s, aside=aside):
            run.begin()
            result = kind.handler(run, run.params)
            if not (run.finished or heart.hand.keep(run, result)):
                run.complete(result)
    except LeaseLost as error:
        log.warning("job_lease_lost", error=str(error))
    except Cancelled:
        _guarded(lambda: _cancelled(run))
    except HandedBack:
        _guarded(lambda: _handed_back(run))
    except (Exception, SystemExit, JobStopped) as error:
        if run.finished:  # its effects are committed: what came after must not undo the result
            log.error("job_failed_after_its_end", exc_info=error)
            trace.report(error)
        else:
            told = as_told(error, timeout_s=kind.timeout_s)
            _guarded(lambda: _failed(run, told, kind))
    if not aside:
        heart.hand.pace.note(kind.name, time.monotonic() - run.began_at)


@contextmanager
def _deadline(run: Run, timeout_s: float, *, aside: bool) -> Iterator[None]:
    if not aside:
        with deadlines.by_signal(timeout_s):
            yield
        return
    with deadlines.by_alarm(timeout_s) as run.alarm:
        yield


def _supervise(job: Job, kind: Kind, heart: Heart) -> None:
    with heart.hand.supervising(job):
        crash = isolation.run_in_child(lambda: execute(job, kind, heart=Heart()), kind=kind, after_fork=heart.start)
    if job.batch_id:
        batches.child_ended(job.batch_id)  # what the child owes has ended with it
    if crash is not None:
        _failed(Run(Job.objects.get(pk=job.pk)), crash, None, attempt=job.attempt)


def _failed(run: Run, error: BaseException, kind: Kind | None, *, attempt: int | None = None) -> None:
    """Write and say that it failed, or will be tried again. Without a kind there is no retry."""
    token = run.attempt if attempt is None else attempt
    trace.report(error)
    described = describe(error)
    if kind is not None and is_transient(error):
        ended = lifecycle.retry_later(
            job_id=run.job_id,
            attempt=token,
            error=described,
            backoff_s=kind.backoff_s,
            state=run.state(),
            at_least_s=wait_asked_s(error),
        )
    else:
        ended = lifecycle.fail(job_id=run.job_id, attempt=token, error=described, state=run.state())
    if ended is None:
        _say_if_completed(run)
        return
    log.warning("job_" + ended.status, error=described["class"], message=described["message"])
    run.end(ended)


def _cancelled(run: Run) -> None:
    ended = lifecycle.confirm_cancelled(job_id=run.job_id, attempt=run.attempt, state=run.state())
    if ended is not None:
        run.end(ended)


def _handed_back(run: Run) -> None:
    """Said before the commit, while the row is locked: afterwards another worker may say more of it."""
    with transaction.atomic():
        job = lifecycle.hand_back(job_id=run.job_id, attempt=run.attempt)
        if job is not None and job.status == Job.Status.QUEUED:
            run.hush()
            announce.say_state(job)
    if job is None:
        return
    if job.status == Job.Status.QUEUED:
        doorbell.ring(job.queue, job_id=job.id, attempt=job.attempt)
    else:
        run.end(job)


def _say_if_completed(run: Run) -> None:
    """The connection broke at the very commit of the completion, and it was committed nevertheless: then nobody has
    said so yet."""
    job = lifecycle.completed_by(job_id=run.job_id, attempt=run.attempt)
    if job is not None:
        run.end(job)


def _guarded(write: Any) -> None:
    """Write the end of a job. The connection may be the very thing that broke: try once more with a fresh one."""
    for last in (False, True):
        try:
            write()
            return
        except Exception as error:
            _drop_connections()
            if last:
                log.error("job_end_not_written", exc_info=error)


def _drop_connections() -> None:
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def take_back(job_id: UUID, attempt: int, kind_name: str, *, error: BaseException, now: Any) -> Job | None:
    """A running job whose worker is gone: queued again if it had not begun, retried if a retry is left, else failed;
    None when somebody was faster."""
    try:
        backoff_s = kind_of(kind_name).backoff_s
    except UnknownKind:
        backoff_s = (4.0, 60.0)
    described = describe(error, with_traceback=False)
    with transaction.atomic():
        job = lifecycle.take_back(job_id=job_id, attempt=attempt, now=now, error=described, backoff_s=backoff_s)
        if job is not None and job.is_active:
            announce.say_state(job)  # while the row is locked: afterwards a worker may say more of it
    if job is not None and not job.is_active:
        announce.say_state(job)
        if job.batch_id:
            batches.child_ended(job.batch_id)
    return job
