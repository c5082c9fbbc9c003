"""Moving a price from the date it is of to the budget's date, along a series of a price index."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from ..models import PriceIndex

# A quarter's figure comes out about two months after its end; an older one than this is not of the date any more.
LONGEST_REACH = timedelta(days=190)


@dataclass(frozen=True, slots=True)
class Series:
    """Months (or quarters) and values, oldest first. `name` "": none chosen, prices stay as they are."""

    name: str = ""
    months: tuple[date, ...] = ()
    values: tuple[Decimal, ...] = field(default=())

    def at(self, day: date) -> Decimal | None:
        """The value of the month that the day is in, or of the newest before it within reach; None: no such."""
        place = bisect_right(self.months, day) - 1
        if place < 0 or day - self.months[place] > LONGEST_REACH:
            return None
        return self.values[place]

    def moved(self, price: Decimal, since: date | None, to: date | None) -> tuple[Decimal | None, str]:
        """(the price at `to`, how: "series: 118.4 / 112.1"). Without a series or a date it stays as it is, and the
        words are ""; (None, why) where the series does not reach."""
        if not self.name or since is None or to is None:
            return price, ""
        before, after = self.at(since), self.at(to)
        if before is None or after is None:
            missing = since if before is None else to
            return None, f'the price index "{self.name}" has no value for {missing:%Y-%m}'
        return price * after / before, f"{self.name}: {after.normalize():f} / {before.normalize():f}"


def series_of(*, organisation_id: UUID, name: str) -> Series:
    """The organisation's own months over everyone's. An unknown name gives a series that reaches nowhere."""
    if not name:
        return Series()
    rows = PriceIndex.objects.of(organisation_id).filter(series=name).order_by("on", "organisation_id")
    months: dict[date, tuple[bool, Decimal]] = {}
    for on, value, owner in rows.values_list("on", "value", "organisation_id"):
        if on not in months or owner is not None:
            months[on] = (owner is not None, value)
    return Series(name, tuple(months), tuple(value for _, value in months.values()))
