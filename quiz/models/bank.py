"""Where questions come from, what they are sorted by, and each time they came."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..querysets import BankQuerySet, CategoryQuerySet, RunQuerySet, SyncRejectionQuerySet


class Bank(models.Model):
    """A collection of questions with one keeper: a table in Airtable, files, or this site's editor.

    Without an organisation it is shared: anyone may practise its questions; with one, its members alone.
    """

    class Kind(models.TextChoices):
        AIRTABLE = "airtable", "A table in Airtable"
        FILES = "files", "Imported files"
        OWN = "own", "Written here"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.FILES)
    base_id = models.CharField(max_length=40, blank=True, help_text="app… of Airtable")
    table_id = models.CharField(max_length=40, blank=True, help_text="tbl… of Airtable")
    mapping = models.JSONField(default=dict, blank=True, help_text="Our field to Airtable's field id (fld…).")
    fields_seen = models.JSONField(
        default=dict, blank=True, editable=False, help_text="Field id to name and type when it was last read."
    )
    webhook_id = models.CharField(max_length=40, blank=True, editable=False)
    webhook_cursor = models.PositiveIntegerField(default=1, editable=False, help_text="The next payload to pull.")
    webhook_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_scheduled = models.BooleanField(default=False, help_text="Read in full by the schedule, daily.")
    last_full_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = BankQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], nulls_distinct=False, name="bank_name"),
            models.UniqueConstraint(
                fields=["organisation", "base_id", "table_id"], nulls_distinct=False, name="bank_table",
                condition=Q(kind="airtable"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class Category(models.Model):
    """What a quiz is picked by. Exam settings are its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    position = models.PositiveIntegerField(default=0)
    exam_questions = models.PositiveSmallIntegerField(
        default=35, validators=[MinValueValidator(1), MaxValueValidator(200)]
    )
    exam_minutes = models.PositiveSmallIntegerField(
        default=45, validators=[MinValueValidator(1), MaxValueValidator(600)]
    )
    pass_share = models.DecimalField(
        max_digits=4, decimal_places=3, default=Decimal("0.74"), help_text="Share of the marks that passes, 0 to 1.",
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )  # fmt: skip
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "categories"
        constraints = [
            models.UniqueConstraint(fields=["organisation", "name"], nulls_distinct=False, name="category_name")
        ]

    def __str__(self) -> str:
        return self.name


class SyncRun(models.Model):
    """One reading of a bank: `fetched` = `created` + `updated` + `unchanged` + `rejected`; `retired` are those that
    had vanished. A run that failed has changed nothing that readers see."""

    class Kind(models.TextChoices):
        FULL = "full", "All records"
        DELTA = "delta", "What changed"
        FILE = "file", "A file"
        RETRY = "retry", "Rejected ones again"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="runs", db_index=False)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    is_dry = models.BooleanField(default=False, help_text="Nothing was written.")
    filename = models.CharField(max_length=255, blank=True)
    file = models.FileField(upload_to="quiz/%Y/%m/", blank=True)
    format = models.CharField(max_length=16, blank=True)
    edition = models.CharField(max_length=40, blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    fetched = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    retired = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    unsupported = models.JSONField(default=dict, help_text="Kind of question: how many there were.")
    drift = models.JSONField(default=list, help_text="Fields renamed, retyped or gone since the last run, in words.")
    remarks = models.JSONField(
        default=list, blank=True, help_text="What was left out of questions that were taken, in words."
    )
    error = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(F("bank"), F("started_at").desc(), name="sync_run_newest")]

    def __str__(self) -> str:
        return f"{self.bank}, {self.started_at:%Y-%m-%d %H:%M}"


class SyncRejection(models.Model):
    """A record that could not be taken; its last good version stays live. Mended or read again, it is resolved."""

    class Stage(models.TextChoices):
        READ = "read", "Could not be read"
        VALIDATE = "validate", "Is not a question"
        STORE = "store", "Could not be stored"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="rejections")
    record_id = models.CharField(max_length=200, blank=True, help_text="Of Airtable, or the number in the file.")
    stage = models.CharField(max_length=10, choices=Stage.choices)
    field = models.CharField(max_length=60, blank=True)
    code = models.CharField(max_length=60)
    reason = models.CharField(max_length=500)
    raw = models.JSONField(help_text="The record, or a file's text, cut after 4,000 characters.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = SyncRejectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                F("bank"), F("created_at").desc(), name="sync_rejection_open", condition=Q(resolved_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.record_id}: {self.reason}"
