"""What the loop of demand remembers."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0004_models_that_know_their_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefreshSetback",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("source", models.CharField(max_length=40)),
                (
                    "source_id",
                    models.CharField(
                        blank=True, help_text="Empty: the source's own way of refreshing.", max_length=64
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=1, help_text="In a row.")),
                ("error", models.CharField(max_length=300)),
                ("failed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("wait_until", models.DateTimeField()),
            ],
            options={
                "ordering": ["-failed_at"],
                "constraints": [models.UniqueConstraint(fields=("source", "source_id"), name="refresh_setback_once")],
            },
        ),
        migrations.CreateModel(
            name="DemandSpike",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("hour", models.DateTimeField()),
                ("count", models.PositiveIntegerField(help_text="Signals of the hour.")),
                ("expected", models.FloatField(help_text="Signals, as of the hours before.")),
                ("z", models.FloatField(help_text="Standard deviations above, on square roots.")),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "is_told",
                    models.BooleanField(
                        default=False,
                        help_text="No: few signals, told of another hour shortly before, or notices are turned off.",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="spikes",
                        to="analytics.entity",
                    ),
                ),
            ],
            options={
                "ordering": ["-hour"],
                "indexes": [models.Index(fields=["hour"], name="demand_spike_hour")],
                "constraints": [models.UniqueConstraint(fields=("entity", "hour"), name="demand_spike_once")],
            },
        ),
    ]
