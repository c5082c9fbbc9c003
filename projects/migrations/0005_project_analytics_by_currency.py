"""A row of the analytics view is of one currency: an average over crowns and euros says nothing."""

from django.db import migrations, models

BEFORE = """
CREATE MATERIALIZED VIEW project_analytics AS
SELECT days.day || ':' || days.organisation_id AS id, days.day, days.organisation_id,
  count(*) FILTER (WHERE days.event = 'created') AS created,
  count(*) FILTER (WHERE days.event = 'completed') AS completed,
  round(avg(days.total_cost) FILTER (WHERE days.event = 'completed'), 2) AS average_cost
FROM (
  SELECT (created_at AT TIME ZONE 'UTC')::date AS day, organisation_id, 'created' AS event, total_cost
  FROM projects_project
  UNION ALL
  SELECT (completed_at AT TIME ZONE 'UTC')::date, organisation_id, 'completed', total_cost
  FROM projects_project WHERE completed_at IS NOT NULL
) days
GROUP BY days.day, days.organisation_id;
CREATE UNIQUE INDEX project_analytics_id ON project_analytics (id);
"""
AFTER = """
CREATE MATERIALIZED VIEW project_analytics AS
SELECT days.day || ':' || days.organisation_id || ':' || days.currency AS id,
  days.day, days.organisation_id, days.currency,
  count(*) FILTER (WHERE days.event = 'created') AS created,
  count(*) FILTER (WHERE days.event = 'completed') AS completed,
  round(avg(days.total_cost) FILTER (WHERE days.event = 'completed'), 2) AS average_cost
FROM (
  SELECT (created_at AT TIME ZONE 'UTC')::date AS day, organisation_id, currency, 'created' AS event, total_cost
  FROM projects_project
  UNION ALL
  SELECT (completed_at AT TIME ZONE 'UTC')::date, organisation_id, currency, 'completed', total_cost
  FROM projects_project WHERE completed_at IS NOT NULL
) days
GROUP BY days.day, days.organisation_id, days.currency;
CREATE UNIQUE INDEX project_analytics_id ON project_analytics (id);
CREATE INDEX project_analytics_org_day ON project_analytics (organisation_id, day);
"""
DROP = "DROP MATERIALIZED VIEW project_analytics;"


class Migration(migrations.Migration):
    dependencies = [("projects", "0004_verdict_order")]

    operations = [
        migrations.RunSQL(DROP + AFTER, DROP + BEFORE),
        migrations.AddField(  # in the state only: the table is not Django's
            "projectanalytics", "currency", models.CharField(default="", max_length=3), preserve_default=False
        ),
    ]
