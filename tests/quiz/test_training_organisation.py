"""An organisation's training in figures: what counts, against which period, who sees it, when it is made anew."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Membership, Organisation, User
from quiz.models import CriterionDay, GradeScore, StaleDay, TrainingSession, TrainingTemplate
from quiz.services.training import organisation as analytics
from quiz.services.training import organisation_figures as figures
from tests.factories.people import make_organisation, make_user
from tests.factories.training import make_grade, make_session, make_template

pytestmark = pytest.mark.django_db
URL = "/api/analytics/organisation"
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def template(organisation: Organisation) -> TrainingTemplate:
    return make_template(organisation)


def call(template: TrainingTemplate, user: User | None, days_ago: int = 0, **fields: Any) -> TrainingSession:
    return make_session(user=user, template=template, created_at=NOW - timedelta(days=days_ago), **fields)


def asked(user: User, **parameters: Any) -> dict[str, Any]:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.get(URL, parameters)
    assert answer.status_code == 200, answer.data
    told: dict[str, Any] = answer.json()
    return told


def status_of(user: User, url: str = URL, **parameters: Any) -> int:
    client = APIClient()
    client.force_authenticate(user)
    return int(client.get(url, parameters).status_code)


def test_calls_are_counted_beside_the_period_before(coach: User, member: User, template: TrainingTemplate) -> None:
    call(template, member, overall="80.00", closed_at=NOW)
    call(template, member, 6, overall="60.00")
    call(template, member, status="failed")
    call(template, None, 2)
    call(template, member, 7, overall="50.00")
    call(template, member, 13)
    call(template, member, 14)
    told = asked(coach, period="7d")
    assert (told["first_day"], told["last_day"]) == ("2026-05-14", "2026-05-20")
    assert (told["sessions"], told["completed"], told["completion_rate"]) == (4, 3, 0.75)
    assert (told["closed"], told["close_rate"], told["graded"], told["average"]) == (1, 0.25, 2, 70.0)
    assert told["before"]["sessions"] == 2 and told["before"]["average"] == 50.0
    assert told["before"]["close_rate"] == 0.0
    assert [day["sessions"] for day in told["trend"]] == [1, 0, 0, 0, 1, 0, 2]
    assert told["trend"][0] == {
        "day": "2026-05-14", "sessions": 1, "completed": 1, "closed": 0, "graded": 1, "average": 60.0,
    }  # fmt: skip


def test_without_calls_there_are_no_rates(coach: User) -> None:
    told = asked(coach)
    assert told["sessions"] == 0 and told["completion_rate"] is None and told["average"] is None
    assert told["criteria"] == [] and len(told["trend"]) == 30 and told["before"]["close_rate"] is None


def test_a_criterion_counts_by_the_best_grader_of_each_call(
    coach: User, member: User, template: TrainingTemplate
) -> None:
    first, second, third = (call(template, member, days) for days in (0, 1, 40))
    make_grade(first, "rule", scores={"talk-share": 100, "next-step": 0, "clarity": None})
    make_grade(first, "model", scores={"talk-share": 100, "next-step": 0, "clarity": 50}, is_current=False)
    make_grade(first, "model", scores={"talk-share": 100, "clarity": 80}, grader_version="newer")
    make_grade(first, "human", scores={"talk-share": 40, "next-step": None})
    make_grade(second, "rule", scores={"talk-share": 60})
    make_grade(third, "rule", scores={"talk-share": 10})
    told = {each["key"]: each for each in asked(coach)["criteria"]}
    assert told["talk-share"] == {
        "key": "talk-share", "name": "Lets the other side talk", "n": 2, "average": 50.0,
        "by": {"rule": 1, "model": 0, "human": 1}, "before": {"n": 1, "average": 10.0},
    }  # fmt: skip
    assert (told["next-step"]["n"], told["next-step"]["average"]) == (1, 0.0)
    assert (told["clarity"]["n"], told["clarity"]["average"], told["clarity"]["by"]["model"]) == (1, 80.0, 1)
    assert told["clarity"]["before"] == {"n": 0, "average": None}
    # One's own are added up from the scores themselves, and say the same.
    own = {each["key"]: each for each in asked(member)["criteria"]}
    assert own == told


def test_whatever_changes_a_score_changes_the_sums(
    coach: User, member: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    def average() -> Any:
        analytics.invalidate(organisation.pk)
        criteria = asked(coach)["criteria"]
        return criteria[0]["average"] if criteria else None

    session = call(template, member)
    rule = make_grade(session, "rule", scores={"talk-share": 10})
    assert average() == 10.0
    human = make_grade(session, "human", scores={"talk-share": 90})
    assert average() == 90.0
    GradeScore.objects.filter(grade=human).update(score=70)
    assert average() == 70.0
    type(human).objects.filter(pk=human.pk).update(is_current=False)
    assert average() == 10.0
    GradeScore.objects.filter(grade=rule).delete()
    assert average() is None
    make_grade(session, "model", scores={"talk-share": 30})
    assert average() == 30.0
    session.delete()
    assert average() is None
    assert not StaleDay.objects.exists() and not CriterionDay.objects.exists()


def test_only_days_that_have_changed_are_added_up_anew(
    member: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    for days in (0, 1, 2):
        make_grade(call(template, member, days), "rule", scores={"talk-share": 50})
    assert figures.catch_up(organisation_id=organisation.pk) == 3
    assert figures.catch_up(organisation_id=organisation.pk) == 0
    make_grade(call(template, member, 1), "rule", scores={"talk-share": 100})
    assert figures.catch_up(organisation_id=organisation.pk) == 1
    assert list(CriterionDay.objects.order_by("day").values_list("calls", "total")) == [(1, 50), (2, 150), (1, 50)]


def test_what_is_kept_is_made_anew_by_a_grade(
    coach: User, member: User, template: TrainingTemplate, organisation: Organisation
) -> None:
    call(template, member)
    assert asked(coach)["sessions"] == 1
    call(template, member)
    assert asked(coach)["sessions"] == 1
    analytics.invalidate(organisation.pk)
    assert asked(coach)["sessions"] == 2


def test_people_are_told_page_by_page(coach: User, organisation: Organisation, template: TrainingTemplate) -> None:
    people = [make_user(f"p{number}", organisation=organisation) for number in range(5)]
    for number, user in enumerate(people):
        for _ in range(number):
            call(template, user, overall=str(10 * number), closed_at=NOW if number == 4 else None)
    call(template, None)
    seen, cursor = [], ""
    while True:
        told = asked(coach, limit=2, **({"cursor": cursor} if cursor else {}))["users"]
        seen += told["results"]
        assert len(told["results"]) <= 2
        if not told["next"]:
            break
        cursor = told["next"]
    assert [row["sessions"] for row in seen] == [4, 3, 2, 1, 0, 0]  # the coach has none either
    assert len({row["id"] for row in seen}) == 6
    assert seen[0]["name"] == "P4" and seen[0]["average"] == 40.0 and seen[0]["closed"] == 4
    assert seen[0]["last"] == "2026-05-20T12:00:00Z" and seen[-1]["last"] is None and seen[-1]["average"] is None


@pytest.mark.parametrize("role", [Membership.Role.MEMBER, Membership.Role.VIEWER])
def test_others_see_their_own_calls_alone(organisation: Organisation, template: TrainingTemplate, role: str) -> None:
    me, colleague = make_user("me", organisation=organisation, role=role), make_user("x", organisation=organisation)
    make_grade(call(template, me, overall="40"), "rule", scores={"talk-share": 20})
    make_grade(call(template, colleague, overall="90"), "rule", scores={"talk-share": 80})
    told = asked(me)
    assert told["scope"] == "own" and told["sessions"] == 1 and told["average"] == 40.0
    assert [each["average"] for each in told["criteria"]] == [20.0]
    assert [row["id"] for row in told["users"]["results"]] == [str(me.pk)]
    assert "X" not in file_of(me, "people")


def test_strangers_find_nothing(stranger: User, owner: User, organisation: Organisation) -> None:
    for url in (URL, f"{URL}/export"):
        assert APIClient().get(url).status_code == 401
        assert status_of(stranger, url, organisation=organisation.pk, what="people") == 404
        assert status_of(owner, url, organisation=uuid.uuid4(), what="people") == 404
        assert status_of(owner, url, organisation="nonsense", what="people") == 404
        assert status_of(make_user(), url, what="people") == 404


def test_of_several_organisations_the_one_asked_for_is_told(owner: User, template: TrainingTemplate) -> None:
    other = make_organisation("Pobočka")
    Membership.objects.create(organisation=other, user=owner, role=Membership.Role.COACH)
    call(template, owner)
    assert asked(owner)["sessions"] == 1
    told = asked(owner, organisation=other.pk)
    assert told["sessions"] == 0 and told["organisation"]["name"] == "Pobočka"


@pytest.mark.parametrize(
    "wrong", [{"period": "8d"}, {"limit": "0"}, {"limit": "x"}, {"limit": "201"}, {"cursor": "ä"}, {"cursor": "MS4y"}]
)
def test_nonsense_is_refused(owner: User, wrong: dict[str, str]) -> None:
    assert status_of(owner, **wrong) == 400


def file_of(user: User, what: str) -> str:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.get(f"{URL}/export", {"what": what, "period": "7d"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
    return b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]


def test_files_hold_people_criteria_and_days(
    coach: User, organisation: Organisation, template: TrainingTemplate
) -> None:
    evil = make_user("evil", organisation=organisation)
    evil.full_name = "=HYPERLINK(1)"
    evil.save()
    make_grade(call(template, evil, overall="50"), "rule", scores={"talk-share": 20})
    rows = {what: list(csv.DictReader(io.StringIO(file_of(coach, what)))) for what in ("people", "criteria", "days")}
    assert rows["people"][0]["name"] == "'=HYPERLINK(1)" and rows["people"][0]["average"] == "50.0"
    assert len(rows["people"]) == 2  # with the coach
    assert rows["criteria"][0]["key"] == "talk-share" and rows["criteria"][0]["by_rule"] == "1"
    assert len(rows["days"]) == 7 and rows["days"][-1]["sessions"] == "1"
    assert status_of(coach, f"{URL}/export", what="everything") == 400


def test_queries_do_not_grow_with_people_and_calls(
    coach: User, organisation: Organisation, template: TrainingTemplate
) -> None:
    def queries() -> int:
        analytics.invalidate(organisation.pk)
        figures.catch_up(organisation_id=organisation.pk)
        with CaptureQueriesContext(connection) as caught:
            asked(coach, limit=100)
        return len(caught)

    make_grade(call(template, make_user("u", organisation=organisation)), "rule", scores={"talk-share": 20})
    one = queries()
    for number in range(50):
        user = make_user(f"u{number}", organisation=organisation)
        make_grade(call(template, user, number % 5), "rule", scores={"talk-share": 20})
    assert queries() == one <= 8
