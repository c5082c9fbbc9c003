"""Projects in the shape of the older system's API: read from where MIGRATION_READ_FROM says, saved as the mode says."""

from __future__ import annotations

import hashlib
import json
import tempfile
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, Protocol

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet

from ...exceptions import Conflict, Missing, Refused
from ...filestore.places import Limits, StoreError, opened_file, opened_folder
from ...filestore.project import written_project
from ...filestore.snapshot import POSITIONS, PROJECT, limit_of
from ...models import BudgetVersion, Document, FileProject, Position, Project
from ..access import editable_project
from ..auditing import request_audit
from ..documents import announce_document
from ..merging import merge_into
from ..versions import close_version, locked_project
from .bringing import document_id, kept_bytes
from .comparing import told_by
from .modes import FILES, store_folder
from .reading import Spooled, spooled_file
from .returning import write_positions
from .taking import describe_positions

if TYPE_CHECKING:
    from accounts.models import User


class ProjectStore(Protocol):
    """Where projects are read. Both give JSON in the older shape, and raise Missing for what is not there."""

    def project(self, known: FileProject) -> bytes: ...
    def positions(self, known: FileProject) -> bytes: ...


class FileStore:
    """The folders themselves, as they are now."""

    def project(self, known: FileProject) -> bytes:
        return self._read(known, PROJECT)

    def positions(self, known: FileProject) -> bytes:
        return self._read(known, known.contents.get("positions_path") or POSITIONS[0])

    def _read(self, known: FileProject, path: str) -> bytes:
        most = limit_of(path, Limits())
        try:
            with (
                opened_folder(store_folder(), known.contents.get("folder") or known.legacy_id) as folder,
                opened_file(folder, path) as file,
            ):
                data = file.read(most + 1)
        except StoreError as error:
            raise Missing(str(error), code=error.code) from error
        if len(data) > most:
            raise Refused(f"{path} is larger than {most >> 20} MB.", code="too_large")
        return data


class TableStore:
    """The tables, told as the older files would."""

    def project(self, known: FileProject) -> bytes:
        assert known.project is not None
        row = next((row for row in known.contents.get("files", []) if row["path"] == PROJECT), None)
        kept = known.contents.get("kept", {}).get(row["sha256"]) if row else None
        return written_project(kept_bytes(kept) if kept else None, told_by(known.project, known), [])

    def positions(self, known: FileProject) -> bytes:
        with tempfile.TemporaryFile(prefix="positions-") as file:
            into: IO[bytes] = file
            with transaction.atomic():
                assert known.project_id is not None
                project = locked_project(project_id=known.project_id)
                documents = {str(row.pk): row for row in Document.objects.filter(project=project)}
                if not write_positions(project=project, known=known, documents=documents, into=into):
                    return b"[]"
            file.seek(0)
            return file.read()


def store() -> ProjectStore:
    return FileStore() if settings.MIGRATION_READ_FROM == FILES else TableStore()


def list_projects(*, user: User) -> QuerySet[FileProject]:
    """Those that came from folders, and that the user may see; by older id."""
    visible = Project.objects.visible_to(user)
    return FileProject.objects.filter(project__in=visible).select_related("project").order_by("legacy_id")


def visible_file_project(*, legacy_id: str, user: User) -> FileProject:
    """Raises Missing, for strangers too."""
    known = list_projects(user=user).filter(legacy_id=legacy_id).first()
    if known is None:
        raise Missing("There is no such project.", code="project_not_found")
    return known


def read_project(*, legacy_id: str, user: User) -> bytes:
    """project.json. Raises Missing."""
    return store().project(visible_file_project(legacy_id=legacy_id, user=user))


def read_positions(*, legacy_id: str, user: User) -> bytes:
    """positions.json: a list, or {"positions": [...]}. Raises Missing."""
    return store().positions(visible_file_project(legacy_id=legacy_id, user=user))


def save_positions(*, legacy_id: str, actor: User, positions: Any, seen: int | None = None) -> int:
    """The whole list, as the older system saved it: it becomes the next version, in which equal positions keep row
    and lineage; what the list lacks is removed. Returns the version's number, unchanged if nothing differs.

    `seen`: the version that the list was made from. Raises Conflict("edit_conflict") if there is a newer one,
    Conflict("files_are_the_truth") in files_only, Refused("damaged" | "no_positions"), ReadOnly, Missing.
    """
    known = visible_file_project(legacy_id=legacy_id, user=actor)
    assert known.project_id is not None
    project = editable_project(project_id=known.project_id, user=actor)
    data = json.dumps(positions, ensure_ascii=False).encode("utf-8", "replace")
    sha256 = hashlib.sha256(data).hexdigest()
    same = Document.objects.filter(project=project, sha256=sha256).first()
    document = same or _document(project, actor, data, sha256)
    try:
        with spooled_file(BytesIO(data), project.pk, document.pk) as read:
            return _save(known, document, read, actor, seen, is_new=same is None)
    except StoreError as error:
        raise Refused(str(error), code=error.code) from error


def _document(project: Project, actor: User, data: bytes, sha256: str) -> Document:
    document = Document(
        pk=document_id(project.pk, sha256),
        project=project,
        uploaded_by=actor,
        original_filename=POSITIONS[0],
        kind=Document.Kind.BILL,
        file_type="json",
        mime_type="application/json",
        size=len(data),
        sha256=sha256,
    )
    document.file.save(document.original_filename, ContentFile(data), save=False)
    return document


@transaction.atomic
def _save(known: FileProject, document: Document, read: Spooled, actor: User, seen: int | None, *, is_new: bool) -> int:
    project = locked_project(project_id=document.project_id)
    if seen is not None and seen != project.version_number:
        message = f"The positions have changed since version {seen}; the current one is {project.version_number}."
        raise Conflict(f"{message} Read them again.", code="edit_conflict")
    describe_positions(document, read)
    document.save(force_insert=is_new)
    live = Position.objects.filter(project=project, removed_in__isnull=True)
    live.filter(document__isnull=True).update(document=document)  # entered by hand: from now on part of this list
    replaces = {pk for pk in live.order_by().values_list("document_id", flat=True).distinct() if pk} | {document.pk}
    number = project.version_number + 1
    changed = merge_into(project_id=project.pk, spool=read.spool, version=number, replaces=replaces)
    contents = known.contents | {"positions": str(document.pk)}
    contents["positions_path"] = contents.get("positions_path") or POSITIONS[0]
    FileProject.objects.filter(pk=known.pk).update(contents=contents)
    if changed:
        read.name_categories("projects_position")
        trigger = BudgetVersion.Trigger.USER_EDIT if project.version_number else BudgetVersion.Trigger.INITIAL
        details = {"document": str(document.pk), "older_id": known.legacy_id}
        close_version(project=project, trigger=trigger, actor_id=actor.pk, details=details)
        announce_document(document)
        request_audit(project=project, actor=actor)
    return project.version_number
