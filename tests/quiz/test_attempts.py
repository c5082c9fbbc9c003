"""Sittings: what is asked, what counts, who learns what and when."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import Organisation, User
from quiz.exceptions import (
    AlreadyAnswered,
    AnswerRefused,
    AttemptMissing,
    AttemptOver,
    BadQuiz,
    CategoryMissing,
    NothingToAsk,
    TimeIsOver,
)
from quiz.models import Answer, Attempt, Category, Question, ReviewCard, ReviewLog
from quiz.services import attempts, learners, progress
from quiz.services.presenting import questions_out
from quiz.services.reviewing import due_cards
from tests.factories.quiz import BODIES, cite, make_category, make_clause, make_question, make_questions, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding", exam_questions=3, exam_minutes=30)


def right_answer(answer: Answer) -> dict[str, Any]:
    """To the "single" of the factory: the place of undercut."""
    return {"choice": str(answer.shown.index("k2") + 1)}


def wrong_answer(answer: Answer) -> dict[str, Any]:
    return {"choice": str(answer.shown.index("k1") + 1)}


def give(user: User, attempt: Attempt, position: int, *, is_right: bool = True, **more: Any) -> attempts.Answered:
    row = attempt.answers.get(position=position)
    given = right_answer(row) if is_right else wrong_answer(row)
    return attempts.answer(actor=user, attempt_id=attempt.pk, position=position, given=given, **more)


def started(user: User, mode: str, category: Category | None, **more: Any) -> Attempt:
    return attempts.start(actor=user, mode=mode, category_id=category.pk if category else None, **more)[0]


def test_practice_ends_with_its_last_answer_and_is_scored(owner: User, category: Category) -> None:
    make_questions(category, 4)
    attempt = started(owner, "practice", category, count=4)
    for position in (1, 2, 3):
        assert give(owner, attempt, position).answer.share == 1
    assert give(owner, attempt, 4, is_right=False).answer.share == 0
    attempt.refresh_from_db()
    assert attempt.submitted_at is not None and attempt.score == Decimal("0.75") and attempt.is_passed is None


def test_what_one_has_not_seen_is_asked_first(owner: User, category: Category) -> None:
    make_questions(category, 6)
    first = started(owner, "practice", category, count=3)
    for position in (1, 2, 3):
        give(owner, first, position)
    second = started(owner, "practice", category, count=3)
    asked = {*first.answers.values_list("version", flat=True), *second.answers.values_list("version", flat=True)}
    assert len(asked) == 6


def test_the_same_answer_twice_is_one_and_another_one_does_not_count(owner: User, category: Category) -> None:
    make_questions(category, 2)
    attempt = started(owner, "practice", category, count=2)
    assert give(owner, attempt, 1).is_new
    again = give(owner, attempt, 1, seconds=400)
    assert not again.is_new and again.answer.share == 1
    assert ReviewLog.objects.count() == 1
    with pytest.raises(AlreadyAnswered):
        give(owner, attempt, 1, is_right=False)
    give(owner, attempt, 2)
    assert not give(owner, attempt, 2).is_new  # also after the end


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_answer_at_once_leave_one_answer(owner: User, category: Category) -> None:
    make_questions(category, 2)
    attempt = started(owner, "practice", category, count=2)
    outcomes: list[str] = []
    ready = threading.Barrier(6)

    def tab(is_right: bool) -> None:
        try:
            ready.wait(timeout=30)
            told = give(owner, attempt, 1, is_right=is_right)
            outcomes.append("new" if told.is_new else "same")
        except AlreadyAnswered:
            outcomes.append("refused")
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab, args=(index % 2 == 0,)) for index in range(6)]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join(timeout=60)
    assert sorted(outcomes) == ["new", "refused", "refused", "refused", "same", "same"]
    assert ReviewLog.objects.count() == 1


@pytest.mark.parametrize("kind", BODIES)
def test_every_kind_is_asked_without_its_answer_and_told_with_it(owner: User, category: Category, kind: str) -> None:
    question = make_question(category, kind=kind)
    make_question(category, kind=kind)
    cite(question, make_clause())
    attempt = started(owner, "practice", category, count=2)
    row = attempt.answers.get(version__question=question)
    [asked] = [each for each in questions_out(attempt, user=owner) if each["position"] == row.position]
    assert asked["result"] is None and asked["given"] is None
    ids = [each["id"] for part in BODIES[kind].values() if isinstance(part, list) for each in part if "id" in each]
    assert not any(f"'{one}'" in str(asked) for one in ids)
    for secret in ("share", "explanation", "accepted", "open root", "3.1", "undercut is"):
        assert secret not in str(asked)
    from quiz.practice.asking import places_of
    from tests.quiz.test_practice import RIGHT

    given = places_of(kind, BODIES[kind], row.shown, RIGHT[kind])  # type: ignore[arg-type]
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=row.position, given=given)
    [told] = [each for each in questions_out(attempt, user=owner) if each["position"] == row.position]
    result = told["result"]
    if "text" in given:
        given["text"] = given["text"].strip()
    assert told["given"] == given and result["is_right"] and "undercut" in result["explanation"]
    assert result["clauses"][0]["number"] == "4.1.2"
    if kind in ("single", "true_false"):
        assert result["right"] == {"choices": [given["choice"]]}
    elif "text" in given:
        assert result["right"]["texts"] in (["open root"], ["3.1 to 3.3"])
    else:
        assert result["right"] == given


def test_an_answer_that_does_not_fit_is_refused_and_can_be_given_again(owner: User, category: Category) -> None:
    make_question(category, kind="numeric")
    attempt = started(owner, "practice", category)
    with pytest.raises(AnswerRefused, match="is no number"):
        attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"text": "three"})
    with pytest.raises(AnswerRefused, match="questions 1 to 1"):
        attempts.answer(actor=owner, attempt_id=attempt.pk, position=2, given={"text": "3"})
    assert attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"text": "3,2"}).answer.share == 1


def test_an_exam_tells_nothing_before_its_end(owner: User, category: Category) -> None:
    make_questions(category, 5)
    attempt = started(owner, "exam", category)
    assert attempt.question_count == 3
    give(owner, attempt, 1)
    give(owner, attempt, 2, is_right=False)
    assert all(each["result"] is None for each in questions_out(attempt, user=owner))
    assert not ReviewCard.objects.exists()
    assert progress.categories_of(owner)[0].seen == 0
    learners.change_learner(actor=owner, is_on_leaderboard=True, alias="")
    assert learners.leaders(owner) == []
    done = attempts.submit(actor=owner, attempt_id=attempt.pk)
    assert done.score == Decimal("0.3333") and done.is_passed is False
    assert ReviewCard.objects.count() == 2
    assert sum(each["result"]["is_right"] for each in questions_out(done, user=owner)) == 1
    with pytest.raises(AttemptOver):
        give(owner, attempt, 3)


def test_an_exam_is_passed_by_the_share_that_its_category_wants(owner: User, category: Category) -> None:
    make_questions(category, 3)
    category.pass_share = Decimal("0.66")
    category.save()
    attempt = started(owner, "exam", category)
    give(owner, attempt, 1)
    give(owner, attempt, 2)
    assert attempts.submit(actor=owner, attempt_id=attempt.pk).is_passed is True
    assert attempts.submit(actor=owner, attempt_id=attempt.pk).score == Decimal("0.6667")  # a second time: the same


def test_one_exam_of_a_category_goes_on_at_a_time(owner: User, category: Category, member: User) -> None:
    make_questions(category, 3)
    first, is_new = attempts.start(actor=owner, mode="exam", category_id=category.pk)
    again, is_new_again = attempts.start(actor=owner, mode="exam", category_id=category.pk)
    assert (is_new, is_new_again) == (True, False) and first.pk == again.pk
    assert started(member, "exam", category).pk != first.pk
    attempts.submit(actor=owner, attempt_id=first.pk)
    assert started(owner, "exam", category).pk != first.pk


def test_late_answers_do_not_count_and_end_the_exam(owner: User, category: Category) -> None:
    make_questions(category, 3)
    with time_machine.travel(timezone.now() - timedelta(minutes=31), tick=False):
        attempt = started(owner, "exam", category)
        give(owner, attempt, 1)
    with pytest.raises(TimeIsOver):
        give(owner, attempt, 2)
    attempt.refresh_from_db()
    assert attempt.submitted_at == attempt.deadline_at and attempt.score == Decimal("0.3333")
    assert attempt.answers.get(position=2).given is None
    with pytest.raises(AttemptOver):
        give(owner, attempt, 2)


def test_the_clock_ends_exams_that_nobody_hands_in(owner: User, member: User, category: Category) -> None:
    make_questions(category, 3)
    with time_machine.travel(timezone.now() - timedelta(minutes=31), tick=False):
        overdue = started(owner, "exam", category)
    going_on = started(member, "exam", category)
    assert attempts.end_overdue() == 1
    assert attempts.end_overdue() == 0
    overdue.refresh_from_db()
    going_on.refresh_from_db()
    assert overdue.score == 0 and overdue.is_passed is False and going_on.submitted_at is None


def test_whoever_looks_at_an_overdue_exam_finds_it_ended(owner: User, category: Category) -> None:
    make_questions(category, 3)
    with time_machine.travel(timezone.now() - timedelta(minutes=31), tick=False):
        attempt = started(owner, "exam", category)
    assert attempts.look(actor=owner, attempt_id=attempt.pk).submitted_at is not None
    assert started(owner, "exam", category).pk != attempt.pk


def test_flagged_and_retired_questions_stay_out(owner: User, category: Category) -> None:
    Question.objects.filter(pk=make_question(category).pk).update(flag="Its clause changed.")
    Question.objects.filter(pk=make_question(category).pk).update(retired_at=timezone.now())
    with pytest.raises(NothingToAsk):
        started(owner, "exam", category)
    assert started(owner, "practice", category).question_count == 1


def test_due_cards_come_back_tomorrow_and_only_they(owner: User, category: Category) -> None:
    make_questions(category, 3)
    now = timezone.now()
    with time_machine.travel(now - timedelta(days=1), tick=False):
        attempt = started(owner, "practice", category, count=2)
        give(owner, attempt, 1)
        give(owner, attempt, 2, is_right=False)
    assert due_cards(owner).count() == 2
    review = started(owner, "review", None, count=20)
    assert review.question_count == 2 and review.category is None
    for position in (1, 2):
        give(owner, review, position)
    assert ReviewLog.objects.count() == 4
    assert set(ReviewLog.objects.values_list("rating", flat=True)) == {1, 3}
    with pytest.raises(NothingToAsk, match="before"):
        started(owner, "review", None)


def test_unsure_is_hard(owner: User, category: Category) -> None:
    make_question(category)
    give(owner, started(owner, "practice", category), 1, is_unsure=True)
    assert ReviewLog.objects.get().rating == 2


def test_a_new_wording_begins_anew(owner: User, category: Category) -> None:
    question = make_question(category)
    now = timezone.now()
    for days in (40, 39, 30):
        with time_machine.travel(now - timedelta(days=days), tick=False):
            give(owner, started(owner, "practice", category), 1)
    card = ReviewCard.objects.get()
    assert card.state == 2 and card.stability is not None and card.stability > 3
    question.current = make_version(question, number=2, stem="What else?")
    question.save()
    attempt = started(owner, "review", None)
    assert attempt.answers.get().version == question.current
    give(owner, attempt, 1)
    card.refresh_from_db()
    assert card.version == question.current and card.state == 1


def test_an_answer_to_an_older_wording_leaves_the_new_cards_alone(owner: User, category: Category) -> None:
    question = make_question(category)
    old = started(owner, "practice", category)
    question.current = make_version(question, number=2, stem="What else?")
    question.save()
    give(owner, started(owner, "practice", category), 1)
    before = ReviewCard.objects.values().get()
    give(owner, old, 1, is_right=False)
    assert ReviewCard.objects.values().get() == before


def test_strangers_find_nothing(owner: User, stranger: User, category: Category, organisation: Organisation) -> None:
    make_questions(category, 2)
    attempt = started(owner, "practice", category)
    for call in (
        lambda: attempts.look(actor=stranger, attempt_id=attempt.pk),
        lambda: attempts.submit(actor=stranger, attempt_id=attempt.pk),
        lambda: attempts.answer(actor=stranger, attempt_id=attempt.pk, position=1, given={"choice": "1"}),
        lambda: attempts.look(actor=owner, attempt_id=uuid4()),
    ):
        with pytest.raises(AttemptMissing):
            call()
    own = make_category("Our own", organisation=organisation)
    make_question(own)
    with pytest.raises(CategoryMissing):
        started(stranger, "practice", own)
    assert started(owner, "practice", own).question_count == 1


def test_private_questions_in_a_shared_category_are_for_their_members(
    owner: User, stranger: User, category: Category, organisation: Organisation
) -> None:
    from tests.factories.quiz import make_bank

    make_question(category)
    make_question(category, bank=make_bank(organisation))
    assert started(owner, "practice", category).question_count == 2
    assert started(stranger, "practice", category).question_count == 1


@pytest.mark.parametrize(
    "wish", [{"mode": "race"}, {"mode": "practice", "count": 0}, {"mode": "practice", "count": 51},
             {"mode": "practice", "level": "brutal"}]
)  # fmt: skip
def test_what_can_not_be_started_is_told_by_field(owner: User, category: Category, wish: dict[str, Any]) -> None:
    make_question(category)
    with pytest.raises(BadQuiz) as caught:
        attempts.start(actor=owner, category_id=category.pk, **wish)
    assert caught.value.extra["errors"]
