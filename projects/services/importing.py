"""Reading a stored document into the budget: detect, read, reconcile, store as a version. All or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import DataError, transaction
from django.db.models import Max

from accounts.models import User

from ..audit.file_facts import FileFacts, facts_of_file
from ..exceptions import DocumentRefused, Missing, Temporary
from ..models import BudgetVersion, Document, Position, Project
from ..parsers import reconcile, registry
from ..parsers.bill import Bill, ParseError
from ..parsers.table import NAME as TABLE
from ..parsers.table_mapping import Mapping
from ..webhooks import tell_imported
from .activity import show_activity
from .auditing import request_audit
from .documents import announce_document, queue_reading
from .mappings import mapping_of, recalled_mapping, remember_mapping
from .merging import merge_into
from .previewing import Glimpse, hold, keep_glimpse, recognise
from .rows import PositionSpool
from .superseding import TENDERS, family_of, is_in_budget, lone_bids, tender_for
from .versions import close_version, locked_project

Report = Callable[[int, int, str], None]
Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
REPORT_EVERY = 500


@dataclass(frozen=True, slots=True)
class ImportOptions:
    mapping: dict[str, Any] | None = None  # of a plain table, as Mapping.as_json() gives it
    replaces: UUID | None = None  # the document whose positions this one supersedes
    accept_difference: bool = False  # import although the grand total does not reconcile
    dialect: str | None = None  # read as this one, whatever its content looks like
    preview_only: bool = False  # read it and show what is in it, without putting it into the budget


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document turned out to be, before it is stored."""

    bill: Bill
    detection: registry.Detection
    reconciliation: reconcile.Reconciliation
    replaces: UUID | None
    tender: UUID | None  # that it was joined to
    facts: FileFacts  # what else was seen in the file
    glimpse: Glimpse  # what people are shown of it


def import_document(
    *, document_id: UUID, actor_id: UUID | None, options: ImportOptions, report: Report, finishing: Finishing
) -> None:
    """Read the document and commit its positions as the project's next version, then ask for an audit.

    The file is read into a spool outside any transaction; `finishing()` opens the one that stores it. Idempotent: a
    document that has been read is not read again. Raises DocumentRefused with the parser's code; nothing is stored.
    """
    document = Document.objects.select_related("project").filter(pk=document_id).first()
    if document is None:
        raise Missing("The document has been deleted.", code="document_not_found")
    if document.parse_status == Document.ParseStatus.COMPLETED:
        with finishing() as finish:
            finish({"document_id": str(document_id), "already_read": True})
        return
    # Conditional: an attempt that was thought dead may wake up here after another one has done the work.
    unread = Document.objects.filter(pk=document_id).exclude(parse_status=Document.ParseStatus.COMPLETED)
    unread.update(parse_status=Document.ParseStatus.PARSING)
    show_activity(project_id=document.project_id)
    glimpse = Glimpse()
    try:
        with ExitStack() as open_files:
            bill, detection, tender, facts = _open(document, actor_id, options, open_files, glimpse)
            spool = open_files.enter_context(
                PositionSpool(project_id=document.project_id, document_id=document.pk, rounding=bill.header.rounding)
            )
            result = _read(bill, spool, options, report, glimpse)
            replaces = tender or options.replaces
            reading = Reading(bill, detection, result, replaces, tender, facts, glimpse)
            report(spool.count, spool.count, f"Storing {spool.count} positions")
            with finishing() as finish:
                finish(_hold(document, glimpse) if options.preview_only else _store(document, actor_id, spool, reading))
    except ParseError as error:
        keep_glimpse(document_id=document_id, glimpse=glimpse)
        raise DocumentRefused(str(error), code=error.code) from error
    except DataError as error:
        message = "A figure in this bill is larger than a budget can hold (18 digits). Check quantities and prices."
        raise DocumentRefused(message, code="damaged") from error


@transaction.atomic
def record_failure(*, document_id: UUID, message: str, code: str) -> None:
    """Show on the document why it could not be read; the project goes back to what it was. One whose positions are in
    the budget from an earlier reading stays read."""
    document = Document.objects.filter(pk=document_id).first()
    if document is None:
        return
    locked_project(project_id=document.project_id)
    status = Document.ParseStatus.COMPLETED if is_in_budget(document) else Document.ParseStatus.FAILED
    Document.objects.filter(pk=document_id).exclude(parse_status=Document.ParseStatus.COMPLETED).update(
        parse_status=status, parse_error=message, parse_error_code=code[:40]
    )
    show_activity(project_id=document.project_id)


