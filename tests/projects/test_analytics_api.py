"""Projects by day through the API."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from projects.models import Project
from projects.services.analytics import refresh_analytics
from tests.factories.projects import make_project

pytestmark = pytest.mark.django_db(transaction=True)
API = "/api/analytics/projects"


def get(user: User, query: str = "", status: int = 200) -> Any:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.get(API + query)
    assert answer.status_code == status, answer.content
    return answer.json()


def complete(project: Project, cost: str) -> None:
    Project.objects.filter(pk=project.pk).update(completed_at=timezone.now(), total_cost=Decimal(cost), currency="EUR")


def test_projects_are_told_by_day_as_of_the_last_night(owner: User, stranger: User) -> None:
    one, two = make_project(owner, "One"), make_project(owner, "Two")
    assert get(owner)["by_day"] == [], "not reckoned yet"
    complete(one, "100.00")
    complete(two, "200.00")
    refresh_analytics()
    found = get(owner, "?days=7")
    assert (found["created"], found["completed"]) == (2, 2)
    [day] = found["by_day"]
    assert day == {
        "day": found["last_day"],
        "currency": "EUR",
        "created": 2,
        "completed": 2,
        "average_cost": "150.00",
    }
    theirs = get(stranger)
    assert (theirs["created"], theirs["completed"], theirs["by_day"]) == (0, 0, [])
    assert APIClient().get(API).status_code in (401, 403)


@pytest.mark.parametrize("days", ["0", "367", "x", "-1", "9999999999"])
def test_days_out_of_bounds_are_refused(owner: User, days: str) -> None:
    assert get(owner, f"?days={days}", status=400)["code"] == "invalid_parameter"


def test_as_many_queries_for_fifty_projects_as_for_one(owner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as told:
            get(owner)
        return len(told)

    make_project(owner, "One")
    refresh_analytics()
    one = queries()
    for number in range(49):
        make_project(owner, f"Project {number}")
    refresh_analytics()
    assert queries() == one
