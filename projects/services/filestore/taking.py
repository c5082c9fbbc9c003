"""One folder's effect on the tables, in one transaction: a new project, or the next version of one that is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from ...entities import tell_document, tell_project
from ...exceptions import Conflict
from ...models import BudgetVersion, Document, FileProject, Position, Project
from ..auditing import request_audit
from ..importing import reconciled_as_json, stated_by
from ..merging import merge_into
from ..versions import close_version, locked_project
from .bringing import OLDER_POSITIONS, Brought, bring
from .comparing import compare
from .outcomes import Outcome, clean
from .reading import Folder, Positions, Spooled, Streamed

if TYPE_CHECKING:
    from accounts.models import Organisation, User


@dataclass(frozen=True, slots=True)
class Owner:
    user: User
    organisation: Organisation


def take(folder: Folder, positions: Positions | None, owner: Owner, outcome: Outcome, *, has_audit: bool) -> None:
    """One transaction: project, positions, documents, version 1, the row that remembers it.

    Files go into storage once the positions are known to be whole: before the transaction if these are read already,
    else within it. Two runs at once: the project's id follows from the older id, so the second one fails
    (IntegrityError)."""
    brought = None if isinstance(positions, Streamed) else _brought(folder, folder.project_id, {})
    told = folder.read.project
    with transaction.atomic():
        project = Project.objects.create(
            pk=folder.project_id,
            owner=owner.user,
            organisation=owner.organisation,
            name=told.name,
            description=told.description,
            workflow=told.workflow,
            currency=told.currency or _currency(positions),
            budget_on=told.budget_on,
            created_at=told.created_at or timezone.now(),
            metadata=clean({"older_id": told.legacy_id} | _history(folder)),
        )
        if positions is not None:
            _copy_first(positions, project, told.currency)
        describe(folder, positions, outcome)
        brought = brought or _brought(folder, folder.project_id, {})
        _insert_documents(brought, project, owner.user, positions)
        if positions is not None and positions.count:
            _close(project, positions, folder, owner.user, BudgetVersion.Trigger.INITIAL)
            if has_audit:
                request_audit(project=project, actor=owner.user)
        if told.is_archived:
            Project.objects.filter(pk=project.pk).update(status=Project.Status.ARCHIVED)
        tell_project(project.pk)
        _remember(folder, project, brought, positions, outcome)


def _copy_first(positions: Positions, project: Project, told: str) -> None:
    """Their document may be inserted later in the transaction: foreign keys are checked at its end."""
    positions.copy(table="projects_position", version=1, after_ordinal=0)
    positions.name_categories("projects_position")
    if project.currency != (told or _currency(positions)):  # it stood behind the list
        project.currency = _currency(positions)
        project.save(update_fields=["currency"])


def update(folder: Folder, positions: Spooled | None, known: FileProject, outcome: Outcome, *, has_audit: bool) -> None:
    """The older system wrote on after the project came in: what is new becomes the next version.

    Raises Conflict("both_changed") where the project has been changed here as well."""
    assert known.project is not None
    documents = dict(Document.objects.filter(project=known.project).values_list("sha256", "pk"))
    brought = _brought(folder, known.project.pk, documents)
    with transaction.atomic():
        project = locked_project(project_id=known.project.pk)
        if known.report.get("written") or project.version_number != known.report.get("version"):
            message = "Both the folder and the project have changed. Compare them with verify_file_projects; "
            raise Conflict(f"{message}then export the project, or put the folder back.", code="both_changed")
        for name in ("name", "description", "workflow", "budget_on"):
            setattr(project, name, getattr(folder.read.project, name))
        project.currency = folder.read.project.currency or _currency(positions)
        project.metadata = clean(project.metadata | _history(folder))
        if folder.read.project.is_archived:
            project.status = Project.Status.ARCHIVED
        project.save()
        _insert_documents(brought, project, project.owner, positions)
        if positions is not None and _merge(project, positions, known):
            _close(project, positions, folder, project.owner, BudgetVersion.Trigger.DOCUMENT_ADDED)
            if has_audit:
                request_audit(project=project, actor=project.owner)
        tell_project(project.pk)
        _remember(folder, project, brought, positions, outcome)


def describe(folder: Folder, positions: Positions | None, outcome: Outcome) -> None:
    """What came, for people; the positions have been read."""
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


def differs_from_kept(folder: Folder, known: FileProject) -> bool:
    """Whether the folder says anything that the tables don't: its bytes may differ in spaces alone, or be an export."""
    return bool(compare(folder, known).differences)


