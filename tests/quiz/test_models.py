"""What the tables themselves hold to, whoever writes."""

from __future__ import annotations

import pytest
from django.contrib.postgres.search import SearchQuery
from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.utils import timezone

from accounts.models import User
from quiz.models import Answer, Attempt, Bank, Category, Clause, Edition, Question, QuestionVersion, Standard

pytestmark = pytest.mark.django_db


@pytest.fixture
def question() -> Question:
    bank = Bank.objects.create(name="Pool")
    category = Category.objects.create(name="Structural Welding")
    return Question.objects.create(bank=bank, category=category, external_id="T1", source_hash="0" * 64)


def test_a_version_is_never_changed(question: Question) -> None:
    version = QuestionVersion.objects.create(
        question=question, number=1, kind="true_false", stem="Steel rusts.", body={}, content_hash="0" * 64
    )
    version.stem = "Steel does not rust."
    with pytest.raises(RuntimeError, match="write another one"):
        version.save()
    assert QuestionVersion.objects.get().stem == "Steel rusts."


def test_two_questions_can_not_have_one_identity(question: Question) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Question.objects.create(bank=question.bank, category=question.category, external_id="T1", source_hash="1" * 64)
    assert Question.objects.count() == 1


def test_nobody_sits_two_exams_of_a_category_at_once(question: Question) -> None:
    user = User.objects.create_user("learner@plumbline.example", "a long password")
    exam = {"user": user, "category": question.category, "mode": "exam", "question_count": 1}
    Attempt.objects.create(**exam, deadline_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(**exam, deadline_at=timezone.now())
    with pytest.raises(IntegrityError, match="attempt_exam_has_deadline"), transaction.atomic():
        Attempt.objects.create(**exam | {"category": None})
    assert Attempt.objects.count() == 1


def test_clauses_are_found_by_number_and_by_words() -> None:
    standard = Standard.objects.create(code="AWS D1.1")
    edition = Edition.objects.create(standard=standard, name="2025")
    clause = Clause.objects.create(
        edition=edition, number="4.1.2", title="Preheating", text="Welds shall be preheated.", position=1
    )
    assert Clause.objects.filter(search=SearchQuery("preheat", config="english")).get() == clause
    assert Clause.objects.filter(search=SearchQuery("4.1.2", config="simple")).get() == clause


def test_a_bank_goes_with_its_questions_unless_they_were_answered(question: Question) -> None:
    version = QuestionVersion.objects.create(
        question=question, number=1, kind="true_false", stem="Steel rusts.", body={}, content_hash="0" * 64
    )
    Question.objects.filter(pk=question.pk).update(current=version)
    attempt = Attempt.objects.create(
        user=User.objects.create_user("learner@plumbline.example", "a long password"), mode="practice", question_count=1
    )
    answer = Answer.objects.create(attempt=attempt, position=1, version=version)
    with pytest.raises(RestrictedError):
        question.bank.delete()
    answer.delete()
    question.bank.delete()
    assert not QuestionVersion.objects.exists()