def _open(
    document: Document, actor_id: UUID | None, options: ImportOptions, open_files: ExitStack, glimpse: Glimpse
) -> tuple[Bill, registry.Detection, UUID | None, FileFacts]:
    """Detect and open, and look through the file for what rules on files ask about. A bid without quantities (GAEB
    X84) is joined to the tender the project has, whose id is returned: it takes its place."""
    path = open_files.enter_context(local_file(document))
    detection = glimpse.detection = recognise(
        path, document.original_filename, dialect=options.dialect, is_table=options.mapping is not None
    )
    mapping = _mapping(document, actor_id, options, path) if options.mapping or detection.dialect == TABLE else None
    bill = registry.open_bill(path, dialect=detection.dialect, mapping=mapping)
    tender = tender_for(document=document, named=options.replaces) if bill.header.phase == "X84" else None
    tender_path = open_files.enter_context(local_file(tender)) if tender else None
    name = document.original_filename
    facts = facts_of_file(path, dialect=detection.dialect, document=name, tender=tender_path)
    if tender is None:
        return bill, detection, None, facts
    return registry.open_bill(path, dialect=detection.dialect, tender=tender_path), detection, tender.pk, facts


def _mapping(document: Document, actor_id: UUID | None, options: ImportOptions, path: Path) -> Mapping | None:
    """The columns of a plain table: as confirmed now, which is remembered, or as somebody confirmed earlier."""
    place: dict[str, Any] = {
        "path": path,
        "filename": document.original_filename,
        "organisation_id": document.project.organisation_id,
    }
    if options.mapping is None:
        return recalled_mapping(**place)
    mapping = mapping_of(options.mapping)
    # Even if the reading fails later: what was confirmed is which column is which.
    remember_mapping(**place, mapping=mapping, actor_id=actor_id)
    return mapping


@contextmanager
def local_file(document: Document) -> Iterator[Path]:
    """The document as a file on this machine: itself, or a temporary copy if it is stored elsewhere."""
    try:
        path = Path(document.file.path)
    except NotImplementedError:  # object storage has no paths
        path = None
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="document-") as copy, document.file.open("rb") as stored:
        shutil.copyfileobj(stored, copy)
        copy.flush()
        yield Path(copy.name)


def _read(
    bill: Bill, spool: PositionSpool, options: ImportOptions, report: Report, glimpse: Glimpse
) -> reconcile.Reconciliation:
    """Stream the positions into the spool; then compare with what the file says of itself."""
    reconciler = reconcile.Reconciler(bill)
    glimpse.bill = bill
    for position in reconciler.watch(bill.positions):
        spool.add(position)
        glimpse.take(position)
        if spool.count % REPORT_EVERY == 0:
            report(spool.count, bill.stated_count or 0, f"Reading position {spool.count}")
    result = reconciler.result()
    try:
        reconcile.assert_reconciled(result)
    except ParseError as error:
        if error.code != "does_not_reconcile" or not options.accept_difference:
            raise
    return result


def _hold(document: Document, glimpse: Glimpse) -> dict[str, Any]:
    """In the caller's transaction, in place of `_store`."""
    locked_project(project_id=document.project_id)
    document.refresh_from_db(fields=["extracted_data"])
    result = hold(document=document, glimpse=glimpse)
    announce_document(document)
    return result


def _store(document: Document, actor_id: UUID | None, spool: PositionSpool, reading: Reading) -> dict[str, Any]:
    """In the caller's transaction: positions, version, document; the audit is queued on commit."""
    project = locked_project(project_id=document.project_id)
    if reading.bill.header.phase == "X84" and not reading.tender and tender_for(document=document, named=None):
        raise Temporary("The tender that this bid answers has come in meanwhile; they will be joined.")
    changed = _place(document, project, spool, reading)
    _describe(document, reading, version=project.version_number + 1 if changed else project.version_number)
    _adopt(project, reading.bill)
    if changed:
        close_version(
            project=project,
            trigger=BudgetVersion.Trigger.DOCUMENT_ADDED if project.version_number else BudgetVersion.Trigger.INITIAL,
            actor_id=actor_id,
            details={"document": str(document.pk), "filename": document.original_filename},
        )
    tell_imported(project=project, document=document, positions=spool.count)
    actor = User.objects.filter(pk=actor_id).first() if actor_id else None
    if reading.bill.header.phase in TENDERS:
        for bid in lone_bids(project_id=project.pk):
            queue_reading(document=bid, actor=actor, options=None)
    job = request_audit(project=project, actor=actor)
    return {
        "document_id": str(document.pk),
        "dialect": document.parser,
        "positions": spool.count,
        "total": str(reading.reconciliation.computed_total),
        "currency": project.currency,
        "version": project.version_number,
        "warnings": len(reading.bill.warnings),
        "audit_job_id": str(job.pk),
    }


