"""One question, and all that may happen to it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

import ai
from accounts.exceptions import Temporary
from ai.models import ModelCall, SpendingDay
from ai.services import budget
from jobs import limits
from tests.factories.people import make_organisation

from .conftest import Verdict, by_rules
from .stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def ask(prompt: Any = "What is it?", **options: Any) -> ai.Answer[Verdict]:
    return ai.ask(Verdict, prompt, purpose="test.ask", **options)


def only_call() -> ModelCall:
    return ModelCall.objects.get()


def codes(call: ModelCall) -> list[str]:
    return [fault["code"] for fault in call.faults]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_an_answer_is_a_valid_object_and_a_row_tells_what_it_cost(
    provider: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(provider)
    firm = make_organisation()
    answer = ask(organisation=firm, system="You read notices.")
    assert answer.value == Verdict(title="Road works", score=0.5, tags=["road"])
    assert (answer.method, answer.provider, answer.model) == ("model", provider, "claude-haiku-4-5")
    assert (answer.tokens_in, answer.tokens_out, answer.attempts) == (100, 20, 1)
    assert answer.cost_usd == Decimal("0.0002")  # 100 at 1 USD and 20 at 5 USD per million
    call = only_call()
    assert (call.pk, call.status, call.organisation) == (answer.call_id, "answered", firm)
    assert (call.tokens_in, call.tokens_out, call.cost_usd, call.faults) == (100, 20, answer.cost_usd, [])
    assert budget.spent_today() == answer.cost_usd
    assert server.seen.headers[0][{"anthropic": "x-api-key", "openai": "authorization"}[provider]].endswith(
        "key-of-the-test"
    )


def test_the_schema_goes_out_strict_and_without_bounds(anthropic: StandIn) -> None:
    ask()
    told = anthropic.seen.requests[0]["output_config"]["format"]
    assert told["type"] == "json_schema"
    assert told["schema"]["additionalProperties"] is False
    assert told["schema"]["required"] == ["title", "score", "tags"]
    assert told["schema"]["properties"]["score"] == {"type": "number", "description": "at least 0, at most 1"}


@pytest.mark.parametrize("fault", ["500", "reset", "429", "529", "html"])
def test_a_passing_fault_is_tried_again(anthropic: StandIn, fault: str) -> None:
    anthropic.behaviour.script = [fault]
    anthropic.behaviour.retry_after = "0.05"
    answer = ask()
    expected = {"500": "server_error", "reset": "connection_lost", "html": "no_json"}.get(fault, "throttled")
    assert (answer.method, answer.attempts, codes(only_call())) == ("model", 2, [expected])


def test_silence_ends_at_the_timeout_and_is_tried_again(anthropic: StandIn, settings: Any) -> None:
    settings.AI_TIMEOUT_S = 0.5
    anthropic.behaviour.script = ["silence"]
    settings.AI_ATTEMPTS = 5  # on a slow machine more than the scripted one may be late
    assert ask().method == "model"
    assert codes(only_call())[0] == "timeout"


def test_after_three_attempts_the_fallback_stands_in_and_says_why(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["500"] * 3
    answer = ask(fallback=by_rules)
    assert (answer.value, answer.method, answer.attempts) == (by_rules(), "fallback", 3)
    assert answer.error.startswith("model_unavailable: ")
    call = only_call()
    assert (call.status, call.error_code, codes(call)) == ("failed", "model_unavailable", ["server_error"] * 3)
    assert (call.cost_usd, budget.spent_today()) == (0, 0)


def test_without_a_fallback_the_error_is_raised(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["500"] * 3
    with pytest.raises(ai.ModelUnavailable):
        ask()


def test_a_caller_that_comes_again_may_have_temporary_errors_raised(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["500"] * 3 + ["refusal"]
    with pytest.raises(ai.ModelUnavailable):
        ask(fallback=by_rules, raises=(Temporary,))
    assert ask(fallback=by_rules, raises=(Temporary,)).error.startswith("model_declined")


def test_a_throttled_call_pauses_everybody(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["429"]
    anthropic.behaviour.retry_after = "3600"
    with pytest.raises(limits.LimitPaused) as caught:
        ask(wait_s=1)
    assert caught.value.retry_after_s is not None and caught.value.retry_after_s > 3000
    with pytest.raises(limits.LimitPaused):
        ask(wait_s=0)
    assert len(anthropic.seen.requests) == 1
    assert ai.state()["slowed_until"] is not None


@pytest.mark.parametrize("fault", ["wrong_schema", "prose"])
def test_an_answer_that_does_not_fit_is_repaired_once(anthropic: StandIn, fault: str) -> None:
    anthropic.behaviour.script = [fault]
    answer = ask()
    assert (answer.method, answer.attempts, codes(only_call())) == ("model", 2, ["unfit"])
    assert answer.tokens_out == 40
    turns = anthropic.seen.requests[1]["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert "does not fit" in turns[2]["content"]


def test_a_second_misfit_is_the_end(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["wrong_schema", "prose"]
    answer = ask(fallback=by_rules)
    assert (answer.method, answer.attempts) == ("fallback", 2)
    assert answer.error.startswith("model_answer_invalid")
    assert answer.cost_usd == Decimal("0.0004")  # what was paid for nothing is told
    assert codes(only_call()) == ["unfit", "unfit"]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_cut_answer_gets_twice_the_room(provider: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(provider)
    server.behaviour.script = ["truncated"]
    assert ask(max_tokens=300).method == "model"
    assert [body["max_tokens"] for body in server.seen.requests] == [300, 600]
    assert codes(only_call()) == ["truncated"]


@pytest.mark.parametrize("provider", ["anthropic", "openai"])
def test_a_refusal_is_not_asked_again(provider: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(provider)
    server.behaviour.script = ["refusal"]
    with pytest.raises(ai.ModelDeclined):
        ask()
    assert (len(server.seen.requests), codes(only_call())) == (1, ["declined"])


def test_thoughts_and_fences_are_taken_off(openai: StandIn) -> None:
    openai.behaviour.script = ["fenced"]
    assert (ask().attempts, codes(only_call())) == (1, [])


def test_numbers_just_outside_their_bounds_are_moved_in(anthropic: StandIn) -> None:
    anthropic.behaviour.answer = lambda body: {"title": "x " * 40, "score": 1.2, "tags": list("abcd")}
    answer = ask()
    assert (answer.value.score, answer.value.tags, len(answer.value.title) <= 40) == (1, list("abc"), True)
    assert "score: 1.2 to 1" in answer.adjusted
    assert answer.attempts == 1


def test_a_number_far_outside_is_asked_about_first(anthropic: StandIn) -> None:
    anthropic.behaviour.answer = lambda body: {
        "title": "Road",
        "score": 85 if len(body["messages"]) == 1 else 0.85,
        "tags": ["road"],
    }
    answer = ask()
    assert (answer.value.score, answer.adjusted, answer.attempts) == (0.85, (), 2)


def test_a_server_that_knows_no_schemas_is_told_in_words(openai: StandIn) -> None:
    openai.behaviour.refuses = ("json_schema", "json_object")
    assert ask().method == "model"
    formats = [(body.get("response_format") or {}).get("type") for body in openai.seen.requests]
    assert formats == ["json_schema", "json_object", None]
    assert '"additionalProperties": false' in openai.seen.requests[2]["messages"][0]["content"]
    ask()
    assert len(openai.seen.requests) == 4  # found out once


def test_a_server_with_another_word_for_length(openai: StandIn) -> None:
    openai.behaviour.refuses = ("max_tokens",)
    openai.behaviour.hint = " Use max_completion_tokens."
    assert ask(max_tokens=50).method == "model"
    assert openai.seen.requests[1]["max_completion_tokens"] == 50
    assert codes(only_call()) == ["rejected"]


def test_a_request_that_is_refused_is_not_repeated(anthropic: StandIn) -> None:
    anthropic.behaviour.script = ["400"]
    with pytest.raises(ai.RequestRejected):
        ask()
    assert (len(anthropic.seen.requests), only_call().error_code) == (1, "model_request_rejected")


def test_a_provider_that_does_not_count_tokens_is_estimated(openai: StandIn) -> None:
    openai.behaviour.has_usage = False
    answer = ask()
    assert answer.tokens_in > 0 and answer.tokens_out > 0 and answer.cost_usd > 0


def test_an_unknown_price_is_counted_as_dear_and_said_so(anthropic: StandIn, settings: Any) -> None:
    settings.AI_MODEL = "claude-of-the-future-9"
    answer = ask()
    assert (answer.is_price_known, answer.cost_usd) == (False, Decimal("0.003"))
    assert only_call().is_price_known is False


def test_contact_persons_do_not_leave_the_house(anthropic: StandIn) -> None:
    ask("Road works.\nContact person: Ms. Jana Novák, jana.novak@example.cz, +420 601 234 567\nCPV 45233120-6")
    sent = anthropic.seen.requests[0]["messages"][0]["content"]
    assert not any(word in sent for word in ("Novák", "jana", "601"))
    assert "CPV 45233120-6" in sent
    assert only_call().redacted == 3


def test_the_same_question_is_answered_from_the_cache(anthropic: StandIn) -> None:
    first = ask(cache_s=600)
    second = ask(cache_s=600)
    assert second.value == first.value
    assert (first.is_cached, second.is_cached, second.cost_usd, len(anthropic.seen.requests)) == (False, True, 0, 1)
    ask("Another question", cache_s=600)
    assert len(anthropic.seen.requests) == 2
    ModelCall.objects.update(cached_until="2020-01-01T00:00Z")
    assert ask(cache_s=600).is_cached is False


def test_nothing_is_asked_inside_a_transaction(anthropic: StandIn) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        ask(fallback=by_rules)
    assert anthropic.seen.requests == []


def test_offline_the_fallback_answers_and_nobody_is_asked() -> None:
    answer = ask(fallback=by_rules)
    assert (answer.method, answer.provider, answer.error) == ("fallback", "offline", "")
    with pytest.raises(ai.ProviderMissing):
        ask()
    assert not ModelCall.objects.exists()


def test_a_question_that_the_budget_does_not_cover_is_not_asked(anthropic: StandIn, settings: Any) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal("0.02")
    ask(max_tokens=1000)
    SpendingDay.objects.update(spent_usd=Decimal("0.019"))
    with pytest.raises(ai.BudgetSpent) as caught:
        ask(max_tokens=1000)
    assert 0 < (caught.value.retry_after_s or 0) <= 86_400
    fallen_back = ask(max_tokens=1000, fallback=by_rules)
    assert fallen_back.error.startswith("model_budget_spent") and fallen_back.call_id is None
    assert (len(anthropic.seen.requests), ModelCall.objects.count()) == (1, 1)
    settings.AI_DAILY_BUDGET_USD = None
    assert ask(max_tokens=1000).method == "model"


def test_a_job_that_is_stopped_while_it_asks_is_on_record(anthropic: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobs.exceptions import Cancelled

    def stop(body: Any) -> Any:
        raise Cancelled

    anthropic.behaviour.script = ["500"]
    monkeypatch.setattr(time, "sleep", stop)  # the signal arrives while it waits for its next attempt
    with pytest.raises(Cancelled):
        ask(fallback=by_rules)
    assert (only_call().status, only_call().error_code) == ("failed", "Cancelled")
