"""C01-C04 and C07: unit prices."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.audit.view import CatalogueEntry
from projects.parsers.bill import Billing
from tests.projects.audit.build import NOTE, grades, not_checked, numbered, position, said, view

D = Decimal
FREE = {"unit_price": 0, "total": 0}


def test_c01_a_missing_price_among_priced_positions_is_red() -> None:
    budget = view(*numbered({"unit_price": None, "total": None}, FREE, {}))
    assert grades(budget, "C01") == [(0, Grade.RED), (1, Grade.RED)]


def test_c01_a_text_that_says_included_makes_it_info() -> None:
    included = {**FREE, "description": "Přesun hmot - je součástí ceny"}
    assert grades(view(*numbered(included, {**FREE, "long_text": "eingerechnet"}, {})), "C01") == [
        (0, Grade.INFO),
        (1, Grade.INFO),
    ]


def test_c01_blank_budgets_notes_and_alternatives_need_no_price() -> None:
    nothing = {"unit_price": None, "total": None}
    assert grades(view(*numbered(nothing, nothing)), "C01") == []
    rows = numbered({**nothing, "kind": NOTE}, {**FREE, "billing": Billing.ALTERNATIVE}, {})
    assert grades(view(*rows), "C01") == []


def test_c01_a_lump_sum_with_only_a_total_is_priced() -> None:
    rows = numbered({"unit_price": None, "quantity": None, "total": "500", "billing": Billing.LUMP_SUM}, {})
    assert grades(view(*rows), "C01") == []


def test_c01_several_without_price_beside_one_dear_position_look_shifted() -> None:
    rows = numbered(FREE, FREE, FREE, {"unit_price": "1000"}, {})
    assert grades(view(*rows), "C01") == [*[(i, Grade.RED) for i in range(3)], (3, Grade.AMBER)]
    assert grades(view(*numbered(FREE, FREE, {"unit_price": "1000"}, {})), "C01") == [(0, Grade.RED), (1, Grade.RED)]


def test_c02_one_code_at_two_prices_is_one_hit_on_the_dearer() -> None:
    rows = numbered({"unit_price": "351", "object_code": "SO 2"}, {"unit_price": "834", "quantity": 2})
    (finding,) = said(view(*rows), "C02")
    assert (finding.index, finding.grade, finding.related) == (1, Grade.RED, (0,))
    assert finding.money_at_stake == D("966.00")  # 2 x (834 - 351)
    assert "834.00" in finding.reasoning
    assert "351.00" in finding.reasoning


def test_c02_a_small_spread_is_amber_and_a_tiny_one_nothing() -> None:
    assert grades(view(*numbered({"unit_price": "100"}, {"unit_price": "106"})), "C02") == [(1, Grade.AMBER)]
    assert grades(view(*numbered({"unit_price": "100"}, {"unit_price": "105"})), "C02") == []


def test_c02_own_codes_and_other_units_are_not_compared() -> None:
    own = {"code": "Pol1"}
    assert grades(view(*numbered({**own, "unit_price": "1"}, {**own, "unit_price": "9"})), "C02") == []
    assert grades(view(*numbered({"unit": "m", "unit_price": "1"}, {"unit_price": "9"})), "C02") == []


def _group(*prices: str) -> list[dict[str, object]]:
    return [{"code": f"7131211{n:02d}", "unit_price": price, "quantity": n + 1} for n, price in enumerate(prices)]


def test_c03_a_price_far_from_its_group_is_found() -> None:
    rows = numbered(*_group("100", "105", "110", "95", "98", "900"))
    (finding,) = said(view(*rows), "C03")
    assert (finding.index, finding.grade, finding.demand) == (5, Grade.RED, "lower")
    assert finding.money_at_stake == D("4785.18")  # 6 x (900 - 102.47), the geometric middle of 100 and 105
    assert (finding.evidence["z"], finding.evidence["median"]) == ("25.38", "102.47")


def test_c03_prices_that_spread_evenly_are_fine() -> None:
    assert grades(view(*numbered(*_group("100", "150", "200", "260", "340"))), "C03") == []


def test_c03_a_group_of_four_is_too_small() -> None:
    assert grades(view(*numbered(*_group("100", "100.5", "101", "9000"))), "C03") == []


def test_c03_equal_prices_with_one_stray_are_judged_by_the_mean_distance() -> None:
    assert grades(view(*numbered(*_group(*["100"] * 11, "9000"))), "C03") == [(11, Grade.RED)]
    assert grades(view(*numbered(*_group(*["100"] * 6))), "C03") == []


def test_c03_positions_without_code_belong_to_no_group() -> None:
    bare = [{**row, "code": ""} for row in _group("100", "105", "110", "95", "98", "900")]
    assert grades(view(*numbered(*bare)), "C03") == []


def _catalogue(price: str | None) -> dict[str, CatalogueEntry]:
    text = position().description
    return {"632481213": CatalogueEntry("632481213", text, "m2", None if price is None else D(price), "2025 02")}


def test_c04_the_catalogues_price_decides_where_one_is_loaded() -> None:
    def of(price: str) -> list[Grade]:
        rows = numbered({"unit_price": price})
        return [grade for _, grade in grades(view(*rows, catalogue=_catalogue("100")), "C04")]

    assert of("110") == []
    assert of("90") == []
    assert of("111") == [Grade.AMBER]
    assert of("126") == [Grade.RED]
    assert of("60") == [Grade.AMBER]


def test_c04_without_the_code_or_the_catalogue_it_says_so() -> None:
    assert not_checked(audit(view(position(), catalogue={})), "C04") == ["the catalogue has no price for 632481213"]
    assert not_checked(audit(view(position())), "C04") == ["no price catalogue is loaded"]


def test_c07_a_round_price_on_a_catalogue_code_is_worth_knowing() -> None:
    rows = numbered({"unit_price": "16000"}, {"unit_price": "1000"}, {"unit_price": "16500"}, {"unit_price": "500"})
    assert grades(view(*rows), "C07") == [(0, Grade.INFO), (1, Grade.INFO)]


def test_c07_own_codes_and_lump_sums_may_be_round() -> None:
    rows = numbered({"unit_price": "16000", "code": "Pol1"}, {"unit_price": "16000", "billing": Billing.LUMP_SUM})
    assert grades(view(*rows), "C07") == []
