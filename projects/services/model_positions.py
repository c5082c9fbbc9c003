"""Positions that a building model makes, put in place of those it made before: matched by key, then by elements.

What people have given stays: prices, categories, their own words, and a quantity of their own for as long as the model
says the same of it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import orjson

from ..ifc.sheets import ESTIMATE, BuiltPosition
from ..models import Document, Position, Project
from ..parsers.totals import round_to_step
from .audit_places import forget_places
from .rows import ORDINAL_GAP, content_hash, measure_json, measure_lines

CENT = Decimal("0.01")
NAMED_GUIDS = 8  # of those a position's `source` names; all of them stand in `enrichment`
KEPT = ("unit_price", "vat_rate", "category", "price_system", "catalogue", "long_text", "billing", "kind")
OWN_WORDS = ("description", "unit", "code")
CONTENT = (*KEPT, *OWN_WORDS, "section", "quantity", "quantity_reason", "measure", "number")


@dataclass(slots=True)
class Placed:
    """What became of the positions. `lineages`: GUID → lineages; `given_way`: quantities of people's that the model
    has changed since."""

    is_changed: bool = False
    lineages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    given_way: int = 0


def place_positions(
    *, project: Project, document: Document, built: Sequence[BuiltPosition], superseded: set[UUID]
) -> Placed:
    """In the caller's transaction, under the project's lock: rows of version n+1 of the locked project."""
    version = project.version_number + 1
    live = list(Position.objects.filter(project=project, removed_in__isnull=True).select_related("document"))
    old = [row for row in live if row.document_id in superseded | {document.pk} and _made(row)]
    pairs = _paired(built, old)
    slots = _Slots(live)
    placed = Placed()
    closed: list[int] = [row.pk for row in old if row.pk not in {other.pk for other in pairs.values()}]
    fresh: list[Position] = []
    moved: list[Position] = []
    for position in built:
        before = pairs.get(position.key)
        row = _row(project, document, position, before, slots, placed)
        for guid in position.guids:
            placed.lineages[guid].append(str(row.lineage))
        if before is not None and all(getattr(row, name) == getattr(before, name) for name in CONTENT):
            before.document, before.source, before.enrichment = document, row.source, row.enrichment
            moved.append(before)
            continue
        row.added_in = version
        fresh.append(row)
        closed.extend([before.pk] if before is not None else [])
    Position.objects.filter(pk__in=closed).update(removed_in=version)
    forget_places(project_id=project.pk)
    Position.objects.bulk_update(moved, ["document", "source", "enrichment"], batch_size=500)
    Position.objects.bulk_create(fresh, batch_size=500)
    placed.is_changed = bool(closed or fresh)
    return placed


def _made(row: Position) -> dict[str, Any]:
    """What the model said of it when it made it; {} for a position of other origin."""
    made = (row.enrichment or {}).get("model")
    return made if isinstance(made, dict) and row.origin == Position.Origin.GENERATED else {}


def _paired(built: Sequence[BuiltPosition], old: Sequence[Position]) -> dict[str, Position]:
    """By key; what was renamed in the model (another type, another storey) by most of its elements."""
    by_key = {_made(row)["key"]: row for row in old}
    pairs = {position.key: by_key[position.key] for position in built if position.key in by_key}
    taken = {row.pk for row in pairs.values()}
    left = [row for row in old if row.pk not in taken]
    for position in built:
        if position.key in pairs or not left:
            continue
        guids = set(position.guids)
        best = max(left, key=lambda row: len(guids & set(_made(row).get("guids", []))))
        made = _made(best)
        if made.get("unit") == position.unit and 2 * len(guids & set(made["guids"])) > len(guids):
            pairs[position.key] = best
            left.remove(best)
    return pairs


class _Slots:
    """Numbers and places: each section's positions together, numbers never twice."""

    def __init__(self, live: Sequence[Position]) -> None:
        self._numbers = {row.number for row in live}
        self._ordinals = sorted(row.ordinal for row in live)
        self._last: dict[str, int] = {}
        for row in live:
            self._last[row.section] = max(self._last.get(row.section, 0), row.ordinal)

    def number(self, section: str) -> str:
        prefix, count = section.partition(" ")[0], 1
        while f"{prefix}.{count:03d}" in self._numbers:
            count += 1
        self._numbers.add(f"{prefix}.{count:03d}")
        return f"{prefix}.{count:03d}"

    def ordinal(self, section: str) -> int:
        last = self._last.get(section)
        if last is None:
            last = self._ordinals[-1] if self._ordinals else 0
        place = bisect_right(self._ordinals, last)
        ordinal = last + ORDINAL_GAP if place == len(self._ordinals) else (last + self._ordinals[place]) // 2
        insort(self._ordinals, ordinal)
        self._last[section] = ordinal
        return ordinal


def _row(
    project: Project,
    document: Document,
    built: BuiltPosition,
    before: Position | None,
    slots: _Slots,
    placed: Placed,
) -> Position:
    measure = measure_json(built.measure)
    row = Position(
        project=project, document=document, lineage=before.lineage if before else uuid4(), section=built.section[:500],
        ordinal=before.ordinal if before else slots.ordinal(built.section), origin=Position.Origin.GENERATED,
        number=before.number if before else slots.number(built.section), code=built.code,
        description=built.description, unit=built.unit, quantity=built.quantity, quantity_reason=built.reason[:120],
        measure=_loaded(measure), source=_source(built), enrichment={"model": _remembered(built, document)},
    )  # fmt: skip
    if before is not None:
        _keep(row, before, built, placed)
    if row.quantity is not None and row.unit_price is not None:
        row.total = round_to_step(row.quantity * row.unit_price, CENT)
    row.content_hash = content_hash(
        code=row.code, description=row.description, unit=row.unit, quantity=row.quantity, unit_price=row.unit_price,
        total=None, billing=row.billing, kind=row.kind, measure=measure_json(measure_lines(row.measure)),
    )  # fmt: skip
    return row


def _keep(row: Position, before: Position, built: BuiltPosition, placed: Placed) -> None:
    """What people have changed since the model made the position."""
    for name in KEPT:
        setattr(row, name, getattr(before, name))
    row.enrichment = (before.enrichment or {}) | (row.enrichment or {})
    made = _made(before)
    for name in OWN_WORDS:
        if getattr(before, name) != made.get(name):
            setattr(row, name, getattr(before, name))
    said = Decimal(made["quantity"]) if made.get("quantity") is not None else None
    if before.quantity == said and bool(before.measure) == bool(made.get("has_sheet")):
        return
    if said == built.quantity:
        row.quantity, row.measure, row.quantity_reason = before.quantity, before.measure, before.quantity_reason
    else:
        placed.given_way += 1


def _remembered(built: BuiltPosition, document: Document) -> dict[str, Any]:
    return {
        "key": built.key,
        "document": str(document.pk),
        "basis": built.basis,
        "is_estimate": built.basis == ESTIMATE or bool(built.reason and built.quantity is not None),
        "assumptions": list(built.assumptions),
        "guids": built.guids,
        "description": built.description,
        "unit": built.unit,
        "code": built.code,
        "quantity": None if built.quantity is None else str(built.quantity),
        "has_sheet": bool(built.measure),
    }


def _source(built: BuiltPosition) -> str:
    more = len(built.guids) - NAMED_GUIDS
    return "IFC " + ", ".join(built.guids[:NAMED_GUIDS]) + (f" and {more} more" if more > 0 else "")


def _loaded(measure: bytes | None) -> Any:
    return None if measure is None else orjson.loads(measure)
