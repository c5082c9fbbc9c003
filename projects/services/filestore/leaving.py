"""The way back for the whole store: every project as a folder, each compared with the tables once it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from django.utils import timezone

from ...exceptions import Missing
from ...filestore.places import StoreError
from ...models import FileProject, Project
from .comparing import compare
from .exporting import export_project
from .outcomes import OWN_TROUBLE, Outcome
from .reading import read_folder

Report = Callable[[int, int, str], None]


def export_store(
    *, root: Path, only: str = "", has_all: bool = False, overwrite: bool = False, report: Report
) -> Iterator[Outcome]:
    """Each project: written, unchanged (the folder said it already), differs (it reads back otherwise), failed.

    The folder is made if need be. `has_all`: projects that were opened here get a folder too, and an older id.
    Raises StoreError("no_store"), Missing if there is no `only`.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{root} can't be made: {error.strerror}.", code="no_store") from error
    if has_all:
        _name_all()
    rows = FileProject.objects.filter(project__isnull=False).select_related("project")
    if only:
        rows = rows.filter(legacy_id=only)
        if not rows.exists():
            raise Missing(f"No project came from a folder with the id {only!r}.", code="project_not_found")
    total = rows.count()
    for done, pk in enumerate(list(rows.values_list("pk", flat=True))):
        known = FileProject.objects.get(pk=pk)
        report(done, total, f"Project {known.legacy_id}")
        yield _exported(known, root, overwrite)


def _exported(known: FileProject, root: Path, overwrite: bool) -> Outcome:
    outcome = Outcome(known.contents.get("folder") or known.legacy_id, known.legacy_id)
    try:
        outcome = export_project(known=known, root=root, overwrite=overwrite)
        read = read_folder(root, outcome.folder)
        outcome.checksum = read.snapshot.checksum
        outcome.differences = compare(read, FileProject.objects.get(pk=known.pk)).differences
        if outcome.differences:
            outcome.state = "differs"
    except OWN_TROUBLE as error:
        outcome.fail(error)
    return outcome


def _name_all() -> None:
    """Older ids for projects that have none: they follow from the project's own."""
    rows = [
        FileProject(
            legacy_id=f"proj_{project_id.hex}",
            project_id=project_id,
            state=FileProject.State.MIGRATED,
            checksum="",
            contents={"opened_here": True},
            report={"written": timezone.now().isoformat()},
        )
        for project_id in Project.objects.filter(file_project__isnull=True).values_list("pk", flat=True)
    ]
    FileProject.objects.bulk_create(rows, ignore_conflicts=True)
