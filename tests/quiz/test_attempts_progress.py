"""What attempts add up to: progress, readiness, weak clauses, the leaderboard."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from quiz.exceptions import (
    BadQuiz,
)
from quiz.models import Category
from quiz.services import attempts, learners, progress
from quiz.services.presenting import questions_out
from tests.factories.people import make_user
from tests.factories.quiz import cite, make_category, make_clause, make_question, make_questions
from tests.quiz.test_attempts import give, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding", exam_questions=3, exam_minutes=30)


def test_progress_counts_what_is_seen_known_and_due(owner: User, category: Category) -> None:
    make_questions(category, 4)
    now = timezone.now()
    for days in (9, 8):
        with time_machine.travel(now - timedelta(days=days), tick=False):
            attempt = started(owner, "practice", category, count=4)
            for position in (1, 2, 3, 4):
                give(owner, attempt, position)
    make_questions(category, 4)
    [told] = progress.categories_of(owner)
    assert (told.questions, told.seen) == (8, 4) and told.readiness is not None
    assert told.readiness.seen == 0.5 and 0.5 < told.readiness.expected < 0.63  # the unseen half is guessed 1 in 4
    learners.set_goal(actor=owner, category_id=category.pk, exam_on=now.date() + timedelta(days=300))
    [later] = progress.categories_of(owner)
    assert later.readiness is not None and later.readiness.expected < told.readiness.expected and not later.is_ready


def test_progress_asks_as_often_for_many_categories_as_for_one(owner: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            progress.categories_of(owner)
        return len(captured)

    first = make_category()
    make_question(first)
    give(owner, started(owner, "practice", first), 1)
    one = queries()
    for _ in range(10):
        more = make_category()
        make_question(more)
        started(owner, "exam", more)
    assert queries() == one


def test_the_weakest_clauses_are_those_whose_questions_went_worst(owner: User, category: Category) -> None:
    weak, strong, once = make_clause("4.1"), make_clause("4.2"), make_clause("4.3")
    for clause, rights in ((weak, (True, False, False)), (strong, (True, True, True)), (once, (False,))):
        for is_right in rights:
            question = make_question(category)
            cite(question, clause)
            attempt = started(owner, "practice", category, count=1)
            row = attempt.answers.get()
            assert row.version.question == question
            give(owner, attempt, 1, is_right=is_right)
    [told] = progress.weakest_clauses(owner)
    assert told.clause == weak and told.answers == 3 and told.share == pytest.approx(1 / 3, abs=0.001)


def test_the_leaderboard_shows_colleagues_who_want_to_be_on_it(
    owner: User, member: User, viewer: User, stranger: User, category: Category
) -> None:
    make_questions(category, 3)
    for person, rights in ((owner, 1), (member, 3), (viewer, 3), (stranger, 3)):
        attempt = started(person, "practice", category, count=3)
        for position in (1, 2, 3):
            give(person, attempt, position, is_right=position <= rights)
    for person in (owner, member, stranger):
        learners.change_learner(actor=person, is_on_leaderboard=True, alias=" Torch " if person == member else "")
    told = learners.leaders(owner, category_id=category.pk)
    assert [(each.place, each.name, each.right, each.is_me) for each in told] == [
        (1, "Torch", 3, False),
        (2, "Owner", 1, True),
    ]
    learners.change_learner(actor=member, is_on_leaderboard=False, alias="Torch")
    assert [each.name for each in learners.leaders(owner)] == ["Owner"]


def test_a_day_in_the_past_is_no_goal(owner: User, category: Category) -> None:
    with pytest.raises(BadQuiz, match="from today"):
        learners.set_goal(actor=owner, category_id=category.pk, exam_on=timezone.now().date() - timedelta(days=1))
    learners.set_goal(actor=owner, category_id=category.pk, exam_on=timezone.now().date())
    assert learners.set_goal(actor=owner, category_id=category.pk, exam_on=None) is None


def test_an_attempt_is_shown_by_as_many_queries_with_many_questions(owner: User, category: Category) -> None:
    def queries(count: int) -> int:
        attempt = started(make_user(), "practice", category, count=count)
        attempts.submit(actor=attempt.user, attempt_id=attempt.pk)
        with CaptureQueriesContext(connection) as captured:
            questions_out(attempts.look(actor=attempt.user, attempt_id=attempt.pk), user=attempt.user)
        return len(captured)

    clause = make_clause()
    for question in make_questions(category, 50):
        cite(question, clause)
    assert queries(1) == queries(50)
