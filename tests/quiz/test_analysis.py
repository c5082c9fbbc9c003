"""Item analysis from answers to pages: whose first answers count, what is written, who sees it, what a file holds."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from accounts.models import User
from jobs.models import Job
from jobs.runner import run_here
from quiz.exceptions import StatisticsMissing
from quiz.models import Answer, Attempt, Category, ExamStatistics, ItemStatistics, Question
from quiz.services import analysing
from tests.factories.people import make_user
from tests.factories.quiz import make_category, make_question, make_questions, make_version

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
RIGHT, WRONG = "k2", "k1"


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding")


@pytest.fixture
def analyst(db: None) -> User:
    user = make_user("analyst", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_itemstatistics"))
    return user


def people(amount: int, prefix: str = "p") -> list[User]:
    users = [User(email=f"{prefix}{number}@example.com") for number in range(amount)]
    return User.objects.bulk_create(users)


def sat(
    user: User, category: Category, given: dict[Question, str], day: int = 0, mode: str = "practice", over: bool = True
) -> Attempt:
    """An attempt with these choices, written straight into the tables. "" leaves the question out."""
    at = START + timedelta(days=day)
    attempt = Attempt.objects.create(
        user=user, category=category, mode=mode, question_count=len(given), started_at=at,
        submitted_at=at if over else None, deadline_at=at + timedelta(hours=1) if mode == "exam" else None,
    )  # fmt: skip
    Answer.objects.bulk_create(
        Answer(
            attempt=attempt, position=position, version=question.current, seconds=10.0 + position if choice else None,
            given={"choice": choice} if choice else None, share=(choice == RIGHT) if choice else None,
            answered_at=at + timedelta(seconds=position) if choice else None,
        )
        for position, (question, choice) in enumerate(given.items(), 1)
    )  # fmt: skip
    return attempt


def a_class(category: Category, amount: int = 40, questions: int = 7, is_sound: bool = False) -> list[Question]:
    """`amount` people, each better than the one before. The first question is known by the better half; the last one is
    keyed wrongly, so the better half misses it, or nobody knows it (`is_sound`)."""
    asked = make_questions(category, questions)
    for at, user in enumerate(people(amount)):
        known = at * (questions - 2) // amount
        given = {question: RIGHT if place <= known else WRONG for place, question in enumerate(asked)}
        given[asked[0]] = RIGHT if at >= amount // 2 else WRONG
        given[asked[-1]] = WRONG if is_sound or at >= amount // 2 else RIGHT
        sat(user, category, given)
    return asked


def statistics_of(question: Question) -> ItemStatistics:
    return ItemStatistics.objects.get(version=question.current)


def statistics_of_last(category: Category) -> ItemStatistics:
    asked = a_class(category)
    analysing.analyse()
    return statistics_of(asked[-1])


def test_a_class_is_analysed(category: Category) -> None:
    asked = a_class(category, is_sound=True)
    told = analysing.analyse()
    assert (told.items, told.removed, told.exams) == (7, 0, 0)
    good, hard = statistics_of(asked[0]), statistics_of(asked[-1])
    assert (good.answers, good.ranked, good.facility, good.median_seconds) == (40, 40, 0.5, 11.0)
    assert good.discrimination == 1.0
    assert good.item_total is not None and good.item_total > 0.5
    assert good.distractors == {WRONG: [11, 9, 0], RIGHT: [0, 9, 11], "k3": [0, 0, 0], "k4": [0, 0, 0]}
    assert good.flags == ["idle_choice"]
    assert (hard.facility, hard.discrimination, hard.item_total) == (0.0, 0.0, None)
    assert hard.flags[:2] == ["too_hard", "weak"]


def test_a_wrong_key_shows(category: Category) -> None:
    row = statistics_of_last(category)
    assert row.discrimination == -1.0
    assert row.flags[0] == "wrong_key"


def test_only_the_first_answer_of_each_person_counts(category: Category) -> None:
    question = make_question(category)
    for user in people(30):
        sat(user, category, {question: WRONG}, day=1)
        sat(user, category, {question: RIGHT}, day=2)
    analysing.analyse()
    assert (statistics_of(question).answers, statistics_of(question).facility) == (30, 0.0)


def test_who_knows_another_wording_is_no_first_time_taker(category: Category) -> None:
    question = make_question(category)
    old = question.current
    known, fresh = people(30), people(30, "fresh")
    for user in known:
        sat(user, category, {question: WRONG})
    question.current = make_version(question, number=2, content_hash="other")
    question.save()
    for user in (*known, *fresh):
        sat(user, category, {question: RIGHT}, day=1)
    analysing.analyse()
    assert (statistics_of(question).answers, statistics_of(question).facility) == (30, 1.0)
    assert ItemStatistics.objects.get(version=old).facility == 0.0


def test_exams_that_go_on_and_open_questions_tell_nothing(category: Category) -> None:
    question, other = make_questions(category, 2)
    for user in people(30):
        sat(user, category, {question: RIGHT, other: ""}, mode="exam", over=False)
    assert analysing.analyse().items == 0
    Attempt.objects.update(submitted_at=START)
    assert analysing.analyse().items == 1


def test_under_30_people_nothing_is_told(category: Category) -> None:
    asked = a_class(category, amount=29)
    analysing.analyse()
    row = statistics_of(asked[-1])
    assert row.answers == 29
    assert [row.facility, row.discrimination, row.item_total, row.median_seconds] == [None] * 4
    assert (row.distractors, row.flags) == ({}, [])


def test_who_has_answered_little_else_is_counted_and_not_ranked(category: Category) -> None:
    asked = make_questions(category, 6)
    for user in people(30):
        sat(user, category, dict.fromkeys(asked[:5], RIGHT))
    analysing.analyse()
    assert (statistics_of(asked[0]).facility, statistics_of(asked[0]).ranked) == (1.0, 0)
    # Answers of another category rank nobody either.
    elsewhere = make_questions(make_category("Elsewhere"), 5)
    for user in User.objects.filter(email__startswith="p"):
        sat(user, category, dict.fromkeys(elsewhere, RIGHT))
    analysing.analyse()
    assert statistics_of(asked[0]).ranked == 0


def test_a_second_run_writes_the_same_and_what_has_no_answers_goes(category: Category) -> None:
    asked = a_class(category)
    analysing.analyse()
    fields = [each.name for each in ItemStatistics._meta.fields if each.name != "analysed_at"]
    before = list(ItemStatistics.objects.order_by("pk").values(*fields))
    analysing.analyse()
    assert list(ItemStatistics.objects.order_by("pk").values(*fields)) == before
    Answer.objects.filter(version=asked[0].current).delete()
    told = analysing.analyse()
    assert (told.items, told.removed) == (6, 1)


def test_answers_with_several_choices_count_each_of_them(category: Category) -> None:
    question = make_question(category, kind="multiple")
    others = make_questions(category, 5)
    for at, user in enumerate(people(30)):
        sat(user, category, dict.fromkeys(others, RIGHT if at >= 15 else WRONG))
        attempt = sat(user, category, {question: "x"})
        attempt.answers.update(given={"choices": ["m1", "m3"] if at >= 15 else ["m2"]}, share=1 if at >= 15 else 0)
    analysing.analyse()
    assert statistics_of(question).distractors == {"m1": [0, 7, 8], "m2": [8, 7, 0], "m3": [0, 7, 8], "m4": [0, 0, 0]}


def test_kr20_of_the_form_taken_most(category: Category) -> None:
    asked = make_questions(category, 4)
    takers = people(40)
    for at, user in enumerate(takers):
        known = at * 5 // 40
        form = {question: RIGHT if place < known else "" for place, question in enumerate(asked)}
        sat(user, category, form, mode="exam")
        sat(user, category, dict.fromkeys(asked, RIGHT), day=1, mode="exam")  # a second time does not count
    sat(takers[0], category, dict.fromkeys(asked[:2], RIGHT), day=2, mode="exam")
    analysing.analyse()
    row = ExamStatistics.objects.get()
    assert (row.forms, row.people, row.questions, row.mean) == (2, 40, 4, 2.0)
    # p = 4/5, 3/5, 2/5, 1/5: the sum of pq is 0.8; totals 0 to 4, eight people each, have the variance 2.
    assert row.kr20 == pytest.approx(4 / 3 * (1 - 0.8 / 2))


def test_without_a_fixed_form_it_is_said_why(category: Category) -> None:
    asked = make_questions(category, 40)
    for at, user in enumerate(people(35)):
        sat(user, category, dict.fromkeys(asked[at : at + 5], RIGHT), mode="exam")
    analysing.analyse()
    row = ExamStatistics.objects.get()
    assert (row.forms, row.people, row.kr20) == (35, 1, None)
    assert "drawn anew" in row.why_none


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(user: User, name: str, *args: object, **query: str) -> str:
    answer = client_of(user).get(reverse(f"quiz:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_tells_figures_with_their_n_and_what_looks_odd(category: Category, analyst: User) -> None:
    asked = a_class(category)
    analysing.analyse()
    page = page_of(analyst, "analysis")
    assert asked[-1].external_id in page and "−1.00" in page and "n = 40" in page
    assert "Wrong key?" in page and "heuristic" in page
    narrowed = page_of(analyst, "analysis", flag="wrong_key", category=str(category.pk))
    assert asked[-1].external_id in narrowed and asked[0].external_id not in narrowed
    assert "None like this" in page_of(analyst, "analysis", flag="too_easy")
    assert page_of(analyst, "analysis", bank="nonsense", sort="nonsense", flag="x", page="99")


def test_an_item_shows_who_took_which_choice(category: Category, analyst: User) -> None:
    asked = a_class(category)
    analysing.analyse()
    page = page_of(analyst, "analysis-item", asked[-1].current_id)
    assert "Porosity" in page and "draws the best" in page and "by 40 people ranked" in page
    told = client_of(analyst).get(reverse("quiz:analysis-points")).json()["points"]
    assert {point["label"] for point in told} == {question.external_id for question in asked}
    assert next(point for point in told if point["label"] == asked[-1].external_id)["y"] == -1.0


def test_before_anything_was_analysed_the_page_says_what_will_come(category: Category, analyst: User) -> None:
    assert "Nothing has been analysed yet" in page_of(analyst, "analysis")
    a_class(category, amount=3)
    analysing.analyse()
    page = page_of(analyst, "analysis")
    assert "none of them by 30 people yet" in page
    row = ItemStatistics.objects.first()
    assert row is not None
    assert "Under 30 nothing is told" in page_of(analyst, "analysis-item", row.pk)


def test_a_file_holds_the_rows_of_the_list(category: Category, analyst: User) -> None:
    asked = a_class(category)
    question = asked[0]
    question.external_id = "=cmd|' /C calc'!A0"
    question.save()
    analysing.analyse()
    answer = client_of(analyst).get(reverse("quiz:analysis-table"), {"sort": "answers"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 7
    assert {row["first answers"] for row in rows} == {"40"}
    assert any(row["question"] == "'=cmd|' /C calc'!A0" for row in rows)
    assert any("Wrong key?" in row["flags (heuristics)"] for row in rows)


@pytest.mark.parametrize("name", ["analysis", "analysis-points", "analysis-table"])
def test_members_and_owners_find_no_analysis(name: str, owner: User, category: Category) -> None:
    assert client_of(owner).get(reverse(f"quiz:{name}")).status_code == 404
    assert Client().get(reverse(f"quiz:{name}")).status_code == 302


def test_strangers_neither_see_an_item_nor_start_a_run(owner: User, category: Category) -> None:
    asked = a_class(category)
    analysing.analyse()
    client = client_of(owner)
    assert client.get(reverse("quiz:analysis-item", args=[asked[0].current_id])).status_code == 404
    assert client.post(reverse("quiz:analysis-run")).status_code == 404
    assert not Job.objects.exists()
    assert "Item analysis" not in client.get(reverse("quiz:overview")).content.decode()
    with pytest.raises(StatisticsMissing):
        analysing.start_analysis(actor=owner)


def test_the_api_tells_the_same_to_the_same_people(category: Category, analyst: User, owner: User) -> None:
    asked = a_class(category)
    analysing.analyse()
    client = APIClient()
    assert client.get("/api/quiz/analysis").status_code == 401
    client.force_authenticate(owner)
    refused = client.get("/api/quiz/analysis")
    assert (refused.status_code, refused.json()["code"]) == (404, "statistics_not_found")
    client.force_authenticate(analyst)
    told = client.get("/api/quiz/analysis", {"page_size": 2}).json()
    assert told["count"] == 7 and len(told["results"]) == 2
    worst = told["results"][0]
    assert (worst["external_id"], worst["discrimination"], worst["ranked"]) == (asked[-1].external_id, -1.0, 40)
    assert worst["flags"][0]["code"] == "wrong_key"
    assert worst["choices"][0] == {"text": "Porosity", "is_right": False, "takers": [0, 9, 11]}
    assert client.get("/api/quiz/analysis", {"flag": "wrong_key"}).json()["count"] == 1


@pytest.mark.parametrize("path", ["/quiz/analysis/", "/quiz/analysis/points.json", "/api/quiz/analysis?page_size=100"])
def test_a_list_asks_as_often_with_50_rows_as_with_one(path: str, analyst: User, category: Category) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client_of(analyst).get(path).status_code == 200
        return len(captured)

    def analysed() -> None:
        ItemStatistics.objects.create(
            version=make_question(make_category()).current, answers=40, facility=0.5, ranked=40, discrimination=0.2,
            distractors={"k1": [1, 2, 3]}, flags=["wrong_key"], analysed_at=START,
        )  # fmt: skip

    analysed()
    queries()
    one = queries()
    for _ in range(49):
        analysed()
    assert queries() == one


@pytest.mark.django_db(transaction=True)
def test_run_now_is_a_job_that_reports(analyst: User) -> None:
    category = make_category()
    asked = a_class(category)
    client = client_of(analyst)
    assert client.post(reverse("quiz:analysis-run"))["Location"] == reverse("quiz:analysis")
    client.post(reverse("quiz:analysis-run"))
    job = Job.objects.get()  # a second press is the same job
    page = client.get(reverse("quiz:analysis")).content.decode()
    assert f'data-job="{job.pk}"' in page and "Analyse now" not in page
    run_here(job_id=job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"items": 7, "removed": 0, "exams": 0})
    assert (job.done, job.total) == (7, 7)
    assert statistics_of(asked[0]).facility == 0.5


@pytest.mark.django_db(transaction=True)
def test_staff_run_it_from_the_admin(analyst: User) -> None:
    client = client_of(analyst)
    address = reverse("admin:quiz_itemstatistics_analyse_now")
    assert client.get(address).status_code == 200
    assert not Job.objects.exists(), "a link changes nothing"
    assert client.post(address)["Location"] == reverse("quiz:analysis")
    assert Job.objects.get().kind == analysing.ANALYSE


def test_the_schedule_runs_it_every_night() -> None:
    from config.schedule import SCHEDULE

    task: Any = next(each for each in SCHEDULE if each.kind == analysing.ANALYSE)
    assert task.cron.endswith("* * *")
