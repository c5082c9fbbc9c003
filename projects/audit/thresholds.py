"""Every threshold of every rule, in one table: "<rule id>.<name>" -> value.

A firm changes them by passing its own values to `audit(thresholds=…)`. Shares are 0-1 unless the comment says percent.
[J] marks judgement, without a published source; measured hit rates stand in docs/audit.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

D = Decimal

THRESHOLDS: Mapping[str, Decimal] = MappingProxyType(
    {
        "V01.min_length": D(3),  # characters; "N1", "N2" stand for nothing
        "V03.max_edits": D(2),  # letters to change for a suggestion [J]
        "V07.fallback": D("0.01"),  # currency; where the file does not state its rounding
        "V08.per_row": D("0.01"),  # currency per row summed: what rounding each row can add up to
        "V09.absolute": D("0.0015"),  # units of the quantity: half a step of 0.001, and the file's own rounding
        "V09.relative": D("0.0001"),  # share of the quantity
        "C01.shifted_count": D(3),  # unpriced positions in one section [J]
        "C01.shifted_share": D("0.5"),  # share of the section's sum in one position beside them [J]
        "C02.spread": D("0.05"),  # dearest over cheapest, less 1; isurv "Appraising tender prices": like items alike
        "C02.spread_red": D("0.5"),  # same [J]
        "C03.min_group": D(5),  # positions; below, a median says nothing
        "C03.z": D("3.5"),  # robust z of the logarithm; Iglewicz and Hoaglin (1993)
        "C03.z_red": D(6),  # same [J]
        "C04.amber": D("0.10"),  # share of the catalogue's price
        "C04.red": D("0.25"),
        "C05.share": D("0.20"),  # of the budget's total
        "C05.share_red": D("0.35"),
        "C05.min_positions": D(20),  # in a shorter bill a large share is nothing unusual [J]
        "C06.share_all": D("0.30"),  # of the budget's total, all lump sums together
        "C06.share_one": D("0.05"),  # of the budget's total, one without breakdown
        "C06.min_positions": D(10),  # for the first of the two: a contract of two lines says nothing [J]
        "C07.step": D(1000),  # currency
        "C10.own_share": D("0.40"),  # of the positions with a code
        "S02.widen_low": D("0.7"),  # times the low end of the range in structural.STEEL_RANGES
        "S02.widen_high": D("1.5"),  # times its high end
        "S02.red_low": D(20),  # kg of steel in a m3 of reinforced concrete
        "S02.red_high": D(600),  # kg/m3
        "S03.same": D("0.005"),  # share by which ratios may differ and still be "the same"
        "S03.min_families": D(3),
        "S04.tolerance": D("0.001"),  # share of the larger quantity
        "S06.low": D("0.95"),  # material over work, the same unit; waste is 3-15 %
        "S06.high": D("1.35"),
        "S08.swell": D("1.3"),  # m3 moved over m3 dug: loosened soil
        "S08.short": D("0.9"),  # the same, lower end: less than this is accounted for [J]
        "S08.t_per_m3_low": D("1.5"),  # soil to the tip
        "S08.t_per_m3_high": D("2.0"),
        "N02.amber": D(60),  # rapidfuzz token_set_ratio, 0-100
        "N02.red": D(40),
        "O02.min_ran": D(3),  # rules that really ran
        "O02.min_coverage": D("0.5"),  # share of the applicable rules that ran
    }
)


def merged(changes: Mapping[str, Decimal] | None) -> dict[str, Decimal]:
    """The table with a firm's changes. ValueError for a name that does not exist: a typing error changes nothing."""
    table = dict(THRESHOLDS)
    for name, value in (changes or {}).items():
        if name not in table:
            raise ValueError(f'There is no threshold "{name}". Known: {", ".join(sorted(table))}.')
        table[name] = Decimal(value)
    return table
