"""Progress week by week: figures, the chart's data, the page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from quiz.exceptions import CategoryMissing
from quiz.models import Category
from quiz.services import attempts, progress, trends
from tests.factories.quiz import make_category, make_question, make_questions, make_version
from tests.quiz.test_attempts import give, started
from tests.quiz.test_pages import page_of, signed_in, url

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding", exam_questions=3)


def practised(user: User, category: Category, days_ago: float, *rights: bool) -> None:
    with time_machine.travel(NOW - timedelta(days=days_ago), tick=False):
        attempt = started(user, "practice", category, count=len(rights))
        for position, is_right in enumerate(rights, 1):
            give(user, attempt, position, is_right=is_right)


def test_each_week_has_its_answers_and_what_was_right_of_them(owner: User, category: Category) -> None:
    make_questions(category, 4)
    practised(owner, category, 0, True, True, True, False)
    practised(owner, category, 2, False)  # Monday
    practised(owner, category, 3, True, True)  # the Sunday before
    practised(owner, category, 100, True)  # longer ago than is told
    weeks = trends.weeks_of(owner, at=NOW)
    assert [week.monday.isoformat() for week in weeks][-2:] == ["2026-11-09", "2026-11-16"] and len(weeks) == 12
    assert [(week.answers, week.share) for week in weeks][-3:] == [(0, None), (2, 1.0), (5, pytest.approx(0.6))]
    assert all(week.readiness is None for week in weeks), "of all categories there is no exam"


def test_readiness_of_a_past_week_is_what_was_known_then(owner: User, category: Category) -> None:
    make_questions(category, 4)
    practised(owner, category, 15, True, True)
    before = progress.categories_of(owner, at=datetime(2026, 11, 9, tzinfo=UTC))
    practised(owner, category, 1, True, True, True, True)
    weeks = trends.weeks_of(owner, category_id=category.pk, at=NOW)
    assert weeks[-4].readiness is None, "nothing was practised yet"
    assert before[0].readiness is not None
    assert weeks[-3].readiness == pytest.approx(before[0].readiness.expected)
    [now] = progress.categories_of(owner, at=NOW)
    assert now.readiness is not None and weeks[-1].readiness == pytest.approx(now.readiness.expected)
    assert weeks[-1].readiness > weeks[-2].readiness  # type: ignore[operator]


def test_a_new_wording_begins_anew_in_the_log_too(owner: User, category: Category) -> None:
    question = make_question(category)
    for days in (40, 30, 20):
        practised(owner, category, days, True)
    question.current = make_version(question, number=2)
    question.save()
    practised(owner, category, 9, False)
    weeks = trends.weeks_of(owner, category_id=category.pk, at=NOW)
    [now] = progress.categories_of(owner, at=NOW)
    assert now.readiness is not None and weeks[-1].readiness == pytest.approx(now.readiness.expected)


def test_an_exam_that_goes_on_tells_nothing(owner: User, category: Category) -> None:
    make_questions(category, 3)
    exam = started(owner, "exam", category)
    give(owner, exam, 1)
    assert not any(week.answers for week in trends.weeks_of(owner, category_id=category.pk))
    assert "Nothing to draw yet" in page_of(owner, url("progress"))
    attempts.submit(actor=owner, attempt_id=exam.pk)
    assert trends.weeks_of(owner, category_id=category.pk)[-1].answers == 1
    assert "How an exam would go" in page_of(owner, url("progress"))


def test_the_page_has_the_figures_as_a_chart_and_as_a_table(owner: User, category: Category) -> None:
    make_questions(category, 4)
    give(owner, started(owner, "practice", category, count=2), 1)
    page = page_of(owner, url("progress"))
    drawn = re.search(r'<script id="weeks" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert drawn is not None
    told = json.loads(drawn[1])
    assert told["answers"][-1] == 1 and told["right"][-1] == 100 and told["readiness"] is None
    assert "Pick a category" in page and "<table" in page and ">100\u00a0%<" in page
    page = page_of(owner, f"{url('progress')}?category={category.pk}")
    assert "Expected is an estimate" in page and '"needed": 74.0' in page


def test_a_category_of_others_is_not_there(owner: User, stranger: User) -> None:
    own = make_category("Ours", organisation=owner.memberships.get().organisation)
    make_question(own)
    give(owner, started(owner, "practice", own, count=1), 1)
    assert signed_in(owner).get(f"{url('progress')}?category={own.pk}").status_code == 200
    assert signed_in(stranger).get(f"{url('progress')}?category={own.pk}").status_code == 404
    assert signed_in(owner).get(f"{url('progress')}?category=nonsense").status_code == 200
    with pytest.raises(CategoryMissing):
        trends.weeks_of(stranger, category_id=own.pk)


def test_the_overview_offers_the_difficulties_there_are(owner: User, category: Category) -> None:
    make_question(category)
    assert 'name="difficulty"' not in page_of(owner, url("overview"))
    make_question(category, difficulty="0.9")
    page = page_of(owner, url("overview"))
    assert 'value="hard">hard (1)' in page and 'value="easy" disabled>easy (0)' in page
    wish = {"mode": "practice", "category": str(category.pk), "count": "5", "difficulty": "hard"}
    started_at = signed_in(owner).post(url("start"), wish)
    assert "Question" in page_of(owner, started_at["Location"]) and attempts.Attempt.objects.get().question_count == 1


def test_the_review_queue_can_be_done_category_by_category(owner: User, category: Category) -> None:
    other = make_category("Safety")
    for each, count in ((category, 2), (other, 1)):
        make_questions(each, count)
        attempt = started(owner, "practice", each, count=count)
        for position in range(1, count + 1):
            give(owner, attempt, position)
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False):
        page = page_of(owner, url("review"))
        assert "3 questions due now" in page and "Structural Welding: 2" in page and "Safety: 1" in page
        wish = {"mode": "review", "category": str(other.pk), "count": "20"}
        assert signed_in(owner).post(url("start"), wish).status_code == 302
    assert attempts.Attempt.objects.get(mode="review").question_count == 1


def test_progress_asks_as_often_after_many_answers_as_after_one(owner: User, category: Category) -> None:
    client = signed_in(owner)

    def queries() -> int:
        address = f"{url('progress')}?category={category.pk}"
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        return len(captured)

    make_question(category)
    give(owner, started(owner, "practice", category, count=1), 1)
    one = queries()
    make_questions(category, 49)
    attempt = started(owner, "practice", category, count=49)
    for position in range(1, 50):
        give(owner, attempt, position)
    for _ in range(10):
        more = make_category()
        make_question(more)
        give(owner, started(owner, "practice", more, count=1), 1)
    assert queries() == one
