"""Proposals: what commands would do, position by position, before anything is done.

A plan is made from operations alone, so that it can be made again when it is applied: if it then says anything else,
the budget has changed meanwhile and the proposal is outdated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from ...exceptions import Refused
from ...models import Position, Project
from ...querysets import PositionQuerySet
from ..editing import FIGURE_STEP, checked_fields, total_of
from .targets import Node, live

MOST = 5_000  # positions of one proposal
UNCONFIRMED = 500  # more of them are applied only by who says so once more
FIGURES = ("quantity", "unit_price", "total")
FIELD_OF = {
    "set_price": "unit_price",
    "scale_price": "unit_price",
    "set_quantity": "quantity",
    "scale_quantity": "quantity",
}
STEPS = {"unit_price": Decimal("0.01"), "quantity": Decimal("0.001")}


class TooMany(Refused):
    """`extra`: `count`."""

    code = "proposal_too_large"


@dataclass(frozen=True, slots=True)
class Plan:
    """`actions`: {"row", "lineage", "number", "description", "action": modify or delete, "before", "after"}, figures as
    text. `skipped`: positions in scope that have no figure to scale."""

    operations: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    delta: Decimal
    total_before: Decimal
    based_on: int
    skipped: int = 0

    @property
    def total_after(self) -> Decimal:
        return self.total_before + self.delta

    @property
    def needs_confirming(self) -> bool:
        return len(self.actions) > UNCONFIRMED


@dataclass(slots=True)
class Draft:
    """A position on its way: as it is, and as it will be; `is_gone`: deleted."""

    row: Position
    before: dict[str, Decimal | None]
    is_gone: bool = False
    changes: dict[str, Decimal] = field(default_factory=dict)

    @property
    def is_changed(self) -> bool:
        return self.is_gone or any(self.before[name] != value for name, value in self.changes.items())


def scope_of(node: Node | None = None, lineages: list[UUID] | None = None) -> dict[str, Any]:
    """As JSON: positions, a section, or everything."""
    if lineages is not None:
        return {"kind": "positions", "lineages": [str(each) for each in lineages]}
    if node is not None:
        return {"kind": "section", "object_code": node.object_code, "section": node.section}
    return {"kind": "all"}


def planned(project: Project, operations: list[dict[str, Any]]) -> Plan:
    """What the operations, one after the other, make of the current positions. TooMany, Refused("too_large")."""
    drafts: dict[int, Draft] = {}
    skipped = 0
    for operation in operations:
        for draft in _drafts(project, operation, drafts):
            skipped += not _change(draft, operation)
    changed = sorted((each for each in drafts.values() if each.is_changed), key=lambda each: each.row.ordinal)
    actions, delta = [], Decimal(0)
    for draft in changed:
        action, difference = _action(draft)
        actions.append(action)
        delta += difference
    return Plan(operations, actions, delta, project.total_cost, project.version_number, skipped)


def _drafts(project: Project, operation: dict[str, Any], drafts: dict[int, Draft]) -> Iterator[Draft]:
    rows = _rows(project, operation["scope"])
    count = rows.count()
    if count > MOST or len(drafts) + count > 2 * MOST:
        raise TooMany(f"A proposal takes {MOST:,} positions at most.", extra={"count": count})
    for row in rows.select_related("document").defer("long_text", "enrichment", "measure").order_by("ordinal", "id"):
        if row.pk not in drafts:
            drafts[row.pk] = Draft(row, {name: getattr(row, name) for name in FIGURES})
        if not drafts[row.pk].is_gone:
            yield drafts[row.pk]


def _rows(project: Project, scope: dict[str, Any]) -> PositionQuerySet:
    if scope["kind"] == "positions":
        return live(project.pk).filter(lineage__in=scope["lineages"])
    if scope["kind"] == "section":
        rows = live(project.pk).filter(object_code=scope["object_code"])
        return rows.in_section(scope["section"]) if scope["section"] else rows
    return live(project.pk)


def _change(draft: Draft, operation: dict[str, Any]) -> bool:
    """False: there is no figure to change."""
    if operation["operation"] == "delete":
        draft.is_gone = True
        return True
    name, value = FIELD_OF[operation["operation"]], Decimal(operation["value"])
    if operation["operation"].startswith("scale"):
        now = draft.changes.get(name, draft.before[name])
        if now is None:
            return False
        value = (now * (1 + value / 100)).quantize(_step(draft.row, name, now), ROUND_HALF_UP)
    checked: dict[str, Decimal] = checked_fields({name: value}, (name,))
    draft.changes |= checked
    return True


def _step(row: Position, name: str, now: Decimal) -> Decimal:
    """In the rounding of the position's file, but not coarser than its figure is, nor finer than what is stored."""
    rounding = (row.document.extracted_data.get("rounding") or {}) if row.document else {}
    step = Decimal(rounding.get(name) or STEPS[name]) if rounding.get("is_stated") else STEPS[name]
    exponent = now.normalize().as_tuple().exponent
    finest = Decimal(1).scaleb(min(0, exponent)) if isinstance(exponent, int) else FIGURE_STEP
    return max(min(step, finest, Decimal(1)), FIGURE_STEP)


def _action(draft: Draft) -> tuple[dict[str, Any], Decimal]:
    row, before = draft.row, draft.before
    after: dict[str, Decimal | None] | None = None
    if not draft.is_gone:
        for name, value in draft.changes.items():
            setattr(row, name, value)
        after = {"quantity": row.quantity, "unit_price": row.unit_price, "total": total_of(row)}
    difference = ((after["total"] if after else None) or Decimal(0)) - (before["total"] or Decimal(0))
    action = {
        "row": row.pk,
        "lineage": str(row.lineage),
        "number": row.number,
        "description": row.description[:160],
        "unit": row.unit or "",
        "action": "delete" if draft.is_gone else "modify",
        "before": _plain(before),
        "after": _plain(after) if after else None,
    }
    return action, difference if row.counts else Decimal(0)


def _plain(figures: dict[str, Decimal | None]) -> dict[str, str | None]:
    return {name: None if value is None else f"{value:f}" for name, value in figures.items()}
