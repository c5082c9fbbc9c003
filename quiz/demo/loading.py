"""Puts the demo of training calls into the database, through the same services as everybody. Idempotent, step by step:
a load that was interrupted is taken up where it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

from accounts.exceptions import Refused
from accounts.models import Membership, User

from ..models import Assignment, TrainingSession, TrainingTemplate
from ..services.training import assigning, processing, reviewing, starting
from ..services.training.intake import upload_transcript
from .calls import FIRST, LEARNER, SECOND, Line, as_webvtt

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_NAME, SECOND_NAME = "Hall extension, first call.vtt", "Hall extension, second call.vtt"
DUE_IN = timedelta(days=6)
NOTE = "Call Marta Hollins before the bid goes out. Read section 3.2 and the S-1xx drawings first."
FEEDBACK = (
    "Friendly, and you know your trade. But you told more than you asked, and hung up with three gaps that you had "
    "seen yourself. Write down before the next call where each gap is, what it costs either way, and what you want to "
    "leave with. Then hold it again."
)
SCORES: Mapping[str, tuple[int, str]] = {
    "gaps-in-the-documents": (
        40,
        "The size of the connection is named, without its place, and you answer it yourself. The edition of the code "
        "does not come up: “is everything up to date” invites a yes.",
    ),
    "what-depends-on-it": (
        0,
        "Marta never learns that the size of forty welds, or who tests them, changes your price.",
    ),
    "handles-reluctance": (
        40,
        "“I'd rather not say” is not the end: you could have asked what she needs to decide it.",
    ),
}
NOTES: tuple[tuple[int, str], ...] = (
    (1, "Eighty words before the first question. She knows what a hall is: begin with yours."),
    (7, "Here is the gap, and you close it with a guess. Which connection? Ask her."),
    (8, "This is where the call turns. What would she need to be able to say something?"),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    template: TrainingTemplate
    sessions: tuple[TrainingSession, ...]
    is_new: bool  # False: everything was there


def load(*, coach_email: str, learner_email: str) -> Loaded:
    """A template, an assignment, and two calls: one reviewed and closed, one that waits for the coach. Worked on in
    this process: no worker is needed. Raises Refused: these are no coach and learner of one organisation."""
    coach, learner = _person(coach_email), _person(learner_email)
    organisation_id = _organisation_of(coach, learner)
    template = TrainingTemplate.objects.filter(organisation_id=organisation_id, user=coach, name=starting.NAME).first()
    is_new = template is None
    template = template or starting.example_template(organisation_id=organisation_id, actor=coach)
    first = _taken_in(template, learner, FIRST_NAME, FIRST, days_ago=6)
    if first.closed_at is None and not first.grades.filter(grader="human").exists():
        _review(first, coach)
    second = _taken_in(template, learner, SECOND_NAME, SECOND, days_ago=0, coach=coach)
    first.refresh_from_db()
    return Loaded(template, (first, second), is_new)


def _person(email: str) -> User:
    found = User.objects.filter(email__iexact=email).first()
    if found is None:
        raise Refused(f"There is nobody with the address {email}. Load the demo first: manage.py demo")
    return found


def _organisation_of(coach: User, learner: User) -> UUID:
    theirs = Membership.objects.of(learner).exclude(role=Membership.Role.VIEWER).values("organisation_id")
    coached = Membership.objects.of(coach).filter(role__in=("owner", "coach"), organisation_id__in=theirs)
    found: UUID | None = coached.order_by("created_at").values_list("organisation_id", flat=True).first()
    if found is None:
        raise Refused(f"{coach} coaches no organisation that {learner} is a member of.")
    return found


def _taken_in(
    template: TrainingTemplate,
    learner: User,
    name: str,
    lines: tuple[Line, ...],
    *,
    days_ago: int,
    coach: User | None = None,
) -> TrainingSession:
    """Uploaded and worked on; the one that a coach has asked for belongs to its assignment, and is submitted."""
    mine = TrainingSession.objects.filter(template=template, user=learner, files__name=name)
    session = mine.first()
    if session is None:
        assignment = _assigned(template, learner, coach) if coach else None
        session = upload_transcript(
            actor=learner,
            organisation_id=template.organisation_id,
            data=as_webvtt(lines),
            name=name,
            template_id=template.pk,
            assignment_id=assignment.pk if assignment else None,
            learner_speaker=LEARNER,
            started_at=timezone.now() - timedelta(days=days_ago, hours=2),
        )
    processing.process(session_id=session.pk)
    if coach is not None and session.closed_at is None:
        reviewing.submit_for_review(session_id=session.pk, actor=learner)
    return TrainingSession.objects.get(pk=session.pk)


def _assigned(template: TrainingTemplate, learner: User, coach: User) -> Assignment:
    due_at = timezone.now() + DUE_IN
    assigning.assign(template_id=template.pk, user_ids=[learner.pk, coach.pk], due_at=due_at, note=NOTE, actor=coach)
    return Assignment.objects.open().get(template=template, user=learner)


def _review(session: TrainingSession, coach: User) -> None:
    written = set(session.notes.values_list("turn", flat=True))
    for turn, text in NOTES:
        if turn not in written:
            reviewing.add_note(session_id=session.pk, turn=turn, text=text, actor=coach)
    reviewing.override(session_id=session.pk, scores=SCORES, feedback=FEEDBACK, actor=coach)
    reviewing.close_session(session_id=session.pk, actor=coach)
