"""What was asked for, counted: by hour and day, in windows for trends, and by question."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F
from django.utils import timezone

from accounts.models import Organisation

from ..querysets import AskedQuerySet, DeadSignalQuerySet, DemandQuerySet
from .entity import Entity


class DemandBucket(models.Model):
    """Signals of an entity in an hour (UTC). Older hours are rolled up to days; both together are its query_count."""

    pk = models.CompositePrimaryKey("entity_id", "hour")
    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="hours", db_index=False)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField()

    objects = DemandQuerySet.as_manager()

    class Meta:
        indexes = [BrinIndex(fields=["hour"], name="demand_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.count}"


class DemandDay(models.Model):
    """Signals of an entity on a day (UTC) whose hours were rolled up."""

    pk = models.CompositePrimaryKey("entity_id", "day")
    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="days", db_index=False)
    day = models.DateField()
    count = models.PositiveIntegerField()

    objects = DemandQuerySet.as_manager()

    class Meta:
        indexes = [BrinIndex(fields=["day"], name="demand_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


class DemandWindow(models.Model):
    """Signals of an entity in the last 1, 7 and 30 days and in as long before, for trends. Kept by the consumer, aged
    by a job; only of entities that were asked for in the last 60 days."""

    entity = models.OneToOneField(Entity, on_delete=models.CASCADE, primary_key=True, related_name="window")
    current_1d = models.PositiveIntegerField(default=0)
    previous_1d = models.PositiveIntegerField(default=0)
    growth_1d = models.FloatField(default=0, help_text="(current - previous) / sqrt(current + previous + 1)")
    current_7d = models.PositiveIntegerField(default=0)
    previous_7d = models.PositiveIntegerField(default=0)
    growth_7d = models.FloatField(default=0)
    current_30d = models.PositiveIntegerField(default=0)
    previous_30d = models.PositiveIntegerField(default=0)
    growth_30d = models.FloatField(default=0)
    as_of = models.DateTimeField(help_text="The hour at which the windows end.")

    objects = DemandQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(F("growth_1d").desc(), name="demand_growth_1d"),
            models.Index(F("growth_7d").desc(), name="demand_growth_7d"),
            models.Index(F("growth_30d").desc(), name="demand_growth_30d"),
            models.Index(fields=["as_of"], name="demand_window_age"),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id}: {self.current_1d} today"


class AskedQuestion(models.Model):
    """A question as people asked it on a day, told apart by its folded text; seen by the asker's organisation."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    folded = models.CharField(max_length=300)
    text = models.CharField(max_length=300, help_text="As it was asked last.")
    day = models.DateField()
    asked = models.PositiveIntegerField(default=0)
    unanswered = models.PositiveIntegerField(default=0, help_text="Times that nothing was found.")
    last_asked_at = models.DateTimeField(default=timezone.now)

    objects = AskedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "folded", "day"], name="asked_question_once", nulls_distinct=False
            )
        ]
        indexes = [models.Index(F("organisation"), F("day").desc(), name="asked_question_day")]

    def __str__(self) -> str:
        return self.text


class AppliedBatch(models.Model):
    """Which entries of a stream a transaction has counted: what Redis hands out again is recognised by it."""

    id = models.BigAutoField(primary_key=True)
    stream = models.CharField(max_length=80)
    first_ms = models.BigIntegerField()
    last_ms = models.BigIntegerField()
    entries = ArrayField(models.BigIntegerField(), help_text="Of each: milliseconds * 2^20 + sequence.")
    consumer = models.CharField(max_length=120)
    applied_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["stream", "last_ms"], name="applied_batch_range")]

    def __str__(self) -> str:
        return f"{self.stream} {self.first_ms}-{self.last_ms}"


class DeadSignal(models.Model):
    """An entry that can't be applied, and why. Kept until somebody has looked: it can be tried again."""

    class Reason(models.TextChoices):
        UNKNOWN_ENTITY = "unknown_entity", "No such entity"
        MALFORMED = "malformed", "Not a signal"
        FAILED = "failed", "Applying it failed"
        EXPIRED = "expired", "Too old"

    id = models.BigAutoField(primary_key=True)
    stream = models.CharField(max_length=80)
    entry_id = models.CharField(max_length=40)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    detail = models.CharField(max_length=500, blank=True)
    payload = models.JSONField(default=dict)
    deliveries = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True, help_text="Counted after all, or dropped.")

    objects = DeadSignalQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["stream", "entry_id"], name="dead_signal_once")]

    def __str__(self) -> str:
        return f"{self.stream} {self.entry_id}: {self.get_reason_display()}"
