"""What a reading saw of a file before it was stored, or why it was not: the dialects it may be in, its first positions,
its sums. Shown beside the document, so that a person can choose another dialect or go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from ..exceptions import Refused
from ..models import Document
from ..parsers import registry
from ..parsers.bill import Bill, BillPosition, ParseError
from ..parsers.totals import position_total
from .superseding import is_in_budget

SHOWN = 12
PREVIEWED = "previewed"  # the document's code while a person has yet to say whether it goes into the budget
_TEXT = 200


def recognise(path: Path, filename: str, *, dialect: str | None, is_table: bool) -> registry.Detection:
    """What the file is by its content; what a person says it is comes first. `is_table`: its columns were confirmed.

    Raises ParseError where the file is of no dialect and nobody has chosen one.
    """
    chosen = dialect or ("table" if is_table else None)
    try:
        found = registry.detect(path, filename)
    except ParseError:
        if chosen is None:
            raise
        found = registry.Detection("", "", 0, (), ())
    if chosen is None or chosen == found.dialect:
        return found
    known = next((candidate for candidate in found.candidates if candidate.dialect == chosen), None)
    reasons = ("Chosen by a person.", *(known.reasons if known else ()))
    return registry.Detection(
        chosen, registry.dialect_label(chosen), known.score if known else 0, reasons, found.candidates
    )


def checked_dialect(name: str) -> str:
    """Raises Refused("unknown_dialect") for a dialect that there is not."""
    names = [known for known, _ in registry.dialects()]
    if name not in names:
        raise Refused(f"There is no dialect '{name}'. Known are: {', '.join(names)}.", code="unknown_dialect")
    return name


@dataclass(slots=True)
class Glimpse:
    """Fed while a bill streams by; holds no more than its first positions."""

    detection: registry.Detection | None = None
    bill: Bill | None = None
    first: list[BillPosition] = field(default_factory=list)
    positions: int = 0
    total: Decimal = Decimal(0)

    def take(self, position: BillPosition) -> None:
        assert self.bill is not None
        self.positions += 1
        if len(self.first) < SHOWN:
            self.first.append(position)
        if position.billing.counts:
            self.total += position_total(position, self.bill.header.rounding) or Decimal(0)

    def detection_as_json(self) -> dict[str, Any]:
        found = self.detection
        if found is None:
            return {}
        return {
            "dialect": found.dialect,
            "label": found.label,
            "score": found.score,
            "reasons": list(found.reasons),
            "candidates": [
                {"dialect": one.dialect, "label": one.label, "score": one.score, "reasons": list(one.reasons)}
                for one in found.candidates
            ],
        }

    def as_json(self) -> dict[str, Any]:
        """Positions so far, their sum, the sum the file states, the first rows; figures as text."""
        bill = self.bill
        if bill is None:
            return {}
        stated = next((total.amount for total in bill.totals if total.level == "bill"), None)
        return {
            "positions": self.positions,
            "total": str(self.total),
            "stated_total": None if stated is None else str(stated),
            "currency": bill.header.currency,
            "first": [_row(position, bill) for position in self.first],
        }


def _row(position: BillPosition, bill: Bill) -> dict[str, str | None]:
    total = position_total(position, bill.header.rounding)
    return {
        "number": position.number[:60],
        "code": position.code[:60],
        "description": position.description[:_TEXT],
        "unit": position.unit[:40] if position.unit else None,
        "quantity": _text(position.quantity),
        "unit_price": _text(position.unit_price),
        "total": _text(total),
        "section": " › ".join(position.section_path)[:_TEXT],
        "source": position.source[:_TEXT],
    }


def _text(figure: Decimal | None) -> str | None:
    return None if figure is None else f"{figure:f}"


def keep_glimpse(*, document_id: UUID, glimpse: Glimpse) -> None:
    """What was seen of a file that is not in the budget. Conditional: another attempt may have stored it meanwhile."""
    if glimpse.detection is None:
        return
    with transaction.atomic():
        document = Document.objects.select_for_update().filter(pk=document_id).first()
        if document is None or document.parse_status == Document.ParseStatus.COMPLETED or is_in_budget(document):
            return
        document.extracted_data = document.extracted_data | {
            "detection": glimpse.detection_as_json(),
            "preview": glimpse.as_json(),
        }
        document.save(update_fields=["extracted_data"])


def hold(*, document: Document, glimpse: Glimpse) -> dict[str, Any]:
    """In the caller's transaction: nothing goes into the budget until a person says so. The job's result."""
    preview = glimpse.as_json()
    warnings = glimpse.bill.warnings if glimpse.bill else []
    is_read = is_in_budget(document)
    document.extracted_data = document.extracted_data | (
        {"looked_at": {"detection": glimpse.detection_as_json(), "preview": preview, "warnings": warnings[:20]}}
        if is_read
        else {"detection": glimpse.detection_as_json(), "preview": preview, "warnings": warnings[:200],
              "warnings_count": len(warnings)}
    )  # fmt: skip
    document.parse_status = Document.ParseStatus.COMPLETED if is_read else Document.ParseStatus.PENDING
    document.parse_error = (
        "" if is_read else "It has been read and nothing is in the budget yet. Look it through first."
    )
    document.parse_error_code = "" if is_read else PREVIEWED
    document.save(update_fields=["extracted_data", "parse_status", "parse_error", "parse_error_code"])
    return {
        "document_id": str(document.pk),
        "dialect": glimpse.detection.dialect if glimpse.detection else "",
        "positions": glimpse.positions,
        "total": str(glimpse.total),
        "previewed": True,
    }
