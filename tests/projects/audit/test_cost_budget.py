"""C05, C06, C08-C10: the budget as a whole."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.parsers.bill import Billing
from tests.projects.audit.build import NOTE, WHOLE, grades, not_checked, numbered, position, said, view

D = Decimal


def _shares(*shares: int, fill: int = 0) -> list[dict[str, object]]:
    """Positions of that many hundredths of the total each, and `fill` small ones that make up the rest."""
    rest = D(100 - sum(shares)) / fill if fill else D(0)
    prices = [D(share) for share in shares] + [rest] * fill
    return [{"quantity": 1, "unit_price": price, "total": price, "code": f"Pol{n}"} for n, price in enumerate(prices)]


def test_c05_a_position_beyond_a_fifth_is_amber_and_beyond_a_third_red() -> None:
    assert grades(view(*numbered(*_shares(36, 21, 20, fill=20))), "C05") == [(0, Grade.RED), (1, Grade.AMBER)]


def test_c05_a_short_bill_says_nothing() -> None:
    assert grades(view(*numbered(*_shares(60, 40))), "C05") == []


def test_c05_alternatives_do_not_count() -> None:
    rows = _shares(15, fill=25)
    rows[0] |= {"billing": Billing.ALTERNATIVE, "unit_price": D(500), "total": D(500)}
    assert grades(view(*numbered(*rows)), "C05") == []


def _with_lump(share: int, **changes: object) -> list[dict[str, object]]:
    rows = _shares(share, fill=20)
    rows[0] |= {"unit": "kpl", **changes}
    return rows


def test_c06_one_lump_sum_without_breakdown_is_amber() -> None:
    assert grades(view(*numbered(*_with_lump(6))), "C06") == [(0, Grade.AMBER)]
    assert grades(view(*numbered(*_with_lump(5))), "C06") == []
    assert grades(view(*numbered(*_with_lump(6, long_text="Obsahuje: …"))), "C06") == []


def test_c06_lump_sums_together_beyond_three_tenths_are_said_of_the_budget() -> None:
    findings = said(view(*numbered(*_with_lump(31, long_text="Obsahuje: …"))), "C06")
    assert [(f.index, f.grade, f.money_at_stake) for f in findings] == [(WHOLE, Grade.AMBER, D("31.00"))]


def test_c06_measured_positions_are_no_lump_sums() -> None:
    assert grades(view(*numbered(*_shares(40, fill=20))), "C06") == []


def test_c08_rates_of_another_year_are_red() -> None:
    rows = numbered({"vat_rate": 21}, {"vat_rate": 15}, {"vat_rate": 0})
    assert grades(view(*rows, budget_on=date(2025, 9, 8)), "C08") == [(1, Grade.RED)]
    assert grades(view(*rows, budget_on=date(2023, 5, 1)), "C08") == []
    assert grades(view(*numbered({"vat_rate": 12}), budget_on=date(2023, 12, 31)), "C08") == [(0, Grade.RED)]


def test_c08_german_rates_of_2020() -> None:
    rows = numbered({"vat_rate": 16})
    autumn = view(*rows, currency="EUR", dialect="gaeb_xml", budget_on=date(2020, 8, 1))
    assert grades(autumn, "C08") == []
    later = view(*rows, currency="EUR", dialect="gaeb_xml", budget_on=date(2021, 1, 1))
    assert grades(later, "C08") == [(0, Grade.RED)]


@pytest.mark.parametrize(
    ("currency", "dialect", "on", "right", "wrong"),
    [
        ("EUR", "bc3", date(2025, 3, 1), (0, 4, 10, 21), (19, 23)),
        ("EUR", "bc3", date(2011, 3, 1), (0, 4, 8, 18), (21,)),
        ("EUR", "gaeb_xml", date(2025, 3, 1), (0, 7, 10, 13, 19, 20), (16, 21)),
        ("EUR", "kros_xlsx", date(2025, 3, 1), (0, 5, 19, 23), (20, 21)),
        ("EUR", "kros_xlsx", date(2024, 12, 31), (0, 10, 20), (23, 19)),
        ("PLN", "table", date(2025, 3, 1), (0, 5, 8, 23), (21, 22)),
        ("CZK", "bc3", date(2025, 3, 1), (0, 12, 21), (10, 15)),
    ],
    ids=["Spain", "Spain 2011", "GAEB", "Slovakia", "Slovakia 2024", "Poland", "money before format"],
)
def test_c08_goes_by_the_budgets_country(
    currency: str, dialect: str, on: date, right: tuple[int, ...], wrong: tuple[int, ...]
) -> None:
    rows = numbered(*({"vat_rate": rate} for rate in (*right, *wrong)))
    budget = view(*rows, currency=currency, dialect=dialect, budget_on=on)
    reds = {(len(right) + n, Grade.RED) for n in range(len(wrong))}
    assert set(grades(budget, "C08")) == reds


def test_c08_a_euro_budget_of_a_country_unknown_is_not_checked() -> None:
    result = audit(view(*numbered({"vat_rate": 99}), currency="EUR", dialect="table", budget_on=date(2025, 3, 1)))
    assert not_checked(result, "C08") == [
        "the file does not say of which euro country it is, so its VAT rates can't be told"
    ]
    assert not [finding for finding in result.findings if finding.rule_id == "C08"]


def test_c08_the_canaries_own_tax_is_not_called_wrong_while_what_is_wrong_beside_it_is() -> None:
    rows = numbered({"vat_rate": 7}, {"vat_rate": 17}, {"vat_rate": 21})
    budget = view(*rows, currency="EUR", dialect="bc3", budget_on=date(2025, 3, 1))
    assert grades(budget, "C08") == [(1, Grade.RED)]
    assert not_checked(audit(budget), "C08") == ["7 % may be another tax than ES's VAT (IGIC of the Canary Islands)"]


def test_c08_a_rate_that_only_the_header_names_is_said_of_the_budget() -> None:
    budget = view(*numbered({"vat_rate": 21}), vat_rates=[D(15)], budget_on=date(2025, 1, 1))
    assert grades(budget, "C08") == [(WHOLE, Grade.RED)]


def test_c08_without_a_date_or_a_known_currency_it_says_so_and_caps_nothing() -> None:
    result = audit(view(position(vat_rate=21)))
    assert not_checked(result, "C08") == ["the budget has no date"]
    assert result.verdicts[0].grade is Grade.GREEN
    assert result.verdicts[0].confidence < 1
    assert not_checked(audit(view(position(vat_rate=21), currency="CHF", budget_on=date(2025, 1, 1))), "C08")


def test_c09_a_priced_budget_without_currency_is_red() -> None:
    assert grades(view(position(), currency=""), "C09") == [(WHOLE, Grade.RED)]
    assert audit(view(position(), currency="")).budget_grade is Grade.RED


def test_c09_a_blank_budget_needs_no_currency() -> None:
    assert grades(view(position(unit_price=None, total=None), currency=""), "C09") == []
    assert grades(view(position()), "C09") == []


def test_c10_two_price_levels_are_amber() -> None:
    rows = numbered({}, {"price_system": "CS ÚRS 2023 02", "quantity": 3})
    assert grades(view(*rows), "C10") == [(WHOLE, Grade.AMBER)]


def test_c10_positions_without_a_level_beside_others_are_counted() -> None:
    (finding,) = said(
        view(*numbered({}, {"price_system": "", "quantity": 3}, {"kind": NOTE, "price_system": ""})), "C10"
    )
    assert (finding.grade, finding.evidence["without_price_system"]) == (Grade.INFO, 1)


def test_c10_many_own_codes_are_amber() -> None:
    own = {"code": "Pol1", "price_system": "CS ÚRS 2025 02"}
    assert grades(view(*numbered({}, {**own, "quantity": 1})), "C10") == [(WHOLE, Grade.AMBER)]
    four_in_ten = [{"quantity": n} for n in range(1, 7)] + [{**own, "quantity": n} for n in range(1, 5)]
    assert grades(view(*numbered(*four_in_ten)), "C10") == []


def test_c10_where_nothing_names_a_level_there_is_nothing_to_mix() -> None:
    assert grades(view(*numbered({"price_system": ""}, {"price_system": "", "quantity": 3})), "C10") == []
