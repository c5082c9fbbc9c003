"""What projects do at night: their aggregates are counted anew, the figures by day brought up to date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from jobs.models import Job
from jobs.services import enqueue
from jobs.worker import Drain
from projects.models import Project, ProjectAnalytics, Verdict
from projects.services import checking
from projects.services.analytics import refresh_analytics
from projects.services.counting import counts_of_many, current_counts
from tests.factories.projects import make_audited_project, make_position, make_project

pytestmark = pytest.mark.django_db


def check() -> dict[str, Any]:
    return checking.check_totals(report=lambda done, total, message: None)


def run(kind: str) -> Job:
    job = enqueue(kind=kind, params={})
    drain = Drain()
    try:
        drain.all_of(["low"])
    finally:
        drain.heart.stop()
    job.refresh_from_db()
    return job


def keep_totals(project: Project) -> None:
    """As services do in the transaction of a change."""
    Project.objects.filter(pk=project.pk).update(**current_counts(project_id=project.pk))


def break_totals(project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(total_cost=Decimal("1.11"), count_red=7, total_positions=0)


# --- totals -----------------------------------------------------------------------------------------------------------


def test_right_totals_are_left_alone(project: Project, owner: User) -> None:
    make_project(owner, "Empty")
    before = list(Project.objects.order_by("pk").values())
    assert check() == {"projects": 2, "differing": 0, "differences": []}
    assert list(Project.objects.order_by("pk").values()) == before


def test_wrong_totals_are_put_right_and_told(project: Project, owner: User, caplog: pytest.LogCaptureFixture) -> None:
    other = make_audited_project(owner, 8, name="Right")
    right = {name: getattr(project, name) for name in ("total_cost", "count_red", "total_positions")}
    break_totals(project)
    found = check()
    assert (found["projects"], found["differing"]) == (2, 1)
    (difference,) = found["differences"]
    assert (difference["project_id"], difference["name"]) == (str(project.pk), project.name)
    assert difference["stored"] == {"total_positions": "0", "total_cost": "1.11", "count_red": "7"}
    assert difference["counted"] == {name: str(value) for name, value in right.items()}
    project.refresh_from_db()
    assert {name: getattr(project, name) for name in right} == right
    assert [record for record in caplog.records if "project_totals_wrong" in record.getMessage()]
    other.refresh_from_db()
    assert other.total_positions == 8
    assert check()["differing"] == 0


def test_grades_and_money_at_stake_are_counted_anew(project: Project) -> None:
    verdict = Verdict.objects.filter(project=project, grade="red").get()
    Verdict.objects.filter(pk=verdict.pk).update(grade="green", money_at_stake=0)
    (difference,) = check()["differences"]
    assert difference["counted"].keys() == {"count_red", "count_green", "money_at_stake"}
    project.refresh_from_db()
    assert (project.count_red, project.count_green) == (0, 2)


def test_closed_and_uncounted_positions_are_not_in_the_totals(project: Project) -> None:
    make_position(project, billing="optional")
    make_position(project, removed_in=2)
    keep_totals(project)
    assert check()["differing"] == 0
    assert counts_of_many(project_ids=[project.pk])[project.pk] == current_counts(project_id=project.pk)


def test_an_edit_between_counting_and_comparing_is_no_difference(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = checking.counts_of_many

    def edited_meanwhile(**given: Any) -> Any:
        result = counted(**given)
        make_position(project)
        keep_totals(project)
        return result

    monkeypatch.setattr(checking, "counts_of_many", edited_meanwhile)
    assert check()["differing"] == 0


def test_many_projects_are_counted_in_few_statements(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 4)
    for number in range(10):
        make_audited_project(owner, 1, name=f"Project {number}")
    told: list[tuple[int, int]] = []
    with CaptureQueriesContext(connection) as captured:
        found = checking.check_totals(report=lambda done, total, message: told.append((done, total)))
    assert found["projects"] == 10
    assert len(captured) == 1 + 2 * 3
    assert told == [(0, 10), (4, 10), (8, 10), (10, 10)]


def test_the_job_shows_the_differences(project: Project) -> None:
    assert run("projects.check_totals").current_step == "All 1 projects are as their positions say"
    break_totals(project)
    job = run("projects.check_totals")
    assert (job.status, job.result["differing"]) == ("completed", 1)
    assert job.current_step == "1 projects had wrong figures, which were put right: see the result"


# --- figures by day ---------------------------------------------------------------------------------------------------


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def figures(user: User) -> list[tuple[Any, ...]]:
    rows = ProjectAnalytics.objects.visible_to(user).by_day(date(2026, 3, 1), date(2026, 3, 31))
    return [(row["day"].day, row["currency"], row["created"], row["completed"], row["average_cost"]) for row in rows]


def test_figures_by_day_come_with_the_refresh(owner: User, stranger: User) -> None:
    for cost, completed in ((100, at(3)), (201, at(3)), (50, at(4, 23)), (7, None)):
        make_project(owner, currency="CZK", created_at=at(2), completed_at=completed, total_cost=Decimal(cost))
    make_project(owner, currency="EUR", created_at=at(2), completed_at=at(3), total_cost=Decimal(1000))
    make_project(stranger, currency="CZK", created_at=at(2), completed_at=at(3), total_cost=Decimal(10**6))
    make_project(owner, currency="CZK", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert figures(owner) == []
    refresh_analytics()
    assert figures(owner) == [
        (2, "CZK", 4, 0, None),
        (2, "EUR", 1, 0, None),
        (3, "CZK", 0, 2, Decimal("150.50")),
        (3, "EUR", 0, 1, Decimal("1000.00")),
        (4, "CZK", 0, 1, Decimal("50.00")),
    ]
    assert figures(stranger) == [(2, "CZK", 1, 0, None), (3, "CZK", 0, 1, Decimal("1000000.00"))]


def test_averages_over_organisations_are_weighted_by_what_each_completed(
    owner: User, stranger: User, staff: User
) -> None:
    for user, costs in ((owner, (10, 20)), (stranger, (60,))):
        for cost in costs:
            make_project(user, currency="CZK", created_at=at(2), completed_at=at(3), total_cost=Decimal(cost))
    run("projects.refresh_analytics")
    staff.is_superuser = True
    staff.save()
    assert figures(staff)[1:] == [(3, "CZK", 0, 3, Decimal("30.00"))]
