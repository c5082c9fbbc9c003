"""What follows the end of a job in the same transaction: a kind's own `on_failed`, and whoever listens to all ends.

Neither the end nor what follows is there without the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.db import transaction

from ..exceptions import UnknownKind
from ..models import Job
from ..registry import FailureHook, kind_of

log = structlog.get_logger(__name__)
CANCELLED = {"class": "", "message": "Cancelled.", "code": "cancelled", "traceback": ""}

EndHook = Callable[[Job], None]
_end_hooks: list[EndHook] = []


class _HookFailed(Exception):
    pass


def on_ended(hook: EndHook) -> EndHook:
    """Have `hook(job)` called in the transaction that ends a job (completed, failed, cancelled) which belongs to an
    organisation and is no batch's child; a batch itself counts. To be called when an app is ready; once per hook.

    A hook that raises is logged and its writes are undone: the job's end matters more.
    """
    if hook not in _end_hooks:
        _end_hooks.append(hook)
    return hook


def is_listened_to(job: Job) -> bool:
    """Will somebody be told of this job's end? Else it may be written in bulk, without a transaction of its own."""
    return bool(_end_hooks) and job.organisation_id is not None and job.batch_id is None


def tell_ended(job: Job) -> None:
    """Call the hooks, in the caller's transaction."""
    if not is_listened_to(job):
        return
    for hook in _end_hooks:
        try:
            with transaction.atomic():
                hook(job)
        except Exception as error:
            log.error("job_end_hook_failed", hook=hook.__qualname__, job_id=str(job.id), exc_info=error)


def ended_well(write: Callable[[], Job | None]) -> Job | None:
    """Run `write`, which completes a job, and tell whoever listens, together."""
    if not _end_hooks:
        return write()
    with transaction.atomic():
        job = write()
        if job is not None:
            tell_ended(job)
        return job


def ended_badly(write: Callable[[], Job | None]) -> Job | None:
    """Run `write`, which ends a job, its kind's `on_failed` and the hooks together. An `on_failed` that raises is
    logged and left out: the job's end matters more. Errors of `write` itself go through."""
    try:
        with transaction.atomic():
            job = write()
            if job is not None:
                _call(job)
                tell_ended(job)
            return job
    except _HookFailed as error:
        log.error("job_failure_hook_failed", exc_info=error.__cause__)
    with transaction.atomic():
        job = write()
        if job is not None:
            tell_ended(job)
        return job


def _call(job: Job) -> None:
    hook = _hook_of(job)
    if hook is None:
        return
    error: dict[str, Any] = CANCELLED if job.status == Job.Status.CANCELLED else (job.error or {})
    try:
        hook(job.params, error)
    except Exception as failure:
        raise _HookFailed from failure


def _hook_of(job: Job) -> FailureHook | None:
    try:
        return kind_of(job.kind).on_failed
    except UnknownKind:
        return None
