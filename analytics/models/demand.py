"""What was asked for, counted: by hour and day, in windows for trends, and by question."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Cast, Floor, Ln
from django.utils import timezone

from accounts.models import Organisation

from ..querysets import AskedQuerySet, DeadSignalQuerySet, DemandDayQuerySet, DemandQuerySet, EntityDemandQuerySet
from ..streams.trends import SPANS, TREND_LEAST, TREND_Z
from .entity import Entity

RANK_STEPS = 1  # of a doubled score
TREND_STEPS = 2  # of a growth e times as large


class DemandBucket(models.Model):
    """Signals of an entity in an hour (UTC). Older hours are rolled up to days; both together are its query_count.

    Without a constraint of the database: it would look up the entity anew for every row. Rows are written only under
    the lock of the entity's EntityDemand; what an entity leaves behind that is removed meanwhile goes at night.
    """

    pk = models.CompositePrimaryKey("entity_id", "hour")
    entity = models.ForeignKey(
        Entity, on_delete=models.CASCADE, related_name="hours", db_index=False, db_constraint=False
    )
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
    entity = models.ForeignKey(
        Entity, on_delete=models.CASCADE, related_name="days", db_index=False, db_constraint=False
    )
    day = models.DateField()
    count = models.PositiveIntegerField()

    objects = DemandDayQuerySet.as_manager()

    class Meta:
        indexes = [BrinIndex(fields=["day"], name="demand_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


def trend_step(span: str) -> models.GeneratedField:
    """Of what rises: its growth in steps, by its logarithm; null: it does not."""
    growth = F(f"growth_{span}")
    step = Cast(Floor(Ln(growth) * TREND_STEPS), models.IntegerField())
    rises = Q(**{f"growth_{span}__gte": TREND_Z, f"current_{span}__gte": TREND_LEAST})
    return models.GeneratedField(
        expression=Case(When(rises, then=step), default=None, output_field=models.IntegerField()),
        output_field=models.IntegerField(null=True),
        db_persist=True,
    )


class EntityDemand(models.Model):
    """What was asked for an entity: its rank, its counts, and windows for trends. A row from the first signal on.

    `rank` is the base-2 logarithm of the sum over its signals of 2^((t - origin) / half-life): it orders by decayed
    score at any time without being touched. `streams.scoring.score_at` makes the score of it. A window ends with the
    hour `DemandClock.windows_at`; `growth` is (current - previous) / sqrt(current + previous + 1). Organisation, type,
    `needs_update` and `refreshed_at` are copies of the entity's (services.windows.follow_entities). The steps, which
    the database makes, order like rank and growth, but coarsely: for indexes.
    """

    entity = models.OneToOneField(Entity, on_delete=models.CASCADE, primary_key=True, related_name="demand")
    organisation = models.ForeignKey(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    entity_type = models.CharField(max_length=20)
    rank = models.FloatField(default=0)
    query_count = models.BigIntegerField(default=0)
    first_queried_at = models.DateTimeField()
    last_queried_at = models.DateTimeField()
    current_1d = models.IntegerField(default=0)
    previous_1d = models.IntegerField(default=0)
    growth_1d = models.FloatField(default=0)
    current_7d = models.IntegerField(default=0)
    previous_7d = models.IntegerField(default=0)
    growth_7d = models.FloatField(default=0)
    current_30d = models.IntegerField(default=0)
    previous_30d = models.IntegerField(default=0)
    growth_30d = models.FloatField(default=0)
    needs_update = models.BooleanField(default=False)
    refreshed_at = models.DateTimeField()
    rank_step = models.GeneratedField(
        expression=Cast(Floor(F("rank") * RANK_STEPS), models.IntegerField()),
        output_field=models.IntegerField(),
        db_persist=True,
    )
    trend_1d = trend_step("1d")
    trend_7d = trend_step("7d")
    trend_30d = trend_step("30d")

    objects = EntityDemandQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "demand of entities"
        indexes = [
            # Organisation first: what others own, however much it is, is never walked over. Of what changes with every
            # signal nothing is indexed but steps, which seldom do: a row is then written without touching any index.
            models.Index(F("organisation"), F("rank_step").desc(), name="demand_top"),
            models.Index(F("organisation"), F("entity_type"), F("rank_step").desc(), name="demand_top_type"),
            # what is refreshed next.
            models.Index(
                F("organisation"), F("rank_step").desc(), name="demand_waiting", condition=Q(needs_update=True)
            ),
            *(
                models.Index(
                    F("organisation"),
                    F(f"trend_{span}").desc(),
                    name=f"demand_trend_{span}",
                    condition=Q(**{f"trend_{span}__isnull": False}),
                )
                for span in SPANS
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entity_id}: {self.query_count}"


class DemandClock(models.Model):
    """One row: where the windows end, in which frame ranks are, and what is known to be lost."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    windows_at = models.DateTimeField(help_text="The hour (UTC) with which the windows end.")
    half_life_days = models.FloatField(help_text="Of the ranks as they are stored.")
    lost = models.BigIntegerField(default=0, help_text="Entries not counted yet when Redis lost its data.")
    lost_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="demand_clock_one")]

    def __str__(self) -> str:
        return f"{self.windows_at:%Y-%m-%d %H}:00"


class DemandProof(models.Model):
    """What a nightly recount found: do hours and days add up to the counts, do windows and totals?"""

    id = models.BigAutoField(primary_key=True)
    checked_at = models.DateTimeField(default=timezone.now)
    entities = models.BigIntegerField(help_text="Whose counts were compared.")
    queries = models.BigIntegerField(help_text="Sum of query_count.")
    in_buckets = models.BigIntegerField(help_text="Sum of hours and days.")
    differing = models.IntegerField(help_text="Entities whose hours and days do not add up to their count.")
    windows_mended = models.IntegerField(default=0)
    totals_mended = models.IntegerField(default=0)
    examples = models.JSONField(default=list)
    took_ms = models.IntegerField(default=0)

    class Meta:
        ordering = ["-checked_at"]

    def __str__(self) -> str:
        return f"{self.checked_at:%Y-%m-%d}: {'adds up' if self.holds else f'{self.differing} differ'}"

    @property
    def holds(self) -> bool:
        return self.differing == 0 and self.queries == self.in_buckets


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
