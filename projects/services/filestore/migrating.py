"""Folders of the older store become projects: one transaction each, the same however often it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accounts.models import Membership, Organisation

from ...exceptions import Missing, Refused
from ...filestore.places import StoreError, entries
from ...models import FileProject, StoreDivergence
from .outcomes import OWN_TROUBLE, Outcome
from .reading import Folder, Positions, read_folder, spooled, streamed
from .taking import Owner, describe, differs_from_kept, take, update

if TYPE_CHECKING:
    from accounts.models import User

Report = Callable[[int, int, str], None]
AT_ONCE = 256 << 20  # bytes of a folder that is read and stored in one go; a transaction does not wait for more


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
    if known is None or known.project is None:
        _take_new(folder, options, outcome)
        return
    with spooled(folder, project_id=known.project.pk) as positions:
        describe(folder, positions, outcome)
        if options.is_dry_run:
            outcome.state = "would_update"
        elif differs_from_kept(folder, known):
            update(folder, positions, known, outcome, has_audit=options.has_audit)
            outcome.state = "updated"
        else:
            outcome.state = "unchanged"


def _take_new(folder: Folder, options: MigrationOptions, outcome: Outcome) -> None:
    if options.is_dry_run:
        with spooled(folder, project_id=folder.project_id) as positions:
            describe(folder, positions, outcome)
        outcome.state = "would_migrate"
        return
    if options.owner is None:
        raise Refused("Say whose projects they become: --owner EMAIL.", code="no_owner")
    reading: Callable[..., AbstractContextManager[Positions | None]]
    reading = streamed if folder.snapshot.size <= AT_ONCE else spooled
    with reading(folder, project_id=folder.project_id) as positions:
        take(folder, positions, options.owner, outcome, has_audit=options.has_audit)
    outcome.state = "migrated"


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
