"""A document that supersedes another: only what differs becomes new rows; what is equal keeps its row and its audit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from .audit_places import forget_places
from .rows import COLUMNS, CONTENT, ORDINAL_GAP, PositionSpool

# Tables of the transaction: what comes, what is there, which of them are the same position, which rows stay.
TABLES = f"""
DROP TABLE IF EXISTS
  pg_temp.incoming_position, pg_temp.standing_position, pg_temp.pairing, pg_temp.kept, pg_temp.placed;
CREATE TEMP TABLE incoming_position ON COMMIT DROP AS
  SELECT added_in, ordinal, {", ".join(COLUMNS)} FROM projects_position WITH NO DATA;
CREATE TEMP TABLE standing_position ON COMMIT DROP AS
  SELECT id, lineage, ordinal, object_code, number, section, code, description, content_hash
  FROM projects_position
  WHERE project_id = %(project)s AND document_id = ANY(%(replaces)s) AND removed_in IS NULL;
CREATE TEMP TABLE pairing (old_id bigint, place bigint) ON COMMIT DROP;
CREATE TEMP TABLE kept (old_id bigint, place bigint) ON COMMIT DROP;
"""
# Who is whom, the surest first. Within equal keys the first is paired with the first, the second with the second.
STAGES = (
    (("object_code", "number", "section", "content_hash"), "true"),
    (("object_code", "number", "section", "code", "description"), "true"),
    (("object_code", "section", "content_hash"), "true"),  # numbered anew
    (("object_code", "section", "code", "description"), "true"),
    (("object_code", "number", "code"), "number <> ''"),
    (("object_code", "number"), "number <> ''"),
    (("object_code", "section", "code"), "code <> ''"),
)
PAIR = """
INSERT INTO pairing SELECT o.id, n.place FROM
  (SELECT s.id, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY s.ordinal, s.id) AS turn
   FROM standing_position s WHERE {condition} AND NOT EXISTS (SELECT FROM pairing p WHERE p.old_id = s.id)) o
JOIN
  (SELECT i.ordinal AS place, {keys}, row_number() OVER (PARTITION BY {keys} ORDER BY i.ordinal) AS turn
   FROM incoming_position i WHERE {condition} AND NOT EXISTS (SELECT FROM pairing p WHERE p.place = i.ordinal)) n
USING ({keys}, turn)
"""
# A category is given by people: a file that has none does not take it away.
SAME = ", ".join(f"{{0}}.{column}" for column in CONTENT if column != "category")
KEEP = f"""
INSERT INTO kept SELECT old.id, p.place FROM pairing p
JOIN projects_position old ON old.id = p.old_id JOIN incoming_position new ON new.ordinal = p.place
WHERE ROW({SAME.format("old")}) IS NOT DISTINCT FROM ROW({SAME.format("new")})
  AND new.category IN ('', old.category)
"""
# Kept rows belong to the newer document from now on, and are to be found where that has them.
ADOPT = """
UPDATE projects_position old SET document_id = new.document_id, source = new.source
FROM kept JOIN incoming_position new ON new.ordinal = kept.place
WHERE old.id = kept.old_id AND (old.document_id, old.source) IS DISTINCT FROM (new.document_id, new.source)
"""
# Paired ones stay where they were; a run of others is spread over the gap after the one before them.
PLACES = f"""
CREATE TEMP TABLE placed ON COMMIT DROP AS
WITH known AS (
  SELECT i.ordinal AS place, s.id AS old_id, s.ordinal AS stands,
    count(s.id) OVER (ORDER BY i.ordinal) AS run
  FROM incoming_position i LEFT JOIN pairing p ON p.place = i.ordinal LEFT JOIN standing_position s ON s.id = p.old_id
), runs AS (
  SELECT run, max(stands) AS anchor, count(*) FILTER (WHERE stands IS NULL) + 1 AS size FROM known GROUP BY run
), gaps AS (
  SELECT run, size, before.anchor, coalesce(
      (SELECT min(ordinal) FROM projects_position
       WHERE project_id = %(project)s AND removed_in IS NULL AND ordinal > before.anchor),
      before.anchor + size * {ORDINAL_GAP}) - before.anchor AS gap
  FROM runs CROSS JOIN LATERAL (SELECT coalesce(runs.anchor,
      (SELECT max(ordinal) FROM projects_position WHERE project_id = %(project)s AND removed_in IS NULL
       AND ordinal < coalesce((SELECT min(stands) FROM known), 9223372036854775807)), 0) AS anchor) before
)
SELECT place, old_id, coalesce(stands, gaps.anchor + gaps.gap
    * row_number() OVER (PARTITION BY run, stands IS NULL ORDER BY place) / gaps.size) AS ordinal
FROM known JOIN gaps USING (run)
"""
CLOSE = """
UPDATE projects_position old SET removed_in = %(version)s FROM standing_position s
WHERE old.id = s.id AND NOT EXISTS (SELECT FROM kept WHERE kept.old_id = s.id)
"""
TAKEN = [column for column in COLUMNS if column != "category"]
ADD = f"""
INSERT INTO projects_position (added_in, ordinal, lineage, category, {", ".join(TAKEN)})
SELECT %(version)s, p.ordinal, coalesce(old.lineage, gen_random_uuid()),
  coalesce(nullif(new.category, ''), old.category, ''), {", ".join(f"new.{column}" for column in TAKEN)}
FROM incoming_position new JOIN placed p ON p.place = new.ordinal LEFT JOIN projects_position old ON old.id = p.old_id
WHERE NOT EXISTS (SELECT FROM kept WHERE kept.place = new.ordinal) ORDER BY new.ordinal
"""


def merge_into(*, project_id: UUID, spool: PositionSpool, version: int, replaces: set[UUID]) -> bool:
    """Within the caller's transaction, under the project's lock: the positions of the documents `replaces` become
    those of the spool. Whether any row was closed or added.

    Matched in STAGES; matched rows keep their lineage, equal ones (every column of content) are not touched, the
    others are closed and added anew; what the new document lacks is closed.
    """
    forget_places(project_id=project_id)  # kept rows change hands
    values: dict[str, Any] = {"project": project_id, "version": version, "replaces": list(replaces)}
    with connection.cursor() as cursor:
        for statement in TABLES.split(";\n"):
            if statement.strip():
                cursor.execute(statement, values)
    spool.copy(table="incoming_position", version=version, after_ordinal=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE incoming_position, standing_position")
        for keys, condition in STAGES:
            cursor.execute(PAIR.format(keys=", ".join(keys), condition=condition))
            cursor.execute("ANALYZE pairing")
        cursor.execute(KEEP)
        cursor.execute("ANALYZE kept")
        cursor.execute(ADOPT)
        cursor.execute(PLACES, values)
        cursor.execute(CLOSE, values)
        closed = cursor.rowcount
        cursor.execute(ADD, values)
        return bool(closed or cursor.rowcount)
