"""Reading a building model into the budget: elements, positions with their companions, a version, an audit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts.models import User

from ..exceptions import DocumentRefused, Missing, Refused, Temporary
from ..ifc.assumptions import Assumptions
from ..ifc.container import unpacked
from ..ifc.elements import Element, Model
from ..ifc.positions import build_positions
from ..ifc.reading import read_model as read_elements
from ..ifc.sheets import BuiltPosition
from ..models import BudgetVersion, BuildingElement, Document, Project
from ..parsers.bill import ParseError
from ..webhooks import tell_imported
from . import importing
from .access import editable_project
from .activity import show_activity
from .auditing import request_audit
from .documents import announce_document, makes_positions
from .filetypes import MODEL
from .importing import local_file
from .model_elements import as_element, link_positions, replace_elements, superseded_models
from .model_positions import Placed, place_positions
from .superseding import family_of
from .versions import close_version, locked_project

if TYPE_CHECKING:
    from jobs.models import Job

Report = Callable[[int, int, str], None]
Finish = Callable[[dict[str, Any]], None]
Finishing = Callable[[], AbstractContextManager[Finish]]
INDEXED = 50_000  # characters of words that the search finds a model by
DIED = ("job_crashed", "job_out_of_memory", "job_timed_out")


def read_model(
    *, document_id: UUID, actor_id: UUID | None, replaces: UUID | None, report: Report, finishing: Finishing
) -> None:
    """Read the model and commit its positions as the project's next version, then ask for an audit.

    Native code parses the file: only in a child with limits. Effect and completion are one transaction (`finishing`).
    Idempotent: a document that has been read is not read again. Raises DocumentRefused with the reader's code, Missing,
    Refused("not_read_here") where the project's workflow makes no positions from models.
    """
    document = Document.objects.select_related("project").filter(pk=document_id).first()
    if document is None:
        raise Missing("The document has been deleted.", code="document_not_found")
    if document.parse_status == Document.ParseStatus.COMPLETED:
        with finishing() as finish:
            finish({"document_id": str(document_id), "already_read": True})
        return
    if not makes_positions(document):
        raise Refused(
            "This project's quantities come from a bill; no positions are made from it.", code="not_read_here"
        )
    unread = Document.objects.filter(pk=document_id).exclude(parse_status=Document.ParseStatus.COMPLETED)
    unread.update(parse_status=Document.ParseStatus.PARSING)
    show_activity(project_id=document.project_id)
    try:
        model = _read(document, report)
    except ParseError as error:
        raise DocumentRefused(str(error), code=error.code) from error
    own = dict(document.project.assumptions)
    built = build_positions(model.elements, assumptions=Assumptions.with_own(own), storeys=model.storeys)
    if not built:
        message = "No position can be made from this model: it holds nothing but assemblies without parts."
        raise DocumentRefused(message, code="no_positions")
    report(len(model.elements), len(model.elements), f"Storing {len(built)} positions")
    with finishing() as finish:
        finish(_store(document, actor_id, model, built, own, replaces))


def _read(document: Document, report: Report) -> Model:
    with local_file(document) as path, tempfile.TemporaryDirectory(prefix="model-") as folder:
        report(0, 0, "Opening the model")
        return read_elements(unpacked(path, Path(folder)), report=report)


def record_failure(*, document_id: UUID, message: str, code: str) -> None:
    """Show on the document why it could not be read; a child that died says so in words for people."""
    if code in DIED:
        message = (
            "The model could not be read: its reader ran out of memory or time, or stopped on damaged data. Export the "
            "model again as IFC4, storey by storey if it is large, and upload that."
        )
    importing.record_failure(document_id=document_id, message=message, code=code)


def _store(
    document: Document,
    actor_id: UUID | None,
    model: Model,
    built: Sequence[BuiltPosition],
    own: dict[str, str],
    replaces: UUID | None,
) -> dict[str, Any]:
    """In the caller's transaction."""
    project = locked_project(project_id=document.project_id)
    if project.assumptions != own:
        raise Temporary("The assumptions were changed meanwhile; the positions will be made anew.")
    superseded = superseded_models(document=document, guids={element.guid for element in model.elements})
    superseded |= {replaces} if replaces else set()
    family = family_of(project_id=project.pk, documents=superseded | {document.pk}) - {document.pk}
    counts = replace_elements(document=document, elements=model.elements, superseded=family)
    placed = place_positions(project=project, document=document, built=built, superseded=family)
    link_positions(document=document, lineages=placed.lineages)
    _describe(document, model, counts, placed, max(superseded, default=None, key=str))
    if placed.is_changed:
        _close(project, document, actor_id, counts, placed)
    tell_imported(project=project, document=document, positions=len(built))
    job = request_audit(project=project, actor=User.objects.filter(pk=actor_id).first() if actor_id else None)
    return {
        "document_id": str(document.pk),
        "dialect": document.parser,
        "positions": len(built),
        "version": project.version_number,
        "warnings": len(model.warnings),
        "audit_job_id": str(job.pk),
        **counts,
    }


