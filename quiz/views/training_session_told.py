"""What the page of a call shows, made of what the services tell; and what its form of scores says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from jobs.models import Job

from ..api.filters import PERIODS
from ..calls.measure import LABELS
from ..models import SessionFile, SessionGrade, TrainingSession, TrainingTemplate
from ..services.training.assigning import people_of
from ..services.training.processing_start import SUBJECT
from ..services.training.reports import REPORT
from ..training_exceptions import BadForm
from .training_shell import uuid_of

GRADERS = {grader.value: grader.label for grader in SessionGrade.Grader}
# In plain words, beside each figure.
MEANS = {
    "talk_share": "How much of the talk is the learner's.",
    "questions": "Sentences of the learner that end in a question mark.",
    "open_questions": "Those that begin with a question word: yes is no answer.",
    "questions_per_minute": "Of the whole call.",
    "longest_monologue": "The longest that the learner talks and nobody else says anything.",
    "pace": "While the learner talks.",
    "fillers": "Hesitations such as um, among 100 words of the learner.",
    "interruptions": "The learner begins while another talks, who then stops.",
    "overlap": "Both talk.",
}


def address_of(session_id: UUID) -> str:
    return reverse("training:session", args=[session_id])


def within(rows: Any, wish: dict[str, str]) -> Any:
    if days := PERIODS.get(wish["period"]):
        rows = rows.filter(created_at__gte=timezone.now() - timedelta(days=days))
    if template_id := uuid_of(wish["template"]):
        rows = rows.filter(template_id=template_id)
    if wish["user"] == "nobody":
        return rows.filter(user__isnull=True)
    if user_id := uuid_of(wish["user"]):
        rows = rows.filter(user_id=user_id)
    return rows


def context_of(
    row: TrainingSession, view: dict[str, Any], request: HttpRequest, *, typed: Any, errors: dict[str, Any]
) -> dict[str, Any]:
    is_working = view["status"] not in (TrainingSession.Status.DONE, TrainingSession.Status.FAILED)
    report = _report_under_way(row)
    graders = [grade["grader"] for grade in view["grades"]]
    return {
        "call": view,
        "row": row,
        "is_working": is_working,
        "job": Job.objects.filter(pk=view["job_id"]).first() if is_working and view["job_id"] else None,
        "report_job": report,
        "recordings": [file for file in view["files"] if file["kind"] == SessionFile.Kind.RECORDING],
        "documents": [file for file in view["files"] if file["kind"] != SessionFile.Kind.RECORDING],
        "turns": _turns(view, request),
        "call_notes": [note for note in view["notes"] if note["turn"] is None],
        "measures": _measures(view["measures"]),
        "speakers": view["measures"].get("speakers") or [],
        "graders": [(grader, GRADERS[grader]) for grader in graders],
        "criteria": _criteria(view, graders, typed, errors),
        "human": next((grade for grade in view["grades"] if grade["grader"] == "human"), None),
        "typed": typed,
        "errors": errors,
        **_choices(row, view),
    }


def given_scores(view: dict[str, Any], sent: QueryDict) -> dict[str, tuple[int | None, str]]:
    """What differs from the coach's scores as they are. Raises BadForm: no number."""
    given: dict[str, tuple[int | None, str]] = {}
    for criterion in view["criteria"]:
        key = criterion["key"]
        told, reason = sent.get(f"score-{key}", "").strip(), sent.get(f"reason-{key}", "").strip()
        known = criterion["scores"].get("human")
        if told and not (told.isascii() and told.isdigit() and len(told) <= 3):
            raise BadForm(f"{criterion['name']}: a score is a whole number from 0 to 100.")
        score = int(told) if told else None
        if score is None and known is None:
            if reason:
                raise BadForm(f"{criterion['name']}: there is a reason and no score.")
            continue
        if known is None or (score, reason) != (known["score"], known["reason"]):
            given[key] = (score, reason)
    return given


def given_feedback(view: dict[str, Any], sent: QueryDict) -> str | None:
    """None: as it is."""
    human = next((grade for grade in view["grades"] if grade["grader"] == "human"), None)
    told = sent.get("feedback", "").replace("\r\n", "\n").strip()
    return None if told == (human["feedback"] if human else "") else told


def _turns(view: dict[str, Any], request: HttpRequest) -> list[dict[str, Any]]:
    """With the notes themselves, and the one turn at which a note is being written."""
    notes = {note["id"]: note for note in view["notes"]}
    writing = request.GET.get("note", "")
    return [
        turn
        | {
            "notes": [notes[pk] for pk in turn["notes"]],
            "is_writing": view["may"]["note"] and writing == str(turn["turn"]),
        }
        for turn in view["turns"]
    ]


def _measures(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [told[name] | {"name": name, "means": MEANS.get(name, "")} for name in LABELS if name in told]


def _criteria(
    view: dict[str, Any], graders: list[str], typed: QueryDict | None, errors: dict[str, Any]
) -> list[dict[str, Any]]:
    """Each with a cell for every grader that has graded, and what its fields of the form hold."""
    wrong = errors.get("scores")
    found = []
    for criterion in view["criteria"]:
        key, human = criterion["key"], criterion["scores"].get("human") or {}
        cells = [
            {"grader": grader, "label": GRADERS[grader], "it": criterion["scores"].get(grader)} for grader in graders
        ]
        score = human.get("score")
        found.append(
            criterion
            | {
                "cells": cells,
                "score_field": typed.get(f"score-{key}", "")
                if typed is not None
                else score
                if score is not None
                else "",
                "reason_field": typed.get(f"reason-{key}", "") if typed is not None else human.get("reason", ""),
                "problems": wrong.get(key, []) if isinstance(wrong, dict) else [],
            }
        )
    return found


def _choices(row: TrainingSession, view: dict[str, Any]) -> dict[str, Any]:
    """For a coach who puts right whose call it is, and of what."""
    if not view["may"]["correct"]:
        return {"people": [], "templates": []}
    templates = TrainingTemplate.objects.in_use().filter(organisation_id=row.organisation_id)
    people: list[User] = list(people_of(organisation_id=row.organisation_id))
    return {"people": people, "templates": list(templates.only("name"))}


def _report_under_way(row: TrainingSession) -> Job | None:
    jobs = Job.objects.filter(subject_type=SUBJECT, subject_id=row.pk, kind=REPORT, status__in=Job.ACTIVE)
    found: Job | None = jobs.order_by("-created_at").first() if row.clean else None
    return found
