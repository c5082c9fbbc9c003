"""A call sent through all its steps with a model: what it says, beside what was measured, and when it fails."""

# ruff: noqa: F811 - fixtures of other modules

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Organisation, User
from ai.models import ModelCall
from quiz.models import SessionGrade, TrainingSession
from quiz.services.training.correcting import process_again
from quiz.services.training.judging import override
from quiz.services.training.processing import start_processing
from tests.ai.conftest import anthropic, server  # noqa: F401 - fixtures
from tests.ai.stand_in import StandIn
from tests.factories.training import TURNS, make_session, make_template

pytestmark = pytest.mark.django_db(transaction=True)
SUMMARY = {"summary": "About an edition.", "next_step": "A question by Friday.", "quote": "send you a written question"}
QUOTES = [{"turn": 1, "quote": "Which edition of the welding code"}]
GRADE = {"scores": [{"key": "clarity", "score": 60, "why": "Clear.", "quotes": QUOTES}], "feedback": "Well asked."}


def answer(body: dict[str, Any]) -> dict[str, Any]:
    return SUMMARY if "You summarise" in str(body) else GRADE


@pytest.fixture
def session(organisation: Organisation, member: User) -> TrainingSession:
    template = make_template(organisation)
    return make_session(user=member, template=template, turns=TURNS, status="received")


def graders(session: TrainingSession) -> dict[str, Decimal | None]:
    return dict(session.grades.filter(is_current=True).values_list("grader", "overall"))


def test_all_steps_with_a_model(session: TrainingSession, anthropic: StandIn, drain: Callable[[], int]) -> None:
    anthropic.behaviour.answer = answer
    start_processing(session_id=session.pk)
    drain()
    session.refresh_from_db()
    assert (session.status, session.summary, session.next_step) == ("done", SUMMARY["summary"], SUMMARY["next_step"])
    assert session.summarised_by == "claude-haiku-4-5"
    assert graders(session) == {"rule": None, "model": Decimal("80.00")}
    assert session.overall == Decimal("80.00")
    assert sorted(ModelCall.objects.values_list("purpose", flat=True)) == ["quiz.call_summary", "quiz.grade"]


def test_a_model_that_fails_leaves_what_was_measured_and_is_asked_again(
    session: TrainingSession, coach: User, anthropic: StandIn, drain: Callable[[], int]
) -> None:
    anthropic.behaviour.answer, anthropic.behaviour.script = answer, ["refusal", "refusal"]
    start_processing(session_id=session.pk)
    drain()
    session.refresh_from_db()
    assert (session.status, session.overall, session.summarised_by) == ("done", None, "rules")
    assert graders(session) == {"rule": None, "model": None}
    process_again(session_id=session.pk, actor=coach)
    drain()
    session.refresh_from_db()
    assert (session.overall, session.summarised_by) == (Decimal("80.00"), "claude-haiku-4-5")


def test_a_coach_counts_more_than_a_model(
    session: TrainingSession, coach: User, anthropic: StandIn, drain: Callable[[], int]
) -> None:
    anthropic.behaviour.answer = answer
    start_processing(session_id=session.pk)
    drain()
    override(session_id=session.pk, scores={"clarity": (90, "Every term was explained.")}, actor=coach)
    session.refresh_from_db()
    assert session.overall == Decimal("95.00")
    process_again(session_id=session.pk, actor=coach)
    drain()
    session.refresh_from_db()
    assert session.overall == Decimal("95.00")
    assert graders(session) == {"rule": None, "model": Decimal("80.00"), "human": Decimal("95.00")}
    assert SessionGrade.objects.filter(session=session, grader="model").count() == 1
