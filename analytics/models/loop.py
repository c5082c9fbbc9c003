"""What the loop of demand remembers: what could not be refreshed, and hours in which something was asked for far more
than usual."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from .entity import Entity


class RefreshSetback(models.Model):
    """A thing of a source (or the source itself: `source_id` empty) that could not be refreshed is left alone until
    `wait_until`, twice as long after each failure in a row. The row goes with the first success."""

    id = models.BigAutoField(primary_key=True)
    source = models.CharField(max_length=40)
    source_id = models.CharField(max_length=64, blank=True, help_text="Empty: the source's own way of refreshing.")
    failures = models.PositiveIntegerField(default=1, help_text="In a row.")
    error = models.CharField(max_length=300)
    failed_at = models.DateTimeField(default=timezone.now)
    wait_until = models.DateTimeField()

    class Meta:
        ordering = ["-failed_at"]
        # The choice of what to refresh next asks for each candidate; a failure is written by it.
        constraints = [models.UniqueConstraint(fields=["source", "source_id"], name="refresh_setback_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.source_id}".strip()


class DemandSpike(models.Model):
    """An hour (UTC) far above those before. Found once: the constraint decides who of several finders tells of it."""

    id = models.BigAutoField(primary_key=True)
    entity = models.ForeignKey(Entity, on_delete=models.CASCADE, related_name="spikes", db_index=False)
    hour = models.DateTimeField()
    count = models.PositiveIntegerField(help_text="Signals of the hour.")
    expected = models.FloatField(help_text="Signals, as of the hours before.")
    z = models.FloatField(help_text="Standard deviations above, on square roots.")
    found_at = models.DateTimeField(default=timezone.now)
    is_told = models.BooleanField(
        default=False, help_text="No: few signals, told of another hour shortly before, or notices are turned off."
    )

    class Meta:
        ordering = ["-hour"]
        constraints = [models.UniqueConstraint(fields=["entity", "hour"], name="demand_spike_once")]
        indexes = [models.Index(fields=["hour"], name="demand_spike_hour")]  # old ones go by it

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H}: {self.count}"
