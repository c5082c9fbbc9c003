"""The channel `training:{id}` of a call: who may join, and what a page that knows nothing needs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.models import User
from jobs.registry import register_channel, register_subject

from .models import SessionGrade, TrainingSession
from .services.training.processing_start import SUBJECT
from .training_webhooks import LINK


def may_join(user: User, channel_id: str) -> bool:
    """Any text may come as an id."""
    try:
        session_id = UUID(channel_id)
    except ValueError:
        return False
    if str(session_id) != channel_id:  # another spelling would be a channel on which nothing is ever said
        return False
    return TrainingSession.objects.visible_to(user).filter(pk=session_id).exists()


def snapshot(user: User, channel_id: str) -> dict[str, Any]:
    """How the call stands, with what its page shows beside the transcript; running jobs are added by the socket."""
    session = TrainingSession.objects.defer("raw", "clean").get(pk=channel_id)
    grades = SessionGrade.objects.current().filter(session=session).order_by("created_at")
    return {
        "session_id": str(session.pk),
        "status": session.status,
        "revision": session.revision,
        "error": session.error,
        "summary": session.summary,
        "next_step": session.next_step,
        "summarised_by": session.summarised_by,
        "measures": session.measures,
        "overall": _number(session.overall),
        "grades": [
            {"id": str(pk), "grader": grader, "overall": _number(overall)}
            for pk, grader, overall in grades.values_list("pk", "grader", "overall")
        ],
        "submitted_for_review": session.submitted_for_review,
        "closed": session.closed_at is not None,
    }


def _number(value: Any) -> str | None:
    return None if value is None else str(value)


register_channel(kind=SUBJECT, can_join=may_join, snapshot=snapshot)
register_subject(SUBJECT, url=LINK.format)
