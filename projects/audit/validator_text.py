"""Validator, text and units: V01-V03."""

from __future__ import annotations

from projects.audit.findings import Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.registry import NOTHING, Said, Thresholds, position_rule
from projects.audit.units import nearest
from projects.audit.view import BudgetView
from projects.parsers.bill import Billing


@position_rule(
    id="V01",
    version=1,
    role=Role.VALIDATOR,
    title="Description missing or too short",
    source="decree 169/2016 Sb. § 4: every item is described unambiguously",
    essential=True,
)
def description_is_missing(view: BudgetView, index: int, t: Thresholds) -> Said:
    text = view.positions[index].description.strip()
    if len(text) >= t["V01.min_length"]:
        return NOTHING
    evidence = {"description": text, "length": len(text), "threshold": f"{t['V01.min_length']} characters"}
    if not text and view.phase == "X84":
        return (NotChecked("the file is a bid (X84) and carries no texts; join it to its X83", index),)
    if not text:
        advice = Suggestion("Write what is to be built or supplied.", "The item can be priced and checked.")
        return (Hit(index, Grade.RED, "The position has no description.", evidence, suggestion=advice),)
    reason = f'The description "{text}" is too short to say what is to be built.'
    return (Hit(index, Grade.AMBER, reason, evidence, suggestion=Suggestion("Describe the item in full.")),)


def _needs_unit(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    if view.is_note[index] or position.billing is Billing.SURCHARGE:
        return False
    return position.billing is not Billing.LUMP_SUM or position.unit is not None


@position_rule(
    id="V02",
    version=1,
    role=Role.VALIDATOR,
    title="Unit missing",
    source="decree 169/2016 Sb. § 5: item, unit, quantity",
    applies=_needs_unit,
    essential=True,
)
def unit_is_missing(view: BudgetView, index: int, t: Thresholds) -> Said:
    unit = view.positions[index].unit
    if unit is not None and unit.strip():
        return NOTHING
    if view.phase == "X84":
        return (NotChecked("the file is a bid (X84) and carries no units; join it to its X83", index),)
    advice = Suggestion("Add the unit of measure.", "Quantity and unit price get a meaning.")
    return (Hit(index, Grade.RED, "The position has no unit of measure.", {"unit": unit or ""}, suggestion=advice),)


def _has_unit(view: BudgetView, index: int) -> bool:
    return not view.is_note[index] and bool(view.positions[index].unit)


@position_rule(
    id="V03",
    version=1,
    role=Role.VALIDATOR,
    title="Unit outside the vocabulary",
    source="units of CS ÚRS, OTSKP and GAEB DA XML; typing errors found in real bills",
    applies=_has_unit,
)
def unit_is_unknown(view: BudgetView, index: int, t: Thresholds) -> Said:
    if view.units[index] is not None:
        return NOTHING
    unit = view.positions[index].unit or ""
    suggested = nearest(unit, int(t["V03.max_edits"]))
    reason = f'The unit "{unit}" is not a known unit of measure.'
    if suggested is None:
        return (Hit(index, Grade.AMBER, reason, {"unit": unit, "nearest": ""}),)
    advice = Suggestion(f'Did you mean "{suggested}"?', risk="A wrong unit makes the quantity meaningless.")
    return (Hit(index, Grade.AMBER, reason, {"unit": unit, "nearest": suggested}, suggestion=advice),)
