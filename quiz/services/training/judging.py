"""A coach's own view of a call: scores beside those of the rules and the model, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from ...models import Criterion, GradeScore, Rubric, SessionGrade, TrainingSession
from ...training_exceptions import ChangedMeanwhile, NothingToJudgeBy
from . import organisation, telling
from .access import require_coach, visible_session
from .standing import bad_review, locked_session, require_open, require_words
from .templates import current_rubric

if TYPE_CHECKING:
    from accounts.models import User

LEAST_REASON, LONGEST_REASON, LONGEST_FEEDBACK = 5, 1000, 10_000
PLACES = Decimal("0.01")
Given = Mapping[str, tuple[int | None, str]]


def override(
    *, session_id: UUID, scores: Given, actor: User, feedback: str | None = None, seen: str | None = None
) -> SessionGrade:
    """Score criteria by their keys, each with a reason; a score of None takes the coach's own back. What is not told
    stays as a coach has scored it before; `feedback` None: too.

    The grade holds what people have scored and nothing else, so that it can be compared with the others. Its overall
    takes the model's and the rules' scores for the rest, and is the session's from now on. `seen`: id of the coach's
    grade that was looked at ("": there was none); None: whatever it is. Of two coaches at once, the second is told.

    Raises SessionMissing, CoachesOnly, SessionClosed, NotProcessed, NothingToJudgeBy, BadReview, ChangedMeanwhile.
    """
    session = visible_session(session_id=session_id, user=actor)
    require_coach(session=session, user=actor)
    with transaction.atomic():
        session = locked_session(session_id)
        require_open(session)
        require_words(session)
        rubric = _rubric_of(session)
        before = _before(session, seen)
        criteria = {criterion.key: criterion for criterion in rubric.criteria.all()}
        given = _checked(scores, criteria, feedback)
        grade = SessionGrade(
            session=session,
            rubric=rubric,
            grader=SessionGrade.Grader.HUMAN,
            author=actor,
            transcript_hash=session.clean_hash,
            feedback=feedback.strip() if feedback is not None else before.feedback if before else "",
        )
        kept = _kept(before, grade, given)
        grade.overall = overall_of(criteria.values(), _others(grade) | {key: score for key, (score, _) in kept.items()})
        _store(grade, kept, criteria)
        session.rubric, session.overall = rubric, grade.overall if grade.overall is not None else _of_model(session)
        session.save(update_fields=["rubric", "overall", "updated_at"])
        organisation.invalidate(session.organisation_id)
        telling.judged(session, by=actor)
    return grade


def overall_of(criteria: Iterable[Criterion], scores: Mapping[str, int]) -> Decimal | None:
    """0 to 100 by weight, of all criteria with a score; None: there is none, or a quality has none."""
    rows = list(criteria)
    judged = [row for row in rows if row.key in scores]
    if not judged or any(row.kind == Criterion.Kind.QUALITY and row.key not in scores for row in rows):
        return None
    total = sum(row.weight * scores[row.key] for row in judged)
    return (Decimal(total) / sum(row.weight for row in judged)).quantize(PLACES, ROUND_HALF_UP)


def weigh_anew(grade: SessionGrade) -> Decimal | None:
    """The overall of a coach's grade, stored, after the grades that it takes the rest from have been made anew."""
    own = {row.criterion.key: row.score for row in grade.scores.select_related("criterion") if row.score is not None}
    grade.overall = overall_of(grade.rubric.criteria.all(), _others(grade) | own)
    grade.save(update_fields=["overall"])
    return grade.overall


def _rubric_of(session: TrainingSession) -> Rubric:
    """The one that the call was graded by; of a call that was not, its template's."""
    if session.rubric is not None:
        return session.rubric
    found = current_rubric(template_id=session.template_id) if session.template_id else None
    if found is None:
        raise NothingToJudgeBy("This call has no template, or one without criteria: say which template it is of.")
    return found


