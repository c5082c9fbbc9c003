"""Positions and views for the tests of rules: a sound, priced position; each test changes what it is about."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from projects.audit.engine import audit
from projects.audit.findings import BUDGET, AuditFinding, AuditResult, Grade
from projects.audit.view import AuditPosition, BudgetView
from projects.parsers.bill import MeasureLine, PositionKind, Rounding

D = Decimal
NOTE = PositionKind.NOTE
MATERIAL = PositionKind.MATERIAL


def position(**changes: Any) -> AuditPosition:
    """A work of CS ÚRS: 10 m2 at 12.50, total 125.00. The total follows quantity and price unless it is given."""
    values: dict[str, Any] = {
        "key": changes.get("number", "1"),
        "ordinal": 1,
        "number": "1",
        "description": "Separační vrstva z PE fólie",
        "object_code": "SO 1",
        "section_path": ("HSV", "6 Podlahy"),
        "code": "632481213",
        "price_system": "CS ÚRS 2025 02",
        "unit": "m2",
        "quantity": D(10),
        "unit_price": D("12.50"),
    }
    values |= changes
    for name in ("quantity", "unit_price", "total", "vat_rate"):
        if isinstance(values.get(name), str | int):
            values[name] = D(values[name])
    if "total" not in values and values["quantity"] is not None and values["unit_price"] is not None:
        values["total"] = (values["quantity"] * values["unit_price"]).quantize(D("0.01"))
    values.setdefault("content_hash", f"hash of {values['object_code']} {values['number']}")
    return AuditPosition(**values)


def view(*positions: AuditPosition, **changes: Any) -> BudgetView:
    """Numbered in order, so that identities differ."""
    values: dict[str, Any] = {"currency": "CZK", "rounding": Rounding(is_stated=True)} | changes
    return BudgetView(positions, **values)


def numbered(*changes: dict[str, Any]) -> list[AuditPosition]:
    return [position(**{"number": str(n), "ordinal": n, **change}) for n, change in enumerate(changes, start=1)]


def sheet(*lines: str | MeasureLine) -> tuple[MeasureLine, ...]:
    return tuple(line if isinstance(line, MeasureLine) else MeasureLine(line, "expression") for line in lines)


def said(budget: BudgetView, rule_id: str, **options: Any) -> list[AuditFinding]:
    return [finding for finding in audit(budget, **options).findings if finding.rule_id == rule_id]


def grades(budget: BudgetView, rule_id: str, **options: Any) -> list[tuple[int, Grade]]:
    """(index, grade) of the rule's findings; the budget's own have index -1."""
    return [(finding.index, finding.grade) for finding in said(budget, rule_id, **options)]


def not_checked(result: AuditResult, rule_id: str) -> list[str]:
    """Why the rule could not run: of the positions, and of the whole budget."""
    of_positions = [one.reason for one in result.not_checked if one.rule_id == rule_id]
    return of_positions + [one.reason for one in result.not_checked_rules if one.rule_id == rule_id]


WHOLE = BUDGET
