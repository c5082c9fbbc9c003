"""The materialised view of projects by day and organisation; its unique index lets it be refreshed concurrently."""

from django.db import migrations

CREATE = """
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


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, "DROP MATERIALIZED VIEW project_analytics")]
