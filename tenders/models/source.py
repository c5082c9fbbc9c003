"""Where notices come from, each time they came, and what of it could not be read."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone

from ..querysets import ImportQuerySet, RejectionQuerySet, SourceQuerySet


class Source(models.Model):
    """A publisher's file or address. Without an organisation it is shared: everybody who is signed in sees its
    tenders; with one, its members alone."""

    class Kind(models.TextChoices):
        UPLOAD = "upload", "Uploaded files"
        PATH = "path", "A file or folder on the server"
        URL = "url", "An https address"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="tender_sources"
    )
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.UPLOAD)
    location = models.CharField(max_length=500, blank=True, help_text="Path or https address.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, where the notices do not say.")
    mapping = models.JSONField(default=dict, blank=True, help_text="Of a table: field to column heading.")
    is_scheduled = models.BooleanField(default=False, help_text="Fetched by the schedule, every hour.")
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=60, blank=True, editable=False)
    cursor = models.CharField(
        max_length=500, blank=True, editable=False, help_text="Address of the next page to fetch."
    )
    last_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            # sync_tenders finds its source by name: shared ones, and each organisation's own.
            models.UniqueConstraint(fields=["organisation", "name"], nulls_distinct=False, name="tender_source_name")
        ]

    def __str__(self) -> str:
        return self.name


class Import(models.Model):
    """One reading of one file: how much there was, and how good it was.

    `fetched` = `created` + `updated` + `unchanged` + `rejected`, counted in releases, records or rows: `created` are
    those that brought a tender, `updated` those that changed one, `unchanged` those that had been stored before.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="imports", db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    filename = models.CharField(max_length=255)
    file = models.FileField(upload_to="tenders/%Y/%m/", blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    format = models.CharField(max_length=16, blank=True)
    job_id = models.UUIDField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    fetched = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    quality = models.JSONField(default=dict, help_text="Field: tenders that have it; flag: tenders that carry it.")
    error = models.CharField(max_length=500, blank=True, help_text="What ended the reading before the file's end.")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        # A source's page: its latest imports.
        indexes = [models.Index(F("source"), F("started_at").desc(), name="tender_import_newest")]

    def __str__(self) -> str:
        return f"{self.filename}, {self.started_at:%Y-%m-%d %H:%M}"


class Rejection(models.Model):
    """A record that could not be read, kept so that somebody can look, mend and read it again."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    imported_by = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    number = models.PositiveIntegerField(help_text="Of the record in the file, from 1.")
    offset = models.BigIntegerField(null=True, blank=True, help_text="Bytes from the start of the unpacked file.")
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True, help_text="The start of the record.")
    mended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RejectionQuerySet.as_manager()

    class Meta:
        ordering = ["imported_by", "number"]
        indexes = [
            # An import's page, in the order of the file.
            models.Index(fields=["imported_by", "number"], name="tender_rejection_of"),
            # A source's page: how many are open?
            models.Index(fields=["source", "mended_at"], name="tender_rejection_open"),
        ]

    def __str__(self) -> str:
        return f"no. {self.number}: {self.reason}"