def _before(session: TrainingSession, seen: str | None) -> SessionGrade | None:
    """The coach's grade as it is now."""
    rows = SessionGrade.objects.current().filter(session=session, grader=SessionGrade.Grader.HUMAN)
    found: SessionGrade | None = rows.order_by("-created_at").first()
    now = str(found.pk) if found else ""
    if seen is not None and seen != now:
        raise ChangedMeanwhile(
            "Another coach has graded this call since you opened it. Look at it as it is now, then save again.",
            extra={"seen": now},
        )
    return found


def _kept(
    before: SessionGrade | None, grade: SessionGrade, given: Mapping[str, tuple[int | None, str]]
) -> dict[str, tuple[int, str]]:
    """What people have scored: before, of the same words by the same rubric, and now."""
    found: dict[str, tuple[int, str]] = {}
    if before and (before.rubric_id, before.transcript_hash) == (grade.rubric_id, grade.transcript_hash):
        for row in before.scores.select_related("criterion"):
            if row.score is not None:
                found[row.criterion.key] = (row.score, row.reason)
    for key, (score, reason) in given.items():
        found.pop(key, None)
        if score is not None:
            found[key] = (score, reason)
    return found


def _others(grade: SessionGrade) -> dict[str, int]:
    """Scores of the rules, and over them those of the model, of the same words by the same rubric."""
    rows = GradeScore.objects.filter(
        grade__session=grade.session,
        grade__rubric=grade.rubric,
        grade__transcript_hash=grade.transcript_hash,
        grade__is_current=True,
        grade__grader__in=(SessionGrade.Grader.RULE, SessionGrade.Grader.MODEL),
        score__isnull=False,
    ).values_list("grade__grader", "criterion__key", "score")
    by_rules_first = sorted(rows, key=lambda row: row[0] == SessionGrade.Grader.MODEL)
    return {key: score for _, key, score in by_rules_first if score is not None}


def _store(grade: SessionGrade, kept: Mapping[str, tuple[int, str]], criteria: Mapping[str, Criterion]) -> None:
    SessionGrade.objects.filter(session=grade.session, grader=SessionGrade.Grader.HUMAN, is_current=True).update(
        is_current=False
    )
    grade.save(force_insert=True)
    GradeScore.objects.bulk_create(
        GradeScore(grade=grade, criterion=criteria[key], score=score, reason=reason)
        for key, (score, reason) in kept.items()
    )


def _of_model(session: TrainingSession) -> Decimal | None:
    rows = SessionGrade.objects.current().filter(session=session, grader=SessionGrade.Grader.MODEL)
    found: Decimal | None = rows.order_by("-created_at").values_list("overall", flat=True).first()
    return found


def _checked(scores: Given, criteria: Mapping[str, Criterion], feedback: str | None) -> dict[str, Any]:
    """As they are stored. Raises BadReview with all there is to say."""
    if not scores and feedback is None:
        raise bad_review("scores", "Score something, or write feedback.")
    if feedback is not None and len(feedback.strip()) > LONGEST_FEEDBACK:
        raise bad_review("feedback", f"At most {LONGEST_FEEDBACK:,} characters.")
    errors: dict[str, list[str]] = {}
    found: dict[str, tuple[int | None, str]] = {}
    for key, (score, told_reason) in scores.items():
        reason = told_reason.strip()
        found[key] = (score, reason)
        if key not in criteria:
            errors[key] = ["The rubric of this call has no such criterion."]
        elif score is not None and not 0 <= score <= 100:
            errors[key] = ["A score is a whole number from 0 to 100."]
        elif score is not None and not LEAST_REASON <= len(reason) <= LONGEST_REASON:
            told = f"Say why, in {LEAST_REASON} to {LONGEST_REASON:,} characters, so that the learner understands it."
            errors[key] = [told]
    if errors:
        raise bad_review("scores", errors)
    return found
