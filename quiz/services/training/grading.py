"""Grades of machines: by rules, and by a model where one is configured. Side by side, each once for the same words.

What others ask for is gathered here: `agreement` of graders, what to practise next, a summary.
"""

from __future__ import annotations

from uuid import UUID

from accounts.exceptions import PlumblineError, Temporary

from ...calls.rules import VERSION, Judged, judge
from ...calls.turns import turns_from_json
from ...models import Criterion, SessionGrade
from . import grading_model
from .grading_agreement import agreement
from .grading_practice import next_practice
from .grading_storing import Judging, begin, known_grade, reuse, store
from .grading_summary import summarise
from .judging import overall_of

__all__ = ["agreement", "grade_by_model", "grade_by_rules", "next_practice", "summarise"]

RULE, MODEL = SessionGrade.Grader.RULE, SessionGrade.Grader.MODEL


def grade_by_rules(*, session_id: UUID) -> SessionGrade:
    """Scores of the behaviours, without an overall: rules claim no quality. Once for the same words, rubric and version
    of the rules; those of an identical transcript are taken over.

    Raises SessionMissing, NothingToJudgeBy (no rubric), NotProcessed (not cleaned yet).
    """
    judging = begin(session_id=session_id, grader=RULE, version=VERSION)
    if known := known_grade(judging) or reuse(judging):
        return known
    return store(judging, by_rules(judging))


def grade_by_model(*, session_id: UUID, raises: tuple[type[PlumblineError], ...] = (Temporary,)) -> SessionGrade | None:
    """The model's scores of the qualities, those of the rules for behaviours, and from both the overall, if no quality
    is left without a score. None: no model is configured, or the rubric has no qualities.

    A score without a quote that stands in the transcript is rejected, and `reason` says so. Errors that `raises` names
    are raised; after any other the grade is without scores and says why: it does not count as graded, so the next time
    the model is asked again. Not inside a transaction. Raises what `grade_by_rules` raises.
    """
    version = grading_model.version()
    if version is None:
        return None
    judging = begin(session_id=session_id, grader=MODEL, version=version)
    if not judging.qualities:
        return None
    if known := known_grade(judging) or reuse(judging):
        return known
    judged, feedback = grading_model.judged(judging, raises=raises)
    scores = by_rules(judging) | judged
    found = {key: each.score for key, each in scores.items() if each.score is not None}
    return store(judging, scores, overall=overall_of(judging.criteria, found), feedback=feedback)


def by_rules(judging: Judging) -> dict[str, Judged]:
    """The behaviours, by their keys."""
    rules = {row.key: row.rule for row in judging.criteria if row.kind == Criterion.Kind.BEHAVIOUR}
    return judge(rules, turns_from_json(judging.session.clean), learner=judging.session.learner_speaker)
