"""What people were asked, what they answered, and when they should be asked again."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..querysets import AnswerQuerySet, AttemptQuerySet, CardQuerySet, GoalQuerySet
from .bank import Category
from .clause import Clause
from .question import Question, QuestionVersion


class Learner(models.Model):
    """What a person wants of quizzes. No row: the defaults."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="learner"
    )
    is_on_leaderboard = models.BooleanField(default=False)
    alias = models.CharField(max_length=40, blank=True, help_text="What the leaderboard calls them.")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.alias or str(self.user)


class ExamGoal(models.Model):
    """When somebody sits the exam of a category: readiness is told for that day."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    category = models.ForeignKey(Category, on_delete=models.CASCADE, related_name="+")
    exam_on = models.DateField()

    objects = GoalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "category"], name="exam_goal_once")]

    def __str__(self) -> str:
        return f"{self.category}, {self.exam_on}"


class Attempt(models.Model):
    """One sitting. Its questions are drawn and laid down when it starts, so that it can be left and taken up again.

    Exam: the server's clock (`deadline_at`), each question answered once, nothing told before the end.
    """

    class Mode(models.TextChoices):
        PRACTICE = "practice", "Practice"
        EXAM = "exam", "Exam"
        REVIEW = "review", "Review"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiz_attempts", db_index=False
    )
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.RESTRICT, related_name="attempts",
        help_text="Empty: questions of all categories (review, practice of a clause).",
    )  # fmt: skip
    clause = models.ForeignKey(
        Clause, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="What was practised, where it was one clause.",
    )  # fmt: skip
    mode = models.CharField(max_length=8, choices=Mode.choices)
    question_count = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    deadline_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    score = models.DecimalField(
        max_digits=5, decimal_places=4, null=True, blank=True, help_text="Share of all marks, 0 to 1.",
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )  # fmt: skip
    is_passed = models.BooleanField(null=True, blank=True, help_text="Of exams.")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            # One exam of a category at a time: who asks again gets the one that goes on.
            models.UniqueConstraint(
                fields=["user", "category"],
                name="attempt_one_exam",
                condition=Q(mode="exam", submitted_at__isnull=True),
            ),
            models.CheckConstraint(
                name="attempt_exam_has_deadline", condition=~Q(mode="exam") | Q(deadline_at__isnull=False)
            ),
        ]
        indexes = [
            models.Index(F("user"), F("started_at").desc(), name="attempt_newest"),
            # What the clock has to end.
            models.Index(
                fields=["deadline_at"], name="attempt_overdue",
                condition=Q(submitted_at__isnull=True, deadline_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_mode_display()} of {self.started_at:%Y-%m-%d}"


class Answer(models.Model):
    """A question of an attempt, and what was given. `share` of the mark, 0 to 1; empty while it is open."""

    id = models.BigAutoField(primary_key=True)
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="answers", db_index=False)
    position = models.PositiveSmallIntegerField(help_text="From 1.")
    version = models.ForeignKey(QuestionVersion, on_delete=models.RESTRICT, related_name="answers", db_index=False)
    shown = models.JSONField(default=list, help_text="Ids of choices, rights or parts in the order they were shown.")
    given = models.JSONField(null=True, blank=True)
    share = models.DecimalField(max_digits=5, decimal_places=4, null=True, blank=True)
    is_unsure = models.BooleanField(default=False)
    seconds = models.FloatField(null=True, blank=True, help_text="From the question's being shown, as the page says.")
    answered_at = models.DateTimeField(null=True, blank=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        ordering = ["attempt", "position"]
        constraints = [models.UniqueConstraint(fields=["attempt", "position"], name="answer_position")]
        indexes = [models.Index(fields=["version"], name="answer_given", condition=Q(answered_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.position} of {self.attempt_id}"


class ReviewCard(models.Model):
    """Where somebody's memory of a question stands, by FSRS-6. A new wording begins anew."""

    class State(models.IntegerChoices):
        LEARNING = 1, "Learning"
        REVIEW = 2, "Review"
        RELEARNING = 3, "Relearning"

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="cards")
    version = models.ForeignKey(QuestionVersion, on_delete=models.CASCADE, related_name="+")
    state = models.PositiveSmallIntegerField(choices=State.choices, default=State.LEARNING)
    step = models.PositiveSmallIntegerField(null=True, blank=True, default=0)
    stability = models.FloatField(null=True, blank=True, help_text="Days until recall has fallen to 90 %.")
    difficulty = models.FloatField(null=True, blank=True, help_text="1 to 10.")
    due = models.DateTimeField(default=timezone.now)
    last_review = models.DateTimeField(null=True, blank=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "question"], name="review_card_once")]
        indexes = [models.Index(fields=["user", "due"], name="review_card_due")]

    def __str__(self) -> str:
        return f"{self.question}, due {self.due:%Y-%m-%d}"


class ReviewLog(models.Model):
    """Each time a card was rated, kept for fitting the scheduler's parameters later."""

    class Rating(models.IntegerChoices):
        AGAIN = 1, "Again"
        HARD = 2, "Hard"
        GOOD = 3, "Good"

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(ReviewCard, on_delete=models.CASCADE, related_name="log", db_index=False)
    version = models.ForeignKey(QuestionVersion, on_delete=models.CASCADE, related_name="+")
    answer = models.OneToOneField(Answer, null=True, on_delete=models.SET_NULL, related_name="review")
    rating = models.PositiveSmallIntegerField(choices=Rating.choices)
    reviewed_at = models.DateTimeField()
    seconds = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["reviewed_at"]
        indexes = [models.Index(fields=["card", "reviewed_at"], name="review_log_card")]

    def __str__(self) -> str:
        return f"{self.get_rating_display()}, {self.reviewed_at:%Y-%m-%d}"
