"""What models cost: sums by purpose and day, for owners of their organisation's and for staff of all."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from ai.models import ModelCall, SpendingDay
from ai.services import budget
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
API = "/api/analytics/ai"


def call(organisation: Organisation | None, purpose: str = "quiz.grade", days_ago: int = 0, **more: Any) -> ModelCall:
    told: dict[str, Any] = {"status": "answered", "tokens_in": 100, "tokens_out": 10, "cost_usd": Decimal("0.0125")}
    return ModelCall.objects.create(
        organisation=organisation,
        purpose=purpose,
        provider="anthropic",
        model="model-1",
        prompt_hash="0",
        created_at=timezone.now() - timedelta(days=days_ago),
        **(told | more),
    )


def get(user: User, query: str = "", status: int = 200) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.get(API + query)
    assert answer.status_code == status, answer.content
    return answer.json()


def page_of(user: User, query: str = "", status: int = 200) -> str:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse("analytics:ai") + query)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.fixture
def staff(db: None) -> User:
    user = make_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_modelcall"))
    return user


def test_sums_by_purpose_and_day(owner: User, organisation: Organisation) -> None:
    call(organisation)
    call(organisation, is_cached=True, cost_usd=Decimal(0), tokens_in=0, tokens_out=0)
    call(organisation, "analytics.answer", days_ago=2, cost_usd=Decimal("1.5"))
    call(organisation, days_ago=2, status="lost")
    call(organisation, days_ago=40)
    found = get(owner, "?days=7")
    assert found["totals"] == {
        "calls": 4,
        "cached": 1,
        "failed": 1,
        "tokens_in": 300,
        "tokens_out": 30,
        "cost_usd": "1.525000",
        "cache_hit_rate": 0.25,
    }
    assert [(row["purpose"], row["calls"], row["cost_usd"]) for row in found["by_purpose"]] == [
        ("analytics.answer", 1, "1.500000"),
        ("quiz.grade", 3, "0.025000"),
    ]
    assert [row["calls"] for row in found["by_day"]] == [0, 0, 0, 0, 2, 0, 2]
    assert [(row["purpose"], row["calls"], row["cached"]) for row in found["by_day_and_purpose"]] == [
        ("analytics.answer", 1, 0),
        ("quiz.grade", 1, 0),
        ("quiz.grade", 2, 1),
    ]
    assert found["budget"] is None, "the installation's, not theirs"


def test_nobody_sees_what_others_have_spent(
    owner: User, member: User, stranger: User, staff: User, organisation: Organisation
) -> None:
    call(organisation)
    call(None, "tenders.enrich")
    assert get(owner)["totals"]["calls"] == 1
    assert get(stranger)["totals"]["calls"] == 0, "the owner of another firm"
    assert get(staff)["totals"]["calls"] == 2
    assert get(member, status=404)["code"] == "spending_not_found"
    assert get(make_user("usher", is_staff=True), status=404)["code"] == "spending_not_found"
    assert APIClient().get(API).status_code in (401, 403)
    assert "quiz.grade" in page_of(owner) and "quiz.grade" not in page_of(stranger)
    page_of(member, status=404)


def test_a_tab_leads_there_whom_it_concerns(owner: User, member: User) -> None:
    for user, is_there in ((owner, True), (member, False)):
        client = Client()
        client.force_login(user)
        page = client.get(reverse("analytics:demand")).content.decode()
        assert ("AI cost" in page) is is_there


@pytest.mark.parametrize("days", ["0", "91", "x", "-1"])
def test_days_out_of_bounds_are_refused(owner: User, days: str) -> None:
    assert get(owner, f"?days={days}", status=400)["code"] == "invalid_parameter"
    assert "AI cost" in page_of(owner, f"?days={days}"), "a page takes it for none"


def test_without_a_model_the_page_says_so(owner: User, settings: LazySettings) -> None:
    settings.AI_PROVIDER = "offline"
    page = page_of(owner)
    assert "No model is configured" in page and "No model was asked" in page
    assert get(owner)["is_configured"] is False
    settings.AI_PROVIDER, settings.AI_MODEL = "anthropic", "model-1"
    assert "Asked now: anthropic, model-1" in page_of(owner)


def test_staff_see_what_is_left_of_the_budget(staff: User, owner: User, settings: LazySettings) -> None:
    settings.AI_DAILY_BUDGET_USD = Decimal(20)
    SpendingDay.objects.create(day=budget.today(), spent_usd=Decimal("3.5"))
    assert get(staff)["budget"] == {"daily_usd": "20.000000", "spent_today_usd": "3.500000"}
    page = page_of(staff)
    assert 'id="budget"' in page and "3.50" in page and "of 20.00 USD" in page
    assert 'id="budget"' not in page_of(owner)
    settings.AI_DAILY_BUDGET_USD = None
    assert "no limit is set" in page_of(staff)


def test_as_many_queries_for_fifty_calls_as_for_one(owner: User, organisation: Organisation) -> None:
    def queries() -> int:
        client = Client()
        client.force_login(owner)
        with CaptureQueriesContext(connection) as told:
            assert client.get(reverse("analytics:ai")).status_code == 200
        return len(told)

    call(organisation)
    one = queries()
    for number in range(49):
        call(organisation, f"purpose.{number % 7}", days_ago=number % 20)
    assert queries() == one
