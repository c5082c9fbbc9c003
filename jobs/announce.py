"""Saying the state of a job on its channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import events
from .events.types import EventType
from .models import Job
from .states import channels_of, job_state

EVENT_OF_STATUS: dict[str, EventType] = {
    Job.Status.COMPLETED: "job_complete",
    Job.Status.FAILED: "job_failed",
    Job.Status.CANCELLED: "job_cancelled",
}


def say_state(job: Job) -> int:
    """Publish the event that fits the job's status, with its full state; the number on its own channel (0: not
    said)."""
    return events.publish_many(_events_of(job))[0]


def say_states(jobs: Sequence[Job]) -> None:
    """The same for many, in this order, in one round trip."""
    events.publish_many(event for job in jobs for event in _events_of(job))


def _events_of(job: Job) -> list[tuple[str, EventType, dict[str, Any]]]:
    data: dict[str, Any] = dict(job_state(job))
    if job.status == Job.Status.COMPLETED:
        data["result"] = job.result
    if job.status in (Job.Status.FAILED, Job.Status.RETRYING):
        error = job.error or {}
        data |= {"error": error.get("message", ""), "code": error.get("code", "")}
    event = EVENT_OF_STATUS.get(job.status, "progress")
    return [(channel, event, data) for channel in channels_of(job)]
