"""What a training call is about and judged by: templates, their rubrics, and who is to hold which call by when."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..training_querysets import AssignmentQuerySet, RubricQuerySet, TrainingTemplateQuerySet
from .bank import Category
from .clause import Clause


class TrainingTemplate(models.Model):
    """A call to practise: its scenario, whom the other side plays, and (as versions) what it is judged by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="training_templates", db_index=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", help_text="Who made it."
    )
    name = models.CharField(max_length=200)
    scenario = models.TextField(blank=True, help_text="What the learner is told before the call.")
    persona = models.TextField(blank=True, help_text="Whom the other side plays.")
    category = models.ForeignKey(
        Category, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Questions to practise after a weak call, where its criterion names no clauses.",
    )  # fmt: skip
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TrainingTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        indexes = [
            # The list of templates, and of those that somebody made.
            models.Index(fields=["organisation", "user"], name="training_template_of"),
        ]

    def __str__(self) -> str:
        return self.name


class Rubric(models.Model):
    """What calls of a template are judged by, as it was at one time: never changed, only followed by another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template = models.ForeignKey(TrainingTemplate, on_delete=models.CASCADE, related_name="rubrics", db_index=False)
    number = models.PositiveIntegerField(help_text="From 1.")
    content_hash = models.CharField(
        max_length=32, help_text="Of its criteria: an edit that changes nothing makes none."
    )
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RubricQuerySet.as_manager()

    class Meta:
        ordering = ["template", "-number"]
        constraints = [models.UniqueConstraint(fields=["template", "number"], name="rubric_number")]

    def __str__(self) -> str:
        return f"{self.template}, version {self.number}"


class Criterion(models.Model):
    """One thing that is judged, as a version of the rubric has it.

    Behaviour: measured in the transcript by `rule` ({"measure": "talk_share", "low": 0.4, "high": 0.6},
    {"phrases": ["next step", …]}; docs/training.md lists them). Quality: judged by a model or a person.
    """

    class Kind(models.TextChoices):
        BEHAVIOUR = "behaviour", "Behaviour (measured)"
        QUALITY = "quality", "Quality (judged)"

    id = models.BigAutoField(primary_key=True)
    rubric = models.ForeignKey(Rubric, on_delete=models.CASCADE, related_name="criteria", db_index=False)
    position = models.PositiveSmallIntegerField(help_text="From 1.")
    key = models.SlugField(
        max_length=60, db_index=False, help_text="The same in all versions: scores are compared by it."
    )
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, help_text="What is looked for, for judges.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    weight = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(100)])
    rule = models.JSONField(default=dict, blank=True, help_text="Of a behaviour: what is measured and what is good.")
    levels = models.JSONField(
        default=list, blank=True, help_text='[{"score": 0-100, "name": "Meets", "description": "…"}], ascending.'
    )
    clauses = models.ManyToManyField(
        Clause, blank=True, related_name="+", help_text="To be read again after a weak score."
    )

    class Meta:
        ordering = ["rubric", "position"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["rubric", "position"], name="criterion_position"),
            models.UniqueConstraint(fields=["rubric", "key"], name="criterion_key"),
        ]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """Somebody is to hold a call of a template. Open until one of its calls is closed, or it is withdrawn."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="training_assignments", db_index=False
    )
    template = models.ForeignKey(TrainingTemplate, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="training_assignments", db_index=False
    )
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True, help_text="When the first call of it was closed.")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, help_text="Told that it is due within a day.")
    overdue_told_at = models.DateTimeField(null=True, blank=True, help_text="Told that its day has passed.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            # A coach's list; a learner's list.
            models.Index("organisation", F("created_at").desc(), name="assignment_newest"),
            models.Index("user", F("created_at").desc(), name="assignment_mine"),
            # Reminders of what is open.
            models.Index(
                fields=["due_at"], name="assignment_open",
                condition=Q(completed_at__isnull=True, withdrawn_at__isnull=True, due_at__isnull=False),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.template} for {self.user}"

    @property
    def is_open(self) -> bool:
        return self.completed_at is None and self.withdrawn_at is None

    @property
    def is_overdue(self) -> bool:
        """Its day has passed, and it is open."""
        return self.is_open and self.due_at is not None and self.due_at <= timezone.now()
