"""Cost, references: C04, a unit price against the catalogue's, else against the organisation's own prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from projects.audit.codes import declared_catalogue
from projects.audit.findings import Grade, Hit, NotChecked, Role
from projects.audit.references import CatalogueEntry, HistoryEntry, history_key
from projects.audit.registry import NOTHING, Said, Thresholds, position_rule
from projects.audit.units import normalise
from projects.audit.view import AuditPosition, BudgetView
from projects.audit.wording import money, percent, plain


@dataclass(frozen=True, slots=True)
class _Reference:
    """A price to compare with, how people call it, and where it is from."""

    price: Decimal
    called: str
    evidence: dict[str, Any]


def other_catalogue(view: BudgetView, position: AuditPosition) -> str:
    """The catalogue that the position declares, where it is not the one loaded; "" where they may be compared."""
    declared = declared_catalogue(position.catalogue, position.price_system)
    loaded = declared_catalogue(view.catalogue_name, view.catalogue_name)
    return declared if declared and loaded and declared != loaded else ""


def catalogue_name(view: BudgetView, edition: str = "") -> str:
    return f"{view.catalogue_name} {edition or view.catalogue_edition}".strip() or "the catalogue"


def _may_be_compared(view: BudgetView, index: int) -> bool:
    """Catalogue codes with a price. Where own budgets are all there is, those that they know: that they do not know
    all the others is no news."""
    if not view.is_catalogue_code[index] or not view.positions[index].unit_price:
        return False
    return view.catalogue is not None or view.history is None or _history(view, index) is not None


@position_rule(
    id="C04",
    version=2,
    role=Role.COST,
    title="Unit price against the catalogue or own prices",
    source="the loaded price catalogue, else the median of own other budgets; both indexed to the budget's date",
    applies=_may_be_compared,
    needs="prices",
)
def price_differs_from_reference(view: BudgetView, index: int, t: Thresholds) -> Said:
    """Above by more than C04.amber amber, than C04.red red; below by as much amber. The finding names its source."""
    position = view.positions[index]
    reference = _from_catalogue(view, index) or _from_history(view, index, t)
    if reference is None:
        return (NotChecked(_why_none(view, index, t), index),)
    assert position.unit_price is not None
    deviation = position.unit_price / reference.price - 1
    if abs(deviation) <= t["C04.amber"]:
        return NOTHING
    is_high = deviation > 0
    return (
        Hit(
            index,
            Grade.RED if deviation > t["C04.red"] else Grade.AMBER,
            f"{money(position.unit_price)} is {percent(abs(deviation))} {'above' if is_high else 'below'} "
            f"{reference.called}.",
            {
                **reference.evidence,
                "reference_price": plain(round(reference.price, 4)),
                "formula": "unit price / reference price - 1",
                "deviation": plain(round(deviation, 4)),
                "threshold": f"{plain(t['C04.amber'])} amber, {plain(t['C04.red'])} red",
            },
            money_at_stake=(position.unit_price - reference.price) * (position.quantity or 1),
            subject="unit_price",
            demand="lower" if is_high else "raise",
        ),
    )


def _entry(view: BudgetView, index: int) -> CatalogueEntry | None:
    position = view.positions[index]
    if view.catalogue is None or other_catalogue(view, position):
        return None
    return view.catalogue.get(position.code)


def _has_other_unit(view: BudgetView, index: int, entry: CatalogueEntry) -> bool:
    return bool(entry.unit) and view.units[index] != normalise(entry.unit)


def _from_catalogue(view: BudgetView, index: int) -> _Reference | None:
    entry = _entry(view, index)
    if entry is None or not entry.unit_price or _has_other_unit(view, index, entry):
        return None
    edition = entry.edition or view.catalogue_edition or "edition not named"
    evidence = {
        "source": "catalogue",
        "catalogue": view.catalogue_name,
        "edition": entry.edition,
        "stated_price": plain(entry.stated_price or entry.unit_price),
        "priced_on": entry.priced_on.isoformat() if entry.priced_on else "",
        "index": entry.index or "not indexed",
    }
    return _Reference(entry.unit_price, f"the catalogue's {money(entry.unit_price)} ({edition})", evidence)


def _from_history(view: BudgetView, index: int, t: Thresholds) -> _Reference | None:
    entry = _history(view, index)
    if entry is None or not entry.median or entry.number < t["C04.min_history"]:
        return None
    evidence = {
        "source": "own history",
        "budgets": entry.number,
        "lowest": plain(entry.lowest),
        "highest": plain(entry.highest),
        "index": "indexed to the budget's date" if entry.is_indexed else "not indexed",
    }
    called = f"the {money(entry.median)} that {entry.number} of your own budgets have in the middle"
    return _Reference(entry.median, called, evidence)


def _history(view: BudgetView, index: int) -> HistoryEntry | None:
    key = history_key(view.positions[index].code, view.units[index])
    return (view.history or {}).get(key)


def _why_none(view: BudgetView, index: int, t: Thresholds) -> str:
    position, entry = view.positions[index], _entry(view, index)
    if view.catalogue is None:
        reason = view.lacks("catalogue")
    elif other := other_catalogue(view, position):
        reason = f"the position is of {other}, the loaded catalogue is {view.catalogue_name}"
    elif entry is not None and entry.why_unpriced:
        reason = entry.why_unpriced
    elif entry is not None and entry.unit_price and _has_other_unit(view, index, entry):
        reason = f'the catalogue prices {position.code} by "{entry.unit}"'
    else:
        reason = f"the catalogue has no price for {position.code}"
    if view.history is None:
        return reason
    own = _history(view, index)
    return f"{reason}; own budgets with this code: {own.number if own else 0}, {plain(t['C04.min_history'])} are needed"
