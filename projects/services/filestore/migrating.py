"""Folders of the older store become projects: one transaction each, the same however often it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accounts.models import Membership, Organisation

from ...exceptions import Missing, Refused
from ...filestore.places import StoreError, entries
from ...models import FileProject, StoreDivergence
from .outcomes import OWN_TROUBLE, Outcome
from .reading import Folder, Positions, read_folder, spooled
from .taking import Owner, differs_from_kept, take, update

if TYPE_CHECKING:
    from accounts.models import User

Report = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    owner: Owner | None  # None: only with is_dry_run
    is_dry_run: bool = False
    has_audit: bool = False  # ask for an audit of each project that came in


def owner_in(*, user: User, organisation: str = "") -> Owner:
    """Whose projects they become. Raises Missing, Refused("no_organisation")."""
    organisations = Organisation.objects.filter(
        pk__in=Membership.objects.of(user).exclude(role=Membership.Role.VIEWER).values("organisation_id")
    )
    if organisation:
        found = organisations.filter(name__iexact=organisation).first()
        if found is None:
            message = f"{user.email} may not open projects in an organisation called {organisation!r}."
            raise Missing(message, code="organisation_not_found")
        return Owner(user, found)
    if organisations.count() != 1:
        message = (
            f"{user.email} may open projects in {organisations.count()} organisations: name one with --organisation."
        )
        raise Refused(message, code="no_organisation")
    return Owner(user, organisations.get())


def migrate_store(*, root: Path, options: MigrationOptions, only: str = "", report: Report) -> Iterator[Outcome]:
    """Take every folder of the store, or the one whose folder or id is `only`; each outcome as it comes.

    Idempotent by the older id and the folder's checksum: a second run writes nothing. A folder that can't be taken is
    told with the reason, and the others go on. Raises StoreError("no_store"), Missing if there is no `only`.
    """
    listed = entries(root)
    folders = [entry for entry in listed if not entry.reason]
    if only:
        folders = [entry for entry in folders if entry.name == only] or folders
    taken: dict[str, str] = {}
    found = False
    for done, entry in enumerate(folders):
        report(done, len(folders), f"Folder {entry.name}")
        outcome = _migrated(root, entry.name, options, taken, only)
        if outcome is not None:
            found = True
            yield outcome
    if only and not found:
        raise Missing(f"There is no project {only!r} in {root}.", code="project_not_found")
    for entry in listed:
        if entry.reason and not only:
            yield Outcome(entry.name, state="left_out", notes=[entry.reason])


def _migrated(root: Path, name: str, options: MigrationOptions, taken: dict[str, str], only: str) -> Outcome | None:
    """None: it is not the one that was asked for."""
    outcome = Outcome(name)
    try:
        folder = read_folder(root, name)
        outcome.legacy_id = folder.legacy_id
        if only and only not in (name, folder.legacy_id):
            return None
        outcome.checksum = folder.snapshot.checksum
        other = taken.setdefault(folder.legacy_id, name)
        if other != name:
            message = f"The id {folder.legacy_id} is that of the folder {other} too; only that one is taken."
            raise StoreError(message, code="duplicate_id")
        _bring_in(folder, options, outcome)
    except OWN_TROUBLE as error:
        if only and not outcome.legacy_id and name != only:
            return None
        outcome.fail(error)
        if not options.is_dry_run:
            _remember_failure(outcome)
    return outcome


def _bring_in(folder: Folder, options: MigrationOptions, outcome: Outcome) -> None:
    known = FileProject.objects.select_related("project").filter(legacy_id=folder.legacy_id).first()
    if known is not None and known.project is not None and known.checksum == outcome.checksum:
        outcome.state, outcome.counts = "unchanged", known.report.get("counts", {})
        return
    outcome.notes += folder.read.notes
    project_id = known.project_id if known is not None and known.project_id else folder.project_id
    with spooled(folder, project_id=project_id) as positions:
        _describe(folder, positions, outcome)
        if options.is_dry_run:
            outcome.state = "would_migrate" if known is None or known.project is None else "would_update"
        elif known is None or known.project is None:
            if options.owner is None:
                raise Refused("Say whose projects they become: --owner EMAIL.", code="no_owner")
            take(folder, positions, options.owner, outcome, has_audit=options.has_audit)
            outcome.state = "migrated"
        elif differs_from_kept(folder, known):
            update(folder, positions, known, outcome, has_audit=options.has_audit)
            outcome.state = "updated"
        else:
            outcome.state = "unchanged"


def _describe(folder: Folder, positions: Positions | None, outcome: Outcome) -> None:
    files = folder.snapshot.files
    outcome.counts = {
        "files": len(files),
        "bytes": folder.snapshot.size,
        "raw_files": sum(file.path.startswith("raw/") for file in files),
        "positions": 0,
    }
    audit = folder.older_audit
    if audit is not None and audit.get("note"):
        outcome.notes.append(str(audit["note"]))
    if positions is None:
        outcome.notes.append("There is no positions.json: the project comes without positions.")
        return
    result = positions.reconciliation
    outcome.counts["positions"], outcome.total = result.positions, str(result.computed_total)
    outcome.notes += positions.older.bill.warnings[:50]
    if result.stated_count not in (None, result.positions):
        outcome.notes.append(f"positions.json says it has {result.stated_count} positions; {result.positions} came.")
    difference = result.bill_difference
    if difference is not None:
        told = f"positions.json states a total of {difference.stated}, its positions come to {difference.computed}."
        outcome.notes.append(told)


def _remember_failure(outcome: Outcome) -> None:
    """Shown in the admin until a later run succeeds. A project that came in earlier stays what it is."""
    legacy_id = (outcome.legacy_id or outcome.folder).encode("utf-8", "replace").decode()[:80]
    known = FileProject.objects.filter(legacy_id=legacy_id).first()
    if outcome.code == "duplicate_id" or (known is not None and known.error == outcome.error):
        return
    if known is not None and known.project_id is not None:
        FileProject.objects.filter(pk=known.pk).update(error=outcome.error)
        StoreDivergence.objects.create(
            legacy_id=legacy_id, project_id=known.project_id, operation="migrate", difference={"error": outcome.error}
        )
        return
    FileProject.objects.update_or_create(
        legacy_id=legacy_id,
        defaults={"state": FileProject.State.FAILED, "checksum": outcome.checksum, "error": outcome.error},
    )
