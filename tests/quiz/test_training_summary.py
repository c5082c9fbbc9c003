"""What a call was about: in its own words, or in a model's, whose next step must have been said."""

# ruff: noqa: F811 - fixtures of other modules

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.exceptions import Temporary
from accounts.models import Organisation
from quiz.models import TrainingSession
from quiz.services.training.grading import summarise
from quiz.training_exceptions import NotProcessed, SessionMissing
from tests.ai.conftest import anthropic, server  # noqa: F401 - fixtures
from tests.ai.stand_in import StandIn
from tests.factories.training import LEARNER, TURNS, make_session

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "The learner sends a written question by Friday."


@pytest.fixture
def session(organisation: Organisation) -> TrainingSession:
    return make_session(organisation)


def says(quote: str, step: str = STEP) -> Any:
    return lambda body: {"summary": "They talked about the edition of the code.", "next_step": step, "quote": quote}


def test_without_a_model_it_is_an_extract_and_says_so(session: TrainingSession) -> None:
    text, next_step, by = summarise(session_id=session.pk)
    assert by == "rules"
    assert text.startswith("Extract, in the call's own words:\n")
    assert next_step == "Then I will send you a written question as the next step, by Friday."
    for line in text.splitlines()[1:]:
        speaker, _, quote = line.partition(": ")
        assert any(turn[0] == speaker and quote.strip("“”") in turn[1] for turn in TURNS)


def test_a_model_sums_up_and_names_stay_here(organisation: Organisation, anthropic: StandIn) -> None:
    anthropic.behaviour.answer = says("I will send you a written question")
    session = make_session(organisation, turns=[(name.replace("Client", "Ms Novák"), text) for name, text in TURNS])
    assert summarise(session_id=session.pk) == (
        "They talked about the edition of the code.", STEP, "claude-haiku-4-5",
    )  # fmt: skip
    sent = json.dumps(anthropic.seen.requests, ensure_ascii=False)
    assert "[0] OTHER: Hello, you wanted to ask about the tender documents?" in sent
    assert "Novák" not in sent and f"{LEARNER}:" not in sent
    assert summarise(session_id=session.pk).by == "claude-haiku-4-5"
    assert len(anthropic.seen.requests) == 1


@pytest.mark.parametrize(
    "quote", ["We will meet on Monday at nine.", "", "by Friday"], ids=["made up", "none", "short"]
)
def test_a_next_step_that_nobody_said_is_left_out(session: TrainingSession, anthropic: StandIn, quote: str) -> None:
    anthropic.behaviour.answer = says(quote)
    assert summarise(session_id=session.pk)[:2] == ("They talked about the edition of the code.", "")


def test_where_the_model_fails_the_extract_stands_in(session: TrainingSession, anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["refusal", *["429"] * 3]
    assert summarise(session_id=session.pk).by == "rules"
    with pytest.raises(Temporary):
        summarise(session_id=session.pk)


def test_of_a_very_long_call_beginning_and_end_are_sent(organisation: Organisation, anthropic: StandIn) -> None:
    anthropic.behaviour.answer = says("")
    turns = [(LEARNER, f"This is sentence {number} of many that are said. " * 10) for number in range(300)]
    summarise(session_id=make_session(organisation, turns=turns).pk)
    sent = anthropic.seen.requests[0]["messages"][0]["content"]
    assert "[0] LEARNER: This" in sent and "sentence 299" in sent and "left out" in sent and len(sent) < 61_000


def test_what_cannot_be_summed_up_is_refused(organisation: Organisation) -> None:
    with pytest.raises(SessionMissing):
        summarise(session_id=uuid4())
    with pytest.raises(NotProcessed):
        summarise(session_id=make_session(organisation, status="received").pk)
