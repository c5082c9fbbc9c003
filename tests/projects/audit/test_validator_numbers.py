"""V04-V07: quantities, signs, products."""

from __future__ import annotations

from decimal import Decimal

import pytest

from projects.audit.engine import audit
from projects.audit.findings import Grade
from projects.parsers.bill import Billing, Rounding
from tests.projects.audit.build import NOTE, grades, not_checked, numbered, position, said, view

D = Decimal


def test_v04_a_missing_quantity_is_red() -> None:
    budget = view(*numbered({"quantity": None, "quantity_reason": "empty cell"}, {"quantity": 0}))
    assert grades(budget, "V04") == [(0, Grade.RED)]


def test_v04_does_not_ask_notes_surcharges_and_lump_sums() -> None:
    kinds = [{"kind": NOTE}, {"billing": Billing.SURCHARGE}, {"billing": Billing.LUMP_SUM}]
    assert grades(view(*numbered(*[{"quantity": None, **kind} for kind in kinds])), "V04") == []


def test_v04_a_percentage_with_a_total_is_not_checked_and_without_base_or_total_red() -> None:
    percentage = {"unit": "%", "quantity": None, "unit_price": "2.5"}
    result = audit(view(*numbered({**percentage, "total": "250"}, {**percentage, "total": None})))
    assert not_checked(result, "V04") == ["a percentage: the sum it is taken of is not stated"]
    assert [(f.index, f.grade) for f in result.findings if f.rule_id == "V04"] == [(1, Grade.RED)]


def test_v05_quantity_0_with_a_price_is_red_beside_siblings_and_amber_alone() -> None:
    zero = {"quantity": 0, "total": 0}
    assert grades(view(*numbered(zero, {})), "V05") == [(0, Grade.RED)]
    assert grades(view(*numbered(zero, {"section_path": ("PSV",)})), "V05") == [(0, Grade.AMBER)]


def test_v05_quantity_0_without_a_price_is_none_of_its_business() -> None:
    assert (
        grades(view(*numbered({"quantity": 0, "unit_price": 0}, {"quantity": 0, "unit_price": None}, {})), "V05") == []
    )


def test_v06_negative_numbers_are_red_unless_they_are_meant() -> None:
    negative = {"quantity": -5}
    budget = view(
        *numbered(
            negative,
            {"unit_price": -10},
            {**negative, "billing": Billing.CHANGE},
            {**negative, "description": "Odpočet plochy otvorů"},
            {**negative, "kind": NOTE},
            {},
        )
    )
    assert grades(budget, "V06") == [(0, Grade.RED), (1, Grade.RED)]


def test_v07_a_wrong_total_is_red_with_the_difference_at_stake() -> None:
    (finding,) = said(view(position(total="135.00")), "V07")
    assert finding.grade is Grade.RED
    assert finding.money_at_stake == D("10.00")
    assert (finding.evidence["expected"], finding.evidence["stated"]) == ("125", "135")


@pytest.mark.parametrize(
    ("step", "total", "hits"),
    [
        ("0.01", "41.07", 0),  # 3.333 x 12.32 = 41.06256
        ("0.01", "41.06", 0),
        ("0.01", "41.08", 1),
        ("0.1", "41.1", 0),
        ("0.1", "41.0", 1),
        ("1", "41", 0),
        ("1", "42", 1),
    ],
)
def test_v07_uses_the_files_own_rounding(step: str, total: str, hits: int) -> None:
    rounding = Rounding(total=D(step), is_stated=True)
    price = "12.32" if total != "41.07" else "12.322"  # 41.069226
    budget = view(position(quantity="3.333", unit_price=price, total=total), rounding=rounding)
    assert len(grades(budget, "V07")) == hits


def test_v07_halves_may_be_rounded_either_way() -> None:
    assert (
        grades(
            view(*numbered(*[{"quantity": "0.5", "unit_price": "0.25", "total": t} for t in ("0.12", "0.13")])), "V07"
        )
        == []
    )


def test_v07_without_stated_rounding_a_hundredth_is_allowed() -> None:
    totals = [{"total": "125.01"}, {"total": "125.02"}]
    assert grades(view(*numbered(*totals), rounding=Rounding()), "V07") == [(1, Grade.RED)]


def test_v07_a_percentage_may_hold_its_base_in_the_quantity() -> None:
    assert grades(view(position(unit="%", quantity="1000", unit_price="2.5", total="25.00")), "V07") == []


def test_v07_an_alternative_that_is_not_awarded_shows_0() -> None:
    assert grades(view(*numbered({"billing": Billing.ALTERNATIVE, "total": 0}, {})), "V07") == []
    assert grades(view(*numbered({"billing": Billing.NORMAL, "total": 0}, {})), "V07") == [(0, Grade.RED)]


def test_v07_does_not_multiply_surcharges_notes_and_blank_budgets() -> None:
    wrong = {"total": "999"}
    others = numbered({**wrong, "billing": Billing.SURCHARGE}, {**wrong, "kind": NOTE}, {})
    assert grades(view(*others), "V07") == []
    assert grades(view(position(**wrong), is_priced=False), "V07") == []


def test_v07_without_a_stated_total_there_is_nothing_to_test() -> None:
    result = audit(view(position(total=None)))
    assert not_checked(result, "V07") == []
    assert result.verdicts[0].grade is Grade.GREEN


def test_v07_without_a_quantity_says_that_it_could_not_run() -> None:
    result = audit(view(*numbered({"quantity": None, "total": "125"}, {})))
    assert not_checked(result, "V07") == ["no quantity to multiply"]
    assert "V07" in result.verdicts[0].not_checked
