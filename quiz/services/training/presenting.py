"""Calls, templates and assignments as pages and the API hand them out. A fixed number of queries each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Membership, User

from ...models import (
    Assignment,
    Clause,
    Criterion,
    Rubric,
    SessionFile,
    SessionGrade,
    TrainingSession,
    TrainingTemplate,
)
from ...training_exceptions import SessionMissing, TemplateMissing
from ...training_querysets import COACHES, AssignmentQuerySet, TrainingSessionQuerySet
from .access import coaches
from .grading import next_practice
from .standing import is_at_rest

GRADERS = (SessionGrade.Grader.RULE, SessionGrade.Grader.MODEL, SessionGrade.Grader.HUMAN)


def listed_sessions(user: User) -> TrainingSessionQuerySet:
    """For lists: what the user may see, without transcripts, with people and templates; in no order yet."""
    return TrainingSession.objects.listed_for(user).without_words().select_related("user", "template", "closed_by")


def session_row(session: TrainingSession) -> dict[str, Any]:
    """Of a list. No query where `listed_sessions` or `whole_session` read it."""
    return {
        "id": str(session.pk),
        "organisation_id": str(session.organisation_id),
        "title": str(session),
        "status": session.status,
        "error": session.error,
        "source": session.source,
        "user": person_out(session.user),
        "template": {"id": str(session.template.pk), "name": session.template.name} if session.template else None,
        "assignment_id": session.assignment_id and str(session.assignment_id),
        "overall": session.overall,
        "duration_s": session.duration_s,
        "started_at": session.started_at,
        "created_at": session.created_at,
        "submitted_for_review": session.submitted_for_review,
        "submitted_at": session.submitted_at,
        "closed_at": session.closed_at,
        "closed_by": person_out(session.closed_by),
    }


def whole_session(*, session_id: UUID, user: User) -> TrainingSession:
    """With all that `session_view` tells of its own row. One query. Raises SessionMissing (404)."""
    rows = TrainingSession.objects.visible_to(user).defer("raw")
    together = rows.select_related("user", "template", "rubric", "assignment", "closed_by", "connection")
    found: TrainingSession | None = together.filter(pk=session_id).first()
    if found is None:
        raise SessionMissing("There is no such call, or it is not yours to see.")
    return found


def session_view(session: TrainingSession, user: User) -> dict[str, Any]:
    """All of a call (of `whole_session`): transcript, measures, grades side by side, notes, files, and what the user
    may do with it."""
    grades = _grades(session)
    notes = [note_out(note, user) for note in session.notes.select_related("author").order_by("created_at", "pk")]
    assignment = session.assignment
    human = grades.get(SessionGrade.Grader.HUMAN)
    if human is not None and not human.feedback and not human.scores.all():
        del grades[SessionGrade.Grader.HUMAN]  # all of it has been taken back
    return session_row(session) | {
        "learner_speaker": session.learner_speaker,
        "speakers": list(dict.fromkeys(str(turn.get("speaker", "")) for turn in session.clean)),
        "turns": _turns(session, notes),
        "measures": session.measures,
        "summary": session.summary,
        "next_step": session.next_step,
        "summarised_by": session.summarised_by,
        "revision": session.revision,
        "rubric": {"id": str(session.rubric.pk), "number": session.rubric.number} if session.rubric else None,
        "assignment": {"id": str(assignment.pk), "due_at": assignment.due_at, "note": assignment.note}
        if assignment
        else None,
        "grades": [_grade_out(grades[grader]) for grader in GRADERS if grader in grades],
        "criteria": _criteria(session.rubric, grades, user),
        "notes": notes,
        "files": [_file_out(file) for file in session.files.order_by("kind", "-created_at")],
        "next_practice": next_practice(session),
        "job_id": session.job_id and str(session.job_id),
        "seen": str(human.pk) if human else "",
        "may": may(session, user),
    }


def may(session: TrainingSession, user: User) -> dict[str, bool]:
    """What the user can do with the call as it stands. One query."""
    members = Membership.objects.of(user).filter(organisation_id=session.organisation_id)
    role = members.values_list("role", flat=True).first()
    is_coach, is_writer = role in COACHES, role is not None and role != Membership.Role.VIEWER
    is_open, is_done = session.closed_at is None, session.status == TrainingSession.Status.DONE
    rests = is_at_rest(session)
    return {
        "coach": is_coach,
        "note": is_writer and is_open,
        "submit": is_writer and is_open and is_done and not session.submitted_for_review,
        "override": is_coach and is_open and rests and bool(session.clean) and session.template_id is not None,
        "close": is_coach and is_open and rests,
        "reopen": is_coach and not is_open,
        "correct": is_coach and is_open and rests,
        "process": is_coach and is_open and rests,
    }


def criterion_out(criterion: Criterion, clauses: Iterable[Clause]) -> dict[str, Any]:
    """A criterion with the clauses that the asker may see."""
    return {
        "key": criterion.key,
        "name": criterion.name,
        "description": criterion.description,
        "kind": criterion.kind,
        "weight": criterion.weight,
        "rule": criterion.rule,
        "levels": criterion.levels,
        "clauses": [clause_out(clause) for clause in clauses],
    }


def rubric_row(rubric: Rubric) -> dict[str, Any]:
    """A version without its criteria. No query where created_by was read along with it."""
    return {
        "id": str(rubric.pk),
        "number": rubric.number,
        "note": rubric.note,
        "created_at": rubric.created_at,
        "created_by": person_out(rubric.created_by),
    }


def rubric_out(rubric: Rubric, user: User) -> dict[str, Any]:
    """A version with its criteria. Two queries."""
    rows = list(rubric.criteria.order_by("position"))
    clauses = clauses_of(rows, user)
    return rubric_row(rubric) | {"criteria": [criterion_out(row, clauses[row.pk]) for row in rows]}


def clauses_of(criteria: Iterable[Criterion], user: User) -> defaultdict[int, list[Clause]]:
    """By criterion, those that the user may see, in the order of the standard. One query."""
    found: defaultdict[int, list[Clause]] = defaultdict(list)
    ids = [criterion.pk for criterion in criteria]
    through = Criterion.clauses.through.objects.filter(criterion_id__in=ids, clause__in=Clause.objects.visible_to(user))
    rows = through.select_related("clause__edition__standard").order_by("clause__edition_id", "clause__position")
    for row in rows.defer("clause__text", "clause__search"):
        found[row.criterion_id].append(row.clause)
    return found


def clause_out(clause: Clause) -> dict[str, Any]:
    return {"id": str(clause.pk), "number": clause.number, "title": clause.title, "edition": str(clause.edition)}


def listed_templates(user: User) -> QuerySet[TrainingTemplate]:
    """With what `template_row` tells; the newest version's number as `rubric_number`."""
    newest = Rubric.objects.filter(template=OuterRef("pk")).order_by("-number").values("number")[:1]
    rows = TrainingTemplate.objects.visible_to(user).select_related("category", "user")
    return rows.annotate(rubric_number=Subquery(newest))


