"""What the search reads of tenders, apart from them: words, and the columns that it narrows, sorts and counts by."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F


class TenderIndex(models.Model):
    """A tender as the search knows it. Written by services.indexing, after the import; columns are those of the tender.

    Apart from it, so that making words writes no tender anew, and that counting reads little. It is there from the
    making of its words until the tender changes or goes: triggers remove it then (migrations/0006_index), whoever
    writes. So it never says what its tender does not; and what has none yet is not found.
    """

    tender = models.OneToOneField(
        "tenders.Tender", on_delete=models.DO_NOTHING, primary_key=True, related_name="index", db_constraint=False
    )
    source = models.ForeignKey(
        "tenders.Source", on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    country = models.CharField(max_length=2, blank=True)
    cpv_main = models.CharField(max_length=8, blank=True)
    buyer_name = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=40, blank=True)
    value_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    value_currency = models.CharField(max_length=3, blank=True)
    published_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    words = SearchVectorField(help_text="Of title (A), buyer and key (B), description (C).")
    buyer_words = SearchVectorField(help_text="Of the buyer's name alone: an index of words knows no weights.")

    class Meta:
        indexes = [
            # Words in title, description, buyer; and the buyer's own.
            GinIndex(fields=["words"], name="index_words"),
            GinIndex(fields=["buyer_words"], name="index_buyer_words"),
            # The list as it opens, and by deadline; the last column breaks ties for cursors.
            models.Index(F("published_at").desc(nulls_last=True), F("tender").desc(), name="index_newest"),
            models.Index(F("deadline_at").asc(nulls_last=True), F("tender").desc(), name="index_deadline"),
            # Narrowed by one of these, then newest first.
            models.Index(F("source"), F("published_at").desc(nulls_last=True), name="index_source"),
            models.Index(F("country"), F("published_at").desc(nulls_last=True), name="index_country"),
            models.Index(F("cpv_main"), F("published_at").desc(nulls_last=True), name="index_cpv"),
            # A range of values, which may hold few: else all tenders would be looked through for them.
            models.Index(fields=["value_amount"], name="index_value"),
            # What came in since: rows are written in this order, more or less.
            BrinIndex(fields=["created_at"], name="index_created"),
        ]

    def __str__(self) -> str:
        return f"Index of {self.tender_id}"


class Unindexed(models.Model):
    """A tender that waits for its words: it is new, or it has changed. Triggers note it (migrations/0006_index)."""

    tender = models.OneToOneField(
        "tenders.Tender", on_delete=models.DO_NOTHING, primary_key=True, related_name="unindexed", db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.tender_id} waits for its words"
