"""A version of a project as the writers of exports take it, and its prices as a client's own file asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from ..exports.source import ExportBill
from ..exports.write_back import Price
from ..models import Document, Position, Project
from ..models.budget import SECTION_SEPARATOR
from ..parsers.bill import Billing, BillPosition, PositionKind, Rounding
from .rows import LIMITS, measure_lines

Report = Callable[[int, int, str], None]
AT_ONCE = 2000
FIELDS = (
    "number", "description", "kind", "billing", "object_code", "object_name", "section", "code", "catalogue",
    "price_system", "long_text", "unit", "quantity", "quantity_reason", "unit_price", "stated_total", "vat_rate",
    "measure", "source",
)  # fmt: skip
_KINDS = {kind.value: kind for kind in PositionKind}
_BILLINGS = {billing.value: billing for billing in Billing}
_FOUR = Decimal("0.0001")


def bill_of(
    *, project: Project, version: int, report: Report, documents: set[UUID] | None = None, currency: str = ""
) -> ExportBill:
    """`documents`: only their positions. Read through a cursor of the server: rows are in memory, not the version.

    Rounding, VAT and the client are those of the document with most positions.
    """
    rows = Position.objects.filter(project=project).of_version(version).order_by("ordinal", "id")
    if documents is not None:
        rows = rows.filter(document_id__in=documents)
    main = _main_document(project, version)
    data: dict[str, Any] = main.extracted_data if main else {}
    header: dict[str, Any] = data.get("header", {})
    rounding = data.get("rounding")
    return ExportBill(
        read=lambda: _positions(rows.values_list(*FIELDS).iterator(chunk_size=AT_ONCE)),
        title=project.name,
        reference=header.get("reference", ""),
        client=header.get("client", ""),
        currency=currency or project.currency,
        budget_on=project.budget_on,
        made_on=timezone.localdate(),
        version=version,
        is_public_tender=bool(header.get("is_public_tender")),
        vat_rates=tuple(Decimal(rate) for rate in header.get("vat_rates", [])),
        rounding=_rounding(rounding) if rounding else Rounding(),
        count=rows.count(),
        report=report,
    )


def _main_document(project: Project, version: int) -> Document | None:
    counted = (
        Position.objects.filter(project=project, document__isnull=False)
        .of_version(version)
        .order_by()
        .values("document_id")
        .annotate(many=Count("id"))
        .order_by("-many", "document_id")
        .first()
    )
    return Document.objects.filter(pk=counted["document_id"]).first() if counted else None


def _rounding(stated: dict[str, Any]) -> Rounding:
    steps = {name: Decimal(stated[name]) for name in ("quantity", "unit_price", "total")}
    return Rounding(**steps, is_stated=bool(stated["is_stated"]))


def _positions(rows: Iterator[tuple[Any, ...]]) -> Iterator[BillPosition]:
    for ordinal, row in enumerate(rows, start=1):
        (
            number, description, kind, billing, object_code, object_name, section, code, catalogue, price_system,
            long_text, unit, quantity, reason, unit_price, stated_total, vat_rate, measure, source,
        ) = row  # fmt: skip
        yield BillPosition(
            ordinal=ordinal, number=number, description=description, kind=_KINDS[kind], billing=_BILLINGS[billing],
            object_code=object_code, object_name=object_name,
            section_path=tuple(section.split(SECTION_SEPARATOR)) if section else (),
            code=code, catalogue=catalogue, price_system=price_system, long_text=long_text, unit=unit,
            quantity=quantity, quantity_reason=reason, unit_price=unit_price, total=stated_total, vat_rate=vat_rate,
            measure=measure_lines(measure), source=source,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Row:
    """What is compared before a price is written."""

    code: str
    description: str
    unit: str
    quantity: Decimal | None
    unit_price: Decimal | None


@dataclass(slots=True)
class PriceBook:
    """Prices of a version by where they stand in the client's file, and by number. Memory grows with positions: about
    a kilobyte each."""

    by_place: dict[str, _Row | None] = field(default_factory=dict)
    by_number: dict[tuple[str, str], _Row] = field(default_factory=dict)
    used: int = 0

    def price_of(self, position: BillPosition) -> Price:
        row = self.by_place.get(_cut("source", position.source)) or self.by_number.get(
            (_cut("object_code", position.object_code), _cut("number", position.number))
        )
        if row is None:
            return Price(None, "this version has no such position")
        if reason := _changed(row, position):
            return Price(None, reason)
        self.used += 1
        return Price(row.unit_price.normalize() if row.unit_price is not None else None)


def _changed(row: _Row, position: BillPosition) -> str:
    """Only prices go into a client's file: what else was changed since would be lost there without a word."""
    if row.description != position.description.replace("\x00", ""):
        return "its text was changed in the budget"
    if row.code != _cut("code", position.code):
        return "its code was changed in the budget"
    if row.unit != _cut("unit", position.unit or ""):
        return "its unit was changed in the budget"
    ours, theirs = row.quantity, position.quantity
    if (ours is None) != (theirs is None) or (
        ours is not None and theirs is not None and abs(ours - theirs) > _FOUR / 2
    ):
        return "its quantity was changed in the budget"
    return ""


def _cut(column: str, value: str) -> str:
    """As an import has stored it."""
    limit = LIMITS[column]
    return value if len(value) <= limit else value[: limit - 1] + "…"


def prices_of(*, project: Project, version: int, document: Document, family: set[UUID]) -> PriceBook:
    book = PriceBook()
    rows = Position.objects.filter(project=project, document_id__in=family).of_version(version).order_by()
    columns = (
        "document_id", "source", "object_code", "number", "code", "description", "unit", "quantity", "unit_price"
    )  # fmt: skip
    for owner, source, object_code, number, code, description, unit, quantity, price in rows.values_list(
        *columns
    ).iterator(chunk_size=AT_ONCE):
        row = _Row(code, description, unit or "", quantity, price)
        if owner == document.pk and source:
            # A file all on one line has all its positions in one place.
            book.by_place[source] = None if source in book.by_place else row
        book.by_number[object_code, number] = row
    return book
