"""For operators: the check command, the admin, system checks, the nightly tidying."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import ai
from accounts.models import User
from ai.checks import model_can_be_asked
from ai.models import ModelCall, ProviderPause
from ai.services import budget, trimming
from jobs.registry import kind_of
from tests.factories.people import make_user

from .conftest import Verdict, by_rules, limits_of
from .stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("staff@example.com", "a long password"))
    return client


def old_call(days: float, **values: Any) -> ModelCall:
    at = timezone.now() - timedelta(days=days)
    told = {"purpose": "test", "provider": "anthropic", "model": "m", "prompt_hash": "0", "status": "answered"}
    return ModelCall.objects.create(**(told | values), created_at=at)


def test_the_command_says_what_is_configured_and_asks(anthropic: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    anthropic.behaviour.answer = lambda body: {"result": 42}
    call_command("ai_check")
    told = capsys.readouterr().out
    assert "claude-haiku-4-5" in told and "Answered 42" in told and "key-of-the-test" not in told
    call_command("ai_check", "--json")
    assert json.loads(capsys.readouterr().out)["call"]["model"] == "claude-haiku-4-5"


def test_the_command_fails_with_the_reason(anthropic: StandIn) -> None:
    anthropic.behaviour.key = "another"
    with pytest.raises(CommandError, match=r"model_paused.*authentication_error"):
        call_command("ai_check")
    anthropic.behaviour.key = None
    anthropic.behaviour.answer = lambda body: {"result": 43}
    with pytest.raises(CommandError, match="wrongly"):
        call_command("ai_check", "--resume")


def test_offline_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ai_check")
    assert "offline" in capsys.readouterr().out


def test_the_admin_shows_calls_and_sums_by_day(anthropic: StandIn, staff: Client) -> None:
    ai.ask(Verdict, "?", purpose="test.admin")
    old_call(1, cost_usd=Decimal("1.25"), tokens_in=1_234_567, status="failed")
    page = staff.get(reverse("admin:ai_modelcall_changelist"))
    text = page.content.decode()
    assert page.status_code == 200
    assert "test.admin" in text and "1.250000" in text and "1,234,567" in text
    call = ModelCall.objects.get(purpose="test.admin")
    assert staff.get(reverse("admin:ai_modelcall_change", args=[call.pk])).status_code == 200
    assert staff.get(reverse("admin:ai_modelcall_add")).status_code == 403
    assert staff.post(reverse("admin:ai_modelcall_delete", args=[call.pk]), {"post": "yes"}).status_code == 403
    assert staff.get(reverse("admin:ai_spendingday_changelist")).status_code == 200


def test_the_admin_is_for_staff(client: Client) -> None:
    client.force_login(make_user("member"))
    assert client.get(reverse("admin:ai_modelcall_changelist")).status_code == 302


def test_a_pause_is_ended_in_the_admin(anthropic: StandIn, staff: Client) -> None:
    anthropic.behaviour.script = ["401"]
    assert ai.ask(Verdict, "?", purpose="test", fallback=by_rules).method == "fallback"
    assert "Paused since" in staff.get(reverse("admin:ai_modelcall_changelist")).content.decode()
    pause = ProviderPause.objects.get()
    data = {"action": "resume", "_selected_action": [pause.pk]}
    staff.post(reverse("admin:ai_providerpause_changelist"), data, follow=True)
    pause.refresh_from_db()
    assert pause.ended_by is not None and pause.ended_by.email == "staff@example.com"
    assert ai.ask(Verdict, "?", purpose="test", fallback=by_rules).method == "model"


def test_old_calls_go_and_lost_ones_are_found() -> None:
    recent, old = old_call(1), old_call(100)
    kept = old_call(2, result={"a": 1}, cache_key="k", cached_until=timezone.now() + timedelta(days=1))
    expired = old_call(2, result={"a": 1}, cache_key="k", cached_until=timezone.now() - timedelta(days=1))
    lost = old_call(0.5, status="running", cost_usd=Decimal("0.01"))
    running = old_call(0.01, status="running")
    done = trimming.trim(report=lambda *args: None)
    assert done == {"lost": 1, "expired": 1, "removed": 1}
    assert not ModelCall.objects.filter(pk=old.pk).exists()
    for call in (recent, kept, expired, lost, running):
        call.refresh_from_db()
    assert (kept.result, expired.result) == ({"a": 1}, None)
    assert (lost.status, lost.cost_usd, running.status) == ("lost", Decimal("0.01"), "running")
    assert trimming.trim(report=lambda *args: None) == {"lost": 0, "expired": 0, "removed": 0}


def test_tidying_is_a_job() -> None:
    assert kind_of("ai.trim").queue == "low"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"AI_PROVIDER": "offline"}, []),
        ({"AI_PROVIDER": "clippy"}, ["ai.E001"]),
        ({}, []),
        ({"AI_MODEL": ""}, ["ai.E002"]),
        ({"AI_API_KEY": ""}, ["ai.E003"]),
        ({"AI_API_KEY": "", "AI_BASE_URL": "http://127.0.0.1:8080/v1"}, []),
        ({"JOBS_LIMITS": {}}, ["ai.E004"]),
    ],
)
def test_half_a_configuration_is_found_at_the_start(
    settings: Any, changed: dict[str, Any], expected: list[str]
) -> None:
    whole = {"AI_PROVIDER": "openai", "AI_MODEL": "m", "AI_API_KEY": "k", "JOBS_LIMITS": limits_of("openai")}
    for name, value in (whole | changed).items():
        setattr(settings, name, value)
    assert [found.id for found in model_can_be_asked(None)] == expected


def test_the_operations_page_shows_the_model(anthropic: StandIn, staff: Client, settings: Any) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal(2)
    budget.reserve(day=budget.today(), amount_usd=Decimal("1.95"))
    text = staff.get(reverse("operations:page")).content.decode()
    assert "Language model" in text and "0 of 20" in text and "1.95 USD of 2.00" in text and "nearly spent" in text
    anthropic.behaviour.script = ["401"]
    settings.AI_DAILY_BUDGET_USD = None
    ask_once()
    assert "Nobody is asked since" in staff.get(reverse("operations:parts")).content.decode()


def test_the_operations_page_says_when_redis_is_away(anthropic: StandIn, staff: Client, settings: Any) -> None:
    settings.REDIS_QUEUE_URL = "redis://127.0.0.1:1/0"
    page = staff.get(reverse("operations:parts"))
    assert page.status_code == 200 and "a quarter of the places is left" in page.content.decode()


def test_without_a_model_the_operations_page_does_not_speak_of_one(staff: Client) -> None:
    assert "Language model" not in staff.get(reverse("operations:parts")).content.decode()


def ask_once() -> None:
    ai.ask(Verdict, "?", purpose="test", fallback=by_rules)
