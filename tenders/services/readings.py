"""The reading of one tender that somebody asked for: how far it is."""

from __future__ import annotations

from uuid import UUID

from jobs.models import Job

from ..models import Score, Tender
from . import runs


def latest_reading(tender: Tender, organisation_id: UUID | None, score: Score | None) -> Job | None:
    """The newest one that goes on, or failed after the present assessment was made; None: there is nothing to tell."""
    if organisation_id is None:
        return None
    jobs = Job.objects.filter(
        kind=runs.ONE, subject_type="tender", subject_id=tender.pk, organisation_id=organisation_id
    )
    job = jobs.order_by("-created_at").first()
    if job is None or job.status in Job.ACTIVE:
        return job
    is_news = score is None or score.ai_processed_at < job.created_at
    return job if job.status == Job.Status.FAILED and is_news else None
