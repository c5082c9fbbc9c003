"""Validator, measure sheets: V09."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.findings import Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.measure import evaluate_sheet, has_expressions
from projects.audit.registry import NOTHING, Said, Thresholds, position_rule
from projects.audit.view import BudgetView
from projects.audit.wording import percent, plain

_NO_FIGURES: dict[str, Decimal] = {}


def _has_sheet(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    return bool(position.measure) and position.quantity is not None and has_expressions(position.measure)


@position_rule(
    id="V09",
    version=1,
    role=Role.VALIDATOR,
    title="Measure sheet differs from the quantity",
    source="decree 169/2016 Sb. § 6: the measure sheet proves the quantity",
    applies=_has_sheet,
    essential=True,
)
def sheet_differs(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    quantity = position.quantity
    assert quantity is not None
    result = evaluate_sheet(position.measure, view.figures.get(position.object_code, _NO_FIGURES))
    if result.problem:
        return (NotChecked(f"the measure sheet can't be evaluated: {result.problem}", index),)
    tolerance = t["V09.absolute"] + abs(quantity) * t["V09.relative"]
    difference = min((value - quantity for value in result.candidates), key=abs)
    if abs(difference) <= tolerance:
        return NOTHING
    computed = quantity + difference
    share = abs(difference) / abs(quantity) if quantity else Decimal(1)
    return (
        Hit(
            index,
            Grade.RED,
            f"The measure sheet comes to {plain(round(computed, 3))} {position.unit or ''}, the position states "
            f"{plain(quantity)}: {percent(share)} off.",
            {
                "formula": result.formula,
                "computed": plain(round(computed, 6)),
                "quantity": plain(quantity),
                "threshold": plain(tolerance),
            },
            deviation=min(share, Decimal(1)),
            subject="quantity",
            demand="raise" if difference > 0 else "lower",
            suggestion=Suggestion("Correct the quantity or the sheet.", risk="Paid by the wrong quantity."),
        ),
    )
