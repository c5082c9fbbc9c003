"""Tenders, and each publication that they are compiled from."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from ..querysets import TenderQuerySet, TenderReleaseQuerySet
from .received import ReceivedJSON


class Tender(models.Model):
    """What is asked for, compiled from everything that was published of it.

    Written by services.importing alone, in bulk, keyed by (source, key); `content_hash` is of the fields that people
    and analysers read, so that a release which changes none of them leaves `changed_at` as it was. What it is found
    and sorted by stands in TenderIndex: lists of many go by its columns and indexes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # This and the keys of releases are checked by statement, not by row: migrations/0004_references_in_bulk.
    source = models.ForeignKey(
        "tenders.Source", on_delete=models.CASCADE, related_name="tenders", db_index=False, db_constraint=False
    )
    key = models.CharField("ocid", max_length=300, help_text="What all publications of it share.")
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    language = models.CharField(max_length=2, blank=True, help_text="ISO 639-1; empty: not stated.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 alpha-2; empty: not stated.")
    buyer_name = models.CharField(max_length=300, blank=True)
    buyer_id = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=40, blank=True)
    procedure = models.CharField(max_length=40, blank=True)
    category = models.CharField(max_length=40, blank=True)
    cpv_main = models.CharField("main CPV", max_length=8, blank=True)
    cpv_codes = models.JSONField("CPV", default=list, blank=True)
    unspsc_codes = models.JSONField("UNSPSC", default=list, blank=True)
    value_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True, blank=True)
    value_currency = models.CharField(max_length=3, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    regions = models.JSONField(default=list, blank=True)
    documents = models.JSONField(default=list, blank=True, help_text="[{title, url, format, document_type}, …]")
    lots = models.JSONField(default=list, blank=True)
    flags = models.JSONField(default=list, blank=True, help_text="What to know before relying on it.")
    releases_count = models.PositiveIntegerField(default=1)
    content_hash = models.CharField(max_length=32)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenderQuerySet.as_manager()

    class Meta:
        ordering = ["-published_at", "-id"]
        constraints = [
            # The import's upsert.
            models.UniqueConstraint(fields=["source", "key"], name="tender_once")
        ]

    def __str__(self) -> str:
        return self.title


class TenderRelease(models.Model):
    """One publication, as received. Never changed."""

    tender = models.ForeignKey(
        Tender, on_delete=models.CASCADE, related_name="releases", db_index=False, db_constraint=False
    )
    release_id = models.CharField(max_length=300)
    date_stated = models.CharField(max_length=60, blank=True)
    published_at = models.DateTimeField(null=True, blank=True)
    tags = models.JSONField(default=list)
    digest = models.CharField(max_length=32, help_text="Of the release as received.")
    raw = ReceivedJSON()
    imported_by = models.ForeignKey(
        "tenders.Import",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    received_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenderReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["published_at", "id"]
        constraints = [
            # The import: of the same release twice, the second is "unchanged". Also finds all releases of a tender.
            models.UniqueConstraint(fields=["tender", "digest"], name="tender_release_once")
        ]

    def __str__(self) -> str:
        return self.release_id
