"""Standards, their editions, and the clauses of each."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from ..querysets import ClauseQuerySet, EditionQuerySet, StandardQuerySet


class Standard(models.Model):
    """A code or norm, such as AWS D1.1. Without an organisation it is shared; with one, its members alone see it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(
        "accounts.Organisation", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    code = models.CharField(max_length=60, help_text="As it is cited: AWS D1.1.")
    title = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = StandardQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], nulls_distinct=False, name="standard_code")
        ]

    def __str__(self) -> str:
        return self.code


class Edition(models.Model):
    """A standard as published once: AWS D1.1 of 2025."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    standard = models.ForeignKey(Standard, on_delete=models.CASCADE, related_name="editions", db_index=False)
    name = models.CharField(max_length=60, help_text="2025, or whatever its publisher calls it.")
    published_on = models.DateField(null=True, blank=True)
    is_current = models.BooleanField(default=True, help_text="The one that questions are to cite.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["standard", F("published_on").desc(nulls_last=True), "-name"]
        constraints = [
            models.UniqueConstraint(fields=["standard", "name"], name="edition_name"),
            models.UniqueConstraint(fields=["standard"], condition=Q(is_current=True), name="edition_current"),
        ]

    def __str__(self) -> str:
        return f"{self.standard} ({self.name})"


class Clause(models.Model):
    """One numbered part of an edition. `text` only where the firm may hold it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="clauses", db_index=False)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="children")
    number = models.CharField(max_length=80, help_text="As cited, without the standard: 4.1.2, or 1013.4(f)(1).")
    title = models.CharField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    position = models.PositiveIntegerField(help_text="Place in the edition, from 1.")
    popularity = models.PositiveIntegerField(default=0, editable=False, help_text="Times it was asked for.")
    search = models.GeneratedField(
        expression=SearchVector("number", weight="A", config="simple")
        + SearchVector("title", weight="A", config="english")
        + SearchVector("text", weight="B", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = ClauseQuerySet.as_manager()

    class Meta:
        ordering = ["edition", "position"]
        constraints = [
            models.UniqueConstraint(fields=["edition", "number"], name="clause_number"),
            models.UniqueConstraint(
                fields=["edition", "position"], name="clause_position", deferrable=models.Deferrable.DEFERRED
            ),
        ]  # fmt: skip
        indexes = [
            GinIndex(fields=["search"], name="clause_search"),
            # "4.1" finds 4.1, 4.1.2, 4.10: beginnings of numbers.
            models.Index(fields=["number"], name="clause_number_prefix", opclasses=["varchar_pattern_ops"]),
            models.Index(F("popularity").desc(), name="clause_popular", condition=Q(popularity__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}".strip()
