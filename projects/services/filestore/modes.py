"""Where the truth is while a firm moves: MIGRATION_MODE and MIGRATION_READ_FROM (docs/file-store.md)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings

from ...exceptions import Conflict, Refused
from ...models import FileProject

FILES_ONLY, DUAL_WRITE, POSTGRES_ONLY = "files_only", "dual_write", "postgres_only"
MODES = (FILES_ONLY, DUAL_WRITE, POSTGRES_ONLY)
FILES, POSTGRES = "files", "postgres"
READ_FROM = (FILES, POSTGRES)


def store_folder() -> Path:
    """FILE_PROJECTS_DIR. Raises Refused("no_file_store")."""
    if not settings.FILE_PROJECTS_DIR:
        raise Refused("There is no older file store: FILE_PROJECTS_DIR is not set.", code="no_file_store")
    return Path(settings.FILE_PROJECTS_DIR)


def check_writable(*, project_id: UUID) -> None:
    """Raises Conflict("files_are_the_truth") for a project that the older system still writes: a change made here
    would be lost, or be a conflict, with the next migration."""
    if settings.MIGRATION_MODE == FILES_ONLY and FileProject.objects.filter(project_id=project_id).exists():
        message = "This project is still kept by the older system, and is read only here. Change it there."
        raise Conflict(message, code="files_are_the_truth")