def _brought(folder: Folder, project_id: Any, known: dict[str, Any]) -> Brought:
    return bring(
        root=folder.root, snapshot=folder.snapshot, project_id=project_id, kinds=folder.read.kinds, known=known
    )


def _currency(positions: Positions | None) -> str:
    return positions.older.bill.header.currency if positions else ""


def _history(folder: Folder) -> dict[str, Any]:
    return {"older_audit": folder.older_audit} if folder.older_audit else {}


def _insert_documents(brought: Brought, project: Project, user: User, positions: Positions | None) -> None:
    for document in brought.documents.values():
        document.uploaded_by = user
        document.created_at = project.created_at
        if positions is not None and document.pk == positions.document_id:
            describe_positions(document, positions)
        tell_document(document.pk)
    Document.objects.bulk_create(brought.documents.values())


def describe_positions(document: Document, positions: Positions) -> None:
    """The document of a positions.json says what an imported bill's says."""
    bill = positions.older.bill
    document.parser, document.parser_score = bill.header.dialect, 100
    document.parse_status = Document.ParseStatus.COMPLETED
    document.parse_error = document.parse_error_code = ""
    stated = {**stated_by(bill), "reconciliation": reconciled_as_json(positions.reconciliation)}
    document.extracted_data = clean({OLDER_POSITIONS: True, **stated})


def _merge(project: Project, positions: Spooled, known: FileProject) -> bool:
    """Whether the budget changes."""
    before = known.contents.get("positions")
    live = Position.objects.filter(project=project, removed_in__isnull=True)
    if before and live.filter(document_id=before).exists():
        replaces = {positions.document_id, Document.objects.only("pk").get(pk=before).pk}
        return merge_into(
            project_id=project.pk, spool=positions.spool, version=project.version_number + 1, replaces=replaces
        )
    if positions.count == 0:
        return False
    last = live.order_by("-ordinal").values_list("ordinal", flat=True).first() or 0
    positions.copy(table="projects_position", version=project.version_number + 1, after_ordinal=last)
    positions.name_categories("projects_position")
    return True


def _close(project: Project, positions: Positions, folder: Folder, user: User, trigger: str) -> None:
    details = {"document": str(positions.document_id), "filename": "positions.json", "older_id": folder.legacy_id}
    close_version(project=project, trigger=trigger, actor_id=user.pk, details=details)


def _remember(
    folder: Folder, project: Project, brought: Brought, positions: Positions | None, outcome: Outcome
) -> None:
    path = folder.snapshot.positions.path if folder.snapshot.positions else ""
    contents = {
        "root": str(folder.root.resolve()),
        "folder": folder.snapshot.folder,
        "files": brought.manifest,
        "kept": brought.kept,
        "unknown": folder.read.unknown,
        "currency": folder.read.project.currency,
        "positions": next((row["document"] for row in brought.manifest if row["path"] == path), None),
        "positions_path": path,
        "positions_currency": _currency(positions),
    }
    outcome.counts["documents"] = Document.objects.filter(project=project).count()
    report = {
        "version": project.version_number,
        "counts": outcome.counts,
        "total": outcome.total,
        "notes": outcome.notes,
        "older_audit": folder.older_audit,
    }
    FileProject.objects.update_or_create(
        legacy_id=folder.legacy_id,
        defaults={
            "project": project,
            "state": FileProject.State.MIGRATED,
            "checksum": folder.snapshot.checksum,
            "contents": clean(contents),
            "report": clean(report),
            "error": "",
            "migrated_at": timezone.now(),
        },
    )
