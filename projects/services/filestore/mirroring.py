"""Dual writing: after each change of a project that came from a folder, a durable job writes the folder again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from jobs.models import Job
from jobs.services import enqueue

from ...exceptions import Conflict, Missing, Temporary
from ...filestore.places import StoreError
from ...models import Document, FileProject, Project, StoreDivergence
from ..versions import locked_project
from .exporting import export_project
from .modes import DUAL_WRITE, store_folder
from .verifying import verify_project

WRITE = "projects.write_file_project"
VERIFY = "projects.verify_file_project"
ROUNDS = 5

Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]


def mirror(*, project_id: UUID) -> Job | None:
    """In the caller's transaction, after whatever changed the project: ask for its folder to be written, if the mode
    says so and it came from one. One such job a project at a time: a running one notices that there is more."""
    if settings.MIGRATION_MODE != DUAL_WRITE:
        return None
    known = FileProject.objects.select_related("project").filter(project_id=project_id).first()
    return None if known is None else ask_to_write(known=known)


def ask_to_write(*, known: FileProject, overwrite: bool = False) -> Job:
    """Raises Refused("no_file_store") without a store, Conflict for one that never became a project."""
    return _ask(WRITE, known, {"overwrite": overwrite})


def ask_to_verify(*, known: FileProject) -> Job:
    return _ask(VERIFY, known, {})


def _ask(kind: str, known: FileProject, params: dict[str, Any]) -> Job:
    store_folder()
    if known.project is None:
        raise Conflict(
            f"{known.legacy_id} never became a project. Mend its folder and migrate again.", code="no_project"
        )
    return enqueue(
        kind=kind,
        params={"legacy_id": known.legacy_id, **params},
        organisation=known.project.organisation_id,
        subject=("project", known.project.pk),
        about=f"{known.project.name}: {known.legacy_id}",
        dedupe_key=f"{kind}:{known.legacy_id}",
    )


def write_back(*, legacy_id: str, overwrite: bool, finishing: Finishing) -> None:
    """Write the folder, and again while the project changes meanwhile. Idempotent: what is there already stays.

    Raises Temporary for what may go away (a full disk, a share that is not mounted), Conflict("changed_elsewhere")
    when somebody else has written into the folder: that is for a person to look at. Each failure is recorded."""
    for _ in range(ROUNDS):
        known = _known(legacy_id)
        before = _mark(known.project_id)
        try:
            outcome = export_project(known=known, root=store_folder(), overwrite=overwrite)
        except StoreError as error:
            _diverged(known, error)
            if error.code in ("changed_elsewhere", "link", "bad_path", "damaged"):
                raise Conflict(str(error), code=error.code) from error
            raise Temporary(str(error), code=error.code) from error
        try:
            with finishing() as finish:
                assert known.project_id is not None
                locked_project(project_id=known.project_id)
                if _mark(known.project_id) != before:
                    raise _ChangedMeanwhile
                finish(outcome.as_json())
            return
        except _ChangedMeanwhile:
            continue
    raise Temporary("The project kept changing while its folder was written; trying again.")


class _ChangedMeanwhile(Exception):
    """Rolls back a completion that would leave the folder behind."""


def verify_again(*, legacy_id: str, root: Path) -> dict[str, Any]:
    """Compare one project with its folder; differences are recorded, and are the job's result."""
    return verify_project(known=_known(legacy_id), root=root).as_json()


def _known(legacy_id: str) -> FileProject:
    known = FileProject.objects.select_related("project").filter(legacy_id=legacy_id, project__isnull=False).first()
    if known is None:
        raise Missing(f"No project came from a folder with the id {legacy_id!r}.", code="project_not_found")
    return known


def _mark(project_id: UUID | None) -> tuple[Any, ...]:
    """Whatever changes with a version, a name, a document."""
    if project_id is None:
        return ()
    row = Project.objects.filter(pk=project_id).values_list("version_number", "updated_at", "status").first()
    return row, Document.objects.filter(project_id=project_id).count()


def _diverged(known: FileProject, error: StoreError) -> None:
    StoreDivergence.objects.create(
        legacy_id=known.legacy_id,
        project_id=known.project_id,
        operation="write",
        difference={"error": str(error), "code": error.code, "at": timezone.now().isoformat()},
    )
