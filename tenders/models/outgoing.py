"""What leaves tenders: deadlines for calendars, files of hits, and the documents of tenders that a firm has fetched."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from ..outgoing_querysets import CalendarFeedQuerySet, ExportQuerySet, TenderDocumentQuerySet


def export_path(export: Export, filename: str) -> str:
    """By id: a second attempt writes where the first one did."""
    return f"tenders/exports/{export.pk}.{export.format}"


def content_path(content: StoredContent, filename: str) -> str:
    return f"tenders/documents/{content.sha256[:2]}/{content.sha256}"


class CalendarFeed(models.Model):
    """The address from which a person's calendar fetches an organisation's deadlines.

    The secret in it is signed, not stored: it is of `id` and `version`, so a new version makes the old one worthless.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="+")
    search = models.ForeignKey(
        "tenders.SavedSearch",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Its open hits come along.",
    )
    remind_days = models.PositiveSmallIntegerField(default=0, help_text="Days before a deadline; 0: no reminder.")
    version = models.PositiveIntegerField(default=1, editable=False)
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = CalendarFeedQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint(fields=["user", "organisation"], name="calendar_feed_once")]

    def __str__(self) -> str:
        return f"Calendar of {self.user} in {self.organisation}"


class CalendarEntry(models.Model):
    """One deadline as a calendar was last told of it. A change counts `sequence` up; what is no longer wanted is told
    as cancelled for a while, for a calendar that keeps what it once saw."""

    feed = models.ForeignKey(CalendarFeed, on_delete=models.CASCADE, related_name="entries", db_index=False)
    tender = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="+")
    deadline_at = models.DateTimeField()
    is_cancelled = models.BooleanField(default=False)
    sequence = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=32, help_text="Of what the calendar shows of it.")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "calendar entries"
        # The feed's reading, which compares all its entries with what they should be.
        constraints = [models.UniqueConstraint(fields=["feed", "tender"], name="calendar_entry_once")]

    def __str__(self) -> str:
        return f"{self.deadline_at:%Y-%m-%d %H:%M}"


class Export(models.Model):
    """The hits of a search as a file, made by a job for one person.

    queued ──> running ──> completed | failed
    """

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel (xlsx)"

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    organisation = models.ForeignKey(
        "accounts.Organisation",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose assessments and decisions are in it.",
    )
    query = models.JSONField(default=dict, help_text="Names and values of the search's fields, as in its address.")
    order = models.CharField(max_length=12)
    format = models.CharField(max_length=4, choices=Format.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    file = models.FileField(upload_to=export_path, blank=True, max_length=200)
    rows = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes")
    error = models.CharField(max_length=500, blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            # A person's page.
            models.Index(F("owner"), F("created_at").desc(), name="tender_export_newest"),
            # Trimming.
            models.Index(fields=["created_at"], name="tender_export_age"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        return f"tenders-{self.created_at:%Y-%m-%d-%H%M}.{self.format}"


class StoredContent(models.Model):
    """Bytes of a publisher's document, stored once however many tenders and firms have it."""

    sha256 = models.CharField("SHA-256", max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    file = models.FileField(upload_to=content_path, max_length=200)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.sha256


class TenderDocument(models.Model):
    """A document that a publisher names, as an organisation has fetched it, or tried to.

    waiting ──> fetched | failed ──(fetch again)──> waiting
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        FETCHED = "fetched", "Fetched"
        FAILED = "failed", "Not fetched"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tender = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="+", db_index=False)
    organisation = models.ForeignKey("accounts.Organisation", on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=2000)
    url_digest = models.CharField(max_length=32, help_text="An index holds no 2,000 letters.")
    title = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=500, blank=True)
    filename = models.CharField(max_length=200, blank=True)
    content_type = models.CharField(max_length=100, blank=True, help_text="As its server says.")
    content = models.ForeignKey(StoredContent, null=True, on_delete=models.PROTECT, related_name="documents")
    fetched_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenderDocumentQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        # A tender's page; and two jobs at once make one row.
        constraints = [
            models.UniqueConstraint(fields=["tender", "organisation", "url_digest"], name="tender_document_once")
        ]

    def __str__(self) -> str:
        return self.filename or self.title or self.url
