"""What search keeps besides the entities."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import Organisation


class StoredVocabulary(models.Model):
    """The words of an organisation's own entities (none: of the shared ones) and how many hold each: a typo is never
    corrected to a word that others alone use."""

    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    documents = models.PositiveIntegerField()
    words = models.BinaryField(help_text="As search.vocabulary packs them.")
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "stored vocabularies"
        constraints = [
            models.UniqueConstraint(fields=["organisation"], name="vocabulary_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return f"{self.documents:,} entities"
