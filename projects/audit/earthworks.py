"""Structural, earthworks: S08."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from projects.audit.codes import CodeClass
from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import BudgetView
from projects.audit.wording import plain

# CS ÚRS, catalogue 800-1: what is done with the soil, by the code's beginning
_DUG = ("122", "131", "132", "133")
_FILLED = ("174", "175")
_TIPPED = ("171251", "171201201")
_FEE = ("1712012", "171201221", "171201231")
_TOPSOIL = ("121",)
EARTHWORK_FAMILIES = tuple(sorted({start[:3] for start in (*_DUG, *_FILLED, *_TIPPED, *_FEE)}))


def is_earthwork(view: BudgetView, index: int) -> bool:
    if view.code_classes[index] is not CodeClass.URS_WORK:
        return False
    return view.positions[index].code.startswith((*_DUG, *_FILLED, *_TIPPED, *_FEE))


def _sum(view: BudgetView, indexes: Iterable[int], starts: tuple[str, ...], unit: str) -> tuple[Decimal, list[int]]:
    members = [
        i
        for i in indexes
        if view.positions[i].code.startswith(starts) and view.units[i] == unit and is_earthwork(view, i)
    ]
    return sum((view.positions[i].quantity or Decimal(0) for i in members), Decimal(0)), members


@budget_rule(
    id="S08",
    version=1,
    role=Role.STRUCTURAL,
    title="Soil does not balance",
    source="excavation = backfill + disposal, swell up to 1.3; 1.5 to 2.0 t in a m3 of soil",
    applies=is_earthwork,
)
def soil_does_not_balance(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """By object. Only where soil is both dug and filled or tipped: other objects may do the rest."""
    for object_code, indexes in view.by_object.items():
        dug, diggers = _sum(view, indexes, _DUG, "m3")
        filled, fillers = _sum(view, indexes, _FILLED, "m3")
        tipped, tippers = _sum(view, indexes, _TIPPED, "m3")
        if diggers and dug and (fillers or tippers):
            yield from _balance(object_code, (dug, filled, tipped), (diggers, [*fillers, *tippers]), t)
        tonnes, payers = _sum(view, indexes, _FEE, "t")
        if payers and tippers and tipped:
            yield from _weight(view, (tonnes, tipped), (payers, tippers), t)


def _balance(
    object_code: str,
    amounts: tuple[Decimal, Decimal, Decimal],
    members: tuple[list[int], list[int]],
    t: Thresholds,
) -> SaidOfBudget:
    dug, filled, tipped = amounts
    ratio = (filled + tipped) / dug
    if t["S08.short"] <= ratio <= t["S08.swell"]:
        return
    diggers, others = members
    yield Hit(
        diggers[0],
        Grade.AMBER,
        f"{plain(dug)} m3 are dug in {object_code or 'the bill'}, {plain(filled)} m3 filled back and {plain(tipped)} "
        f"m3 tipped: {'soil is left over' if ratio < 1 else 'more soil than was dug'}.",
        {
            "dug": plain(dug),
            "filled": plain(filled),
            "tipped": plain(tipped),
            "formula": "(filled + tipped) / dug",
            "ratio": plain(round(ratio, 3)),
            "threshold": f"{plain(t['S08.short'])} to {plain(t['S08.swell'])}",
        },
        deviation=min(abs(1 - ratio), Decimal(1)),
        related=(*diggers[1:], *others),
        suggestion=Suggestion("Say where the rest goes to or comes from."),
    )


def _weight(
    view: BudgetView, amounts: tuple[Decimal, Decimal], members: tuple[list[int], list[int]], t: Thresholds
) -> SaidOfBudget:
    tonnes, tipped = amounts
    ratio = tonnes / tipped
    low, high = t["S08.t_per_m3_low"], t["S08.t_per_m3_high"]
    if low <= ratio <= high:
        return
    payers, tippers = members
    middle = tipped * (low + high) / 2
    yield Hit(
        payers[0],
        Grade.AMBER,
        f"The tip's fee is paid for {plain(tonnes)} t, but {plain(tipped)} m3 are tipped: {plain(round(ratio, 2))} t "
        "in a m3 of soil.",
        {
            "tonnes": plain(tonnes),
            "tipped_m3": plain(tipped),
            "ratio": plain(round(ratio, 3)),
            "threshold": f"{plain(low)} to {plain(high)} t/m3",
        },
        deviation=min(abs(middle - tonnes) / tonnes, Decimal(1)) if tonnes else None,
        related=(*payers[1:], *tippers),
        subject="quantity",
        demand="raise" if ratio < low else "lower",
        suggestion=Suggestion("Compare the tonnes with the m3 tipped."),
    )
