"""What people may look for: one row for each thing that an app has registered, with its text and its demand."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from pgvector.django import HalfVectorField

from accounts.models import Organisation

from ..querysets import EntityQuerySet

DIMENSIONS = 256  # of every embedding; a model with other lengths is folded or cut to it


class Entity(models.Model):
    """A thing of some app (`source`, `source_id`), as it was when last refreshed from there.

    Seen by everybody who is signed in if it belongs to no organisation, else by that organisation's members.
    What was asked for is counted in `EntityDemand`, a narrow row beside it: each signal would have to touch every index
    of this one, words and meaning included.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entity_type = models.CharField(max_length=20, help_text='As its source names it: "clause", "tender".')
    source = models.CharField(max_length=40, help_text='Who refreshes it: "quiz.clause".')
    source_id = models.CharField(max_length=64, help_text="Its key there.")
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(max_length=300)
    code = models.CharField(max_length=120, blank=True, help_text='Normalised number or code: "4.1.2". Exact first.')
    url = models.CharField(max_length=300, blank=True, help_text="Path of its page.")
    text = models.TextField(blank=True, help_text="What is searched and quoted.")
    data = models.JSONField(default=dict)
    content_hash = models.CharField(max_length=32, editable=False, help_text="Of name, code, text and data.")
    search = SearchVectorField(null=True, editable=False, help_text="Empty: words not indexed yet.")
    embedding = HalfVectorField(dimensions=DIMENSIONS, null=True, editable=False)
    model_version = models.CharField(max_length=60, blank=True, help_text="Which model made the embedding.")

    demand_score = models.FloatField(
        default=0, help_text="EntityDemand.rank as it was within the last hours: for ordering what a search finds."
    )
    needs_update = models.BooleanField(default=False)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, help_text="When it was last refreshed from its source.")

    objects = EntityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entities"
        ordering = ["-demand_score", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="entity_once")]
        indexes = [
            # what a search finds first of a word that is everywhere; the id parts ties.
            models.Index(F("demand_score").desc(), F("id"), name="entity_wanted"),
            models.Index(F("entity_type"), F("demand_score").desc(), F("id"), name="entity_wanted_type"),
            # the hourly job copies these to EntityDemand; reindexing takes them first.
            models.Index(fields=["updated_at"], name="entity_waiting", condition=Q(needs_update=True)),
            models.Index(fields=["code"], name="entity_code", condition=~Q(code="")),
            GinIndex(fields=["search"], name="entity_words"),
        ]

    def __str__(self) -> str:
        return self.name


class EntityTotal(models.Model):
    """Sums over the entities of an organisation (none: shared ones) and a type: counting a million takes too long."""

    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    entity_type = models.CharField(max_length=20)
    entities = models.BigIntegerField(default=0)
    queries = models.BigIntegerField(default=0)
    with_demand = models.BigIntegerField(default=0, help_text="Asked for at least once.")
    needing_update = models.BigIntegerField(default=0)
    demand = models.FloatField(default=0, help_text="Sum of the scores as of `demand_at`.")
    demand_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "entity_type"], name="entity_total_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.entity_type}: {self.entities}"


class EmbeddingModel(models.Model):
    """A model of meaning fitted on the own corpus: what a process needs to place a question beside the entities."""

    version = models.CharField(primary_key=True, max_length=60)
    kind = models.CharField(max_length=20, help_text='"svd": hashed TF-IDF and a truncated SVD.')
    parameters = models.BinaryField(help_text="As the kind stores them.")
    fitted_on = models.PositiveIntegerField(help_text="Entities.")
    is_current = models.BooleanField(default=False)
    fitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-fitted_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"], name="embedding_model_one_current", condition=Q(is_current=True)
            )
        ]

    def __str__(self) -> str:
        return self.version
