"""Validator, sums: V08."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from projects.audit.findings import BUDGET, Grade, Hit, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.view import BudgetView
from projects.audit.wording import money, plain
from projects.parsers.bill import StatedTotal


def _no_position(view: BudgetView, index: int) -> bool:
    """The rule speaks of stated sums, of no position. So whether a file states sums changes no position's coverage."""
    return False


@budget_rule(
    id="V08",
    version=2,
    role=Role.VALIDATOR,
    title="A stated sum differs from the positions under it",
    source="RICS isurv, Appraising tender prices; GAEB: alternatives and optional items without total do not count",
    applies=_no_position,
)
def sums_differ(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Per stated total: the sum of what counts under it, within 0.01 x the rows summed."""
    if not view.is_priced:
        return
    sums = _Sums(view)
    discounted = [stated for stated in view.totals if stated.discount]
    for stated in view.totals:
        # A discount lowers the sums above the one it is taken off, not that one itself
        discount = sum((inner.discount for inner in discounted if _is_inside(inner, stated)), Decimal(0))
        yield from _compare(view, stated, sums, discount, t)


class _Sums:
    """Sums by the whole bill, by object and by every prefix of a section path."""

    def __init__(self, view: BudgetView) -> None:
        self.amount: dict[tuple[str, ...], Decimal] = {}
        self.rows: dict[tuple[str, ...], int] = {}
        for (object_code, path), section in view.facts.sections.items():
            for key in _keys_of(object_code, path):
                self.amount[key] = self.amount.get(key, Decimal(0)) + section.amount
                self.rows[key] = self.rows.get(key, 0) + section.counted


def _keys_of(object_code: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield ()
    for depth in range(len(path) + 1):
        yield (object_code, *path[:depth])


def _key_of(stated: StatedTotal) -> tuple[str, ...]:
    if stated.level == "bill":
        return ()
    if stated.level == "object":
        return (stated.object_code,)
    return (stated.object_code, *stated.section_path)


def _is_inside(inner: StatedTotal, outer: StatedTotal) -> bool:
    inner_key, outer_key = _key_of(inner), _key_of(outer)
    return len(inner_key) > len(outer_key) and inner_key[: len(outer_key)] == outer_key


def _compare(view: BudgetView, stated: StatedTotal, sums: _Sums, discount: Decimal, t: Thresholds) -> SaidOfBudget:
    key = _key_of(stated)
    computed = sums.amount.get(key, Decimal(0)) - discount
    rows = sums.rows.get(key, 0)
    tolerance = t["V08.per_row"] * max(rows, 1)
    difference = stated.amount - computed
    if abs(difference) <= tolerance:
        return
    whole = "the whole budget"
    name = {"bill": whole, "object": f"object {stated.object_code}" if stated.object_code else whole}.get(
        stated.level, f"section {' / '.join(stated.section_path)} of {stated.object_code or 'the budget'}"
    )
    yield Hit(
        BUDGET,
        Grade.RED,
        f"The file states {money(stated.amount)} for {name}; its {rows} positions come to {money(computed)}: "
        f"{money(abs(difference))} {'too much' if difference > 0 else 'too little'}.",
        {
            "level": stated.level,
            "stated": plain(stated.amount),
            "computed": plain(computed),
            "rows": rows,
            "discount": plain(discount),
            "threshold": plain(tolerance),
            "source": stated.source,
        },
        money_at_stake=difference,
        subject=f"total of {name}",
        suggestion=Suggestion("Find the row that is missing, hidden or counted twice."),
    )
