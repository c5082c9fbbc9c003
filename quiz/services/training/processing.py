"""A call's way: clean → measure → summarise → grade → notify. Its states are drawn in TrainingSession's docstring.

Each step works outside of any transaction, then writes its result and the next status in one: under the row's lock, and
only if the call still stands where the step began. A worker killed anywhere leaves a call from which any other goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ...calls.cleaning import clean, transcript_hash
from ...calls.measuring import measure
from ...calls.speakers import speaker_name
from ...calls.turns import Transcript, Unreadable, turns_from_json
from ...models import TrainingSession
from ...training_exceptions import NotATranscript, SessionMissing
from . import processing_grades, processing_notes, processing_summary
from .processing_reuse import twins_of
from .processing_start import PROCESS, queue_processing, start_processing

__all__ = ["PROCESS", "give_up", "process", "process_in_job", "queue_processing", "start_processing"]

Report = Callable[[int, int, str], None]
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]
Values = dict[str, Any]
Status = TrainingSession.Status
MEASURED_BY = 1  # counted up when measures mean something else: then identical transcripts are measured anew


@dataclass(frozen=True, slots=True)
class Step:
    """`work(session, may_wait)` gives the fields that the step writes; `inside(session)` is done in the transaction
    that writes them. May wait: a model that is busy shall be asked again later, rather than done without."""

    number: int
    after: Status
    words: str
    work: Callable[[TrainingSession, bool], Values]
    inside: Callable[[TrainingSession], None] = lambda session: None


def silent(done: int, total: int, message: str) -> None:
    """No report."""


def process(*, session_id: UUID, report: Report | None = None, may_wait: bool = False) -> dict[str, Any]:
    """Carry out all steps that are left; how the call stands. Done twice at once, each step counts once.

    Raises SessionMissing, NotATranscript; Temporary only if it may wait.
    """
    say = report or silent
    session = _loaded(session_id)
    while (step := STEPS.get(Status(session.status))) is not None:
        say(step.number - 1, len(STEPS), step.words)
        try:
            values = step.work(session, may_wait)
        except Unreadable as error:
            raise NotATranscript(error.reason) from error
        _advance(session, step, values)
        session = _loaded(session_id)
    if session.status == Status.DONE:
        say(len(STEPS), len(STEPS), "Graded")
    return {"status": session.status, "revision": session.revision}


def process_in_job(*, session_id: UUID, report: Report, finishing: Finishing, may_wait: bool) -> None:
    """As the job does it. A call that came back to the beginning meanwhile, for another report of it has come, is not
    left there: the job ends only where it finds the call at rest, whose row it holds then."""
    # A failed job that somebody starts again: nobody else is at work, for a call has one active job.
    TrainingSession.objects.filter(pk=session_id, status=Status.FAILED).update(status=Status.RECEIVED, error="")
    while True:
        told = process(session_id=session_id, report=report, may_wait=may_wait)
        try:
            with finishing() as finish:
                _require_rest(session_id)
                finish(told)
            return
        except _Unrest:
            continue


def give_up(*, session_id: UUID, reason: str) -> None:
    """Its job has ended without success; in that transaction. What is done stays done."""
    unfinished = TrainingSession.objects.filter(pk=session_id).exclude(status=Status.DONE)
    unfinished.update(status=Status.FAILED, error=(reason or "It was cancelled.")[:500], updated_at=timezone.now())


class _Unrest(Exception):
    pass


def _require_rest(session_id: UUID) -> None:
    row = TrainingSession.objects.select_for_update(of=("self",)).filter(pk=session_id).values_list("status", flat=True)
    if row.first() in STEPS:
        raise _Unrest


def _loaded(session_id: UUID) -> TrainingSession:
    found = TrainingSession.objects.select_related("template", "user").filter(pk=session_id).first()
    if found is None:
        raise SessionMissing("There is no such call any more.")
    return found


def _advance(session: TrainingSession, step: Step, values: Values) -> bool:
    """False: the call does not stand where the step began any more, so that its result is of no use."""
    with transaction.atomic():
        rows = TrainingSession.objects.select_for_update(of=("self",)).only("id")
        if rows.filter(pk=session.pk, status=session.status, revision=session.revision).first() is None:
            return False
        step.inside(session)
        now = timezone.now()
        TrainingSession.objects.filter(pk=session.pk).update(status=step.after, updated_at=now, **values)
    return True


def _clean(session: TrainingSession, may_wait: bool) -> Values:
    raw = session.raw
    cleaned = clean(Transcript(turns_from_json(raw.get("turns") or []), str(raw.get("format") or "")))
    speakers = {turn.speaker.casefold(): turn.speaker for turn in cleaned.turns}
    learner = session.learner_speaker and speaker_name(session.learner_speaker)
    return {
        "clean": [turn.to_json() for turn in cleaned.turns],
        "clean_hash": transcript_hash(cleaned.turns),
        "learner_speaker": speakers.get(learner.casefold(), learner)[:80],
    }


def _measure(session: TrainingSession, may_wait: bool) -> Values:
    turns = turns_from_json(session.clean)
    known = twins_of(session).filter(measures__version=MEASURED_BY).values_list("measures", flat=True).first()
    values: Values = {
        "measures": known or {**measure(turns, learner=session.learner_speaker).to_json(), "version": MEASURED_BY}
    }
    ends = [turn.end_s for turn in turns if turn.end_s is not None]
    if session.duration_s is None and ends:
        values["duration_s"] = max(ends)
    return values


STEPS: dict[Status, Step] = {
    Status.RECEIVED: Step(1, Status.CLEANED, "Cleaning the transcript", _clean),
    Status.CLEANED: Step(2, Status.MEASURED, "Measuring who says how much", _measure),
    Status.MEASURED: Step(3, Status.SUMMARISED, "Summarising the call", processing_summary.summarise),
    Status.SUMMARISED: Step(4, Status.GRADED, "Grading the call", processing_grades.grade, processing_grades.settle),
    Status.GRADED: Step(5, Status.DONE, "Telling the learner and the coaches", lambda session, may_wait: {},
                        processing_notes.tell),
}  # fmt: skip
