"""Every threshold of every rule, in one table: "<rule id>.<name>" -> value, bounds, unit, what it means.

A firm changes them by passing its own values to `audit(thresholds=…)`. Shares are 0-1 unless the unit says otherwise.
[J] marks judgement, without a published source; measured hit rates stand in docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

D = Decimal


@dataclass(frozen=True, slots=True)
class Threshold:
    """One row of the table. `low` and `high`: what a firm may set; beyond them the rule would say nonsense."""

    value: Decimal
    low: Decimal
    high: Decimal
    unit: str
    meaning: str

    @property
    def words(self) -> str:
        """What it means, for people: "[J]" is a mark of this table."""
        return self.meaning.replace("[J]", "(a judgement)")


def _row(value: str, low: str, high: str, unit: str, meaning: str) -> Threshold:
    return Threshold(D(value), D(low), D(high), unit, meaning)


TABLE: Mapping[str, Threshold] = MappingProxyType(
    {
        "V01.min_length": _row("3", "1", "100", "characters", 'shortest description; "N1", "N2" stand for nothing'),
        "V03.max_edits": _row("2", "0", "5", "letters", "changed at most to suggest a unit [J]"),
        "V07.fallback": _row("0.01", "0", "10", "currency", "rounding where the file does not state its own"),
        "V08.per_row": _row("0.01", "0", "10", "currency", "a row summed: what rounding each can add up to"),
        # Half a step of 0.001, and the file's own rounding
        "V09.absolute": _row("0.0015", "0", "1", "of the quantity", "measure sheet against quantity"),
        "V09.relative": _row("0.0001", "0", "0.1", "share", "of the quantity, on top"),
        "C01.shifted_count": _row("3", "1", "1000", "positions", "without price in one section [J]"),
        "C01.shifted_share": _row("0.5", "0", "1", "share", "of the section's sum in one position beside them [J]"),
        # isurv "Appraising tender prices": like items alike
        "C02.spread": _row("0.05", "0", "10", "share", "dearest over cheapest of one code, less 1: amber"),
        "C02.spread_red": _row("0.5", "0", "100", "share", "the same: red [J]"),
        "C03.min_group": _row("5", "3", "1000", "positions", "in a group; below, a median says nothing"),
        "C03.z": _row("3.5", "1", "50", "robust z", "of the logarithm: amber; Iglewicz and Hoaglin (1993)"),
        "C03.z_red": _row("6", "1", "100", "robust z", "the same: red [J]"),
        "C04.amber": _row("0.10", "0", "10", "share", "off the reference price: amber"),
        "C04.red": _row("0.25", "0", "100", "share", "above the reference price: red"),
        "C04.min_history": _row("3", "1", "1000", "budgets", "of one's own that make a price [J]"),
        "C05.share": _row("0.20", "0", "1", "share", "of the budget's total in one position: amber"),
        "C05.share_red": _row("0.35", "0", "1", "share", "the same: red"),
        "C05.min_positions": _row("20", "1", "100000", "positions", "in a shorter bill a large share is usual [J]"),
        "C06.share_all": _row("0.30", "0", "1", "share", "of the budget's total, all lump sums together"),
        "C06.share_one": _row("0.05", "0", "1", "share", "of the budget's total, one without breakdown"),
        "C06.min_positions": _row("10", "1", "100000", "positions", "for the first of the two [J]"),
        "C07.step": _row("1000", "1", "1000000", "currency", "a multiple of it is a round price"),
        "C10.own_share": _row("0.40", "0", "1", "share", "of the positions with a code that have an own one"),
        "S02.widen_low": _row("0.7", "0.1", "1", "times", "the low end of the usual kg of steel to a m3"),
        "S02.widen_high": _row("1.5", "1", "10", "times", "the high end of the same"),
        "S02.red_low": _row("20", "0", "200", "kg/m3", "steel in reinforced concrete: red below"),
        "S02.red_high": _row("600", "100", "5000", "kg/m3", "the same: red above"),
        "S03.same": _row("0.005", "0", "0.2", "share", 'by which ratios may differ and still be "the same"'),
        "S03.min_families": _row("3", "2", "100", "families", "with the same ratio"),
        "S04.tolerance": _row("0.001", "0", "0.5", "share", "of the larger quantity, erected against struck"),
        "S06.low": _row("0.95", "0.1", "1", "times", "material over work, the same unit, at least"),
        "S06.high": _row("1.35", "1", "10", "times", "the same, at most; waste is 3-15 %"),
        "S07.most": _row("0.5", "0.01", "10", "m3", "of material to a m2 or m of work, no thickness named"),
        "S07.times_named": _row("1.5", "1", "10", "times", "the thickness that the text names"),
        "S08.swell": _row("1.3", "1", "3", "times", "m3 moved over m3 dug: loosened soil"),
        "S08.short": _row("0.9", "0.1", "1", "times", "the same, at least: less is not accounted for [J]"),
        "S08.t_per_m3_low": _row("1.5", "0.5", "3", "t/m3", "soil to the tip, at least"),
        "S08.t_per_m3_high": _row("2.0", "0.5", "5", "t/m3", "the same, at most"),
        "N02.amber": _row("60", "0", "100", "of 100", "likeness to the catalogue's text: amber below"),
        "N02.red": _row("40", "0", "100", "of 100", "the same: red below"),
        "O02.min_ran": _row("3", "0", "20", "rules", "that really ran for a grade to rest on"),
        "O02.min_coverage": _row("0.5", "0", "1", "share", "of the applicable rules that ran"),
        "O02.min_judged": _row("5", "1", "1000", "decisions", "before a rule's precision counts as measured [J]"),
    }
)
THRESHOLDS: Mapping[str, Decimal] = MappingProxyType({name: row.value for name, row in TABLE.items()})

# The first may not be above the second: amber comes before red, low before high
ORDERED = (
    ("C02.spread", "C02.spread_red"), ("C03.z", "C03.z_red"), ("C04.amber", "C04.red"), ("C05.share", "C05.share_red"),
    ("S02.red_low", "S02.red_high"), ("S06.low", "S06.high"), ("S08.short", "S08.swell"),
    ("S08.t_per_m3_low", "S08.t_per_m3_high"), ("N02.red", "N02.amber"),
)  # fmt: skip


def merged(changes: Mapping[str, Decimal] | None) -> dict[str, Decimal]:
    """The table with a firm's changes. ValueError for a name that does not exist: a typing error changes nothing."""
    table = dict(THRESHOLDS)
    for name, value in (changes or {}).items():
        if name not in table:
            raise ValueError(f'There is no threshold "{name}". Known: {", ".join(sorted(table))}.')
        table[name] = Decimal(value)
    return table


def why_refused(name: str, value: Decimal, changes: Mapping[str, Decimal]) -> str:
    """Why a firm with these changes may not set this value; "" if it may. ValueError for an unknown name."""
    table = merged({**changes, name: value})
    row = TABLE[name]
    if not value.is_finite() or not row.low <= value <= row.high:
        return f"{name} lies between {row.low:f} and {row.high:f} ({row.unit})."
    for lower, higher in ORDERED:
        if name in (lower, higher) and table[lower] > table[higher]:
            return f"{lower} may not be above {higher}: they would be {table[lower]:f} and {table[higher]:f}."
    return ""
