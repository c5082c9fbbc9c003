"""`job.completed` and `job.failed`: told of every job at the top level that belongs to an organisation."""

from __future__ import annotations

from typing import Any

from ..models import Job
from ..registry import title_of
from .emitting import emit
from .event_types import declare
from .links import link_to

COMPLETED, FAILED = "job.completed", "job.failed"
EVENT_OF = {Job.Status.COMPLETED: COMPLETED, Job.Status.FAILED: FAILED}  # who cancels a job knows of it

EXAMPLE: dict[str, Any] = {
    "job_id": "5f0f4e3c-4c1e-4a55-9f2a-3d4f0b8a7f10",
    "kind": "projects.audit",
    "title": "Audit a budget",
    "subject_type": "project",
    "subject_id": "b9a3b8f2-3a51-4c64-a6a1-0f6f7a0f3c21",
    "about": "Valcha",
    "done": 298,
    "total": 298,
    "link": "https://plumbline.example/jobs/5f0f4e3c-4c1e-4a55-9f2a-3d4f0b8a7f10/",
}

declare(
    COMPLETED,
    description="A job has ended well: a bill was read, a budget audited. Of a batch: all of its jobs have.",
    example=EXAMPLE,
)
declare(
    FAILED,
    description="A job has failed for good, after its retries. Of a batch: at least one of its jobs has.",
    example=EXAMPLE | {"error": {"code": "does_not_reconcile", "message": "The sections add up to another total."}},
)


def tell_of_end(job: Job) -> None:
    """Called in the transaction that ends a job."""
    event_type = EVENT_OF.get(Job.Status(job.status))
    if event_type is None or job.organisation_id is None or job.batch_id is not None:
        return
    emit(event_type=event_type, organisation_id=job.organisation_id, data=lambda: _told(event_type, job))


def _told(event_type: str, job: Job) -> dict[str, Any]:
    data: dict[str, Any] = {
        "job_id": str(job.pk),
        "kind": job.kind,
        "title": title_of(job.kind),
        "subject_type": job.subject_type,
        "subject_id": str(job.subject_id) if job.subject_id else None,
        "about": job.about,
        "done": job.done,
        "total": job.total,
        "link": link_to("jobs:detail", job.pk),
    }
    if event_type == FAILED:
        error = job.error or {}
        data["error"] = {"code": error.get("code", ""), "message": error.get("message", "")}
    return data
