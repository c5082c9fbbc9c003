"""The API of attempts, progress and settings: what each endpoint answers, and 404 to whom it is not for."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from quiz.models import Attempt, Category
from quiz.services import attempts
from tests.factories.quiz import cite, make_category, make_clause, make_question, make_questions

pytestmark = pytest.mark.django_db


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding", exam_questions=2)


def as_(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


def start(user: User, category: Category, mode: str = "practice", **wish: Any) -> Any:
    return as_(user).post("/api/quiz/attempts", {"mode": mode, "category": str(category.pk), **wish})


def answer_of(attempt_id: str, position: int, right: bool = True) -> dict[str, Any]:
    row = Attempt.objects.get(pk=attempt_id).answers.get(position=position)
    return {"position": position, "answer": {"choice": str(row.shown.index("k2" if right else "k1") + 1)}}


def test_practice_from_start_to_result(owner: User, category: Category) -> None:
    for question in make_questions(category, 2):
        cite(question, make_clause(f"4.{question.external_id}"))
    started = start(owner, category, count=2)
    assert started.status_code == 201
    told = started.json()
    assert told["question_count"] == 2 and told["questions"][0]["result"] is None
    first = as_(owner).post(f"/api/quiz/attempts/{told['id']}/answers", answer_of(told["id"], 1) | {"seconds": 4.5})
    assert first.status_code == 200 and not first.json()["is_over"]
    result = first.json()["result"]
    assert result["is_right"] and result["share"] == "1.0000" and result["clauses"][0]["number"].startswith("4.")
    assert "undercut" in result["explanation"] and result["feedback"] == ["A groove at the toe."]
    last = as_(owner).post(f"/api/quiz/attempts/{told['id']}/answers", answer_of(told["id"], 2, right=False))
    assert last.json()["is_over"] and not last.json()["result"]["is_right"]
    read = as_(owner).get(f"/api/quiz/attempts/{told['id']}/").json()
    assert read["score"] == "0.5000" and read["submitted_at"] and read["questions"][1]["given"]
    assert as_(owner).get("/api/quiz/attempts").json()["count"] == 1


def test_an_exam_tells_nothing_until_it_is_handed_in(owner: User, category: Category) -> None:
    make_questions(category, 3)
    told = start(owner, category, mode="exam").json()
    assert told["question_count"] == 2 and 0 < told["seconds_left"] <= 45 * 60
    assert start(owner, category, mode="exam").status_code == 200
    answered = as_(owner).post(f"/api/quiz/attempts/{told['id']}/answers", answer_of(told["id"], 1))
    assert answered.json() == {"position": 1, "is_over": False, "result": None}
    read = as_(owner).get(f"/api/quiz/attempts/{told['id']}").json()
    assert all(question["result"] is None for question in read["questions"]) and read["score"] is None
    done = as_(owner).post(f"/api/quiz/attempts/{told['id']}/submit").json()
    assert done["score"] == "0.5000" and done["is_passed"] is False and done["questions"][0]["result"]["is_right"]


def test_refusals_have_their_codes(owner: User, category: Category) -> None:
    make_questions(category, 2)
    attempt_id = start(owner, category, count=2).json()["id"]
    address = f"/api/quiz/attempts/{attempt_id}/answers"
    client = as_(owner)
    assert client.post(address, {"position": 1, "answer": {"choice": "9"}}).json()["code"] == "bad_answer"
    assert client.post(address, {"position": 9, "answer": {"choice": "1"}}).json()["code"] == "no_such_question"
    assert client.post(address, {"position": 1}).json()["errors"]["answer"]
    client.post(address, answer_of(attempt_id, 1))
    again = client.post(address, answer_of(attempt_id, 1, right=False))
    assert again.status_code == 409 and again.json()["code"] == "already_answered"
    client.post(f"/api/quiz/attempts/{attempt_id}/submit")
    over = client.post(address, answer_of(attempt_id, 2))
    assert over.status_code == 409 and over.json()["code"] == "attempt_over"
    nothing = client.post("/api/quiz/attempts", {"mode": "review", "category": str(make_category().pk)})
    assert nothing.status_code == 409 and nothing.json()["code"] == "nothing_to_ask"
    for wish in ({"mode": "race"}, {"mode": "practice"}, {"mode": "practice", "count": 51}, {"mode": "exam"}):
        assert client.post("/api/quiz/attempts", wish).status_code == 400
    unknown = {"mode": "practice", "category": str(uuid4())}
    assert client.post("/api/quiz/attempts", unknown).status_code == 404


def test_strangers_get_404_and_nobody_401(owner: User, stranger: User, category: Category) -> None:
    make_questions(category, 2)
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    base = f"/api/quiz/attempts/{attempt.pk}"
    client = as_(stranger)
    assert client.get(base).status_code == 404
    assert client.post(f"{base}/submit").status_code == 404
    assert client.post(f"{base}/answers", {"position": 1, "answer": {"choice": "1"}}).status_code == 404
    assert client.get("/api/quiz/attempts").json()["count"] == 0
    ours = make_category("Ours", organisation=owner.memberships.get().organisation)
    make_question(ours)
    assert client.put(f"/api/quiz/goals/{ours.pk}", {"exam_on": None}).status_code == 404
    assert client.get(f"/api/quiz/leaderboard?category={ours.pk}").status_code == 404
    assert start(stranger, ours).status_code == 404
    for path in ("attempts", "progress", "leaderboard", "learner"):
        assert APIClient().get(f"/api/quiz/{path}").status_code == 401


def test_progress_settings_goal_and_leaderboard(owner: User, category: Category) -> None:
    make_questions(category, 2)
    client = as_(owner)
    attempt_id = start(owner, category, count=2).json()["id"]
    client.post(f"/api/quiz/attempts/{attempt_id}/answers", answer_of(attempt_id, 1))
    [told] = client.get("/api/quiz/progress").json()["categories"]
    assert told["seen"] == 1 and told["readiness"]["on"] is None and told["readiness"]["needed"] == 0.74
    assert client.put(f"/api/quiz/goals/{category.pk}", {"exam_on": "2001-01-01"}).status_code == 400
    assert client.put("/api/quiz/learner", {"is_on_leaderboard": True, "alias": "Torch"}).status_code == 200
    assert client.get("/api/quiz/learner").json() == {"is_on_leaderboard": True, "alias": "Torch"}
    assert client.get("/api/quiz/leaderboard").json() == [{"place": 1, "name": "Torch", "right": 1, "is_me": True}]
    assert client.get("/api/quiz/leaderboard?category=x").status_code == 400


def test_categories_are_told_to_anybody_but_those_of_organisations(owner: User, category: Category) -> None:
    make_category("Ours", organisation=owner.memberships.get().organisation)
    assert [each["name"] for each in APIClient().get("/api/quiz/categories").json()] == ["Structural Welding"]
    assert len(as_(owner).get("/api/quiz/categories").json()) == 2


def test_lists_ask_as_often_with_many_rows_as_with_one(owner: User, category: Category) -> None:
    make_questions(category, 2)

    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_(owner).get(path).status_code == 200
        return len(captured)

    attempts.start(actor=owner, mode="practice", category_id=category.pk)
    paths = ("/api/quiz/attempts", "/api/quiz/progress", "/api/quiz/categories")
    one = [queries(path) for path in paths]
    for _ in range(49):
        attempts.start(actor=owner, mode="practice", category_id=category.pk)
        make_question(make_category())
    assert [queries(path) for path in paths] == one
