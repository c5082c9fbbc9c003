"""The file before it was priced: which document it is, and its positions as they were read."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Min

from ..audit.view import AuditPosition, position_of
from ..models import Document, Position, Project
from ..parsers.bill import ParseError
from ..parsers.registry import open_bill
from ..parsers.table import NAME as TABLE


@dataclass(frozen=True, slots=True)
class Blank:
    """`positions` None: they can't be had any more, and `problem` says why."""

    document_id: UUID
    filename: str
    sha256: str
    positions: list[AuditPosition] | None
    problem: str = ""


def blank_of(*, project: Project) -> Blank | None:
    """The document chosen in the settings; else the tender that a bid in the budget was joined to. None: neither.

    From the rows as they were imported where all of them are there, else from the file, read once more.
    """
    document = _document(project)
    if document is None:
        return None
    positions = _imported(document)
    problem = ""
    if positions is None:
        positions, problem = _read(document)
    return Blank(document.pk, document.original_filename, document.sha256, positions, problem)


def choices_for(*, project: Project) -> list[Document]:
    """Documents that may be chosen: bills that have been read, newest first."""
    rows = Document.objects.filter(project=project, kind=Document.Kind.BILL)
    return list(rows.filter(parse_status=Document.ParseStatus.COMPLETED).order_by("-created_at"))


def _document(project: Project) -> Document | None:
    documents = Document.objects.filter(project=project)
    if project.blank_document_id:
        return documents.filter(pk=project.blank_document_id).first()
    joined = documents.filter(extracted_data__tender__isnull=False, positions__removed_in__isnull=True)
    tender = joined.order_by("-created_at").values_list("extracted_data__tender", flat=True).first()
    return documents.filter(pk=tender).first() if tender else None


def _imported(document: Document) -> list[AuditPosition] | None:
    """The rows that its reading added, if they are as many as the file had: of one that was merged into what the
    budget had already, only those that differed were added."""
    from .audit_view import FIELDS, position_from

    rows = Position.objects.filter(project_id=document.project_id, document_id=document.pk)
    first = rows.aggregate(first=Min("added_in"))["first"]
    stated = document.extracted_data.get("reconciliation", {}).get("positions")
    if first is None or stated is None:
        return None
    sections: dict[str, tuple[str, ...]] = {"": ()}
    added = rows.filter(added_in=first).order_by("ordinal", "id").values_list(*FIELDS)
    positions = [position_from(row, sections) for row in added]
    return positions if len(positions) == stated else None


def _read(document: Document) -> tuple[list[AuditPosition] | None, str]:
    from .importing import local_file
    from .mappings import recalled_mapping

    try:
        with local_file(document) as path:
            mapping = None
            if document.parser == TABLE:
                organisation_id = document.project.organisation_id
                name = document.original_filename
                mapping = recalled_mapping(path=path, filename=name, organisation_id=organisation_id)
            bill = open_bill(path, dialect=document.parser or None, mapping=mapping)
            return [position_of(position) for position in bill.positions], ""
    except (ParseError, OSError) as error:
        return None, f"the blank file {document.original_filename} can't be read any more: {error}"
