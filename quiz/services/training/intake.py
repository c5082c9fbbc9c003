"""Transcripts that people upload, or programs send."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from accounts.models import Membership, Organisation, User

from ...calls.reading import VAPI_LEARNER, read
from ...calls.speakers import speaker_name
from ...calls.turns import Transcript, Unreadable
from ...models import Assignment, SessionFile, TrainingSession, TrainingTemplate
from ...training_exceptions import (
    AssignmentMissing,
    AssignmentOver,
    CoachesOnly,
    FileTooLarge,
    NotATranscript,
    OnlyLooksOn,
    SessionMissing,
    TemplateArchived,
    TemplateMissing,
)
from . import files
from .access import TELL_COACH, coaches
from .processing_start import queue_processing
from .raw import hash_of, raw_of

if TYPE_CHECKING:
    from jobs.models import Job

MEDIA_TYPES = {"json": "application/json", "vapi": "application/json", "vtt": "text/vtt", "srt": "application/x-subrip"}


def upload_transcript(
    *,
    actor: User,
    organisation_id: UUID,
    data: bytes,
    name: str,
    template_id: UUID | None = None,
    assignment_id: UUID | None = None,
    user_id: UUID | None = None,
    learner_speaker: str = "",
    started_at: datetime | None = None,
    source: str = TrainingSession.Source.UPLOAD,
) -> TrainingSession:
    """A call of the actor, or of somebody whom a coach names; its processing is queued. `data`: the file as it is, of
    any format that `quiz.calls.reading` knows. An assignment says whose call and of which template.

    The same file again is another session, which takes over what was worked out of the same words.
    Raises SessionMissing (no member), OnlyLooksOn, CoachesOnly, FileTooLarge, NotATranscript, TemplateMissing,
    TemplateArchived, AssignmentMissing, AssignmentOver.
    """
    organisation = _organisation(actor, organisation_id)
    session = TrainingSession(organisation=organisation, source=source, started_at=started_at or timezone.now())
    _say_whose(session, actor, template_id=template_id, assignment_id=assignment_id, user_id=user_id)
    transcript = _read(data, name)
    session.title = _title(session, name)
    said = " ".join(learner_speaker.replace("\x00", "").split())[:80]
    session.learner_speaker = said or _learner_in(transcript, session.user_id)
    session.raw, session.raw_hash = raw_of(transcript), hash_of(transcript.turns)
    kept = _kept(session, transcript, data, name)
    with files.dropped_unless_stored(kept), transaction.atomic():
        session.save(force_insert=True)
        kept.save(force_insert=True)
        queue_processing(session, actor=actor)
    return session


def _kept(session: TrainingSession, transcript: Transcript, data: bytes, name: str) -> SessionFile:
    return files.put(
        session_id=session.pk,
        kind=SessionFile.Kind.TRANSCRIPT,
        name=name or "transcript.txt",
        content=ContentFile(data),
        content_type=MEDIA_TYPES.get(transcript.format, "text/plain"),
        size=len(data),
        digest=hashlib.sha256(data).hexdigest(),
    )


def job_of(session: TrainingSession) -> Job:
    assert session.job is not None  # queued with it
    return session.job


def _organisation(actor: User, organisation_id: UUID) -> Organisation:
    member = Membership.objects.of(actor).filter(organisation_id=organisation_id).select_related("organisation").first()
    if member is None:
        raise SessionMissing("You are a member of no such organisation.", code="organisation_not_found")
    if member.role == Membership.Role.VIEWER:
        raise OnlyLooksOn("You may look at your calls, not add any. Ask the owner for the role of a member.")
    return member.organisation


def _say_whose(
    session: TrainingSession, actor: User, *, template_id: UUID | None, assignment_id: UUID | None, user_id: UUID | None
) -> None:
    """Who held it, and of which template."""
    organisation_id = session.organisation_id
    session.user_id = user_id or actor.pk
    if assignment_id is not None:
        rows = Assignment.objects.visible_to(actor).filter(organisation_id=organisation_id)
        assignment = rows.select_related("template").filter(pk=assignment_id).first()
        if assignment is None or template_id not in (None, assignment.template_id):
            raise AssignmentMissing("There is no such assignment.")
        if user_id not in (None, assignment.user_id):
            raise AssignmentMissing("This assignment is somebody else's.")
        if assignment.withdrawn_at or assignment.completed_at:
            raise AssignmentOver("This assignment is over. Upload the call without it.")
        session.assignment, session.template, session.user_id = assignment, assignment.template, assignment.user_id
    elif template_id is not None:
        session.template = TrainingTemplate.objects.filter(organisation_id=organisation_id, pk=template_id).first()
        if session.template is None:
            raise TemplateMissing("There is no such template.")
        if session.template.archived_at:
            raise TemplateArchived("This template is archived. Choose another one.")
    if session.user_id != actor.pk:
        if not coaches(actor, organisation_id):
            raise CoachesOnly(TELL_COACH)
        if not Membership.objects.filter(organisation_id=organisation_id, user_id=session.user_id).exists():
            raise SessionMissing("This is nobody of the organisation.", code="user_not_found")


def _read(data: bytes, name: str) -> Transcript:
    if len(data) > settings.TRANSCRIPT_LIMIT_BYTES:
        limit = filesizeformat(settings.TRANSCRIPT_LIMIT_BYTES)
        told = {"limit_bytes": settings.TRANSCRIPT_LIMIT_BYTES}
        raise FileTooLarge(f"A transcript has at most {limit}; this is {filesizeformat(len(data))}.", extra=told)
    try:
        return read(data, name=name)
    except Unreadable as error:
        raise NotATranscript(error.reason) from error


def _learner_in(transcript: Transcript, user_id: UUID | None) -> str:
    """In a voice service's own report, or where exactly one speaker has the learner's name. Else a coach says it."""
    speakers = dict.fromkeys(turn.speaker for turn in transcript.turns)
    if transcript.format == "vapi":
        return VAPI_LEARNER if VAPI_LEARNER in speakers else ""
    user = User.objects.filter(pk=user_id).first() if user_id else None
    names = {name.casefold() for name in (user.full_name, user.get_short_name()) if name} if user else set()
    found = {speaker_name(speaker) for speaker in speakers if speaker_name(speaker).casefold() in names}
    return found.pop()[:80] if len(found) == 1 else ""


def _title(session: TrainingSession, name: str) -> str:
    stem = "".join(letter for letter in PurePath(name.replace("\\", "/")).stem if letter.isprintable()).strip()
    return (session.template.name if session.template else stem)[:200]
