"""A folder against the tables: project field by field, positions figure by figure, documents by digest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from ...filestore.project import OlderProject
from ...filestore.snapshot import POSITIONS, PROJECT
from ...models import Document, FileProject, Project
from ..rows import CONTENT
from .bringing import OLDER_POSITIONS, sha256_of
from .reading import TABLE, Folder, spooled, stage

MOST = 50  # differences that are told one by one; the rest is counted
PROJECT_FIELDS = ("name", "description", "workflow", "currency", "budget_on", "is_archived")
# By object and number; equal ones in their order, since a budget may hold a number twice.
PAIRED = f"""
CREATE TEMP TABLE filestore_pair ON COMMIT DROP AS
SELECT t.id AS table_id, f.id AS file_id, t.ordinal AS table_place, f.ordinal AS file_place
FROM (SELECT id, ordinal, object_code, number,
        row_number() OVER (PARTITION BY object_code, number ORDER BY ordinal, id) AS turn
      FROM projects_position WHERE project_id = %s AND removed_in IS NULL) t
FULL JOIN (SELECT id, ordinal, object_code, number,
        row_number() OVER (PARTITION BY object_code, number ORDER BY ordinal, id) AS turn FROM {TABLE}) f
  USING (object_code, number, turn)
"""
FIGURES = ", ".join(
    f"'{name}', CASE WHEN t.{name} IS DISTINCT FROM f.{name} THEN jsonb_build_array(f.{name}, t.{name}) END"
    for name in CONTENT
)
DIFFERING = f"""
SELECT coalesce(t.object_code, f.object_code), coalesce(t.number, f.number), t.id IS NULL, f.id IS NULL,
  CASE WHEN t.id IS NOT NULL AND f.id IS NOT NULL THEN jsonb_strip_nulls(jsonb_build_object({FIGURES})) END,
  count(*) OVER ()
FROM filestore_pair p LEFT JOIN projects_position t ON t.id = p.table_id LEFT JOIN {TABLE} f ON f.id = p.file_id
WHERE t.id IS NULL OR f.id IS NULL
  OR ROW({", ".join(f"t.{name}" for name in CONTENT)})
    IS DISTINCT FROM ROW({", ".join(f"f.{name}" for name in CONTENT)})
ORDER BY coalesce(f.ordinal, t.ordinal), t.id LIMIT {MOST}
"""
MOVED = """
SELECT count(*) FROM (
  SELECT row_number() OVER (ORDER BY table_place) AS there, row_number() OVER (ORDER BY file_place) AS here
  FROM filestore_pair WHERE table_id IS NOT NULL AND file_id IS NOT NULL) p WHERE there <> here
"""


@dataclass(slots=True)
class Comparison:
    """Each of `differences`: what ("field", "position", "positions", "file", "document"), where, files, tables."""

    differences: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


def compare(folder: Folder, known: FileProject) -> Comparison:
    """All of it, read only. Raises StoreError if the folder can't be read."""
    found = Comparison()
    assert known.project_id is not None
    project = Project.objects.get(pk=known.project_id)
    _compare_fields(folder, told_by(project, known), found)
    _compare_files(folder, known, project.pk, found)
    with transaction.atomic():
        _compare_positions(folder, project.pk, found)
    return found


def told_by(project: Project, known: FileProject) -> OlderProject:
    """The project as project.json would say it. A currency that positions.json alone names is not repeated there."""
    contents = known.contents
    is_there = not contents.get("currency") and project.currency == contents.get("positions_currency")
    return OlderProject(
        legacy_id=known.legacy_id,
        name=project.name,
        workflow=project.workflow,
        description=project.description,
        currency="" if is_there else project.currency,
        budget_on=project.budget_on,
        created_at=project.created_at,
        is_archived=project.status == Project.Status.ARCHIVED,
    )


