"""What a folder says, before anything is stored: its project, its positions in a spool, its older audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any
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
from ..rows import COLUMNS, ORDINAL_GAP, PositionSpool, encoded
from .bringing import content_of, copied, document_id

TABLE = "filestore_position"
BLOCK_LINES = 250  # handed over at once: the server never waits long for rows
CATEGORIES = """
UPDATE {table} p SET category = v.category
FROM unnest(%s::text[], %s::text[]) v(source, category) WHERE p.document_id = %s AND p.source = v.source
"""


class Positions:
    """A folder's positions on their way into a table. What they come to is known once they are read to the end."""

    def __init__(self, older: OlderBill, document_id: UUID) -> None:
        self.older = older
        self.document_id = document_id
        self.count = 0
        self._reconciler = Reconciler(older.bill)

    @property
    def reconciliation(self) -> Reconciliation:
        return self._reconciler.result()

    def copy(self, *, table: str, version: int, after_ordinal: int) -> None:
        """Each a row of `table`, in order."""
        raise NotImplementedError

    def name_categories(self, table: str) -> None:
        """Set what people gave the positions, in the rows that `copy` has written to `table`."""
        found = self.older.categories
        if found:
            with connection.cursor() as cursor:
                values: list[Any] = [list(found), list(found.values()), self.document_id]
                cursor.execute(CATEGORIES.format(table=table), values)


class Spooled(Positions):
    """Read to the end already, encoded in the spool."""

    def __init__(self, older: OlderBill, spool: PositionSpool, document_id: UUID) -> None:
        super().__init__(older, document_id)
        self.spool = spool
        try:
            for position in self._reconciler.watch(older.bill.positions):
                spool.add(position)
            spool.flush()
        except UnicodeEncodeError as error:
            raise _half_character(error) from error
        self.count = spool.count

    def copy(self, *, table: str, version: int, after_ordinal: int) -> None:
        self.spool.copy(table=table, version=version, after_ordinal=after_ordinal)


class Streamed(Positions):
    """Read while they are copied: the server stores rows as the next ones are read. Once only."""

    def __init__(self, older: OlderBill, project_id: UUID, document_id: UUID) -> None:
        super().__init__(older, document_id)
        self._fixed = f"{project_id}\t{document_id}\t"

    def copy(self, *, table: str, version: int, after_ordinal: int) -> None:
        """Raises StoreError where the file is damaged: the transaction is lost then."""
        statement = f"COPY {table} (added_in, ordinal, {', '.join(COLUMNS)}) FROM STDIN"
        try:
            with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
                for block in self._blocks(version, after_ordinal):
                    copy.write(block)
        except UnicodeEncodeError as error:
            raise _half_character(error) from error

    def _blocks(self, version: int, after_ordinal: int) -> Iterator[bytes]:
        rounding, fixed, ordinal = self.older.bill.header.rounding, self._fixed, after_ordinal
        positions = self._reconciler.watch(self.older.bill.positions)
        while block := list(islice(positions, BLOCK_LINES)):
            lines = []
            for position in block:
                ordinal += ORDINAL_GAP
                lines.append(f"{version}\t{ordinal}\t{fixed}{encoded(position, rounding)}")
            self.count += len(block)
            yield "".join(lines).encode()


def _half_character(error: UnicodeEncodeError) -> StoreError:
    message = f"positions.json holds half a character ({error.reason}) in a text. Correct it."
    return StoreError(message, code="damaged")


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
def spooled(folder: Folder, *, project_id: UUID) -> Iterator[Spooled | None]:
    """The folder's positions, read to their end; None where it has no positions.json. Raises StoreError."""
    with _opened(folder, project_id) as found:
        if found is None:
            yield None
            return
        with spooled_file(found[0], project_id, found[1]) as positions:
            yield positions


@contextmanager
def streamed(folder: Folder, *, project_id: UUID) -> Iterator[Streamed | None]:
    """The folder's positions, not read yet; None where it has no positions.json. Raises StoreError."""
    with _opened(folder, project_id) as found:
        yield None if found is None else Streamed(read_positions(found[0]), project_id, found[1])


@contextmanager
def _opened(folder: Folder, project_id: UUID) -> Iterator[tuple[IO[bytes], UUID] | None]:
    """A copy of its positions.json, and the document's id."""
    file = folder.snapshot.positions
    if file is None:
        yield None
        return
    with copied(folder.root, folder.snapshot.folder, file) as copy:
        # The same content may have come as an upload before.
        same = Document.objects.filter(project_id=project_id, sha256=file.sha256).values_list("pk", flat=True).first()
        yield copy, same or document_id(project_id, file.sha256)


@contextmanager
def spooled_file(file: IO[bytes], project_id: UUID, document: UUID) -> Iterator[Spooled]:
    """Of a positions.json, from its beginning. Raises StoreError."""
    with PositionSpool(project_id=project_id, document_id=document, rounding=Rounding()) as spool:
        yield Spooled(read_positions(file), spool, document)


def stage(positions: Positions) -> None:
    """In the caller's transaction: the positions as rows of a temporary table, as an import would store them."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{TABLE}")
        cursor.execute(
            f"CREATE TEMP TABLE {TABLE} (LIKE projects_position INCLUDING DEFAULTS INCLUDING IDENTITY) ON COMMIT DROP"
        )
        cursor.execute(f"ALTER TABLE {TABLE} ALTER search_text DROP NOT NULL")
    positions.copy(table=TABLE, version=1, after_ordinal=0)
    positions.name_categories(TABLE)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLE}")
