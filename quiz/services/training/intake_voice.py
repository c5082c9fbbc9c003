"""Calls that a voice service tells of: a report that came by webhook, or a call that reconciling found.

The same call is one session, however often and by whichever way it is told of. Told of with other words it is a
revision: worked on anew, and what was said of the former words counts no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.exceptions import Refused
from accounts.models import Membership, User
from jobs.models import ReceivedWebhook
from jobs.webhooks.receiving import mark_processed

from ...calls.reading import VAPI_LEARNER, read_vapi
from ...calls.turns import Transcript, Unreadable
from ...models import Assignment, TrainingSession, TrainingTemplate, VoiceConnection
from . import assigning, connecting_proof, files_recordings, processing_start
from .raw import hash_of, raw_of

REPORT = "end-of-call-report"
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]
log = structlog.get_logger(__name__)

# What a report's metadata may name, by any of these spellings.
_NAMED = {
    "assignment": ("assignment_id", "assignmentId"),
    "template": ("template_id", "templateId"),
    "user": ("user_id", "userId", "learner_id", "learnerId"),
    "email": ("learner_email", "learnerEmail", "user_email", "userEmail", "email"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """What a voice service tells of a call that has ended. `told_at`: of two that differ the later one counts."""

    id: str
    transcript: Transcript
    told_at: datetime
    started_at: datetime | None = None
    duration_s: float | None = None
    recording_url: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


def take_report(*, received_id: UUID, finishing: Finishing) -> None:
    """Make of a stored report what it is good for, once. Raises Refused: nothing can be made of it."""
    received = ReceivedWebhook.objects.get(pk=received_id)
    message = connecting_proof.message_in(bytes(received.body))
    connection_id = connecting_proof.connection_of(received.provider_id)
    kind = connecting_proof.type_of(message)
    call = None
    why = ""
    if kind == REPORT:
        try:
            call = call_in(message, told_at=received.received_at)
        except Unreadable as error:  # somebody rang and hung up: there are no words to work on
            why = error.reason
    with finishing() as finish:
        told: dict[str, Any] = {"noted": kind, "why": why} if why else {"noted": kind}
        if call is not None:
            connection = VoiceConnection.objects.filter(pk=connection_id).first()
            if connection is None:
                raise Refused("The connection that this came by was removed.", code="voice_connection_not_found")
            session, outcome = take_call(connection=connection, call=call)
            told = {"session_id": str(session.pk), "outcome": outcome}
        mark_processed(received_id=received_id)
        finish(told)


def call_in(message: Mapping[str, Any], *, told_at: datetime) -> Call:
    """Of an end-of-call report, or of a call as the service's API lists it (then the message is the call).

    Raises Unreadable (there are no words in it), Refused (it does not say which call it is).
    """
    call = _object(message, "call") or message
    stated = call.get("id")
    if not isinstance(stated, str) or not stated:
        raise Refused("The report does not say which call it is of.", code="webhook_without_call")
    artifact = {**message, **_object(call, "artifact"), **_object(message, "artifact")}
    started_at = _time(message.get("startedAt")) or _time(call.get("startedAt")) or _time(call.get("createdAt"))
    ended_at = _time(message.get("endedAt")) or _time(call.get("endedAt"))
    return Call(
        id=connecting_proof.kept_call_id(stated),
        transcript=read_vapi(artifact),
        told_at=told_at,
        started_at=started_at,
        duration_s=_seconds(message, started_at, ended_at),
        recording_url=files_recordings.address_in(artifact),
        metadata=_metadata(message, call),
    )


@transaction.atomic
def take_call(*, connection: VoiceConnection, call: Call) -> tuple[TrainingSession, str]:
    """The session of the call, and what became of it: new, known, older (than what is known), revised.

    Idempotent by connection and call: the unique constraint lets one of two at once in, the other waits and finds it.
    Locks the session's row.
    """
    digest = hash_of(call.transcript.turns)
    session, is_new = TrainingSession.objects.get_or_create(
        connection=connection, call_id=call.id, defaults=_fields(connection, call, digest)
    )
    outcome = "new"
    if not is_new:
        session = TrainingSession.objects.select_for_update(of=("self",)).get(pk=session.pk)
        outcome = _what_differs(session, call, digest)
        if outcome == "revised":
            _revise(session, call, digest)
    if outcome in ("new", "revised"):
        processing_start.queue_processing(session)
        if call.recording_url:
            files_recordings.queue_fetching(session)
    log.info("call_taken", session=str(session.pk), connection=str(connection.pk), outcome=outcome)
    return session, outcome


def _what_differs(session: TrainingSession, call: Call, digest: str) -> str:
    if session.raw_hash == digest:
        return "known"
    known_at = _time(session.raw.get("told_at"))
    return "older" if known_at is not None and call.told_at < known_at else "revised"


def _revise(session: TrainingSession, call: Call, digest: str) -> None:
    """Back to the beginning, with the new words. Grades of the former ones are kept, and count no more; a review that
    was closed is open again, for it was of other words, and so is its assignment."""
    session.grades.filter(is_current=True).update(is_current=False)
    session.status, session.error = TrainingSession.Status.RECEIVED, ""
    session.raw, session.raw_hash = _raw(call), digest
    session.revision += 1
    session.clean, session.clean_hash, session.measures = [], "", {}
    session.summary = session.next_step = session.summarised_by = ""
    session.overall = session.closed_at = session.closed_by = None
    session.duration_s = call.duration_s
    session.save()
    if session.assignment_id:
        assigning.uncomplete(assignment_id=session.assignment_id)


def _fields(connection: VoiceConnection, call: Call, digest: str) -> dict[str, Any]:
    assignment, template, user = _meant(connection, call.metadata)
    return {
        "organisation_id": connection.organisation_id,
        "source": TrainingSession.Source.VOICE,
        "assignment": assignment,
        "template": template,
        "user": user,
        "title": template.name if template else "",
        "learner_speaker": _learner(call.transcript),
        "raw": _raw(call),
        "raw_hash": digest,
        "duration_s": call.duration_s,
        "started_at": call.started_at or timezone.now(),
    }


def _raw(call: Call) -> dict[str, Any]:
    return raw_of(call.transcript) | {"told_at": call.told_at.isoformat(), "recording_url": call.recording_url}


def _learner(transcript: Transcript) -> str:
    """Whoever is not the assistant: Vapi calls the human "user"."""
    return VAPI_LEARNER if any(turn.speaker == VAPI_LEARNER for turn in transcript.turns) else ""


def _meant(
    connection: VoiceConnection, metadata: Mapping[str, Any]
) -> tuple[Assignment | None, TrainingTemplate | None, User | None]:
    """What the metadata name, as far as it is of the connection's organisation; what is not is as good as not named.
    An assignment says who and what by itself."""
    organisation_id = connection.organisation_id
    if (assignment_id := _uuid(metadata, "assignment")) is not None:
        open_ones = Assignment.objects.filter(organisation_id=organisation_id, withdrawn_at__isnull=True)
        assignment = open_ones.select_related("template", "user").filter(pk=assignment_id).first()
        if assignment is not None:
            return assignment, assignment.template, assignment.user
    template = connection.template
    if (template_id := _uuid(metadata, "template")) is not None:
        in_use = TrainingTemplate.objects.filter(organisation_id=organisation_id).in_use()
        template = in_use.filter(pk=template_id).first() or template
    return None, template, _learner_named(organisation_id, metadata)


def _learner_named(organisation_id: UUID, metadata: Mapping[str, Any]) -> User | None:
    members = Membership.objects.filter(organisation_id=organisation_id).select_related("user")
    members = members.exclude(user__status=User.Status.SUSPENDED)
    found = None
    if (user_id := _uuid(metadata, "user")) is not None:
        found = members.filter(user_id=user_id).first()
    elif email := _text(metadata, "email"):
        found = members.filter(user__email__iexact=email).first()
    return found.user if found else None


def _metadata(message: Mapping[str, Any], call: Mapping[str, Any]) -> dict[str, Any]:
    """Wherever a call was started from, it was given at another place; the call's own counts most."""
    found: dict[str, Any] = {}
    for holder in (message, call):
        for name in ("assistant", "assistantOverrides"):
            found |= _object(_object(holder, name), "metadata")
            found |= _object(_object(holder, name), "variableValues")
        found |= _object(holder, "metadata")
    return found


def _object(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _text(metadata: Mapping[str, Any], what: str) -> str:
    found = next((metadata[name] for name in _NAMED[what] if isinstance(metadata.get(name), str)), "")
    return "" if "\x00" in found else found.strip()[:254]


def _uuid(metadata: Mapping[str, Any], what: str) -> UUID | None:
    try:
        return UUID(_text(metadata, what))
    except ValueError:
        return None


def _time(told: Any) -> datetime | None:
    """Of an ISO time, or of milliseconds since 1970."""
    try:
        if isinstance(told, str):
            found = parse_datetime(told)
            return None if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)
        if isinstance(told, int | float) and not isinstance(told, bool) and 10**11 < told < 10**14:
            return datetime.fromtimestamp(told / 1000, tz=UTC)
    except (ValueError, OverflowError):
        return None
    return None


def _seconds(message: Mapping[str, Any], started_at: datetime | None, ended_at: datetime | None) -> float | None:
    stated = message.get("durationSeconds")
    if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated < 10**6:
        return float(stated)
    if started_at and ended_at and ended_at >= started_at:
        return (ended_at - started_at).total_seconds()
    return None
