"""A document that supersedes another: only what differs becomes new rows; what is equal keeps its row and its audit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from .rows import COLUMNS, PositionSpool

STAGING = "incoming_position"
KEY = "old.object_code = new.object_code AND old.number = new.number"


def merge_into(*, project_id: UUID, spool: PositionSpool, version: int, replaces: UUID) -> None:
    """Within the caller's transaction, under the project's lock: positions of `replaces` become those of the spool.

    Matched by object code and number; matched rows keep their lineage, equal ones (content hash) are not touched, the
    others are closed and added anew; what the new document lacks is closed.
    """
    columns = ", ".join(COLUMNS)
    values: dict[str, Any] = {"project": project_id, "version": version, "replaces": replaces}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE {STAGING} (LIKE projects_position INCLUDING DEFAULTS) ON COMMIT DROP")
        cursor.execute(f"ALTER TABLE {STAGING} ALTER COLUMN id DROP NOT NULL, ALTER COLUMN lineage DROP NOT NULL")
    spool.copy(table=STAGING, version=version, after_ordinal=0)
    current = "old.project_id = %(project)s AND old.document_id = %(replaces)s AND old.removed_in IS NULL"
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {STAGING} SET lineage = NULL")
        cursor.execute(f"ANALYZE {STAGING}")
        cursor.execute(
            f"UPDATE {STAGING} new SET lineage = old.lineage, ordinal = old.ordinal FROM projects_position old"
            f" WHERE {current} AND {KEY}",
            values,
        )
        # Unchanged: drop the incoming row, keep the stored one; it now belongs to the newer document.
        cursor.execute(
            f"WITH same AS (DELETE FROM {STAGING} new USING projects_position old WHERE {current}"
            " AND old.lineage = new.lineage AND old.content_hash = new.content_hash AND old.section = new.section"
            " RETURNING old.id, new.document_id)"
            " UPDATE projects_position SET document_id = same.document_id FROM same"
            " WHERE projects_position.id = same.id",
            values,
        )
        cursor.execute(f"UPDATE projects_position old SET removed_in = %(version)s WHERE {current}", values)
        cursor.execute(
            f"INSERT INTO projects_position (added_in, ordinal, lineage, {columns})"
            f" SELECT added_in, ordinal, coalesce(lineage, gen_random_uuid()), {columns} FROM {STAGING}"
        )
