"""Validator, numbers of one position: V04-V07."""

from __future__ import annotations

import re
from decimal import Decimal

from projects.audit.findings import Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.registry import NOTHING, Said, Thresholds, position_rule
from projects.audit.units import is_percent
from projects.audit.view import AuditPosition, BudgetView, round_to
from projects.audit.wording import money, plain
from projects.parsers.bill import Billing

# Billing without a quantity of its own
_WITHOUT_QUANTITY = frozenset({Billing.SURCHARGE, Billing.LUMP_SUM})
_DEDUCTION = re.compile(
    r"odpoč|odečt|sleva|slev[ay]\b|vratk|zápočt|dobropis|méněprac|neproved|abzug|nachlass|rabatt|gutschrift|minder|deduct|discount|credit|descuento",
    re.IGNORECASE,
)


def _has_own_quantity(view: BudgetView, index: int) -> bool:
    return not view.is_note[index] and view.positions[index].billing not in _WITHOUT_QUANTITY


@position_rule(
    id="V04",
    version=1,
    role=Role.VALIDATOR,
    title="Quantity missing",
    source="decree 169/2016 Sb. § 5; GAEB DA XML: X84 carries no quantities",
    applies=_has_own_quantity,
    essential=True,
)
def quantity_is_missing(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    if position.quantity is not None:
        return NOTHING
    evidence = {"quantity_reason": position.quantity_reason, "unit": position.unit or "", "phase": view.phase}
    if view.phase == "X84":
        return (NotChecked("the file is a bid (X84) and carries no quantities; join it to its X83", index),)
    if is_percent(position.unit):
        if position.total is not None or position.unit_price is None:
            return (NotChecked("a percentage: the sum it is taken of is not stated", index),)
        reason = "A percentage position states neither the sum it is taken of nor a total."
        return (Hit(index, Grade.RED, reason, evidence),)
    said = f" ({position.quantity_reason})" if position.quantity_reason else ""
    advice = Suggestion("Add the quantity, with its measure sheet.", "The position can be priced.")
    return (Hit(index, Grade.RED, f"The position has no quantity{said}.", evidence, suggestion=advice),)


def _has_quantity(view: BudgetView, index: int) -> bool:
    return not view.is_note[index] and view.positions[index].quantity is not None


@position_rule(
    id="V05",
    version=1,
    role=Role.VALIDATOR,
    title="Quantity is 0, price is not",
    source="RICS isurv, Appraising tender prices: arithmetic first",
    applies=_has_quantity,
)
def quantity_is_zero(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    if position.quantity != 0 or not position.unit_price or position.unit_price < 0:
        return NOTHING
    siblings = (position.object_code, position.section_path) in view.sections_with_quantities
    evidence = {"quantity": "0", "unit_price": plain(position.unit_price), "siblings_have_quantities": siblings}
    reason = f"The quantity is 0 although a unit price of {money(position.unit_price)} is given"
    grade = Grade.RED if siblings else Grade.AMBER
    reason += "; other positions of the section have quantities." if siblings else "."
    advice = Suggestion(
        "Measure the quantity, or remove the position.", risk="A price without quantity invites shifting."
    )
    stake = position.unit_price  # at least one unit of it
    return (Hit(index, grade, reason, evidence, money_at_stake=stake, suggestion=advice),)


def _has_numbers(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    return not view.is_note[index] and (position.quantity is not None or position.unit_price is not None)


@position_rule(
    id="V06",
    version=1,
    role=Role.VALIDATOR,
    title="Negative quantity or price",
    source="VOB/A § 16d; only change orders and deductions may be negative",
    applies=_has_numbers,
)
def number_is_negative(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    quantity, price = position.quantity, position.unit_price
    is_negative = (quantity is not None and quantity < 0) or (price is not None and price < 0)
    if not is_negative or position.billing is Billing.CHANGE or _DEDUCTION.search(position.description):
        return NOTHING
    evidence = {"quantity": plain(quantity), "unit_price": plain(price), "billing": position.billing.value}
    reason = "The quantity or the unit price is negative, and the position is neither a change order nor a deduction."
    advice = Suggestion("Correct the sign, or mark the position as a change or deduction.")
    return (Hit(index, Grade.RED, reason, evidence, suggestion=advice),)


def _is_multiplied(view: BudgetView, index: int) -> bool:
    """Whether the file claims quantity x unit price = total here, or ought to.

    Not for surcharges (a share of other positions), for lump sums without quantity, and where quantity and price are
    there but no total is stated: then there is no claim to test.
    """
    if not view.is_priced or view.is_note[index]:
        return False
    position = view.positions[index]
    if position.billing is Billing.SURCHARGE:
        return False
    if position.billing is Billing.LUMP_SUM and position.quantity is None:
        return False
    return position.total is not None or position.quantity is None or position.unit_price is None


@position_rule(
    id="V07",
    version=1,
    role=Role.VALIDATOR,
    title="Quantity x unit price differs from the total",
    source="RICS isurv, Appraising tender prices: arithmetic first; tolerance: the file's own rounding",
    applies=_is_multiplied,
    essential=True,
)
def product_differs(view: BudgetView, index: int, t: Thresholds) -> Said:
    position = view.positions[index]
    quantity, price, total = position.quantity, position.unit_price, position.total
    if quantity is None or price is None or total is None:
        missing = [name for name, value in (("quantity", quantity), ("unit price", price)) if value is None]
        return (NotChecked(f"no {' and no '.join(missing)} to multiply", index),)
    product = quantity * price
    # A first look with plain arithmetic: nearly every position ends here
    tolerance = view.rounding.total / 2 if view.rounding.is_stated else t["V07.fallback"]
    if abs(product - total) <= tolerance or _is_excused(position, product, total, tolerance):
        return NOTHING
    expected = round_to(product, view.rounding.total)
    if abs(expected - total) <= (Decimal(0) if view.rounding.is_stated else tolerance):
        return NOTHING
    return (_product_hit(view, index, expected, total),)


def _is_excused(position: AuditPosition, product: Decimal, total: Decimal, tolerance: Decimal) -> bool:
    """An alternative that is not awarded shows 0; a percentage may hold its base in the quantity."""
    if total == 0 and not position.billing.counts:
        return True
    return is_percent(position.unit) and abs(product / 100 - total) <= tolerance


def _product_hit(view: BudgetView, index: int, expected: Decimal, total: Decimal) -> Hit:
    position = view.positions[index]
    difference = total - expected
    return Hit(
        index,
        Grade.RED,
        f"{plain(position.quantity)} x {plain(position.unit_price)} is {money(expected)}, but the file states "
        f"{money(total)}: {money(abs(difference))} {'too much' if difference > 0 else 'too little'}.",
        {
            "formula": "round(quantity x unit_price) = total",
            "quantity": plain(position.quantity),
            "unit_price": plain(position.unit_price),
            "expected": plain(expected),
            "stated": plain(total),
            "threshold": plain(view.rounding.total)
            if view.rounding.is_stated
            else "0.01 (the file states no rounding)",
        },
        money_at_stake=difference,
        subject="total",
        demand="lower" if difference > 0 else "raise",
        suggestion=Suggestion("Ask for the total to be corrected; the unit price is what binds."),
    )
