"""Structural, materials: S06."""

from __future__ import annotations

import re
from decimal import Decimal

from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import BudgetView
from projects.audit.wording import place, plain
from projects.parsers.bill import PositionKind

_SAME_MEASURE = frozenset({"m", "m2", "m3", "kg", "t"})
_OPENINGS = re.compile(r"okn|dveř|vrat|window|door|fenster|tür", re.IGNORECASE)


def pairs_of_work_and_material(view: BudgetView) -> list[tuple[int, int]]:
    """(work, material): a material in the same section directly after a work, both by the same measure."""
    pairs = []
    for index in range(1, len(view)):
        work, material = view.positions[index - 1], view.positions[index]
        if material.kind is not PositionKind.MATERIAL or work.kind is not PositionKind.WORK:
            continue
        if material.section_path != work.section_path or material.object_code != work.object_code:
            continue
        unit = view.units[index]
        if unit not in _SAME_MEASURE or unit != view.units[index - 1] or not work.quantity or not material.quantity:
            continue
        if not _OPENINGS.search(material.description):
            pairs.append((index - 1, index))
    return pairs


def _is_paired_material(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    if index == 0 or position.kind is not PositionKind.MATERIAL or view.units[index] not in _SAME_MEASURE:
        return False
    return view.units[index] == view.units[index - 1] and view.positions[index - 1].kind is PositionKind.WORK


@budget_rule(
    id="S06",
    version=1,
    role=Role.STRUCTURAL,
    title="Material does not fit the work before it",
    source="waste of 3 to 15 %, laps up to 35 %; counts, windows and doors left out",
    applies=_is_paired_material,
)
def material_differs_from_work(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    low, high = t["S06.low"], t["S06.high"]
    for work_index, index in pairs_of_work_and_material(view):
        work, material = view.positions[work_index], view.positions[index]
        assert work.quantity is not None and material.quantity is not None
        ratio = material.quantity / work.quantity
        if low <= ratio <= high:
            continue
        is_short = ratio < low
        yield Hit(
            index,
            Grade.AMBER,
            f"{plain(material.quantity)} {material.unit} of material for {plain(work.quantity)} {work.unit} of work "
            f"({place(work)}): {'less than needed' if is_short else 'more than waste explains'}.",
            {
                "material": plain(material.quantity),
                "work": plain(work.quantity),
                "ratio": plain(round(ratio, 3)),
                "threshold": f"{plain(low)} to {plain(high)}",
            },
            deviation=min(abs(1 - ratio) / ratio, Decimal(1)),
            related=(work_index,),
            subject="quantity",
            demand="raise" if is_short else "lower",
            suggestion=Suggestion("Compare both quantities; more than one material may share the work."),
        )
