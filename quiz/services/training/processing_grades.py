"""The step that grades: rules and, where one is configured, a model, side by side; by the template's newest rubric."""

from __future__ import annotations

from typing import Any

from accounts.exceptions import Temporary

from ...models import Rubric, SessionGrade, TrainingSession
from .grading import grade_by_model, grade_by_rules
from .judging import weigh_anew
from .templates import current_rubric

Grader = SessionGrade.Grader


def grade(session: TrainingSession, may_wait: bool) -> dict[str, Any]:
    """Each grader once for the same words and rubric, however often this is done. Nothing for a call without a template
    or a template without criteria. Raises Temporary only if it may wait."""
    rubric = _rubric_for(session)
    unchanged = TrainingSession.objects.filter(pk=session.pk, status=session.status, revision=session.revision)
    if not unchanged.update(rubric=rubric) or rubric is None:
        return {}
    grade_by_rules(session_id=session.pk)
    grade_by_model(session_id=session.pk, raises=(Temporary,) if may_wait else ())
    return {}


def settle(session: TrainingSession) -> None:
    """In the transaction of the step: grades of other words or by another rubric count no more, and the session's
    overall is that of the grade that counts most: a person's, else a model's."""
    now = TrainingSession.objects.values("rubric_id", "clean_hash").get(pk=session.pk)
    current = SessionGrade.objects.current().filter(session_id=session.pk)
    fitting = current.filter(rubric_id=now["rubric_id"], transcript_hash=now["clean_hash"])
    current.exclude(pk__in=list(fitting.values_list("pk", flat=True))).update(is_current=False)
    if (by_coach := fitting.filter(grader=Grader.HUMAN).order_by("-created_at").first()) is not None:
        weigh_anew(by_coach)
    overall = dict(fitting.order_by("created_at").values_list("grader", "overall"))
    counts = overall.get(Grader.HUMAN)
    counts = overall.get(Grader.MODEL) if counts is None else counts
    TrainingSession.objects.filter(pk=session.pk).update(overall=counts)


def _rubric_for(session: TrainingSession) -> Rubric | None:
    """The newest of its template; of words that a coach has graded the one that they were graded by, so that the
    coach's grade goes on to count. None: there is nothing to judge by."""
    if session.template_id is None:
        return None
    by_coach = SessionGrade.objects.current().filter(
        session=session,
        grader=Grader.HUMAN,
        transcript_hash=session.clean_hash,
        rubric__template_id=session.template_id,
    )
    graded = by_coach.select_related("rubric").order_by("-created_at").first()
    return graded.rubric if graded else current_rubric(template_id=session.template_id)
