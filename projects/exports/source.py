"""What every writer is given: a version of a budget that can be read as often as the format needs, and who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from projects.parsers.bill import BillPosition, Rounding
from projects.parsers.totals import position_total

ZERO = Decimal(0)


class ExportError(Exception):
    """The file can't be made as asked, or was not true when it was read back. `str()` is for people; `code` stable."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class ExportBill:
    """A version of a budget. `read()` begins anew each time: a format that states sums before its positions reads
    them twice rather than keep them."""

    read: Callable[[], Iterator[BillPosition]]
    title: str
    reference: str = ""
    client: str = ""
    currency: str = ""
    budget_on: date | None = None
    made_on: date = date(2000, 1, 1)
    version: int = 1
    is_public_tender: bool = False
    vat_rates: tuple[Decimal, ...] = ()  # percent: standard, reduced
    rounding: Rounding = field(default_factory=Rounding)
    count: int = 0
    report: Callable[[int, int, str], None] = field(default=lambda done, total, message: None)

    def total_of(self, position: BillPosition) -> Decimal | None:
        return position_total(position, self.rounding)

    def told(self, doing: str) -> Iterator[BillPosition]:
        """The positions once through, saying how far it is."""
        for done, position in enumerate(self.read(), start=1):
            if done % 500 == 0:
                self.report(done, self.count, f"{doing}: position {done:,} of {self.count:,}")
            yield position


@dataclass(slots=True)
class Sums:
    """Totals of what counts: of the whole, of objects, of sections (object, path). Memory grows with sections only."""

    whole: Decimal = ZERO
    positions: int = 0
    unpriced: int = 0
    objects: dict[str, Decimal] = field(default_factory=dict)
    sections: dict[tuple[str, tuple[str, ...]], Decimal] = field(default_factory=dict)


def sums_of(bill: ExportBill, doing: str = "Adding up") -> Sums:
    sums = Sums()
    for position in bill.told(doing):
        sums.positions += 1
        total = bill.total_of(position)
        if not position.billing.counts:
            total = ZERO
        elif total is None:
            sums.unpriced += 1
            total = ZERO
        sums.whole += total
        code = position.object_code
        sums.objects[code] = sums.objects.get(code, ZERO) + total
        for depth in range(1, len(position.section_path) + 1):
            key = (code, position.section_path[:depth])
            sums.sections[key] = sums.sections.get(key, ZERO) + total
    return sums
