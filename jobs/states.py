"""The state of a job as JSON: one shape for snapshots, events and pages."""

from __future__ import annotations

from .events.types import JobState
from .models import Job
from .registry import title_of


def job_state(job: Job) -> JobState:
    return {
        "job_id": str(job.id),
        "kind": job.kind,
        "title": title_of(job.kind),
        "status": job.status,
        "attempt": job.attempt,
        "batch_id": str(job.batch_id) if job.batch_id else None,
        "subject_type": job.subject_type,
        "subject_id": str(job.subject_id) if job.subject_id else None,
        "about": job.about,
        "progress": job.fraction,
        "done": job.done,
        "total": job.total,
        "message": job.current_step,
        "eta_seconds": job.eta_s,
        "detail": job.detail,
    }


def channels_of(job: Job) -> list[str]:
    """Where events of the job are said. A batch's children spare the person's own channel: the batch speaks for
    them."""
    channels = [f"batch:{job.id}" if job.is_batch else f"job:{job.id}"]
    if job.batch_id:
        channels.append(f"batch:{job.batch_id}")
    if job.subject_type and job.subject_id:
        channels.append(f"{job.subject_type}:{job.subject_id}")
    if job.actor_id and not job.batch_id:
        channels.append(f"user:{job.actor_id}")
    return channels + [channel for channel in job.channels if channel not in channels]


def subject_states(subject_type: str, subject_id: str) -> list[JobState]:
    """For a subject's snapshot: its active jobs, oldest first, without batches' children. One query."""
    jobs = Job.objects.of_subject(subject_type, subject_id).active().top_level().without_payload()
    return [job_state(job) for job in jobs.order_by("created_at")]
