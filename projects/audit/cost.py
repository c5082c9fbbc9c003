"""Cost, unit prices: C01-C03 and C07. C04: `cost_reference`."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from statistics import median

from projects.audit.findings import Grade, Hit, Role, Suggestion
from projects.audit.registry import NOTHING, Said, SaidOfBudget, Thresholds, budget_rule, position_rule
from projects.audit.view import AuditPosition, BudgetView
from projects.audit.wording import money, percent, place, plain
from projects.parsers.bill import Billing

_INCLUDED = re.compile(
    r"v cen[ěe]\b|je součástí|zahrnut|obsažen|neoceňovat|neuvažov|ist enthalten|eingerechnet|inbegriffen|"
    r"nicht angeboten|entfällt|included|not offered|incluido",
    re.IGNORECASE,
)
_NORMAL_CONSISTENCY = 0.6745  # a MAD of 1 is 0.6745 standard deviations; Iglewicz and Hoaglin (1993)
_MEAN_CONSISTENCY = 1.253314  # the same for the mean absolute deviation, used where the MAD is 0


def has_price(position: AuditPosition) -> bool:
    return bool(position.unit_price) or (position.unit_price is None and bool(position.total))


def _is_to_be_priced(view: BudgetView, index: int) -> bool:
    return view.is_to_be_priced[index]


@budget_rule(
    id="C01",
    version=1,
    role=Role.COST,
    title="Price missing or 0 in a priced budget",
    source="VOB/A § 13: every position is priced; BGH X ZB 7/04 on prices shifted between positions",
    applies=_is_to_be_priced,
    essential=True,
)
def price_is_missing(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Red; info where the text says that it is included elsewhere; beside several, one dear position is amber."""
    if not view.is_priced:
        return
    for indexes in view.by_section.values():
        unpriced = [i for i in indexes if _is_to_be_priced(view, i) and not has_price(view.positions[i])]
        for index in unpriced:
            yield _missing_price(view, index)
        if len(unpriced) >= t["C01.shifted_count"]:
            yield from _shifted(view, indexes, unpriced, t)


def _missing_price(view: BudgetView, index: int) -> Hit:
    position = view.positions[index]
    evidence = {"unit_price": plain(position.unit_price), "total": plain(position.total)}
    if _INCLUDED.search(position.description) or _INCLUDED.search(position.long_text):
        return Hit(index, Grade.INFO, "No price: the text says that it is included elsewhere.", evidence)
    reason = "The price is 0." if position.unit_price == 0 else "The price is missing."
    advice = Suggestion("Price the position, or say where it is included.", risk="The bid is incomplete.")
    return Hit(
        index, Grade.RED, f"{reason} The rest of the budget is priced.", evidence,
        subject="unit_price", demand="raise", suggestion=advice,
    )  # fmt: skip


def _shifted(view: BudgetView, indexes: list[int], unpriced: list[int], t: Thresholds) -> SaidOfBudget:
    total = sum((abs(view.amounts[i]) for i in indexes), Decimal(0))
    dearest = max(indexes, key=lambda i: (abs(view.amounts[i]), -i))
    share = abs(view.amounts[dearest]) / total if total else Decimal(0)
    if share <= t["C01.shifted_share"]:
        return
    yield Hit(
        dearest,
        Grade.AMBER,
        f"{len(unpriced)} positions of this section have no price while this one is {percent(share)} of its sum: "
        "prices may have been shifted.",
        {"unpriced": len(unpriced), "share": plain(share), "threshold": plain(t["C01.shifted_share"])},
        related=tuple(unpriced),
        suggestion=Suggestion("Ask the bidder how the section was calculated."),
    )


def _is_coded_and_priced(view: BudgetView, index: int) -> bool:
    return view.is_catalogue_code[index] and bool(view.positions[index].unit_price)


