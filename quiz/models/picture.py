"""Pictures that questions show."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from ..exchange.pictures import ENDINGS
from ..querysets import PictureQuerySet
from .bank import Bank


class Picture(models.Model):
    """A picture of a bank's questions, which name it by its digest. Whoever may see the bank may see it.

    The file is in the storage once for each content, however many banks have it; a bank has a row for each attachment
    in Airtable, so that none is fetched twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bank = models.ForeignKey(Bank, on_delete=models.CASCADE, related_name="pictures", db_index=False)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content, in hex digits.")
    media_type = models.CharField(max_length=10, choices=[(name, name) for name in ENDINGS])
    name = models.CharField(max_length=200, help_text="Of the file that it came in, without its folders.")
    source_id = models.CharField(max_length=40, blank=True, help_text="Of the attachment in Airtable: att…")
    size = models.PositiveIntegerField(help_text="In bytes.")
    width = models.PositiveIntegerField(help_text="In pixels.")
    height = models.PositiveIntegerField(help_text="In pixels.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PictureQuerySet.as_manager()

    class Meta:
        ordering = ["bank", "name"]
        constraints = [models.UniqueConstraint(fields=["digest", "bank", "source_id"], name="picture_once_a_source")]
        indexes = [
            # Which attachments a sync need not fetch.
            models.Index(fields=["bank", "source_id"], name="picture_source", condition=~models.Q(source_id="")),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> str:
        """In the storage."""
        return path_of(self.digest, self.media_type)


def path_of(digest: str, media_type: str) -> str:
    return f"quiz/pictures/{digest[:2]}/{digest}.{ENDINGS[media_type]}"
