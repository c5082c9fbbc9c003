"""The pages of quizzes: picking, answering, results, and who sees what."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from quiz.models import Attempt, Category, ExamGoal, Learner, ReviewCard
from quiz.services import attempts
from tests.factories.quiz import BODIES, cite, make_category, make_clause, make_question, make_questions

pytestmark = pytest.mark.django_db


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding", exam_questions=3)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"quiz:{name}", args=args)


def page_of(user: User, address: str) -> str:
    response = signed_in(user).get(address)
    assert response.status_code == 200
    return response.content.decode()


def sitting_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="sitting" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


@pytest.mark.parametrize("name", ["overview", "review", "leaderboard", "settings"])
def test_pages_are_for_people_who_are_signed_in(name: str, owner: User) -> None:
    assert Client().get(url(name)).status_code == 302
    assert "Quizzes" in page_of(owner, url(name))  # also without anything in them


def test_a_category_is_picked_and_practised(owner: User, category: Category) -> None:
    make_questions(category, 12)
    page = page_of(owner, url("overview"))
    assert "Structural Welding" in page and "0 of 12 practised" in page and 'aria-current="page"' in page
    started = signed_in(owner).post(url("start"), {"mode": "practice", "category": str(category.pk), "count": "10"})
    attempt = Attempt.objects.get()
    assert started.status_code == 302 and started["Location"] == url("attempt", attempt.pk)
    sitting = sitting_of(page_of(owner, url("attempt", attempt.pk)))
    assert len(sitting["questions"]) == 10 and sitting["urls"]["answers"].endswith(f"{attempt.pk}/answers")
    assert all(question["result"] is None for question in sitting["questions"])


@pytest.mark.parametrize("kind", BODIES)
def test_a_sitting_holds_no_answer_and_its_result_tells_why(owner: User, category: Category, kind: str) -> None:
    question = make_question(category, kind=kind)
    cite(question, make_clause())
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    page = page_of(owner, url("attempt", attempt.pk))
    for secret in ("melted into the base metal", "share", "accepted", "That is gas", "Preheating"):
        assert secret not in page
    attempts.submit(actor=owner, attempt_id=attempt.pk)
    told = page_of(owner, url("attempt", attempt.pk))
    for words in ("0 of 1 right", "Not answered", "melted into the base metal", "4.1.2", "Preheating"):
        assert words in told


def test_a_result_shows_what_was_given_beside_what_is_right(owner: User, category: Category) -> None:
    make_question(category, kind="ordering")
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    row = attempt.answers.get()
    order = [str(row.shown.index(one) + 1) for one in ("s2", "s1", "s3")]
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"sequence": order})
    told = page_of(owner, url("attempt", attempt.pk))
    assert "Partly right, 50" in told
    assert re.search(r"Yours.*Preheat.*Clean.*Weld.*Right.*Clean.*Preheat.*Weld", told, re.DOTALL)


def test_hostile_texts_do_nothing(owner: User, category: Category) -> None:
    hostile = '</script><img src=x onerror="alert(1)"><script>alert(2)</script>'
    body = {"choices": [{"id": "a", "text": hostile, "share": "1"}, {"id": "b", "text": "B", "share": "0"}]}
    for markup in ("plain", "markdown", "html"):
        make_question(category, stem=hostile, explanation=hostile, markup=markup, body=body)
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    for _ in range(2):
        page = page_of(owner, url("attempt", attempt.pk))
        assert "<img src=x" not in page and "<script>alert" not in page
        attempts.submit(actor=owner, attempt_id=attempt.pk)


def test_strangers_find_no_attempt_and_no_category(owner: User, stranger: User, category: Category) -> None:
    make_questions(category, 3)
    attempt, _ = attempts.start(actor=owner, mode="exam", category_id=category.pk)
    assert signed_in(stranger).get(url("attempt", attempt.pk)).status_code == 404
    own = make_category("Ours", organisation=owner.memberships.get().organisation)
    make_question(own)
    assert "Ours" in page_of(owner, url("overview"))
    assert "Ours" not in page_of(stranger, url("overview"))
    answer = signed_in(stranger).post(url("start"), {"mode": "practice", "category": str(own.pk)})
    assert answer.status_code == 404
    assert signed_in(stranger).post(url("goal", own.pk), {"exam_on": "2099-01-01"}).status_code == 404


@pytest.mark.parametrize(
    "wish", [{}, {"mode": "practice"}, {"mode": "practice", "category": "x"}, {"mode": "race", "category": ""},
             {"mode": "practice", "count": "many"}]
)  # fmt: skip
def test_what_can_not_be_started_is_told(owner: User, wish: dict[str, str]) -> None:
    answer = signed_in(owner).post(url("start"), wish)
    assert answer.status_code == 400 and "This was not done" in answer.content.decode()


def test_nothing_due_is_told_kindly(owner: User) -> None:
    answer = signed_in(owner).post(url("start"), {"mode": "review"})
    assert answer.status_code == 409 and "Practise a category" in answer.content.decode()


def test_due_questions_stand_in_the_queue(owner: User, category: Category) -> None:
    make_question(category, stem="<p>What is <b>undercut</b>?</p>", markup="html")
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    row = attempt.answers.get()
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"choice": str(row.shown.index("k1") + 1)})
    assert "The next question comes back" in page_of(owner, url("review"))
    ReviewCard.objects.update(due=timezone.now() - timedelta(hours=1))
    page = page_of(owner, url("review"))
    assert "1 question due now" in page and "What is undercut?" in page
    assert "1 question due" in page_of(owner, url("overview"))


def test_settings_and_the_leaderboard_go_together(owner: User, category: Category) -> None:
    make_question(category)
    assert "You are not on it" in page_of(owner, url("leaderboard"))
    signed_in(owner).post(url("settings"), {"is_on_leaderboard": "on", "alias": "Torch <b>"})
    assert Learner.objects.get().is_on_leaderboard
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    row = attempt.answers.get()
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"choice": str(row.shown.index("k2") + 1)})
    page = page_of(owner, f"{url('leaderboard')}?category={category.pk}")
    assert "Torch &lt;b&gt;" in page and "You are not on it" not in page
    assert signed_in(owner).post(url("settings"), {"alias": "x" * 41}).status_code == 422
    assert signed_in(owner).get(f"{url('leaderboard')}?category=nonsense").status_code == 200


def test_a_day_for_the_exam_is_kept_and_taken_back(owner: User, category: Category) -> None:
    make_question(category)
    day = timezone.now().date() + timedelta(days=30)
    signed_in(owner).post(url("goal", category.pk), {"exam_on": day.isoformat()})
    assert ExamGoal.objects.get().exam_on == day
    assert "Exam on" in page_of(owner, url("overview"))
    signed_in(owner).post(url("goal", category.pk), {"exam_on": ""})
    assert not ExamGoal.objects.exists()
    for bad in ("soon", "2001-01-01"):
        assert signed_in(owner).post(url("goal", category.pk), {"exam_on": bad}).status_code == 400


def test_the_overview_asks_as_often_with_many_categories_as_with_one(owner: User) -> None:
    client = signed_in(owner)

    def queries() -> int:
        client.get(url("overview"))
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url("overview")).status_code == 200
        return len(captured)

    def practised() -> None:
        category = make_category()
        cite(make_question(category), make_clause(f"4.{category.pk.hex[:8]}"))
        attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
        attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"choice": "1"})

    practised()
    one = queries()
    for _ in range(12):
        practised()
    assert queries() == one