@budget_rule(
    id="C02",
    version=1,
    role=Role.COST,
    title="One catalogue code at different prices",
    source="RICS isurv, Appraising tender prices: like items are priced alike",
    applies=_is_coded_and_priced,
)
def code_is_priced_differently(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """One hit per code (and unit), on its dearest position; money: what it costs above the cheapest price."""
    for code, members in view.by_code.items():
        if len(members) < 2:
            continue
        by_unit: dict[str | None, list[tuple[Decimal, int]]] = {}
        for index in members:
            price = view.positions[index].unit_price
            if price is not None and price > 0:
                by_unit.setdefault(view.units[index], []).append((price, index))
        for priced in by_unit.values():
            if len(priced) > 1:
                yield from _spread(view, code, priced, t)


def _spread(view: BudgetView, code: str, priced: list[tuple[Decimal, int]], t: Thresholds) -> SaidOfBudget:
    cheapest, cheap_index = min(priced)
    dearest, dear_index = max(priced, key=lambda pair: (pair[0], -pair[1]))
    spread = dearest / cheapest - 1
    if spread <= t["C02.spread"]:
        return
    stake = sum(((price - cheapest) * (view.positions[i].quantity or 1) for price, i in priced), Decimal(0))
    yield Hit(
        dear_index,
        Grade.RED if spread > t["C02.spread_red"] else Grade.AMBER,
        f"Code {code} costs {money(dearest)} here and {money(cheapest)} at "
        f"{place(view.positions[cheap_index])}: {percent(spread)} apart.",
        {
            "code": code,
            "prices": [plain(price) for price, _ in sorted(priced)],
            "formula": "dearest / cheapest - 1",
            "spread": plain(round(spread, 4)),
            "threshold": f"{plain(t['C02.spread'])} amber, {plain(t['C02.spread_red'])} red",
        },
        money_at_stake=stake,
        related=tuple(i for _, i in priced if i != dear_index),
        subject="unit_price",
        demand="lower",
        suggestion=Suggestion("Use one price, or say why they differ.", f"Up to {money(abs(stake))} less."),
    )


def is_in_group(view: BudgetView, index: int) -> bool:
    position = view.positions[index]
    return (
        bool(position.code) and position.unit_price is not None and position.unit_price > 0 and not view.is_note[index]
    )


@budget_rule(
    id="C03",
    version=1,
    role=Role.COST,
    title="Unit price far from its group",
    source="Iglewicz and Hoaglin (1993): robust z of 3.5; on logarithms, because prices spread by ratio",
    applies=is_in_group,
)
def price_is_outlier(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Groups of kind, code family and unit; smaller ones than C03.min_group are left alone."""
    for (_, family, unit), indexes in view.by_group.items():
        if len(indexes) < t["C03.min_group"]:
            continue
        yield from _outliers(view, family, unit, indexes, t)


def _outliers(view: BudgetView, family: str, unit: str, indexes: list[int], t: Thresholds) -> SaidOfBudget:
    prices = [view.positions[i].unit_price or Decimal(1) for i in indexes]
    logs = [math.log(price) for price in prices]  # floats: a statistic, no money is computed from them
    centre = median(logs)
    distances = [abs(value - centre) for value in logs]
    scale = median(distances) / _NORMAL_CONSISTENCY or sum(distances) / len(distances) * _MEAN_CONSISTENCY
    if not scale:
        return
    limit, red = float(t["C03.z"]), float(t["C03.z_red"])
    for index, price, value, distance in zip(indexes, prices, logs, distances, strict=True):
        z = distance / scale
        if z > limit:
            is_high = value > centre
            typical = Decimal(str(round(math.exp(centre), 2)))
            yield _outlier(view, index, (family, unit, len(indexes)), (price, typical), z, z > red, is_high, t)


def _outlier(
    view: BudgetView, index: int, group: tuple[str, str, int], prices: tuple[Decimal, Decimal], z: float,
    is_red: bool, is_high: bool, t: Thresholds,
) -> Hit:  # fmt: skip
    family, unit, size = group
    price, typical = prices
    return Hit(
        index,
        Grade.RED if is_red else Grade.AMBER,
        f"{money(price)} per {unit} is far {'above' if is_high else 'below'} the {money(typical)} that the {size} "
        f"positions of group {family} typically cost.",
        {
            "group": f"{family}, {unit}",
            "size": size,
            "median": plain(typical),
            "formula": "|ln(price) - median| / (MAD / 0.6745)",
            "z": f"{z:.2f}",
            "threshold": f"{plain(t['C03.z'])} amber, {plain(t['C03.z_red'])} red",
        },
        money_at_stake=(price - typical) * (view.positions[index].quantity or 1),
        subject="unit_price",
        demand="lower" if is_high else "raise",
        suggestion=Suggestion("Check the price, and whether the code fits the work."),
    )


@position_rule(
    id="C07",
    version=1,
    role=Role.COST,
    title="Round price on a catalogue code",
    source="practice: a calculated price is rarely a round thousand",
    applies=_is_coded_and_priced,
)
def price_is_round(view: BudgetView, index: int, t: Thresholds) -> Said:
    """Info only: also true of honest quotations. Lump-sum billing is exempt."""
    position = view.positions[index]
    price, step = position.unit_price, t["C07.step"]
    if price is None or price < step or price % step or position.billing is Billing.LUMP_SUM:
        return NOTHING
    reason = f"The price is a round {money(price)}: it looks estimated, not calculated."
    return (Hit(index, Grade.INFO, reason, {"unit_price": plain(price), "threshold": f"multiple of {plain(step)}"}),)
