"""V08: stated sums against the positions under them."""

from __future__ import annotations

from decimal import Decimal

from projects.audit.findings import Grade
from projects.parsers.bill import Billing, StatedTotal
from tests.projects.audit.build import WHOLE, grades, numbered, said, view

D = Decimal
SECTION = ("HSV", "6 Podlahy")


def total(level: str, amount: str, path: tuple[str, ...] = ()) -> StatedTotal:
    return StatedTotal(level, D(amount), "" if level == "bill" else "SO 1", path, source="B2")


def test_v08_sums_that_agree_are_silent_on_every_level() -> None:
    stated = [
        total("bill", "250"),
        total("object", "250"),
        total("section", "250", ("HSV",)),
        total("section", "250", SECTION),
    ]
    assert grades(view(*numbered({}, {}), totals=stated), "V08") == []


def test_v08_each_sum_that_differs_is_red_on_the_budget() -> None:
    stated = [total("bill", "250"), total("object", "260"), total("section", "240", SECTION)]
    findings = said(view(*numbered({}, {}), totals=stated), "V08")
    assert [(f.index, f.grade, f.money_at_stake) for f in findings] == [
        (WHOLE, Grade.RED, D("10.00")),
        (WHOLE, Grade.RED, D("10.00")),
    ]
    assert {f.subject for f in findings} == {"total of object SO 1", "total of section HSV / 6 Podlahy of SO 1"}


def test_v08_rounding_of_each_row_may_add_up() -> None:
    rows = numbered({}, {})
    assert grades(view(*rows, totals=[total("bill", "250.02")]), "V08") == []
    assert grades(view(*rows, totals=[total("bill", "250.03")]), "V08") == [(WHOLE, Grade.RED)]


def test_v08_alternatives_do_not_count_and_surcharges_do() -> None:
    rows = numbered(
        {},
        {"billing": Billing.ALTERNATIVE},
        {"billing": Billing.OPTIONAL},
        {"billing": Billing.OPTIONAL_COUNTED},
        {"billing": Billing.SURCHARGE, "quantity": None, "total": "10"},
    )
    assert grades(view(*rows, totals=[total("bill", "260")]), "V08") == []


def test_v08_without_stated_totals_nothing_is_compared() -> None:
    assert grades(view(*numbered({}, {})), "V08") == []
    assert grades(view(*numbered({}), totals=[total("bill", "999")], is_priced=False), "V08") == []


def test_v08_a_discount_lowers_the_sums_above_it_only() -> None:
    section = StatedTotal("section", D("250"), "SO 1", SECTION, discount=D("25"))
    assert grades(view(*numbered({}, {}), totals=[section, total("bill", "225"), total("object", "225")]), "V08") == []
    assert grades(view(*numbered({}, {}), totals=[section, total("bill", "250")]), "V08") == [(WHOLE, Grade.RED)]
