"""Making one export: the version out of the tables, the file written, read back, and stored."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files import File
from django.utils import timezone

from ..exceptions import ExportMissing, ExportRefused
from ..exports.csv_file import write_csv
from ..exports.gaeb_file import write_gaeb
from ..exports.source import ExportError
from ..exports.text_back import write_back_csv, write_back_unixml
from ..exports.unixml_file import write_unixml
from ..exports.write_back import WriteBack, write_back
from ..exports.xlsx_file import write_xlsx
from ..models import Document, Position, Project, ProjectExport
from ..parsers.bill import Bill, ParseError
from ..parsers.registry import open_bill
from ..parsers.table import NAME as TABLE
from ..parsers.table_mapping import Mapping, propose_mapping
from .export_report import write_pdf
from .export_source import Report, bill_of, prices_of
from .exporting import TENDERS
from .importing import local_file
from .mappings import recalled_mapping
from .superseding import family_of

Kind = ProjectExport.Kind
Finishing = Callable[[], AbstractContextManager[Callable[[Any], None]]]


def make_export(*, export_id: UUID, report: Report, finishing: Finishing) -> None:
    """Write, prove, store; a later attempt begins anew. Raises ExportMissing, ExportRefused with the writer's code."""
    export = ProjectExport.objects.select_related("project", "document").filter(pk=export_id).first()
    if export is None:
        raise ExportMissing("This export has been deleted.")
    ProjectExport.objects.filter(pk=export_id).update(status=ProjectExport.Status.RUNNING)
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / "file"
        try:
            told = _write(export, path, report)
        except (ExportError, ParseError) as error:
            raise ExportRefused(str(error), code=error.code) from error
        size, digest = _measured(path)
        with path.open("rb") as file:
            name = export.file.field.generate_filename(export, export.filename)
            export.file.storage.delete(name)  # of an attempt that was killed
            name = export.file.storage.save(name, File(file))
    with finishing() as finish:
        kept = ProjectExport.objects.filter(pk=export_id).update(
            status=ProjectExport.Status.COMPLETED, file=name, size=size, sha256=digest, report=told, error="",
            finished_at=timezone.now(),
        )  # fmt: skip
        if not kept:  # its project went meanwhile: nothing would ever remove the file
            export.file.storage.delete(name)
            raise ExportMissing("This export has been deleted.")
        finish({"export_id": str(export_id), "size": size, "report": told})


def _measured(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return path.stat().st_size, digest.hexdigest()


def _write(export: ProjectExport, path: Path, report: Report) -> dict[str, Any]:
    project, number = export.project, export.version_number
    if export.kind == Kind.PRICED:
        return _price(export, path, report)
    if export.kind == Kind.PDF:
        return write_pdf(path=path, project=project, version=number, report=report)
    bill = bill_of(project=project, version=number, report=report)
    if export.kind == Kind.CSV:
        return write_csv(path, bill, **export.options)
    if export.kind == Kind.XLSX:
        return write_xlsx(path, bill)
    if export.kind == Kind.UNIXML:
        return write_unixml(path, bill)
    with ExitStack() as files:
        phase = "84" if export.kind == Kind.GAEB_X84 else "86"
        tender = _tender_of(project, number) if phase == "84" else None
        local = files.enter_context(local_file(tender)) if tender else None
        return write_gaeb(path, bill, phase=phase, tender=local)


def _tender_of(project: Project, version: int) -> Document | None:
    """The tender (X83) that all positions of the version answer; None where there is none."""
    tenders = Document.objects.filter(
        project=project, parse_status=Document.ParseStatus.COMPLETED, extracted_data__header__phase__in=TENDERS
    )
    newest = tenders.order_by("-created_at").first()
    if newest is None:
        return None
    owners = set(
        Position.objects.filter(project=project)
        .of_version(version)
        .order_by()
        .values_list("document_id", flat=True)
        .distinct()
    )
    return newest if owners <= family_of(project_id=project.pk, documents={newest.pk}) else None


def _price(export: ProjectExport, path: Path, report: Report) -> dict[str, Any]:
    """Prices into the client's own file."""
    document, project = export.document, export.project
    if document is None:
        raise ExportMissing("The client's file has been deleted.")
    family = family_of(project_id=project.pk, documents={document.pk})
    with local_file(document) as source:
        if document.parser == "gaeb_xml":
            bill = bill_of(project=project, version=export.version_number, report=report, documents=family)
            return _answered(write_gaeb(path, bill, phase="84", tender=source))
        book = prices_of(project=project, version=export.version_number, document=document, family=family)
        mapping = _mapping(document, source) if document.parser == TABLE else None

        def opened(file: Path) -> Bill:
            return open_bill(file, dialect=document.parser, mapping=mapping, filename=document.original_filename)

        asked: dict[str, Any] = {"source": source, "target": path, "opened": opened, "price_of": book.price_of}
        if document.parser == "unixml":
            outcome = write_back_unixml(**asked, report=report)
        elif document.file_type == "csv":
            assert mapping is not None
            outcome = write_back_csv(**asked, mapping=mapping, report=report)
        else:
            locked = bool(export.options.get("into_locked"))
            outcome = write_back(**asked, mapping=mapping, into_locked=locked, report=report)
    return _told(outcome)


def _mapping(document: Document, path: Path) -> Mapping:
    """As it was read: what somebody confirmed, else what its titles say."""
    known = recalled_mapping(
        path=path, filename=document.original_filename, organisation_id=document.project.organisation_id
    )
    return known or propose_mapping(path, document.original_filename).mapping


def _answered(told: dict[str, Any]) -> dict[str, Any]:
    if not told["joined"]:
        raise ExportError(
            "The positions of this version do not have the tender's numbers any more: they were entered by hand or "
            "come from another file. Export a GAEB X84 of the whole budget instead.",
            code="not_a_pair",
        )
    return told | {"written": told["positions"] - told["unpriced"]}


def _told(outcome: WriteBack) -> dict[str, Any]:
    plain = asdict(outcome)
    plain["total"], plain["total_before"] = str(outcome.total), str(outcome.total_before)
    return plain
