"""What a kind does about its jobs that ended badly, in the same transaction as the end: neither is there without the
other."""

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


class _HookFailed(Exception):
    pass


def ended_badly(write: Callable[[], Job | None]) -> Job | None:
    """Run `write`, which ends a job, and its kind's `on_failed`, together. A hook that raises is logged and left out:
    the job's end matters more. Errors of `write` itself go through."""
    try:
        with transaction.atomic():
            job = write()
            if job is not None:
                _call(job)
            return job
    except _HookFailed as error:
        log.error("job_failure_hook_failed", exc_info=error.__cause__)
        return write()


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
