"""Scores of training calls added up by day, so that an organisation's figures need not read every score again."""

from __future__ import annotations

from django.db import models


class CriterionDay(models.Model):
    """What calls that came in on one day (UTC) got for one criterion, each by the grade that counts: a person's, else a
    model's, else the rules'. Made anew by services.training.figures when its day is named in StaleDay."""

    id = models.BigAutoField(primary_key=True)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    day = models.DateField()
    key = models.CharField(max_length=60)
    name = models.CharField(max_length=120, help_text="As the latest call of the day had it.")
    calls = models.PositiveIntegerField()
    total = models.PositiveBigIntegerField(help_text="Of their scores.")
    by_rule = models.PositiveIntegerField(default=0)
    by_model = models.PositiveIntegerField(default=0)
    by_human = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # A criterion's day once; the figures of a period, read from the index alone but for names.
            models.UniqueConstraint(fields=["organisation", "day", "key"], name="criterion_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.day}"


class StaleDay(models.Model):
    """Scores of this day have changed since CriterionDay was made of it. Written by triggers on scores and grades,
    whoever changes those; several times for one day, so that writers never wait for each other. It names its
    organisation without a foreign key: triggers write it while an organisation is being removed, too."""

    id = models.BigAutoField(primary_key=True)
    organisation_id = models.UUIDField()
    day = models.DateField()

    class Meta:
        indexes = [models.Index(fields=["organisation_id"], name="stale_day_of")]

    def __str__(self) -> str:
        return str(self.day)
