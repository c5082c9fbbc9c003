"""What an answer is made of, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from ...audit.registry import all_rules
from ...models import BudgetVersion, Document, Finding, Position, Project

if TYPE_CHECKING:
    from .proposing import Plan

QUOTED = 420  # characters
# How an answer came about: computed by the database, worded by a model from sources, a passage as it stands, nothing
# that supports one, a proposed change, a question back.
COMPUTED, MODEL, EXTRACT, NOBODY, PROPOSAL, CLARIFY = "computed", "model", "extract", "nobody", "proposal", "clarify"


class Citation(TypedDict):
    """`kind`: document, position, finding, version, section, clause. `place`: "page 3", "SO 1!A11", "V06"."""

    kind: str
    id: str
    title: str
    place: str
    quote: str
    url: str


@dataclass(frozen=True, slots=True)
class Table:
    """`numeric`: indexes of columns of figures. Cells are text, ready to be read."""

    columns: list[str]
    rows: list[list[str]]
    numeric: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reply:
    """`how`: what was computed from what; `remark`: why an answer is less than it could be; `candidates`: messages that
    say what was left open, each {"text", "label"}."""

    text: str
    source: str
    citations: list[Citation] = field(default_factory=list)
    how: str = ""
    table: Table | None = None
    remark: str = ""
    model: str = ""
    confidence: Decimal | None = None
    candidates: list[dict[str, str]] = field(default_factory=list)
    intent: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None


def cite_position(position: Position, document: str = "") -> Citation:
    place = ", ".join(filter(None, (document, position.source)))
    figures = f"{position.description} ({position.code})" if position.code else position.description
    return {
        "kind": "position",
        "id": str(position.lineage),
        "title": f"Position {position.number}".strip(),
        "place": place,
        "quote": figures[:QUOTED],
        "url": reverse("projects:position", args=[position.project_id, position.lineage]),
    }


def cite_finding(finding: Finding) -> Citation:
    position = finding.position
    url = (
        reverse("projects:position", args=[finding.project_id, position.lineage])
        if position
        else reverse("projects:audit", args=[finding.project_id])
    )
    return {
        "kind": "finding",
        "id": str(finding.pk),
        "title": f"{finding.rule_id} {title_of_rule(finding.rule_id)}",
        "place": f"position {position.number}" if position else "the whole budget",
        "quote": finding.reasoning[:QUOTED],
        "url": url,
    }


def cite_version(version: BudgetVersion) -> Citation:
    return {
        "kind": "version",
        "id": str(version.number),
        "title": f"Version {version.number}",
        "place": version.get_trigger_display(),
        "quote": "",
        "url": reverse("projects:version", args=[version.project_id, version.number]),
    }


def cite_document(document: Document, *, place: str = "", quote: str = "", page: int = 0) -> Citation:
    """The file itself; browsers open a PDF at its `page`."""
    url = reverse("projects:document-file", args=[document.project_id, document.pk])
    return {
        "kind": "document",
        "id": str(document.pk),
        "title": document.original_filename,
        "place": place,
        "quote": quote[:QUOTED],
        "url": f"{url}#page={page}" if page and document.file_type == "pdf" else url,
    }


def cite_section(project: Project, object_code: str, section: str, label: str) -> Citation:
    query = urlencode({"section": f"{object_code}|{section}"})
    return {
        "kind": "section",
        "id": f"{object_code}|{section}"[:200],
        "title": label,
        "place": object_code,
        "quote": "",
        "url": f"{reverse('projects:detail', args=[project.pk])}?{query}",
    }


def title_of_rule(rule_id: str) -> str:
    rule = next((rule for rule in all_rules() if rule.id == rule_id), None)
    return rule.title if rule else "A rule of an earlier release"


def file_names(positions: list[Position]) -> dict[UUID, str]:
    """Names of the documents that these came from. One query."""
    wanted = {position.document_id for position in positions if position.document_id}
    return dict(Document.objects.filter(pk__in=wanted).values_list("pk", "original_filename"))
