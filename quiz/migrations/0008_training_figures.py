"""Scores by day and criterion; which days are stale is written by triggers, whoever writes scores. And the organisation's
calls by time carry what its figures read, so that they are counted from the index alone."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F

TRIGGERS = """
CREATE FUNCTION quiz_scores_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quiz_staleday (organisation_id, day)
  SELECT DISTINCT s.organisation_id, (s.created_at AT TIME ZONE 'UTC')::date
  FROM touched t JOIN quiz_sessiongrade g ON g.id = t.grade_id JOIN quiz_trainingsession s ON s.id = g.session_id;
  RETURN NULL;
END $$;
CREATE TRIGGER quiz_scores_arrived AFTER INSERT ON quiz_gradescore REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION quiz_scores_touched();
CREATE TRIGGER quiz_scores_changed AFTER UPDATE ON quiz_gradescore REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION quiz_scores_touched();
CREATE TRIGGER quiz_scores_removed AFTER DELETE ON quiz_gradescore REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION quiz_scores_touched();

-- Which of its grades counts.
CREATE FUNCTION quiz_grades_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO quiz_staleday (organisation_id, day)
  SELECT DISTINCT s.organisation_id, (s.created_at AT TIME ZONE 'UTC')::date
  FROM touched t JOIN quiz_trainingsession s ON s.id = t.session_id;
  RETURN NULL;
END $$;
CREATE TRIGGER quiz_grades_changed AFTER UPDATE ON quiz_sessiongrade REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION quiz_grades_touched();

INSERT INTO quiz_staleday (organisation_id, day)
SELECT DISTINCT organisation_id, (created_at AT TIME ZONE 'UTC')::date FROM quiz_trainingsession;
"""
WITHOUT_TRIGGERS = """
DROP TRIGGER quiz_scores_arrived ON quiz_gradescore;
DROP TRIGGER quiz_scores_changed ON quiz_gradescore;
DROP TRIGGER quiz_scores_removed ON quiz_gradescore;
DROP TRIGGER quiz_grades_changed ON quiz_sessiongrade;
DROP FUNCTION quiz_scores_touched();
DROP FUNCTION quiz_grades_touched();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("quiz", "0007_assignment_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name="CriterionDay",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("key", models.CharField(max_length=60)),
                ("name", models.CharField(help_text="As the latest call of the day had it.", max_length=120)),
                ("calls", models.PositiveIntegerField()),
                ("total", models.PositiveBigIntegerField(help_text="Of their scores.")),
                ("by_rule", models.PositiveIntegerField(default=0)),
                ("by_model", models.PositiveIntegerField(default=0)),
                ("by_human", models.PositiveIntegerField(default=0)),
                (
                    "organisation",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organisation", "day", "key"), name="criterion_day_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="StaleDay",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("organisation_id", models.UUIDField()),
                ("day", models.DateField()),
            ],
            options={"indexes": [models.Index(fields=["organisation_id"], name="stale_day_of")]},
        ),
        migrations.RemoveIndex("trainingsession", "session_newest"),
        migrations.AddIndex(
            "trainingsession",
            models.Index(
                "organisation",
                F("created_at").desc(),
                name="session_newest",
                include=("user", "status", "closed_at", "overall"),
            ),
        ),
        migrations.RunSQL(TRIGGERS, WITHOUT_TRIGGERS),
    ]