def _close(
    project: Project, document: Document, actor_id: UUID | None, counts: dict[str, int], placed: Placed
) -> BudgetVersion:
    details: dict[str, Any] = {"document": str(document.pk), "filename": document.original_filename, "model": counts}
    if placed.given_way:
        details["quantities_given_way"] = placed.given_way
    trigger = BudgetVersion.Trigger.DOCUMENT_ADDED if project.version_number else BudgetVersion.Trigger.INITIAL
    return close_version(project=project, trigger=trigger, actor_id=actor_id, details=details)


def _describe(document: Document, model: Model, counts: dict[str, int], placed: Placed, replaces: UUID | None) -> None:
    document.parser, document.parser_score = MODEL, 100
    document.parse_status, document.parse_error, document.parse_error_code = Document.ParseStatus.COMPLETED, "", ""
    warnings = list(model.warnings)
    if placed.given_way:
        warnings.append(f"{placed.given_way} quantities that people had entered gave way to what the model says now.")
    replaced = replaces or document.extracted_data.get("replaces")
    document.extracted_data = {
        **({"replaces": str(replaced)} if replaced else {}),
        "header": {"dialect_label": f"Building model ({model.schema})", "phase": "", "title": "", "client": ""},
        "detection": {"score": 100, "reasons": ["begins with ISO-10303-21"]},
        "totals": [],
        "warnings": warnings[:200],
        "warnings_count": len(warnings),
        "model": {
            "schema": model.schema,
            "storeys": model.storeys,
            "floor_area_m2": str(model.floor_area.value) if model.floor_area else None,
            "floor_area_source": model.floor_area.source if model.floor_area else "",
            **counts,
        },
    }
    document.indexed_content = _words(model.elements)
    document.save(
        update_fields=[
            "parser", "parser_score", "parse_status", "parse_error", "parse_error_code", "extracted_data",
            "indexed_content",
        ]
    )  # fmt: skip
    announce_document(document)


def _words(elements: Sequence[Element]) -> str:
    lines = dict.fromkeys(f"{e.ifc_class} {e.type_name or e.name} {e.material} {e.storey}" for e in elements)
    return "\n".join(lines)[:INDEXED]


def models_of(project: Project) -> list[Document]:
    """Models whose elements stand in the project, oldest first."""
    ids = BuildingElement.objects.filter(project=project).order_by().values("document_id").distinct()
    return list(Document.objects.filter(pk__in=ids).defer("indexed_content").order_by("created_at"))


@transaction.atomic
def change_assumptions(*, project_id: UUID, actor: User, values: dict[str, str], reason: str = "") -> Job | None:
    """Set the project's own values and make the positions of its models anew: a version, where they differ, and an
    audit of it (its job is returned). Values equal to the table's are the table's again.

    Raises ProjectNotFound, ReadOnly, Refused("bad_assumption").
    """
    editable_project(project_id=project_id, user=actor)
    project = locked_project(project_id=project_id)
    try:
        assumptions = Assumptions.with_own({**project.assumptions, **values})
    except ValueError as error:
        raise Refused(str(error), code="bad_assumption") from error
    changed = {
        key: f"{assumptions.value(key).normalize():f}"
        for key in values
        if assumptions.as_json().get(key) != project.assumptions.get(key)
    }
    if not changed:
        raise Refused("This changes nothing: the assumptions already are like that.", code="nothing_changed")
    project.assumptions = assumptions.as_json()
    project.save(update_fields=["assumptions", "updated_at"])
    rebuilt = [_rebuilt(project, document, assumptions) for document in models_of(project)]
    if not any(rebuilt):
        return None
    close_version(
        project=project,
        trigger=BudgetVersion.Trigger.RECALCULATION,
        actor_id=actor.pk,
        details={"assumptions": changed, "reason": reason},
    )
    return request_audit(project=project, actor=actor)


def _rebuilt(project: Project, document: Document, assumptions: Assumptions) -> bool:
    """From the stored elements: the file is not read again."""
    rows = BuildingElement.objects.filter(document=document).order_by("pk")
    elements = [as_element(row) for row in rows.iterator(chunk_size=2000)]
    storeys = document.extracted_data.get("model", {}).get("storeys", [])
    built = build_positions(elements, assumptions=assumptions, storeys=storeys)
    placed = place_positions(project=project, document=document, built=built, superseded=set())
    link_positions(document=document, lineages=placed.lineages)
    return placed.is_changed
