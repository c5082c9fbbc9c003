"""Which tenders say the same as others: their fingerprints, and the pairs that were found by them."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from ..querysets import DuplicateQuerySet


class Fingerprint(models.Model):
    """The SimHash of a tender's words, as they were when it was taken (`content_hash`).

    Apart from the tender: writing it there would write each tender anew, with its entries in every index, the one of
    its words included. `source` and `published_at` are the tender's, so that an index alone finds the earlier ones.
    """

    tender = models.OneToOneField("tenders.Tender", on_delete=models.CASCADE, primary_key=True, related_name="+")
    source = models.ForeignKey("tenders.Source", on_delete=models.CASCADE, related_name="+", db_index=False)
    published_at = models.DateTimeField(help_text="The end of time where it is not stated.")
    mark = models.BigIntegerField(null=True, help_text="64 bits, signed; null: too short a text to be compared.")
    content_hash = models.CharField(max_length=32)

    class Meta:
        # The search for near ones: marks that differ in three bits agree in one of four bands. Earliest first.
        indexes = [
            models.Index(
                F("mark").bitrightshift(16 * band).bitand(0xFFFF),
                F("published_at"),
                F("tender"),
                name=f"fingerprint_band_{band}",
                condition=models.Q(mark__isnull=False),
            )
            for band in range(4)
        ]

    def __str__(self) -> str:
        return f"Fingerprint of {self.tender_id}"


class Duplicate(models.Model):
    """A tender that says what another one, published earlier, has said: at most one pair a source of the earlier one,
    since people see different sources."""

    later = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="earlier_ones", db_index=False)
    earlier = models.ForeignKey("tenders.Tender", on_delete=models.CASCADE, related_name="later_ones")
    source = models.ForeignKey("tenders.Source", on_delete=models.CASCADE, related_name="+", db_index=False)

    objects = DuplicateQuerySet.as_manager()

    class Meta:
        constraints = [
            # Finding pairs a second time; and a search without duplicates.
            models.UniqueConstraint(fields=["later", "source"], name="duplicate_once_a_source")
        ]

    def __str__(self) -> str:
        return f"{self.later_id} says what {self.earlier_id} said"