def template_row(template: Any) -> dict[str, Any]:
    """Of a row of `listed_templates`. No query."""
    category = template.category
    return {
        "id": str(template.pk),
        "organisation_id": str(template.organisation_id),
        "name": template.name,
        "scenario": template.scenario,
        "persona": template.persona,
        "category": {"id": str(category.pk), "name": category.name} if category else None,
        "user": person_out(template.user),
        "rubric_number": template.rubric_number,
        "archived_at": template.archived_at,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
    }


def template_view(*, template_id: UUID, user: User) -> dict[str, Any]:
    """With its newest rubric. Raises TemplateMissing (404)."""
    template = listed_templates(user).filter(pk=template_id).first()
    if template is None:
        raise TemplateMissing("There is no such template.")
    rubric = Rubric.objects.filter(template=template).select_related("created_by").order_by("-number").first()
    return template_row(template) | {
        "rubric": rubric_out(rubric, user) if rubric else None,
        "may_change": coaches(user, template.organisation_id),
    }


def person_out(user: User | None) -> dict[str, Any] | None:
    return {"id": str(user.pk), "name": str(user)} if user else None


def listed_assignments(user: User) -> AssignmentQuerySet:
    """What the user may see, with people and templates; the newest first."""
    rows = Assignment.objects.visible_to(user).select_related("template", "user", "assigned_by")
    return rows.order_by("-created_at", "-id")


def level_of(criterion: Criterion, score: int | None) -> str:
    """Name of the highest level that the score reaches; "" where there is none."""
    if score is None:
        return ""
    reached = [level for level in criterion.levels if level["score"] <= score]
    return str(reached[-1]["name"]) if reached else ""


def _grades(session: TrainingSession) -> dict[str, SessionGrade]:
    """The current one of each grader by the rubric that the call was graded by, with its scores. Two queries."""
    rows = session.grades.current().filter(rubric_id=session.rubric_id) if session.rubric_id else None
    if rows is None:
        return {}
    found: dict[str, SessionGrade] = {}
    for grade in rows.select_related("author").prefetch_related("scores__criterion").order_by("created_at"):
        found[grade.grader] = grade
    return found


def _criteria(rubric: Rubric | None, grades: dict[str, SessionGrade], user: User) -> list[dict[str, Any]]:
    """Each with the scores that it has, by grader."""
    if rubric is None:
        return []
    rows = list(rubric.criteria.order_by("position"))
    clauses = clauses_of(rows, user)
    scores: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for grader, grade in grades.items():
        for score in grade.scores.all():
            scores[score.criterion_id][grader] = {
                "score": score.score,
                "level": level_of(score.criterion, score.score),
                "reason": score.reason,
                "evidence": score.evidence,
            }
    return [criterion_out(row, clauses[row.pk]) | {"scores": scores[row.pk]} for row in rows]


def _grade_out(grade: SessionGrade) -> dict[str, Any]:
    return {
        "id": str(grade.pk),
        "grader": grade.grader,
        "name": grade.get_grader_display(),
        "version": grade.grader_version,
        "author": person_out(grade.author),
        "overall": grade.overall,
        "feedback": grade.feedback,
        "is_reused": grade.is_reused,
        "created_at": grade.created_at,
    }


def _turns(session: TrainingSession, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    noted: defaultdict[int, list[str]] = defaultdict(list)
    for note in notes:
        if note["turn"] is not None:
            noted[note["turn"]].append(note["id"])
    return [
        {
            "turn": number,
            "speaker": turn.get("speaker", ""),
            "is_learner": bool(session.learner_speaker) and turn.get("speaker") == session.learner_speaker,
            "text": turn.get("text", ""),
            "start_s": turn.get("start_s"),
            "end_s": turn.get("end_s"),
            "notes": noted[number],
        }
        for number, turn in enumerate(session.clean)
    ]


def note_out(note: Any, user: User) -> dict[str, Any]:
    return {
        "id": str(note.pk),
        "turn": note.turn,
        "text": note.text,
        "author": person_out(note.author),
        "is_mine": note.author_id == user.pk,
        "created_at": note.created_at,
        "edited_at": note.edited_at,
    }


def _file_out(file: SessionFile) -> dict[str, Any]:
    return {
        "id": str(file.pk),
        "kind": file.kind,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "created_at": file.created_at,
    }
