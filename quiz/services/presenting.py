"""Attempts, questions and results as pages and API hand them out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from accounts.models import User

from ..levels import level_of
from ..models import Answer, Attempt, Citation, Clause, QuestionVersion
from ..practice.asking import asked, places_of
from ..practice.marking import mark
from ..practice.markup import safe_html
from ..practice.revealing import right_of
from .attempts import seconds_left

MOST_TEXT = 2000  # of a clause, beside a result


def attempt_out(attempt: Attempt) -> dict[str, Any]:
    """Of an attempt without its questions."""
    category, clause = attempt.category, attempt.clause
    return {
        "id": str(attempt.pk),
        "mode": attempt.mode,
        "category": {"id": str(category.pk), "name": category.name} if category else None,
        "clause": {"id": str(clause.pk), "number": clause.number, "title": clause.title} if clause else None,
        "question_count": attempt.question_count,
        "started_at": attempt.started_at,
        "deadline_at": attempt.deadline_at,
        "seconds_left": seconds_left(attempt),
        "submitted_at": attempt.submitted_at,
        "score": attempt.score,
        "is_passed": attempt.is_passed,
    }


def questions_out(attempt: Attempt, *, user: User) -> list[dict[str, Any]]:
    """All questions in their order, each with what was given and, where it may be told, its result.

    Told are: in practice and review what is answered; of exams nothing before the end. A fixed number of queries.
    """
    answers = list(attempt.answers.select_related("version").order_by("position"))
    told = [each for each in answers if is_told(attempt, each)]
    cited = clauses_of({each.version.question_id for each in told}, user=user)
    return [
        question_out(each.version, each.shown)
        | {
            "position": each.position,
            "given": _given(each),
            "is_unsure": each.is_unsure,
            "result": result_out(each, cited[each.version.question_id]) if is_told(attempt, each) else None,
        }
        for each in answers
    ]


def question_out(version: QuestionVersion, shown: list[str]) -> dict[str, Any]:
    """What is asked, and nothing that tells the answer. Texts are HTML, made safe."""
    out: dict[str, Any] = {
        "kind": version.kind,
        "stem": safe_html(version.stem, version.markup),
        "difficulty": level_of(version.difficulty),
    }
    for name, places in asked(version.kind, version.body, shown).items():
        out[name] = [{"id": each["id"], "text": safe_html(each["text"], version.markup)} for each in places]
    return out


def is_told(attempt: Attempt, answer: Answer) -> bool:
    if attempt.submitted_at is not None:
        return True
    return attempt.mode != Attempt.Mode.EXAM and answer.answered_at is not None


def result_out(answer: Answer, clauses: list[dict[str, Any]]) -> dict[str, Any]:
    """Of a question that may be told of: what was right, why, and by which clause."""
    version = answer.version
    earned = mark(version.kind, version.body, answer.given)
    return {
        "share": earned.share,
        "is_right": earned.is_right,
        "right": right_of(version.kind, version.body, answer.shown),
        "feedback": [safe_html(text, version.markup) for text in earned.feedback],
        "explanation": safe_html(version.explanation, version.markup),
        "references": list(version.references),
        "clauses": clauses,
    }


def clauses_of(question_ids: Iterable[UUID], *, user: User) -> defaultdict[UUID, list[dict[str, Any]]]:
    """By question, the clauses cited that the user may see, in the order of the standard. One query."""
    found: defaultdict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = Citation.objects.filter(question_id__in=question_ids, clause__in=Clause.objects.visible_to(user))
    for citation in rows.select_related("clause__edition__standard").order_by("clause__edition_id", "clause__position"):
        clause = citation.clause
        found[citation.question_id].append(
            {
                "id": str(clause.pk),
                "number": clause.number,
                "title": clause.title,
                "edition": str(clause.edition),
                "text": clause.text[:MOST_TEXT],
            }
        )
    return found


def _given(answer: Answer) -> dict[str, Any] | None:
    if answer.given is None:
        return None
    return places_of(answer.version.kind, answer.version.body, answer.shown, answer.given)