def _place(document: Document, project: Project, spool: PositionSpool, reading: Reading) -> bool:
    """The positions as rows of the next version: in place of what the budget has of the same bill, else after
    everything. Whether that changes the budget."""
    number = project.version_number + 1
    family = family_of(
        project_id=project.pk, documents={document.pk} | ({reading.replaces} if reading.replaces else set())
    )
    live = Position.objects.filter(project=project, removed_in__isnull=True)
    if live.filter(document_id__in=family).exists():
        return merge_into(project_id=project.pk, spool=spool, version=number, replaces=family)
    last = live.aggregate(last=Max("ordinal"))["last"] or 0
    spool.copy(table="projects_position", version=number, after_ordinal=last)
    return True


def _describe(document: Document, reading: Reading, *, version: int) -> None:
    """`version`: the first one that holds the document's positions as they are in the file."""
    document.parser, document.parser_score = reading.bill.header.dialect, reading.detection.score
    document.parse_status, document.parse_error, document.parse_error_code = Document.ParseStatus.COMPLETED, "", ""
    replaces = reading.replaces or document.extracted_data.get("replaces")  # once of a family, always of it
    document.extracted_data = {
        **({"replaces": str(replaces)} if replaces else {}),
        **({"tender": str(reading.tender)} if reading.tender else {}),
        **stated_by(reading.bill),
        "file_facts": reading.facts.as_json(),
        "version": version,
        "detection": reading.glimpse.detection_as_json(),
        "preview": reading.glimpse.as_json(),
        "reconciliation": reconciled_as_json(reading.reconciliation),
    }
    document.save(
        update_fields=[
            "parser", "parser_score", "parse_status", "parse_error", "parse_error_code", "extracted_data",
        ]
    )  # fmt: skip
    announce_document(document)


def stated_by(bill: Bill) -> dict[str, Any]:
    """What the file says besides its positions, as JSON."""
    header = bill.header
    return {
        "header": {
            "dialect_label": header.dialect_label,
            "phase": header.phase,
            "title": header.title,
            "reference": header.reference,
            "client": header.client,
            "currency": header.currency,
            "budget_on": header.budget_on.isoformat() if header.budget_on else None,
            "is_public_tender": header.is_public_tender,
            "vat_rates": [str(rate) for rate in header.vat_rates],
        },
        "rounding": {
            "quantity": str(header.rounding.quantity),
            "unit_price": str(header.rounding.unit_price),
            "total": str(header.rounding.total),
            "is_stated": header.rounding.is_stated,
        },
        "totals": [_plain(asdict(total)) for total in bill.totals],
        "warnings": bill.warnings[:200],
        "warnings_count": len(bill.warnings),
    }


def _adopt(project: Project, bill: Bill) -> None:
    """Take over currency and date from the bill where the project has none."""
    project.currency = project.currency or bill.header.currency
    project.budget_on = project.budget_on or bill.header.budget_on
    project.save(update_fields=["currency", "budget_on", "updated_at"])


def reconciled_as_json(result: reconcile.Reconciliation) -> dict[str, Any]:
    """For people who ask whether the whole file came in: counts, sums, and where the file contradicts itself."""
    return {
        "positions": result.positions,
        "stated_count": result.stated_count,
        "computed_total": str(result.computed_total),
        "stated_total": None if result.stated_total is None else str(result.stated_total),
        "unpriced": result.unpriced,
        "objects": {code: str(total) for code, total in result.object_totals.items()},
        "differences": [
            {
                "where": d.where,
                "level": d.level,
                "stated": str(d.stated),
                "computed": str(d.computed),
                "source": d.source,
            }
            for d in result.differences[:100]
        ],
    }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}
