"""What a folder says, before anything is stored: its project, its positions in a spool, its older audit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection

from ...filestore.places import StoreError
from ...filestore.positions import OlderBill, read_positions
from ...filestore.project import ReadProject, read_project
from ...filestore.snapshot import AUDIT, PROJECT, Snapshot, snapshot
from ...filestore.verdicts import read_verdicts
from ...models import Document
from ...parsers.bill import Rounding
from ...parsers.reconcile import Reconciler, Reconciliation
from ..rows import PositionSpool
from .bringing import content_of, copied, document_id

TABLE = "filestore_position"
CATEGORIES = """
UPDATE {table} p SET category = v.category
FROM unnest(%s::text[], %s::text[]) v(source, category) WHERE p.document_id = %s AND p.source = v.source
"""


@dataclass(slots=True)
class Positions:
    """Read to the end: encoded in the spool, reconciled."""

    spool: PositionSpool
    older: OlderBill
    reconciliation: Reconciliation
    document_id: UUID

    def name_categories(self, table: str) -> None:
        """Set what people gave the positions, in the rows that `spool.copy` has written to `table`."""
        found = self.older.categories
        if found:
            with connection.cursor() as cursor:
                values: list[Any] = [list(found), list(found.values()), self.document_id]
                cursor.execute(CATEGORIES.format(table=table), values)


@dataclass(frozen=True, slots=True)
class Folder:
    root: Path
    snapshot: Snapshot
    read: ReadProject
    project_bytes: bytes
    older_audit: dict[str, Any] | None

    @property
    def legacy_id(self) -> str:
        return self.read.project.legacy_id

    @property
    def project_id(self) -> UUID:
        return project_id_of(self.legacy_id)


def project_id_of(legacy_id: str) -> UUID:
    """The id of the project that this one becomes: always the same, so two runs at once can't both make it."""
    return uuid5(NAMESPACE_URL, f"plumbline:file-project:{legacy_id}")


def read_folder(root: Path, folder: str) -> Folder:
    """Raises StoreError with the reason why it can't be taken."""
    taken = snapshot(root, folder)
    described = taken.file(PROJECT)
    if described is None:
        raise StoreError("There is no project.json in the folder, so it is no project.", code="no_project")
    data = content_of(root, folder, described)
    audit = taken.file(AUDIT)
    verdicts = None
    if audit is not None and audit.size <= 64 << 20:
        verdicts = read_verdicts(content_of(root, folder, audit))
    elif audit is not None:
        verdicts = {"generation": 0, "counts": {}, "entries": 0, "note": "audit_results.json is too large to look into"}
    return Folder(root, taken, read_project(data, folder), data, verdicts)


@contextmanager
def spooled(folder: Folder, *, project_id: UUID) -> Iterator[Positions | None]:
    """The folder's positions, read to their end; None where it has no positions.json. Raises StoreError."""
    file = folder.snapshot.positions
    if file is None:
        yield None
        return
    with tempfile.NamedTemporaryFile(prefix="positions-") as local:
        with copied(folder.root, folder.snapshot.folder, file) as copy:
            shutil.copyfileobj(copy, local)
        local.flush()
        # The same content may have come as an upload before.
        same = Document.objects.filter(project_id=project_id, sha256=file.sha256).values_list("pk", flat=True).first()
        with spooled_file(Path(local.name), project_id, same or document_id(project_id, file.sha256)) as positions:
            yield positions


@contextmanager
def spooled_file(path: Path, project_id: UUID, document: UUID) -> Iterator[Positions]:
    with PositionSpool(project_id=project_id, document_id=document, rounding=Rounding()) as spool:
        older = read_positions(path)
        reconciler = Reconciler(older.bill)
        try:
            for position in reconciler.watch(older.bill.positions):
                spool.add(position)
            spool.flush()
        except UnicodeEncodeError as error:
            message = f"positions.json holds half a character ({error.reason}) in a text. Correct it."
            raise StoreError(message, code="damaged") from error
        yield Positions(spool, older, reconciler.result(), document)


def stage(positions: Positions) -> None:
    """In the caller's transaction: the positions as rows of a temporary table, as an import would store them."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{TABLE}")
        cursor.execute(
            f"CREATE TEMP TABLE {TABLE} (LIKE projects_position INCLUDING DEFAULTS INCLUDING IDENTITY) ON COMMIT DROP"
        )
        cursor.execute(f"ALTER TABLE {TABLE} ALTER search_text DROP NOT NULL")
    positions.spool.copy(table=TABLE, version=1, after_ordinal=0)
    positions.name_categories(TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLE}")
