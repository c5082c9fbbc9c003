"""Practice of what cites one clause."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("quiz", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="clause",
            field=models.ForeignKey(
                blank=True,
                help_text="What was practised, where it was one clause.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="quiz.clause",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="category",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: questions of all categories (review, practice of a clause).",
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="attempts",
                to="quiz.category",
            ),
        ),
    ]
