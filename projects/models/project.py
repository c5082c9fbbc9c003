"""Projects and the documents uploaded to them."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.utils import timezone

from ..querysets import DocumentQuerySet, ProjectAnalyticsQuerySet, ProjectQuerySet


class Project(models.Model):
    """A budget being made or checked: documents in, positions with versions, findings out.

        draft ──> parsing ──> auditing ──> completed
          ^          │            │            │
          └──────────┴────────────┘            └──(edit, document)──> auditing
        any ──> archived ──> draft

    The cached aggregates are of the current version and written in the transaction that changes what they count.
    """

    class Workflow(models.TextChoices):
        BILL_GIVEN = "workflow_a", "A bill of quantities is given"
        FROM_DRAWINGS = "workflow_b", "Quantities come from drawings"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PARSING = "parsing", "Reading a document"
        ENRICHING = "enriching", "Enriching"
        AUDITING = "auditing", "Auditing"
        COMPLETED = "completed", "Audited"
        ARCHIVED = "archived", "Archived"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="projects")
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    workflow = models.CharField(max_length=12, choices=Workflow.choices, default=Workflow.BILL_GIVEN)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.DRAFT)
    progress = models.PositiveSmallIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True, help_text="ISO 4217")
    budget_on = models.DateField("budget date", null=True, blank=True)
    catalogue = models.CharField(max_length=30, blank=True, help_text="Price catalogue that the audit compares with")
    catalogue_edition = models.CharField(max_length=30, blank=True)
    price_index = models.CharField(max_length=60, blank=True, help_text="Series that moves prices to the budget date")
    blank_document = models.ForeignKey(
        "projects.Document", on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        help_text="The tender's unpriced file: only prices may differ from it",
    )  # fmt: skip
    assumptions = models.JSONField(
        default=dict, blank=True, help_text="Workflow B: own values of what a model does not say (projects.ifc)"
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    version_number = models.PositiveIntegerField("current version", default=0, editable=False)
    audited_version = models.PositiveIntegerField(null=True, editable=False)
    total_positions = models.PositiveIntegerField(default=0, editable=False)
    total_cost = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0), editable=False)
    count_green = models.PositiveIntegerField(default=0, editable=False)
    count_amber = models.PositiveIntegerField(default=0, editable=False)
    count_red = models.PositiveIntegerField(default=0, editable=False)
    count_not_checked = models.PositiveIntegerField(default=0, editable=False)
    money_at_stake = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0), editable=False)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            # The projects page: an organisation's own, newest first.
            models.Index(fields=["organisation", "-created_at"], name="project_org_newest"),
            # The projects page filtered by status.
            models.Index(fields=["status", "-created_at"], name="project_status_newest"),
            models.Index(fields=["owner", "-created_at"], name="project_owner_newest"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_audited(self) -> bool:
        """Whether the verdicts shown are of the current version."""
        return self.version_number > 0 and self.audited_version == self.version_number


def stored_name(document: Document, filename: str) -> str:
    """Where an upload is kept: by id, never by the name a stranger chose."""
    return f"projects/{document.project_id}/{document.pk}"


class Document(models.Model):
    """A file of a project, and what became of it.

    pending ──> parsing ──> completed | failed ──(parse again)──> pending
    """

    class Kind(models.TextChoices):
        BILL = "bill", "Bill of quantities"
        DRAWING = "drawing", "Drawing"
        SPECIFICATION = "specification", "Specification"
        OTHER = "other", "Other"

    class ParseStatus(models.TextChoices):
        PENDING = "pending", "Waiting"
        PARSING = "parsing", "Being read"
        COMPLETED = "completed", "Read"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="documents")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    original_filename = models.CharField(max_length=255)
    kind = models.CharField(max_length=14, choices=Kind.choices, default=Kind.BILL)
    file_type = models.CharField(max_length=12, blank=True, help_text="By content, not by name: xlsx, xml, csv, pdf, …")
    file = models.FileField(upload_to=stored_name, max_length=200)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    mime_type = models.CharField(max_length=100, blank=True)
    sha256 = models.CharField("SHA-256", max_length=64)
    parse_status = models.CharField(max_length=10, choices=ParseStatus.choices, default=ParseStatus.PENDING)
    parse_error = models.TextField(blank=True)
    parse_error_code = models.CharField(max_length=40, blank=True)
    parser = models.CharField("dialect", max_length=30, blank=True)
    parser_score = models.PositiveSmallIntegerField(null=True, blank=True)
    indexed_content = models.TextField(blank=True)
    extracted_data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # Upload: the same content twice in a project is one document.
            models.UniqueConstraint(fields=["project", "sha256"], name="document_content_unique"),
        ]
        indexes = [
            # Search over documents.
            GinIndex(SearchVector("indexed_content", config="simple"), name="document_fulltext"),
        ]

    def __str__(self) -> str:
        return self.original_filename


class ProjectAnalytics(models.Model):
    """Materialised view, one row a day, organisation and currency; refreshed concurrently by a daily job. What was
    completed counts on the day of its latest audit."""

    id = models.CharField(primary_key=True, max_length=60)
    day = models.DateField()
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.DO_NOTHING, related_name="+")
    currency = models.CharField(max_length=3)
    created = models.PositiveIntegerField()
    completed = models.PositiveIntegerField()
    average_cost = models.DecimalField(max_digits=18, decimal_places=2, null=True)

    objects = ProjectAnalyticsQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "project_analytics"
        ordering = ["-day"]
        verbose_name_plural = "project analytics"

    def __str__(self) -> str:
        return f"{self.day}: {self.created} opened"
