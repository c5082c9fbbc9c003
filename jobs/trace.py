"""What ties log lines together: the request that asked, the job that does it, the person it is for. And the way of
an unexpected error to Sentry, if that is switched on (config/sentry.py)."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager
from typing import Any

import structlog

from accounts.exceptions import PlumblineError

from .failures import is_transient
from .models import Job

LONGEST_ID = 64  # as Job.request_id
FLUSH_S = 2.0
_imported_in = os.getpid()


def request_id() -> str:
    """Of the request, or of the job, in whose course we are; "" outside of both."""
    return str(structlog.contextvars.get_contextvars().get("request_id") or "")[:LONGEST_ID]


def bound_to(job: Job) -> AbstractContextManager[None]:
    """Every line written inside names the job and, if there was one, the request that asked for it. So do the jobs
    that this one asks for."""
    names: dict[str, Any] = {"job_id": str(job.id), "kind": job.kind, "attempt": job.attempt}
    if job.request_id:
        names["request_id"] = job.request_id
    if job.actor_id:
        names["user_id"] = str(job.actor_id)
    return structlog.contextvars.bound_contextvars(**names)


def is_unexpected(error: BaseException) -> bool:
    """A fault of ours: not what is refused on purpose, nor what goes away by itself."""
    if is_transient(error):
        return False
    return not isinstance(error, PlumblineError) or error.status >= 500


def report(error: BaseException) -> None:
    """Tell Sentry of an error that ended the attempt at hand. Nothing without Sentry, whose SDK is not even loaded
    then; nothing of refusals."""
    if "sentry_sdk" not in sys.modules or not is_unexpected(error):
        return
    import sentry_sdk

    sentry_sdk.capture_exception(error)
    if os.getpid() != _imported_in:  # an isolated child ends without the usual farewells
        sentry_sdk.flush(timeout=FLUSH_S)
