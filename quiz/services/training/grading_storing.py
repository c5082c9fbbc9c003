"""Grades of machines as rows: found, taken over from identical transcripts, written; each once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from ...calls.rules import Judged
from ...models import Criterion, GradeScore, Rubric, SessionGrade, TrainingSession
from ...training_exceptions import NothingToJudgeBy, NotProcessed, SessionMissing
from .templates import current_rubric

LONGEST_REASON = 1000
Kind = Criterion.Kind


@dataclass(frozen=True, slots=True)
class Judging:
    """What is judged by whom: a call's words by a rubric, by a version of a grader."""

    session: TrainingSession
    rubric: Rubric
    criteria: list[Criterion]
    grader: SessionGrade.Grader
    version: str

    @property
    def qualities(self) -> list[Criterion]:
        return [row for row in self.criteria if row.kind == Kind.QUALITY]


def begin(*, session_id: UUID, grader: SessionGrade.Grader, version: str) -> Judging:
    """By the rubric that the session names, else the newest of its template. Two queries, or three.

    Raises SessionMissing, NothingToJudgeBy, NotProcessed.
    """
    rows = TrainingSession.objects.select_related("rubric", "template").defer("raw")
    session = rows.filter(pk=session_id).first()
    if session is None:
        raise SessionMissing("There is no such call any more.")
    if not session.clean:
        raise NotProcessed("This call has not been cleaned yet. Process it first.")
    rubric = session.rubric or (current_rubric(template_id=session.template_id) if session.template_id else None)
    if rubric is None:
        raise NothingToJudgeBy("This call has no template, or one without criteria: say which template it is of.")
    return Judging(session, rubric, list(rubric.criteria.order_by("position")), grader, version)


def known_grade(judging: Judging) -> SessionGrade | None:
    """The one that was given before; None: there is none, or it counts no more (another speaker was the learner then),
    or the model could not be asked."""
    return _counting(_of_the_words(judging).filter(session=judging.session), judging).first()


def reuse(judging: Judging) -> SessionGrade | None:
    """Take over the grade of an identical transcript, in which the same speaker is the learner. None: there is none.

    Rubrics belong to an organisation, so the other call does too.
    """
    rows = _counting(_of_the_words(judging).exclude(session=judging.session), judging)
    same = rows.filter(
        session__clean_hash=judging.session.clean_hash, session__learner_speaker=judging.session.learner_speaker
    )
    other = same.order_by("created_at").first()
    if other is None:
        return None
    scores = {
        row.criterion_id: GradeScore(
            criterion_id=row.criterion_id, score=row.score, evidence=row.evidence, reason=row.reason
        )
        for row in other.scores.all()
    }
    return _written(judging, scores, overall=other.overall, feedback=other.feedback, is_reused=True)


def store(
    judging: Judging, scores: Mapping[str, Judged], *, overall: Decimal | None = None, feedback: str = ""
) -> SessionGrade:
    """`scores`: by the criteria's keys; a criterion without one has no row."""
    rows = {
        row.pk: GradeScore(
            criterion=row,
            score=scores[row.key].score,
            evidence=[each.to_json() for each in scores[row.key].evidence],
            reason=scores[row.key].reason[:LONGEST_REASON],
        )
        for row in judging.criteria
        if row.key in scores
    }
    return _written(judging, rows, overall=overall, feedback=feedback, is_reused=False)


def _of_the_words(judging: Judging) -> QuerySet[SessionGrade]:
    return SessionGrade.objects.filter(
        rubric=judging.rubric,
        grader=judging.grader,
        grader_version=judging.version,
        transcript_hash=judging.session.clean_hash,
    )


def _counting(rows: QuerySet[SessionGrade], judging: Judging) -> QuerySet[SessionGrade]:
    """Those that count; of models those that could be asked: they judged at least one quality."""
    rows = rows.filter(is_current=True)
    if judging.grader != SessionGrade.Grader.MODEL:
        return rows
    judged = GradeScore.objects.filter(criterion__kind=Kind.QUALITY, score__isnull=False)
    return rows.filter(pk__in=judged.filter(grade__in=rows.values("pk")).values("grade"))


def _written(
    judging: Judging, scores: Mapping[int, GradeScore], *, overall: Decimal | None, feedback: str, is_reused: bool
) -> SessionGrade:
    """In one transaction, under the session's lock: of two at once the second finds the first's. Takes the place of the
    grader's earlier ones, and of a grade of the same words that counts no more."""
    with transaction.atomic():
        TrainingSession.objects.select_for_update(of=("self",)).only("pk").get(pk=judging.session.pk)
        if known := known_grade(judging):
            return known
        mine = SessionGrade.objects.filter(session=judging.session, grader=judging.grader)
        _of_the_words(judging).filter(session=judging.session).delete()
        mine.filter(is_current=True).update(is_current=False)
        grade = SessionGrade.objects.create(
            session=judging.session,
            rubric=judging.rubric,
            grader=judging.grader,
            grader_version=judging.version,
            transcript_hash=judging.session.clean_hash,
            overall=overall,
            feedback=feedback,
            is_reused=is_reused,
        )
        for row in scores.values():
            row.grade = grade
        GradeScore.objects.bulk_create(scores.values())
    return grade
