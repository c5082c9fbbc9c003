"""The current positions as `positions.json`: the bytes as they came where nothing differs, else entry by entry."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.db import connection

from ...filestore.entries import StoredPosition, entry_of, says_number, written_entries
from ...filestore.places import OURS, StoreError, check_path
from ...filestore.positions import read_entries
from ...models import Document, FileProject, Project
from ..rows import CONTENT
from .reading import TABLE, spooled_file, stage

FOLDERS = {"bill": "vykaz_vymer", "drawing": "vykresy", "specification": "dokumentace", "other": "other"}
PLACE = re.compile(r"positions\[(\d+)\]")
FIELDS = tuple(StoredPosition.__dataclass_fields__)  # `measure` is the last
STORED = ", ".join(f"p.{name}" for name in FIELDS)
DIFFERS = f"""ROW({", ".join(f"p.{name}" for name in CONTENT)})
  IS DISTINCT FROM ROW({", ".join(f"f.{name}" for name in CONTENT)})"""
FROM = f"""
FROM projects_position p LEFT JOIN {TABLE} f ON f.source = p.source AND p.document_id = f.document_id
WHERE p.project_id = %s AND p.removed_in IS NULL
"""
CHANGED = f"""
SELECT count(*), count(*) FILTER (WHERE id IS NULL OR differs OR place < before) FROM (
  SELECT f.id, {DIFFERS} AS differs, f.ordinal AS place, lag(f.ordinal) OVER (ORDER BY p.ordinal, p.id) AS before {FROM}
) rows
"""
ROWS = f"SELECT f.source, {DIFFERS}, {STORED} {FROM} ORDER BY p.ordinal, p.id"
ALONE = f"""
SELECT NULL, true, {STORED} FROM projects_position p
WHERE p.project_id = %s AND p.removed_in IS NULL ORDER BY p.ordinal, p.id
"""


@dataclass(frozen=True, slots=True)
class Base:
    """The file that the positions came from."""

    entries: list[Any]
    outer: dict[str, Any]
    name: str  # of the list; "" where nothing is around it


def write_positions(*, project: Project, known: FileProject, documents: dict[str, Document], into: IO[bytes]) -> bool:
    """In the caller's transaction, under the project's lock. False: there is nothing to write, and there was no file.

    Raises StoreError("damaged") if the file that they came from is gone or unreadable."""
    came_as = known.contents.get("positions")
    if not came_as:
        if project.total_positions:
            named = {"project_id": known.legacy_id, "total_positions": project.total_positions, "positions": []}
            _write(into, _rows(ALONE, project.pk), Base([], named, "positions"), project)
        return bool(project.total_positions)
    document = documents.get(came_as)
    if document is None:
        raise StoreError("The document with the older positions has been deleted here.", code="damaged")
    with tempfile.NamedTemporaryFile(prefix="positions-") as local:
        with document.file.open("rb") as stored:
            shutil.copyfileobj(stored, local)
        local.seek(0)
        if _is_unchanged(local, project.pk, document.pk):
            local.seek(0)
            shutil.copyfileobj(local, into)
        else:
            _write(into, _rows(ROWS, project.pk), Base(*read_entries(Path(local.name))), project)
    return True


def _is_unchanged(file: IO[bytes], project_id: UUID, document_id: UUID) -> bool:
    """Whether the current positions are what the file says, in its order. Leaves them staged."""
    with spooled_file(file, project_id, document_id) as positions:
        stage(positions)
        count = positions.spool.count
    with connection.cursor() as cursor:
        cursor.execute(CHANGED, [project_id])
        rows, changed = cursor.fetchone()
    return bool(rows == count and changed == 0)


def _rows(query: str, project_id: UUID) -> Iterator[tuple[str | None, bool, StoredPosition]]:
    with connection.cursor() as cursor:
        cursor.execute(query, [project_id])
        while rows := cursor.fetchmany(2000):
            for source, differs, *values, measure in rows:
                lines = json.loads(measure) if isinstance(measure, str) else measure
                yield source, differs, StoredPosition(*(*values, lines))


def _write(
    into: IO[bytes], rows: Iterator[tuple[str | None, bool, StoredPosition]], base: Base, project: Project
) -> None:
    outer = dict(base.outer)
    for name in ("total_positions", "positions_count"):
        if type(outer.get(name)) is int:
            outer[name] = project.total_positions
    for name in ("total_cost", "total_price"):
        if outer.get(name):
            outer[name] = project.total_cost
    for chunk in written_entries(_entries(rows, base.entries), outer, base.name):
        into.write(chunk)


def _entries(rows: Iterator[tuple[str | None, bool, StoredPosition]], came: list[Any]) -> Iterator[Any]:
    """Each as it came where it still says the same; what is no position at all stands at the end."""
    for source, differs, row in rows:
        place = PLACE.fullmatch(source) if source else None
        like = came[int(place[1])] if place else None
        is_kept = like is not None and not differs and says_number(like, row.number)
        yield like if is_kept else entry_of(row, like)
    yield from (entry for entry in came if not isinstance(entry, dict))


def path_for(document: Document, taken: set[str]) -> tuple[str, str]:
    """Where a document that came here goes to, under its own name, and the older system's word for its kind."""
    word = FOLDERS.get(document.kind, "other")
    name = document.original_filename.replace("/", "_").replace("\\", "_").strip()
    if name in ("", ".", "..") or name.startswith(OURS) or not name.isprintable():
        name = f"document-{document.pk}"
    path, turn = f"raw/{word}/{name}", 1
    while path in taken:
        turn += 1
        path = f"raw/{word}/{turn}/{name}"
    return check_path(path), word
