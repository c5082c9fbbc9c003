"""Running one claimed job: call the handler, write the end, whatever happens. Nothing a handler does ends the
worker."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import django.db
import structlog
from django.db import connections

from . import announce, isolation, trace
from .exceptions import Cancelled, JobStopped, LeaseLost, TimedOut, UnknownKind
from .failures import as_told, describe, is_transient, wait_asked_s
from .heart import Heart
from .models import Job
from .registry import Kind, kind_of
from .run import Run
from .services import batches, lifecycle

log = structlog.get_logger(__name__)


def run_claimed(job: Job, *, heart: Heart, isolate: bool = True) -> None:
    """Run a job that this process has just claimed, in a child of its own if its kind asks for that. Raises nothing.

    When not even the end can be written (the database is away) the row stays running, and is taken back after its
    lease.
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
            _guarded(lambda: _supervise(job, kind))
        else:
            execute(job, kind, heart=heart)


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


def execute(job: Job, kind: Kind, *, heart: Heart) -> None:
    """Call the handler in this process and write the end. Raises nothing but what stops the process itself."""
    run = Run(job)
    try:
        with heart.beating_for(run), _deadline(kind.timeout_s):
            announce.say_state(job)
            result = kind.handler(run, run.params)
            if not run.finished:
                run.complete(result)
    except LeaseLost as error:
        log.warning("job_lease_lost", error=str(error))
    except Cancelled:
        _guarded(lambda: _cancelled(run))
    except (Exception, SystemExit, JobStopped) as error:
        if run.finished:  # its effects are committed: what came after must not undo the result
            log.error("job_failed_after_its_end", exc_info=error)
            trace.report(error)
        else:
            told = as_told(error, timeout_s=kind.timeout_s)
            _guarded(lambda: _failed(run, told, kind))


def _supervise(job: Job, kind: Kind) -> None:
    def beat() -> None:
        try:
            lifecycle.beat(job_id=job.id, attempt=job.attempt)
        except LeaseLost:
            pass  # ended by the child, or taken back: the child finds out for itself
        except django.db.Error as error:
            connections.close_all()
            log.warning("heartbeat_failed", error=str(error))

    crash = isolation.run_in_child(lambda: execute(job, kind, heart=Heart()), kind=kind, beat=beat)
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
        return
    log.warning("job_" + ended.status, error=described["class"], message=described["message"])
    run.end(ended)


def _cancelled(run: Run) -> None:
    ended = lifecycle.confirm_cancelled(job_id=run.job_id, attempt=run.attempt, state=run.state())
    if ended is not None:
        run.end(ended)


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


@contextmanager
def _deadline(timeout_s: float) -> Iterator[None]:
    """Raise TimedOut in the handler when its time is up. Signals reach the main thread only: elsewhere there is no
    limit."""
    if timeout_s <= 0 or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(signum: int, frame: Any) -> None:
        raise TimedOut

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def take_back(job_id: UUID, attempt: int, kind_name: str, *, error: BaseException, now: Any) -> Job | None:
    """A running job whose worker is gone: retried if a retry is left, else failed; None when somebody was faster."""
    try:
        backoff_s = kind_of(kind_name).backoff_s
    except UnknownKind:
        backoff_s = (4.0, 60.0)
    described = describe(error, with_traceback=False)
    job = lifecycle.take_back(job_id=job_id, attempt=attempt, now=now, error=described, backoff_s=backoff_s)
    if job is not None:
        announce.say_state(job)
        if job.batch_id:
            batches.child_ended(job.batch_id)
    return job
