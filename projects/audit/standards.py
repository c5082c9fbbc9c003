"""Standards: N01-N04, codes, catalogue texts and what tender law asks for."""

from __future__ import annotations

from rapidfuzz import fuzz

from projects.audit.codes import CodeClass, declared_catalogue, expected_format
from projects.audit.cost_reference import catalogue_name, other_catalogue
from projects.audit.findings import BUDGET, Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.registry import NOTHING, Said, SaidOfBudget, Thresholds, budget_rule, position_rule
from projects.audit.units import normalise
from projects.audit.view import AuditPosition, BudgetView, CatalogueEntry
from projects.audit.wording import plain
from projects.parsers.bill import PositionKind


def _declares_catalogue(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    if not position.code:
        return False
    return view.is_catalogue_code[index] or bool(declared_catalogue(position.catalogue, position.price_system))


@position_rule(
    id="N01",
    version=2,
    role=Role.STANDARDS,
    title="Code does not fit its catalogue",
    source="CS ÚRS: 9 digits, materials 8; RTS: 9 digits and Rxx; OTSKP: 5 to 6 characters; the loaded catalogue",
    applies=_declares_catalogue,
)
def code_does_not_fit_catalogue(view: BudgetView, index: int, t: Thresholds) -> Said:
    """Info for the format: own codes are allowed. A code that the very edition the position names does not have is
    amber; in another edition it may exist, so that is info."""
    position = view.positions[index]
    declared = declared_catalogue(position.catalogue, position.price_system)
    shape = expected_format(declared, view.code_classes[index])
    if shape is not None:
        reason = f'"{position.code}" does not look like a code of {declared} ({shape}).'
        return (Hit(index, Grade.INFO, reason, {"code": position.code, "catalogue": declared, "format": shape}),)
    if view.catalogue is None or not view.is_catalogue_code[index] or other_catalogue(view, position):
        return NOTHING
    if position.code in view.catalogue:
        return NOTHING
    is_same_edition = bool(view.catalogue_edition) and view.catalogue_edition in position.price_system
    reason = f"{catalogue_name(view)} has no code {position.code}."
    evidence = {
        "code": position.code,
        "catalogue": view.catalogue_name,
        "edition": view.catalogue_edition,
        "declared": position.price_system,
    }
    advice = Suggestion("Correct the code, or mark the position as one of your own.")
    return (Hit(index, Grade.AMBER if is_same_edition else Grade.INFO, reason, evidence, suggestion=advice),)


def _has_catalogue_code(view: BudgetView, index: int) -> bool:
    return view.is_catalogue_code[index]


@position_rule(
    id="N02",
    version=2,
    role=Role.STANDARDS,
    title="Text or unit differs from the catalogue's",
    source="the loaded price catalogue; likeness by rapidfuzz token_set_ratio",
    applies=_has_catalogue_code,
    needs="catalogue",
)
def text_differs_from_catalogue(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    if other := other_catalogue(view, position):
        return (NotChecked(f"the position is of {other}, the loaded catalogue is {view.catalogue_name}", index),)
    entry = (view.catalogue or {}).get(position.code)
    if entry is None:
        return (NotChecked(f"the catalogue has no code {position.code}", index),)
    if entry.unit and view.units[index] != normalise(entry.unit):
        reason = f'Code {position.code} is measured in "{entry.unit}", not in "{position.unit or ""}".'
        evidence = {"code": position.code, "unit": position.unit or "", "catalogue_unit": entry.unit}
        return (Hit(index, Grade.RED, reason, evidence, subject="unit", demand=entry.unit),)
    if not entry.text:
        return (NotChecked(f"the catalogue has no text for {position.code}", index),)
    return _likeness(position, entry, index, t)


def _likeness(position: AuditPosition, entry: CatalogueEntry, index: int, t: Thresholds) -> Said:
    likeness = fuzz.token_set_ratio(position.description.lower(), entry.text.lower())
    if likeness >= t["N02.amber"]:
        return NOTHING
    return (
        Hit(
            index,
            Grade.RED if likeness < t["N02.red"] else Grade.AMBER,
            f'The text is not that of code {position.code}: "{entry.text[:120]}".',
            {
                "code": position.code,
                "catalogue_text": entry.text[:500],
                "edition": entry.edition,
                "likeness": f"{likeness:.0f}",
                "threshold": f"{plain(t['N02.amber'])} amber, {plain(t['N02.red'])} red",
            },
            suggestion=Suggestion("Use the catalogue's text, or an own code."),
        ),
    )


def _moves_mass(view: BudgetView, index: int) -> bool:
    """Works of HSV and PSV (families 1-8) that a 998 line carries to the site; earthworks (1) need none."""
    if not view.uses_urs or view.code_classes[index] is not CodeClass.URS_WORK:
        return False
    return view.positions[index].code[0] in "2345678"


@budget_rule(
    id="N03",
    version=1,
    role=Role.STANDARDS,
    title='No line for moving material on site (998 "přesun hmot")',
    source="CS ÚRS, general conditions: HSV and PSV works are priced without moving the material",
    applies=_moves_mass,
)
def transport_is_missing(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Once per object that has such works and no line 998."""
    for object_code in sorted(view.facts.works) if view.uses_urs else ():
        works = view.facts.works[object_code]
        if object_code in view.facts.transports:
            continue
        yield Hit(
            BUDGET,
            Grade.AMBER,
            f"{object_code or 'The bill'} has {works} HSV or PSV works but no line for moving material (998).",
            {"object": object_code, "works": works},
            subject=f"998 in {object_code}",
            suggestion=Suggestion('Add the 998 "přesun hmot" lines of the trades used.', risk="A cost is missing."),
        )


@position_rule(
    id="N04",
    version=1,
    role=Role.STANDARDS,
    title="Incomplete for a public tender",
    source="decree 169/2016 Sb.: number, code, text, unit, quantity, measure sheet and price system of every item",
    applies=lambda view, index: (
        view.is_public_tender and view.positions[index].kind in (PositionKind.WORK, PositionKind.MATERIAL)
    ),
)
def tender_item_is_incomplete(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    present = {
        "number": position.number,
        "code": position.code,
        "text": position.description.strip(),
        "unit": position.unit,
        "quantity": position.quantity is not None or position.quantity_reason == "percentage",
        "measure sheet": position.measure or position.kind is PositionKind.MATERIAL,
        "price system": position.price_system,
    }
    missing = [name for name, value in present.items() if not value]
    if not missing:
        return NOTHING
    reason = f"For a public tender the position lacks: {', '.join(missing)}."
    return (
        Hit(index, Grade.AMBER, reason, {"missing": missing}, deviation=None, suggestion=Suggestion("Complete it.")),
    )
