"""Cost, the budget as a whole: C05, C06, C08-C10."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from projects.audit.facts import is_lump_sum
from projects.audit.findings import BUDGET, Grade, Hit, NotChecked, Role, Suggestion
from projects.audit.registry import SaidOfBudget, Thresholds, budget_rule
from projects.audit.vat import countries_of, is_of_another_tax, rates_in
from projects.audit.view import BudgetView
from projects.audit.wording import money, percent, plain


def _counts(view: BudgetView, index: int) -> bool:
    return view.is_to_be_priced[index]


@budget_rule(
    id="C05",
    version=1,
    role=Role.COST,
    title="One position carries much of the budget",
    source="ABC analysis: what dominates the total is checked first",
    applies=_counts,
)
def position_dominates(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    total = view.grand_total
    if total <= 0 or view.facts.positions < t["C05.min_positions"]:
        return
    amber, red = t["C05.share"] * total, t["C05.share_red"] * total
    for index, amount in enumerate(view.amounts):
        if amount > amber and view.counted[index]:
            share = amount / total
            yield Hit(
                index,
                Grade.RED if amount > red else Grade.AMBER,
                f"The position alone is {percent(share)} of the budget.",
                {
                    "share": plain(round(share, 4)),
                    "total": plain(total),
                    "threshold": f"{plain(t['C05.share'])} amber, {plain(t['C05.share_red'])} red",
                },
                suggestion=Suggestion("Break it down, and check its quantity and price by hand."),
            )


@budget_rule(
    id="C06",
    version=1,
    role=Role.COST,
    title="Lump sums without breakdown",
    source="decree 169/2016 Sb. § 5: lump sums only where they can't be avoided",
    applies=lambda view, index: _counts(view, index) and is_lump_sum(view, index),
)
def lump_sums_weigh(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    total = view.grand_total
    if total <= 0:
        return
    lumps = [i for i in range(len(view)) if _counts(view, i) and is_lump_sum(view, i)]
    together = view.facts.lumps_amount if view.is_priced else Decimal(0)
    if view.facts.positions >= t["C06.min_positions"] and together > t["C06.share_all"] * total:
        yield Hit(
            BUDGET,
            Grade.AMBER,
            f"{view.facts.lumps} lump sums make {percent(together / total)} of the budget ({money(together)}).",
            {"share": plain(round(together / total, 4)), "threshold": plain(t["C06.share_all"])},
            money_at_stake=together,
            related=tuple(lumps[:50]),
            subject="lump sums",
            suggestion=Suggestion("Ask for the large ones to be broken down."),
        )
    for index in lumps:
        position, amount = view.positions[index], view.amounts[index]
        if amount > t["C06.share_one"] * total and not position.measure and not position.long_text:
            yield Hit(
                index,
                Grade.AMBER,
                f"A lump sum of {percent(amount / total)} of the budget has neither a breakdown nor a long text.",
                {"share": plain(round(amount / total, 4)), "threshold": plain(t["C06.share_one"])},
                suggestion=Suggestion("Ask for a breakdown."),
            )


@budget_rule(
    id="C08",
    version=2,
    role=Role.COST,
    title="VAT rate not valid on the budget's date",
    source=(
        "CZ: zákon č. 235/2004 Sb. § 47; SK: zákon č. 222/2004 Z. z. § 27; DE: UStG § 12; AT: UStG § 10; "
        "ES: Ley 37/1992 art. 90, 91; PL: ustawa o VAT art. 41"
    ),
    applies=lambda view, index: view.is_priced and view.positions[index].vat_rate is not None,
)
def vat_rate_is_wrong(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """The header's rates once for the budget; a position's own rate on the position."""
    rates = {*view.vat_rates, *view.facts.vat_rates}
    if not rates or not view.is_priced:
        return
    countries = countries_of(currency=view.currency, dialect=view.dialect)
    valid, problem = _valid_rates(view, countries)
    if problem:
        yield NotChecked(problem)
        return
    where = " or ".join(countries)
    wrong = sorted(rates - valid)
    if others := [plain(rate) for rate in wrong if is_of_another_tax(rate, countries)]:
        yield NotChecked(f"{', '.join(others)} % may be another tax than {where}'s VAT (IGIC of the Canary Islands)")
    for rate in wrong:
        if is_of_another_tax(rate, countries):
            continue
        evidence = {
            "rate": plain(rate), "on": str(view.budget_on), "country": where,
            "valid": [plain(r) for r in sorted(valid)],
        }  # fmt: skip
        reason = f"{plain(rate)} % is not a rate of value added tax on {view.budget_on} ({where})."
        members = [i for i, p in enumerate(view.positions) if p.vat_rate == rate]
        for index in members:
            yield Hit(index, Grade.RED, reason, evidence, deviation=rate / 100, subject="vat_rate")
        if rate not in view.facts.vat_rates:
            yield Hit(BUDGET, Grade.RED, reason, evidence, subject=f"VAT {plain(rate)} %")


def _valid_rates(view: BudgetView, countries: Sequence[str]) -> tuple[frozenset[Decimal], str]:
    if not countries and view.currency == "EUR":
        return frozenset(), "the file does not say of which euro country it is, so its VAT rates can't be told"
    if not countries:
        return frozenset(), f"no VAT rates are known for currency {view.currency or '(none)'}"
    if view.budget_on is None:
        return frozenset(), "the budget has no date"
    rates = rates_in(countries, view.budget_on)
    return rates or frozenset(), "" if rates else f"no VAT rates are known for {view.budget_on}"


@budget_rule(
    id="C09",
    version=1,
    role=Role.COST,
    title="Currency missing",
    source="a price without a currency is no price",
    applies=_counts,
)
def currency_is_missing(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    if view.is_priced and not view.currency:
        yield Hit(
            BUDGET,
            Grade.RED,
            "The file is priced but names no currency.",
            {"currency": ""},
            subject="currency",
            suggestion=Suggestion("Set the project's currency."),
        )


@budget_rule(
    id="C10",
    version=1,
    role=Role.COST,
    title="Price levels mixed or not named",
    source="CS ÚRS: prices of one budget come from one price level",
    applies=lambda view, index: bool(view.positions[index].price_system),
)
def price_levels_differ(view: BudgetView, t: Thresholds) -> SaidOfBudget:
    """Amber: several price levels, or many own codes. Info: positions that name no price system beside some that do."""
    facts = view.facts
    levels = dict(sorted(facts.levels.items()))
    unnamed = levels.pop("", 0)
    if not levels:
        return
    share = Decimal(facts.own_codes) / facts.coded if facts.coded else Decimal(0)
    evidence = {
        "levels": levels,
        "without_price_system": unnamed,
        "own_share": plain(round(share, 4)),
        "threshold": plain(t["C10.own_share"]),
    }
    if len(levels) > 1:
        names = ", ".join(sorted(levels))
        yield Hit(BUDGET, Grade.AMBER, f"The budget mixes price levels: {names}.", evidence, subject="price levels")
    if share > t["C10.own_share"]:
        reason = f"{percent(share)} of the codes are the author's own: they can't be compared with a catalogue."
        yield Hit(BUDGET, Grade.AMBER, reason, evidence, subject="own codes")
    if unnamed:
        reason = f"{unnamed} positions name no price system, {sum(levels.values())} do."
        yield Hit(BUDGET, Grade.INFO, reason, evidence, subject="price system not named")
