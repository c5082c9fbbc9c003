"""Does a bill add up? Fed position by position while an import streams; memory grows with sections, not with positions.

Sums are of what counts towards totals (alternatives and optional positions without total do not). A section's or
object's stated sum that differs is kept as a difference, for rule V08; only the whole bill's sum and count can refuse
a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from projects.parsers.bill import Bill, BillHeader, BillPosition, ParseError, StatedTotal
from projects.parsers.totals import position_total

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Difference:
    """A sum the file states that its positions do not give. `tolerance` is the total's rounding step × rows summed."""

    level: str  # "bill" | "object" | "section"
    stated: Decimal
    computed: Decimal
    tolerance: Decimal
    object_code: str = ""
    section_path: tuple[str, ...] = ()
    source: str = ""

    @property
    def amount(self) -> Decimal:
        """stated − computed."""
        return self.stated - self.computed

    @property
    def where(self) -> str:
        """For people: "SO 1 › HSV Práce › 1 Zemní práce"."""
        return " › ".join(part for part in (self.object_code, *self.section_path) if part) or "the whole bill"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    positions: int
    computed_total: Decimal  # over the positions that count
    stated_total: Decimal | None  # None: the file states none
    stated_count: int | None
    differences: tuple[Difference, ...]
    currency: str
    unpriced: int  # counting positions without a total: no unit price, or no quantity
    object_totals: dict[str, Decimal]

    @property
    def bill_difference(self) -> Difference | None:
        return next((difference for difference in self.differences if difference.level == "bill"), None)


@dataclass(slots=True)
class _Sum:
    amount: Decimal = _ZERO
    rows: int = 0

    def add(self, amount: Decimal) -> None:
        self.amount += amount
        self.rows += 1


class Reconciler:
    """`for p in reconciler.watch(bill.positions)` and then `result()`, once the bill is exhausted: its stated totals
    are complete only then."""

    def __init__(self, bill: Bill) -> None:
        self._bill = bill
        self._header: BillHeader = bill.header
        self._positions = 0
        self._unpriced = 0
        self._whole = _Sum()
        self._objects: dict[str, _Sum] = {}
        self._sections: dict[tuple[str, tuple[str, ...]], _Sum] = {}

    def watch(self, positions: Iterable[BillPosition]) -> Iterator[BillPosition]:
        """Passes the positions on, unchanged, having counted each."""
        for position in positions:
            self.add(position)
            yield position

    def add(self, position: BillPosition) -> None:
        self._positions += 1
        if not position.billing.counts:
            return
        total = position_total(position, self._header.rounding)
        if total is None:
            self._unpriced += 1
            total = _ZERO
        self._whole.add(total)
        code = position.object_code
        known = self._objects.get(code)
        if known is None:
            known = self._objects[code] = _Sum()
        known.add(total)
        path = position.section_path
        for depth in range(1, len(path) + 1):
            key = (code, path[:depth])
            known = self._sections.get(key)
            if known is None:
                known = self._sections[key] = _Sum()
            known.add(total)

    def result(self) -> Reconciliation:
        stated = [total for total in self._bill.totals if total.level == "bill"]
        return Reconciliation(
            positions=self._positions,
            computed_total=self._whole.amount,
            stated_total=stated[0].amount if stated else None,
            stated_count=self._bill.stated_count,
            differences=tuple(self._differences()),
            currency=self._bill.header.currency,
            unpriced=self._unpriced,
            object_totals={code: found.amount for code, found in self._objects.items()},
        )

    def _differences(self) -> Iterator[Difference]:
        step = self._header.rounding.total
        discounted = [total for total in self._bill.totals if total.discount]
        for total in self._bill.totals:
            found = self._sum_of(total)
            # A discount on a section lowers the sums it is part of, not the section's own.
            below = sum((inner.discount for inner in discounted if _is_inside(inner, total)), _ZERO)
            computed = found.amount - below
            tolerance = step * max(found.rows, 1)
            if abs(total.amount - computed) > tolerance:
                yield Difference(
                    level=total.level,
                    stated=total.amount,
                    computed=computed,
                    tolerance=tolerance,
                    object_code=total.object_code,
                    section_path=total.section_path,
                    source=total.source,
                )

    def _sum_of(self, total: StatedTotal) -> _Sum:
        if total.level == "bill":
            return self._whole
        if total.level == "object":
            return self._objects.get(total.object_code, _Sum())
        return self._sections.get((total.object_code, total.section_path), _Sum())


def _is_inside(inner: StatedTotal, outer: StatedTotal) -> bool:
    if inner is outer or inner.level == "bill":
        return False
    if outer.level == "bill":
        return True
    if inner.object_code != outer.object_code:
        return False
    if outer.level == "object":
        return inner.level == "section"
    depth = len(outer.section_path)
    return len(inner.section_path) > depth and inner.section_path[:depth] == outer.section_path


def assert_reconciled(result: Reconciliation) -> None:
    """Raises ParseError("no_positions" | "does_not_reconcile"), naming both figures and where they differ."""
    if result.positions == 0:
        raise ParseError(
            "The file was read to its end and holds no positions. Check that it is the bill of quantities and not only "
            "its cover or recapitulation, and that its sheets are not empty.",
            code="no_positions",
        )
    if result.stated_count is not None and result.stated_count != result.positions:
        raise ParseError(
            f"The file says it has {result.stated_count:,} positions, but {result.positions:,} were found. Nothing was "
            "imported. Export the bill again; if the figures stay apart, report the file.",
            code="does_not_reconcile",
        )
    difference = result.bill_difference
    if difference is None:
        return
    currency = f" {result.currency}" if result.currency else ""
    inner = sorted((d for d in result.differences if d.level != "bill"), key=lambda d: -abs(d.amount))
    places = "; ".join(f"{d.where}: {d.stated:,.2f} stated, {d.computed:,.2f} computed" for d in inner[:3])
    raise ParseError(
        f"The bill does not add up: it states a total of {difference.stated:,.2f}{currency} "
        f"({difference.source or 'in its recapitulation'}), its {result.positions:,} positions come to "
        f"{difference.computed:,.2f}{currency}, a difference of {difference.amount:,.2f}{currency}. "
        + (f"It differs in {places}. " if places else "")
        + "Nothing was imported. Recalculate and save the bill in the program that made it, and upload it again.",
        code="does_not_reconcile",
    )
