"""Reviews: the learner asks for one; coaches say what they think of it, turn by turn and criterion by criterion, and
close it.

    done with ──submit──> waits for a coach ──close──> closed ──reopen──> as it was before

Every step locks the call's row. A closed call takes no notes and no scores until it is opened again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ...models import SessionNote, TrainingSession
from ...training_exceptions import NotYourNote
from . import assigning, organisation, telling
from .access import require_coach, require_writer, visible_note, visible_session
from .correcting import change_template, process_again, say_who_it_was
from .judging import override
from .standing import bad_review, locked_session, require_open, require_processed

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "add_note",
    "change_template",
    "close_session",
    "delete_note",
    "edit_note",
    "override",
    "process_again",
    "reopen",
    "say_who_it_was",
    "submit_for_review",
]

LONGEST_NOTE = 4000


def submit_for_review(*, session_id: UUID, actor: User) -> TrainingSession:
    """Ask for a coach, who is told. Twice is once. Raises SessionMissing, OnlyLooksOn, NotProcessed, SessionClosed."""
    session = visible_session(session_id=session_id, user=actor)
    require_writer(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        require_processed(session)
        if not session.submitted_for_review:
            session.submitted_for_review, session.submitted_at = True, timezone.now()
            session.save(update_fields=["submitted_for_review", "submitted_at", "updated_at"])
            telling.submitted(session, by=actor)
    return session


def add_note(*, session_id: UUID, text: str, actor: User, turn: int | None = None) -> SessionNote:
    """About one turn (from 0), or the whole call. Raises SessionMissing, OnlyLooksOn, SessionClosed, BadReview."""
    session = visible_session(session_id=session_id, user=actor)
    require_writer(session=session, user=actor)
    text = _checked_note(text)
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        if turn is not None and not 0 <= turn < len(session.clean):
            raise bad_review(
                "turn", f"This call has turns 0 to {len(session.clean) - 1}." if session.clean else "None."
            )
        note = SessionNote.objects.create(session=session, author=actor, turn=turn, text=text)
        telling.noted(session, note, by=actor)
    return note


def edit_note(*, note_id: UUID, text: str, actor: User) -> SessionNote:
    """One's own. Raises NoteMissing, NotYourNote, OnlyLooksOn, SessionClosed, BadReview."""
    text = _checked_note(text)
    with transaction.atomic():
        note = _own_note(note_id, actor)
        if note.text != text:
            note.text, note.edited_at = text, timezone.now()
            note.save(update_fields=["text", "edited_at"])
    return note


def delete_note(*, note_id: UUID, actor: User) -> None:
    """One's own. Raises NoteMissing, NotYourNote, OnlyLooksOn, SessionClosed."""
    with transaction.atomic():
        _own_note(note_id, actor).delete()


def close_session(*, session_id: UUID, actor: User) -> TrainingSession:
    """The review is finished, and the assignment that the call belongs to is completed. Twice is once.

    Raises SessionMissing, CoachesOnly, NotProcessed.
    """
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        if session.closed_at is None:
            if session.status != TrainingSession.Status.FAILED:
                require_processed(session)
            session.closed_at, session.closed_by = timezone.now(), actor
            session.save(update_fields=["closed_at", "closed_by", "updated_at"])
            if session.assignment_id:
                assigning.complete(assignment_id=session.assignment_id, at=session.closed_at)
            organisation.invalidate(session.organisation_id)
            telling.closed(session, by=actor)
    return session


def reopen(*, session_id: UUID, actor: User) -> TrainingSession:
    """As it was before it was closed: in the queue again if it had been submitted. Raises SessionMissing,
    CoachesOnly."""
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        if session.closed_at is not None:
            session.closed_at = session.closed_by = None
            session.save(update_fields=["closed_at", "closed_by", "updated_at"])
            if session.assignment_id:
                assigning.uncomplete(assignment_id=session.assignment_id)
            organisation.invalidate(session.organisation_id)
    return session


def _own_note(note_id: UUID, actor: User) -> SessionNote:
    """Its call is locked, and open."""
    note = visible_note(note_id=note_id, user=actor)
    if note.author_id != actor.pk:
        raise NotYourNote("Only who wrote a note can change it.")
    session = locked_session(note.session_id)
    require_writer(session=session, user=actor)
    require_open(session)
    return note


def _checked_note(text: str) -> str:
    text = text.strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise bad_review("text", f"1 to {LONGEST_NOTE:,} characters.")
    return text
