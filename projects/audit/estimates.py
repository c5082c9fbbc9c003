"""Structural, quantities that were not measured: S09."""

from __future__ import annotations

from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import Said, Thresholds, position_rule
from projects.audit.view import BudgetView
from projects.audit.wording import plain

# How the reason of a quantity begins that follows from an assumption (projects.ifc.companions, .positions)
ESTIMATED = ("estimate:", "assumed:")


def is_estimated(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    return position.quantity is not None and position.quantity_reason.startswith(ESTIMATED)


@position_rule(
    id="S09",
    version=1,
    role=Role.STRUCTURAL,
    title="Quantity is an estimate",
    source="practice: what follows from a ratio was not measured, and its sheet proves the arithmetic only",
    applies=is_estimated,
)
def quantity_is_estimated(view: BudgetView, index: int, t: Thresholds) -> Said:
    """Holds until a person enters a measured quantity, which clears the reason."""
    position = view.positions[index]
    return (
        Hit(
            index,
            Grade.AMBER,
            f"{plain(position.quantity)} {position.unit or ''} was not measured. {position.quantity_reason}.",
            {"quantity": plain(position.quantity), "basis": position.quantity_reason},
            subject="quantity",
            suggestion=Suggestion(
                "Measure it from the drawings or the structural calculation and enter the quantity, or accept the "
                "assumption with a reason.",
                risk="A ratio of the usual range can be half or twice of what is built.",
            ),
        ),
    )
