"""What a coach puts right about a call: who it was, which side of it is the learner, what it was about.

What was measured or graded by a wrong assumption is done anew; it can't stand beside the right one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts.models import Membership

from ...models import SessionGrade, TrainingSession
from ...training_exceptions import NotProcessed, TemplateArchived, TemplateMissing
from . import telling
from .access import require_coach, visible_session, visible_template
from .assigning import open_assignment_of
from .processing_start import start_processing
from .standing import bad_review, is_at_rest, locked_session, require_open

if TYPE_CHECKING:
    from accounts.models import User
    from jobs.models import Job

MACHINES = (SessionGrade.Grader.RULE, SessionGrade.Grader.MODEL)


def say_who_it_was(
    *, session_id: UUID, user_id: UUID, actor: User, learner_speaker: str | None = None
) -> TrainingSession:
    """The learner, and which speaker of the transcript they are (None: as it is). Another speaker is measured and
    graded anew. The call moves to the person's own open assignment of its template.

    Raises SessionMissing, CoachesOnly, SessionClosed, NotProcessed, BadReview.
    """
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        if not Membership.objects.filter(organisation_id=session.organisation_id, user_id=user_id).exists():
            raise bad_review("user", "This is nobody of the organisation.")
        if session.user_id != user_id:
            session.user_id = user_id
            _move_to_assignment(session)
            telling.named(session, by=actor)
        if learner_speaker is None or learner_speaker == session.learner_speaker:
            session.save()
        else:
            _require_speaker(session, learner_speaker)
            session.learner_speaker = learner_speaker
            _begin_again(session, actor, graders=MACHINES)  # a coach has judged what was said, whoever said it
    return session


def change_template(*, session_id: UUID, template_id: UUID, actor: User) -> TrainingSession:
    """It is graded anew, by the newest version of this template's rubric; what was graded by another is kept and
    counts no more. Raises SessionMissing, TemplateMissing, TemplateArchived, CoachesOnly, SessionClosed, NotProcessed.
    """
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    template = visible_template(template_id=template_id, user=actor)
    if template.organisation_id != session.organisation_id:
        raise TemplateMissing("The organisation of this call has no such template.")
    if template.archived_at:
        raise TemplateArchived("This template is archived. Take it out of the archive first.")
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        if session.template_id != template.pk:
            session.template = template
            _move_to_assignment(session)
            _begin_again(session, actor, graders=SessionGrade.Grader.values)
    return session


def process_again(*, session_id: UUID, actor: User) -> Job:
    """All steps once more: of a call that could not be worked on, or by the newest rubric. What coaches have scored
    stays. Raises SessionMissing, CoachesOnly, SessionClosed, NotProcessed."""
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        _require_rest(session)
        return start_processing(session_id=session.pk, actor=actor)


def _begin_again(session: TrainingSession, actor: User, *, graders: Iterable[str]) -> None:
    """From the beginning; what these have graded counts no more. Saves the session, whose row is locked."""
    _require_rest(session)
    session.grades.filter(is_current=True, grader__in=graders).update(is_current=False)
    session.rubric = session.overall = None
    session.save()
    session.job = start_processing(session_id=session.pk, actor=actor)
    session.status, session.error = TrainingSession.Status.RECEIVED, ""


def _require_rest(session: TrainingSession) -> None:
    if not is_at_rest(session):
        raise NotProcessed("This call is being worked on. Wait until it is graded.")


def _require_speaker(session: TrainingSession, speaker: str) -> None:
    speakers = list(dict.fromkeys(str(turn.get("speaker", "")) for turn in session.clean))
    if speaker not in speakers:
        raise bad_review("learner_speaker", f"One of the speakers: {', '.join(speakers) or 'there is none yet'}.")


def _move_to_assignment(session: TrainingSession) -> None:
    """To the person's open one of the call's template, or to none. One that the call belongs to rightly is kept."""
    now = session.assignment
    if now is not None and (now.user_id, now.template_id) == (session.user_id, session.template_id):
        return
    ids = session.user_id, session.template_id
    session.assignment = open_assignment_of(user_id=ids[0], template_id=ids[1]) if ids[0] and ids[1] else None
