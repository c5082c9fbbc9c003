"""A position's total: stated, or computed with the file's own rounding. The one place that knows how."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from projects.parsers.bill import BillPosition, Rounding


def round_to_step(amount: Decimal, step: Decimal) -> Decimal:
    """Rounds half up (away from zero) to a multiple of `step`: 0.01 two digits, 0.1 one, 10 whole tens."""
    if step <= 0:
        return amount
    if step.as_tuple().digits == (1,):  # a power of ten: one quantize
        return amount.quantize(step, ROUND_HALF_UP) if step <= 1 else (amount / step).quantize(1, ROUND_HALF_UP) * step
    return (amount / step).quantize(1, ROUND_HALF_UP) * step


def computed_total(position: BillPosition, rounding: Rounding) -> Decimal | None:
    """quantity × unit price rounded half up by the file's step for totals.

    None where one of the two is missing.
    """
    if position.quantity is None or position.unit_price is None:
        return None
    amount = position.quantity * position.unit_price
    return round_to_step(amount, rounding.total)


def position_total(position: BillPosition, rounding: Rounding) -> Decimal | None:
    """The total the file states; where it states none, the computed one; None where there is neither."""
    return position.total if position.total is not None else computed_total(position, rounding)
