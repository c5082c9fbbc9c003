"""A project's current version as the audit engine sees it, read in bulk."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from ..audit.findings import Override
from ..audit.view import AuditPosition, BudgetView
from ..models import Document, FindingOverride, Position, Project
from ..models.budget import SECTION_SEPARATOR
from ..parsers.bill import Billing, PositionKind, Rounding, StatedTotal
from .audit_places import Path, Places, places_of
from .references import References
from .rows import measure_lines

CHUNK = 5000
FIELDS = (
    "id", "ordinal", "number", "description", "kind", "billing", "object_code", "section", "code", "catalogue",
    "price_system", "long_text", "unit", "quantity", "quantity_reason", "unit_price", "stated_total", "vat_rate",
    "measure", "source", "content_hash", "lineage",
)  # fmt: skip
KINDS = {kind.value: kind for kind in PositionKind}
BILLINGS = {billing.value: billing for billing in Billing}


def view_of(*, project: Project, references: References | None = None, places: Places | None = None) -> BudgetView:
    """The current positions in the order of the budget, with what their documents state, and what they are compared
    with. Four queries, two without those of `places`.

    Where several bills make up the budget, phase, rounding and VAT are those of the one with most positions. Totals
    that a file states are passed on only while its positions are as it had them, and nobody else has positions under
    the sum: an edited budget need not match them.
    """
    rows = Position.objects.filter(project=project, removed_in__isnull=True).order_by("ordinal", "id")
    positions = positions_of(rows)
    header = header_of(project=project, places=places_of(project=project) if places is None else places)
    return BudgetView(positions, **header, **(references.for_view() if references else {}))


def positions_of(rows: QuerySet[Position]) -> list[AuditPosition]:
    sections: dict[str, tuple[str, ...]] = {"": ()}
    return [position_from(row, sections) for row in rows.values_list(*FIELDS).iterator(chunk_size=CHUNK)]


def header_of(*, project: Project, places: Places) -> dict[str, Any]:
    """What the project and its documents state, as `BudgetView` takes it. One query."""
    counts = places.counts
    documents = list(
        Document.objects.filter(project=project, pk__in=[pk for pk in counts if pk]).defer("indexed_content")
    )
    documents.sort(key=lambda document: (-counts[document.pk], document.created_at))
    data = documents[0].extracted_data if documents else {}
    header: dict[str, Any] = data.get("header", {})
    return {
        "currency": project.currency,
        "phase": header.get("phase", ""),
        "rounding": _rounding(data),
        "budget_on": project.budget_on or _date(header.get("budget_on")),
        "dialect": documents[0].parser if documents else "",
        "is_public_tender": header.get("is_public_tender", False),
        "vat_rates": [Decimal(rate) for rate in header.get("vat_rates", [])],
        "totals": _totals([document for document in documents if document.pk not in places.closed], places.paths),
    }


def standing_overrides(*, project_id: UUID) -> list[Override]:
    """People's decisions that still hold, for positions whose content is as it was when they decided."""
    decisions = FindingOverride.objects.filter(
        project_id=project_id, withdrawn_at__isnull=True, decision=FindingOverride.Decision.OVERRIDDEN
    )
    return [
        Override(rule_id=rule_id, content_hash=digest, position_identity=str(lineage), reason=reason)
        for rule_id, digest, lineage, reason in decisions.values_list("rule_id", "content_hash", "lineage", "reason")
    ]


def position_from(row: tuple[Any, ...], sections: dict[str, tuple[str, ...]]) -> AuditPosition:
    (
        key, ordinal, number, description, kind, billing, object_code, section, code, catalogue, price_system,
        long_text, unit, quantity, quantity_reason, unit_price, stated_total, vat_rate, measure, source, digest,
        lineage,
    ) = row  # fmt: skip
    path = sections.get(section)
    if path is None:
        path = sections[section] = tuple(section.split(SECTION_SEPARATOR))
    return AuditPosition(
        key=str(key), ordinal=ordinal, number=number, description=description, kind=KINDS[kind],
        billing=BILLINGS[billing], object_code=object_code, section_path=path, code=code, catalogue=catalogue,
        price_system=price_system, long_text=long_text, unit=unit, quantity=quantity, quantity_reason=quantity_reason,
        unit_price=unit_price, total=stated_total, vat_rate=vat_rate, measure=measure_lines(measure), source=source,
        content_hash=digest, lineage=str(lineage),
    )  # fmt: skip


def _rounding(data: dict[str, Any]) -> Rounding:
    stated = data.get("rounding")
    if not stated:
        return Rounding()
    return Rounding(
        quantity=Decimal(stated["quantity"]),
        unit_price=Decimal(stated["unit_price"]),
        total=Decimal(stated["total"]),
        is_stated=stated["is_stated"],
    )


def _place_of(stated: dict[str, Any]) -> Path:
    if stated["level"] == "bill":
        return ()
    return (stated["object_code"], *(stated["section_path"] if stated["level"] == "section" else ()))


def _totals(documents: list[Any], paths: dict[UUID | None, set[Path]]) -> list[StatedTotal]:
    """Stated totals of unchanged documents, where nobody else has positions under them."""
    totals = []
    for document in documents:
        others = [found for owner, found in paths.items() if owner != document.pk]
        for stated in document.extracted_data.get("totals", []):
            if any(_place_of(stated) in found for found in others):
                continue
            totals.append(
                StatedTotal(
                    level=stated["level"],
                    amount=Decimal(stated["amount"]),
                    object_code=stated["object_code"],
                    section_path=tuple(stated["section_path"]),
                    source=stated["source"],
                    discount=Decimal(stated.get("discount") or 0),
                )
            )
    return totals


def _date(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
