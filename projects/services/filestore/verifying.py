"""Comparing folders with what they became; what differs is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from ...exceptions import Missing
from ...filestore.places import entries
from ...models import FileProject, StoreDivergence
from .comparing import compare
from .outcomes import OWN_TROUBLE, Outcome
from .reading import read_folder

Report = Callable[[int, int, str], None]


def verify_store(*, root: Path, only: str = "", report: Report) -> Iterator[Outcome]:
    """Every folder of the store and every project that came from one, or that of the id `only`: equal, differs,
    missing (no folder), not_migrated, failed. Records StoreDivergence. Raises StoreError("no_store"), Missing."""
    known = {row.legacy_id: row for row in FileProject.objects.filter(project__isnull=False)}
    folders = [entry.name for entry in entries(root) if not entry.reason]
    by_folder = {row.contents.get("folder", legacy_id): row for legacy_id, row in known.items()}
    names = sorted({*folders, *by_folder})
    if only:
        names = [name for name in names if only in (name, by_folder[name].legacy_id if name in by_folder else name)]
        if not names:
            raise Missing(f"There is no project {only!r} in {root}.", code="project_not_found")
    for done, name in enumerate(names):
        report(done, len(names), f"Folder {name}")
        row = by_folder.get(name)
        if row is None:
            yield _unknown(root, name)
        else:
            yield verify_project(known=row, root=root)


def _unknown(root: Path, name: str) -> Outcome:
    outcome = Outcome(name)
    try:
        outcome.legacy_id = read_folder(root, name).legacy_id
    except OWN_TROUBLE as error:
        return outcome.fail(error)
    outcome.state = "differs"
    outcome.differences = [{"what": "project", "only_in": "files"}]
    outcome.notes = ["It has not been migrated."]
    return outcome


def verify_project(*, known: FileProject, root: Path) -> Outcome:
    """One of them; records what it found."""
    folder = known.contents.get("folder") or known.legacy_id
    outcome = Outcome(folder, known.legacy_id)
    try:
        read = read_folder(root, folder)
        outcome.checksum = read.snapshot.checksum
        found = compare(read, known)
        outcome.counts, outcome.differences = found.counts, found.differences
        outcome.state = "differs" if found.differences else "equal"
    except OWN_TROUBLE as error:
        outcome.fail(error)
        if getattr(error, "code", "") == "no_folder":
            outcome.state = "missing"
    _record(known, outcome)
    return outcome


@transaction.atomic
def _record(known: FileProject, outcome: Outcome) -> None:
    if outcome.is_bad:
        difference = {"differences": outcome.differences[:50]} if outcome.differences else {"error": outcome.error}
        StoreDivergence.objects.create(
            legacy_id=known.legacy_id, project_id=known.project_id, operation="verify", difference=difference
        )
    FileProject.objects.filter(pk=known.pk).update(verified_at=timezone.now())
