"""Sending a call through its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from jobs.models import Job
from jobs.services import enqueue

from ...models import TrainingSession
from .standing import is_at_rest, locked_session

if TYPE_CHECKING:
    from accounts.models import User

PROCESS = "quiz.process_call"
SUBJECT = "training"
Status = TrainingSession.Status


def start_processing(*, session_id: UUID, actor: User | None = None) -> Job:
    """All steps anew, of a call that is done with or has failed; of one that is being worked on, the job that does.

    Whether the actor may is for the caller to know. Locks the session's row. Raises SessionMissing.
    """
    with transaction.atomic():
        session = locked_session(session_id)
        if is_at_rest(session):
            session.status, session.error = Status.RECEIVED, ""
            session.save(update_fields=["status", "error", "updated_at"])
        return queue_processing(session, actor=actor)


def queue_processing(session: TrainingSession, *, actor: User | None = None) -> Job:
    """In the caller's transaction, which holds the session's row, or has just made it. One active job a call.

    The job is the actor's, not the organisation's: whoever else may see the call hears of it on `training:{id}`, and
    colleagues do not learn who practises what.
    """
    job = enqueue(
        kind=PROCESS,
        params={"session_id": str(session.pk)},
        actor=actor,
        subject=(SUBJECT, session.pk),
        about=str(session),
        dedupe_key=f"{PROCESS}:{session.pk}",
    )
    TrainingSession.objects.filter(pk=session.pk).update(job=job)
    session.job = job
    return job