def _compare_fields(folder: Folder, in_tables: OlderProject, found: Comparison) -> None:
    in_files = folder.read.project
    for name in PROJECT_FIELDS:
        file, table = getattr(in_files, name), getattr(in_tables, name)
        if file != table:
            found.differences.append({"what": "field", "field": name, "files": _plain(file), "tables": _plain(table)})


def _compare_files(folder: Folder, known: FileProject, project_id: UUID, found: Comparison) -> None:
    """What the folder holds against what was taken, and against the documents there are now, by digest.

    project.json and positions.json are compared by what they say."""
    said = {PROJECT, known.contents.get("positions_path") or POSITIONS[0]}
    taken = {row["path"]: row for row in known.contents.get("files", []) if row["path"] not in said}
    there = {file.path: file.sha256 for file in folder.snapshot.files if file.path not in said}
    documents = list(Document.objects.filter(project_id=project_id))
    digests = {document.sha256 for document in documents}
    for path in sorted(taken.keys() | there.keys()):
        table, file = taken[path]["sha256"] if path in taken else None, there.get(path)
        came_here = table is None and file in digests  # an upload that was written back
        if file != table and not came_here:
            found.differences.append({"what": "file", "path": path, "files": file, "tables": table})
    _compare_documents(documents, taken, {*there.values()}, found)
    found.counts |= {"files": len(there), "documents": len(documents)}


def _compare_documents(
    documents: list[Document], taken: dict[str, dict[str, Any]], there: set[str], found: Comparison
) -> None:
    for path, row in taken.items():
        if row["document"] and row["document"] not in {str(document.pk) for document in documents}:
            found.differences.append({"what": "document", "path": path, "files": row["sha256"], "tables": None})
    in_folder = there | {row["sha256"] for row in taken.values()}
    for document in documents:
        name, stored = document.original_filename, _stored(document)
        if stored != document.sha256:
            found.differences.append({"what": "document", "path": name, "files": document.sha256, "tables": stored})
        elif document.sha256 not in in_folder and not document.extracted_data.get(OLDER_POSITIONS):
            found.differences.append({"what": "document", "path": name, "only_in": "tables"})


def _stored(document: Document) -> str:
    try:
        return sha256_of(document.file.storage, str(document.file.name))
    except OSError as error:
        return f"can't be read: {error.strerror or error}"


def _compare_positions(folder: Folder, project_id: UUID, found: Comparison) -> None:
    with connection.cursor() as cursor:
        count = "SELECT count(*) FROM projects_position WHERE project_id = %s AND removed_in IS NULL"
        cursor.execute(count, [project_id])
        in_tables = cursor.fetchone()[0]
    with spooled(folder, project_id=project_id) as positions:
        in_files = positions.spool.count if positions else 0
        found.counts |= {"positions_in_files": in_files, "positions_in_tables": in_tables}
        if positions is None or not (in_files or in_tables):
            if in_tables:
                found.differences.append({"what": "positions", "files": 0, "tables": in_tables})
            return
        stage(positions)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.filestore_pair")
        cursor.execute(PAIRED, [project_id])
        cursor.execute("ANALYZE filestore_pair")
        cursor.execute(DIFFERING)
        rows = cursor.fetchall()
        cursor.execute(MOVED)
        moved = cursor.fetchone()[0]
    found.differences += [_position(row) for row in rows]
    if rows and rows[0][-1] > MOST:
        found.differences.append({"what": "positions", "differing": rows[0][-1], "told": MOST})
    if moved:
        found.differences.append({"what": "positions", "in_another_order": moved})


def _position(row: tuple[Any, ...]) -> dict[str, Any]:
    object_code, number, only_in_files, only_in_tables, figures, _ = row
    told: dict[str, Any] = {"what": "position", "object": object_code, "number": number}
    if only_in_files or only_in_tables:
        return told | {"only_in": "files" if only_in_files else "tables"}
    values = json.loads(figures) if isinstance(figures, str) else figures
    return told | {"files": {k: v[0] for k, v in values.items()}, "tables": {k: v[1] for k, v in values.items()}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool | None) else str(value)
