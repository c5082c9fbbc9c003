"""How a call stands: locked, and told what may be done with it now."""

from __future__ import annotations

from uuid import UUID

from ...models import TrainingSession
from ...training_exceptions import BadReview, NotProcessed, SessionClosed, SessionMissing

Status = TrainingSession.Status


def locked_session(session_id: UUID) -> TrainingSession:
    """Raises SessionMissing: it has been removed meanwhile."""
    rows = TrainingSession.objects.select_for_update(of=("self",)).defer("raw", "measures", "summary")
    found: TrainingSession | None = rows.filter(pk=session_id).first()
    if found is None:
        raise SessionMissing("There is no such call any more.")
    return found


def require_open(session: TrainingSession) -> None:
    if session.closed_at is not None:
        raise SessionClosed("The review of this call is finished. A coach can open it again.")


def require_processed(session: TrainingSession) -> None:
    if session.status == Status.FAILED:
        raise NotProcessed("This call could not be worked on. Process it again first.")
    if session.status != Status.DONE:
        raise NotProcessed("This call is still being worked on. Wait until it is graded.")


def require_words(session: TrainingSession) -> None:
    """There is a transcript to judge, and nothing works on it."""
    if session.status == Status.FAILED and session.clean:
        return
    require_processed(session)


def is_at_rest(session: TrainingSession) -> bool:
    """No step is due: it can be sent through them anew."""
    return session.status in (Status.DONE, Status.FAILED)


def bad_review(name: str, message: str | dict[str, list[str]]) -> BadReview:
    told = [message] if isinstance(message, str) else message
    return BadReview("The review can't be like that: see errors.", extra={"errors": {name: told}})
