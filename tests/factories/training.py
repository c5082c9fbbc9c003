"""Training calls as they lie in the tables, written straight into them: minimal, never random."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from accounts.models import Organisation, User
from quiz.models import (
    Assignment,
    Criterion,
    GradeScore,
    Rubric,
    SessionFile,
    SessionGrade,
    SessionNote,
    TrainingSession,
    TrainingTemplate,
    VoiceConnection,
)
from tests.factories.people import make_organisation, make_user

_numbers = count(1)
LEARNER = "Learner"
SECRET = "a secret of the voice service"

LEVELS: list[dict[str, Any]] = [
    {"score": 0, "name": "Missing", "description": "It is not there."},
    {"score": 50, "name": "Partly", "description": "It is there once."},
    {"score": 100, "name": "Meets", "description": "It is there throughout."},
]
# One that is measured by a share, one by phrases, one that is judged.
CRITERIA: list[dict[str, Any]] = [
    {
        "key": "talk-share",
        "name": "Lets the other side talk",
        "kind": "behaviour",
        "weight": 1,
        "rule": {"measure": "talk_share", "low": 0.3, "high": 0.6},
    },
    {
        "key": "next-step",
        "name": "Agrees a next step",
        "kind": "behaviour",
        "weight": 2,
        "rule": {"phrases": ["next step", "by Friday"]},
    },
    {"key": "clarity", "name": "Explains clearly", "kind": "quality", "weight": 3, "levels": LEVELS},
]

# (speaker, text) or (speaker, text, start_s, end_s)
TURNS: list[tuple[Any, ...]] = [
    ("Client", "Hello, you wanted to ask about the tender documents?"),
    (LEARNER, "Yes. Which edition of the welding code do you want us to price?"),
    ("Client", "The current one. The drawings still name the old one."),
    (LEARNER, "Then I will send you a written question as the next step, by Friday."),
]


def make_template(
    organisation: Organisation, name: str = "", *, criteria: Sequence[Mapping[str, Any]] | None = None, **fields: Any
) -> TrainingTemplate:
    """In use, with one version of its rubric; `criteria=[]`: without any."""
    template = TrainingTemplate.objects.create(
        organisation=organisation, name=name or f"Bid clarification {next(_numbers)}", **fields
    )
    told = CRITERIA if criteria is None else criteria
    if told:
        make_rubric(template, told)
    return template


def make_rubric(template: TrainingTemplate, criteria: Sequence[Mapping[str, Any]] = CRITERIA) -> Rubric:
    """The next version. A criterion is its fields; what is left out is its default, `clauses` are rows."""
    number = template.rubrics.count() + 1
    rubric = Rubric.objects.create(template=template, number=number, content_hash=_digest([template.pk, number]))
    for position, told in enumerate(criteria, 1):
        fields = {"kind": "quality", "name": str(told["key"]).capitalize(), **told}
        clauses = fields.pop("clauses", [])
        Criterion.objects.create(rubric=rubric, position=position, **fields).clauses.set(clauses)
    return rubric


def newest_rubric(template: TrainingTemplate) -> Rubric:
    return template.rubrics.order_by("-number")[0]


def make_assignment(template: TrainingTemplate, user: User, **fields: Any) -> Assignment:
    """Open, without a day it is due."""
    return Assignment.objects.create(organisation=template.organisation, template=template, user=user, **fields)


def make_session(
    organisation: Organisation | None = None,
    user: User | None = None,
    *,
    template: TrainingTemplate | None = None,
    turns: Sequence[Sequence[Any]] = tuple(TURNS),
    **fields: Any,
) -> TrainingSession:
    """A call that is done with, without grades; of its template's organisation unless one is given.

    `status="received"`: nothing has been done with it yet.
    """
    if organisation is None:
        if template is None:
            raise ValueError("A session needs an organisation, or a template that has one.")
        organisation = template.organisation
    told = [turn_of(*turn) for turn in turns]
    status = fields.pop("status", TrainingSession.Status.DONE)
    is_clean = status not in (TrainingSession.Status.RECEIVED, TrainingSession.Status.FAILED)
    values: dict[str, Any] = {
        "source": TrainingSession.Source.UPLOAD,
        "learner_speaker": LEARNER,
        "raw": {"format": "json", "turns": told},
        "raw_hash": _digest(told),
        "clean": told if is_clean else [],
        "clean_hash": _digest(told) if is_clean else "",
        "rubric": template.rubrics.order_by("-number").first() if template and is_clean else None,
    }
    return TrainingSession.objects.create(
        organisation=organisation, user=user, template=template, status=status, **(values | fields)
    )


def turn_of(speaker: str, text: str, start_s: float | None = None, end_s: float | None = None) -> dict[str, Any]:
    return {"speaker": speaker, "text": text, "start_s": start_s, "end_s": end_s}


def make_grade(
    session: TrainingSession,
    grader: str = SessionGrade.Grader.RULE,
    *,
    scores: Mapping[str, int | None] | None = None,
    overall: Decimal | str | None = None,
    **fields: Any,
) -> SessionGrade:
    """Current, by the session's rubric. `scores`: of criteria by key; `overall` is told, never worked out, and goes to
    the session unless the grader is the rules."""
    rubric = fields.pop("rubric", None) or session.rubric
    version = "" if grader == SessionGrade.Grader.HUMAN else fields.pop("grader_version", f"{grader} 1")
    grade = SessionGrade.objects.create(
        session=session,
        rubric=rubric,
        grader=grader,
        grader_version=version,
        transcript_hash=session.clean_hash,
        overall=overall,
        **fields,
    )
    criteria = {criterion.key: criterion for criterion in rubric.criteria.all()}
    GradeScore.objects.bulk_create(
        GradeScore(grade=grade, criterion=criteria[key], score=score, reason="" if score is not None else "Not judged.")
        for key, score in (scores or {}).items()
    )
    if overall is not None and grader != SessionGrade.Grader.RULE:
        session.overall = Decimal(overall)
        session.save(update_fields=["overall"])
    return grade


def make_note(session: TrainingSession, author: User, text: str = "Well asked.", **fields: Any) -> SessionNote:
    return SessionNote.objects.create(session=session, author=author, text=text, **fields)


def make_submitted(session: TrainingSession) -> TrainingSession:
    """Waiting for a coach since now."""
    session.submitted_for_review, session.submitted_at = True, timezone.now()
    session.save(update_fields=["submitted_for_review", "submitted_at"])
    return session


def make_file(session: TrainingSession, content: bytes = b"%PDF-1.7", **fields: Any) -> SessionFile:
    """Stored; a report unless another kind is given."""
    values = {"kind": SessionFile.Kind.REPORT, "name": "Report.pdf", "content_type": "application/pdf"}
    file = SessionFile(session=session, size=len(content), **(values | fields))
    file.file.save(file.name, ContentFile(content), save=True)
    return file


def make_connection(organisation: Organisation, **fields: Any) -> VoiceConnection:
    """By bearer, with SECRET."""
    values = {"name": f"Voice {next(_numbers)}", "secret": SECRET}
    return VoiceConnection.objects.create(organisation=organisation, **(values | fields))


def make_everything() -> TrainingSession:
    """One row of each: a graded call of an assignment, with a note, a file, and a connection beside it."""
    organisation = make_organisation("Training firm")
    user = make_user(organisation=organisation)
    template = make_template(organisation, user=user)
    assignment = make_assignment(template, user, assigned_by=user)
    session = make_session(user=user, template=template, assignment=assignment)
    make_grade(session, "rule", scores={"talk-share": 70, "next-step": None})
    make_grade(session, "human", scores={"clarity": 80}, overall="80.00", author=user)
    make_note(session, user, turn=1)
    make_file(session)
    make_connection(organisation, template=template)
    return session


def _digest(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:32]
