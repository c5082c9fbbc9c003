"""What ties log lines together: the request that asked, the job that does it, the person it is for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import structlog

from .models import Job

LONGEST_ID = 64  # as Job.request_id


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
