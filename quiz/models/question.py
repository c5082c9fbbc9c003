"""Questions, and each wording that people were asked."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..exchange.item import Kind, Markup
from ..querysets import QuestionQuerySet, VersionQuerySet
from .bank import Bank, Category
from .clause import Clause


class Question(models.Model):
    """One question of a bank's edition, by its keeper's id, which outlives its wording (`current`).

    Asked while `retired_at` is empty; in exams while it is not flagged either.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="questions", db_index=False)
    edition = models.CharField(max_length=40, blank=True, help_text="Of the pool: 2026-2030.")
    external_id = models.CharField(max_length=200)
    title = models.CharField(
        max_length=200, blank=True, db_default="", default="", help_text="For those who keep it; learners never see it."
    )
    category = models.ForeignKey(Category, on_delete=models.RESTRICT, related_name="questions")
    current = models.OneToOneField(
        "quiz.QuestionVersion", null=True, on_delete=models.RESTRICT, related_name="+", editable=False
    )
    source_hash = models.CharField(max_length=64, editable=False, help_text="Of all that its keeper says of it.")
    keeper_hash = models.CharField(
        max_length=64, blank=True, db_default="", default="", editable=False,
        help_text="Of what its file said when it was edited here; empty where it is as its keeper has it.",
    )  # fmt: skip
    flag = models.CharField(max_length=300, blank=True, help_text="Why it must not be in an exam: its clause changed.")
    successor = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="predecessors",
        help_text="What takes its place in a later edition.",
    )  # fmt: skip
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_reason = models.CharField(max_length=200, blank=True)
    clauses = models.ManyToManyField(
        Clause, through="quiz.Citation", through_fields=("question", "clause"), related_name="questions"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ["bank", "edition", "external_id"]
        constraints = [models.UniqueConstraint(fields=["bank", "edition", "external_id"], name="question_identity")]
        indexes = [
            models.Index(F("category"), name="question_live", condition=Q(retired_at__isnull=True)),
            # The work list of flagged questions, and how long it is.
            models.Index(fields=["bank"], name="question_flagged", condition=Q(retired_at__isnull=True) & ~Q(flag="")),
        ]

    def __str__(self) -> str:
        return self.external_id


class QuestionVersion(models.Model):
    """One wording of a question with its answer. Never changed: answers, cards and statistics belong to it.

    `body` holds what its kind needs, as `quiz.exchange.item.Item` has it, with an id for each choice:
    `{"choices": [{"id", "text", "share", "feedback"}]}`, `{"accepted": […], "is_case_sensitive"}`, `{"ranges": […]}`,
    `{"pairs": [{"id", "left", "right"}]}`, `{"sequence": [{"id", "text"}]}`. Shares and numbers are strings.
    """

    KINDS = [(kind.value, kind.value.replace("_", " ").capitalize()) for kind in Kind]
    MARKUPS = [(markup.value, markup.value.capitalize()) for markup in Markup]

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=KINDS)
    markup = models.CharField(max_length=8, choices=MARKUPS, default=Markup.PLAIN.value)
    stem = models.TextField()
    body = models.JSONField()
    explanation = models.TextField(blank=True)
    references = models.JSONField(default=list, help_text="What it cites, as written.")
    tags = models.JSONField(default=list)
    difficulty = models.DecimalField(
        max_digits=4, decimal_places=3, null=True, blank=True, help_text="0 easy to 1 hard, as its keeper says."
    )
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = VersionQuerySet.as_manager()

    class Meta:
        ordering = ["question", "-number"]
        constraints = [models.UniqueConstraint(fields=["question", "number"], name="question_version_number")]

    def __str__(self) -> str:
        return f"{self.stem[:60]} (version {self.number})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once. RuntimeError: a version is never changed; write another one."""
        if not self._state.adding:
            raise RuntimeError("A version of a question is never changed: write another one.")
        super().save(*args, **kwargs)


class Citation(models.Model):
    """A clause that a question's current wording cites, where it could be found.

    found ──another edition is current, the clause has other words there or is gone; the question is flagged──> waiting
    waiting ──a person decides──> decided. Neither waiting nor decided ones are found anew by themselves.
    """

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="citations", db_index=False)
    clause = models.ForeignKey(Clause, on_delete=models.CASCADE, related_name="citations")
    as_written = models.CharField(max_length=120)
    moved_from = models.ForeignKey(
        Clause, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Of an earlier edition, which a person has moved the citation from.",
    )  # fmt: skip
    is_waiting = models.BooleanField(
        default=False, db_default=False, help_text="Its clause has other words now, or is gone."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["question", "clause"], name="citation_once")]

    def __str__(self) -> str:
        return self.as_written
