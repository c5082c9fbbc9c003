"""Sums against what the file states: tolerance, what counts, what refuses a file and what is only noted."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from projects.parsers.bill import Bill, BillHeader, Billing, BillPosition, ParseError, Rounding, StatedTotal
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.totals import position_total, round_to_step
from projects.parsers.writers.kros_rows import ItemRow, KrosBill, ObjectRow, SectionRow
from projects.parsers.writers.kros_xlsx import write_kros_xlsx


def reconcile(positions, totals=(), stated_count=None):
    header = BillHeader("test", "Test", currency="CZK")
    bill = Bill(header, iter(positions), list(totals), stated_count=stated_count)
    reconciler = Reconciler(bill)
    assert len(list(reconciler.watch(bill.positions))) == len(positions)
    return reconciler.result()


def position(total="10", billing=Billing.NORMAL, section="1 A"):
    return BillPosition(1, "1", "Výkop", billing=billing, object_code="SO", section_path=(section,), total=D(total))


def test_alternatives_and_optional_positions_are_in_no_sum():
    positions = [position("10"), position("99", Billing.ALTERNATIVE), position("99", Billing.OPTIONAL),
                 position("5", Billing.OPTIONAL_COUNTED), position("2", Billing.SURCHARGE)]  # fmt: skip
    result = reconcile(positions, [StatedTotal("bill", D(17))])
    assert (result.positions, result.computed_total, result.differences) == (5, D(17), ())
    assert_reconciled(result)


def test_without_a_stated_total_quantity_times_price_counts_half_up_with_the_files_rounding():
    row = BillPosition(1, "1", "Výkop", quantity=D("1.5"), unit_price=D("0.35"))
    assert position_total(row, Rounding()) == D("0.53")
    assert position_total(row, Rounding(total=D("0.1"))) == D("0.5")
    assert position_total(row, Rounding(total=D("1"))) == D("1")


@pytest.mark.parametrize(
    ("amount", "step", "rounded"),
    [
        ("2.675", "0.01", "2.68"), ("-2.675", "0.01", "-2.68"), ("14.9", "10", "10"), ("15", "10", "20"),
        ("1.13", "0.05", "1.15"), ("7.5", "1", "8"),
    ],
)  # fmt: skip
def test_rounding_is_half_up_to_any_step(amount, step, rounded):
    assert round_to_step(D(amount), D(step)) == D(rounded)


def test_a_difference_within_one_step_a_row_is_rounding():
    rows = [position("10.00")] * 3
    assert reconcile(rows, [StatedTotal("bill", D("30.03"))]).differences == ()
    [difference] = reconcile(rows, [StatedTotal("bill", D("30.04"))]).differences
    assert (difference.amount, difference.tolerance) == (D("0.04"), D("0.03"))


def test_a_section_that_differs_is_noted_and_refuses_nothing():
    totals = [StatedTotal("bill", D(20)), StatedTotal("section", D(15), "SO", ("1 A",), "row 4")]
    result = reconcile([position("10"), position("10", section="2 B")], totals)
    [difference] = result.differences
    assert (difference.level, difference.where, difference.stated, difference.computed) == (
        "section", "SO › 1 A", D(15), D(10),
    )  # fmt: skip
    assert_reconciled(result)


def test_a_stated_section_without_positions_differs():
    [difference] = reconcile([position("1")], [StatedTotal("section", D(5), "SO", ("9 Z",))]).differences
    assert difference.computed == 0


def test_the_whole_that_differs_refuses_the_file_and_says_where():
    totals = [
        StatedTotal("bill", D("1030.00"), source="Rekapitulace!J23"),
        StatedTotal("section", D(30), "SO", ("1 A",)),
    ]
    with pytest.raises(ParseError) as refused:
        assert_reconciled(reconcile([position("10"), position("1000", section="2 B")], totals))
    assert refused.value.code == "does_not_reconcile"
    for words in ("1,030.00 CZK", "1,010.00 CZK", "20.00 CZK", "Rekapitulace!J23", "SO › 1 A"):
        assert words in str(refused.value)


def test_a_file_without_positions_is_refused():
    with pytest.raises(ParseError) as refused:
        assert_reconciled(reconcile([]))
    assert refused.value.code == "no_positions"


def test_a_stated_count_that_differs_refuses_the_file():
    with pytest.raises(ParseError, match="634 positions, but 1 were found"):
        assert_reconciled(reconcile([position()], stated_count=634))


def test_unpriced_positions_are_counted_apart():
    assert reconcile([BillPosition(1, "1", "Výkop", quantity=D(1))]).unpriced == 1


def test_faults_put_into_a_workbook_are_found_in_it(tmp_path, drain):
    path = tmp_path / "bill.xlsx"
    rows = [ObjectRow("SO 1", "Dům"), SectionRow("1", "Zemní práce", stated_total=D(500))]
    rows += [ItemRow("a", "Výkop", "m3", D(10), D(10)), ItemRow("b", "Zásyp", "m3", D(2), D(10), total=D(25))]
    write_kros_xlsx(path, rows, bill=KrosBill(stated_total=D(125)))
    positions, result, _ = drain(path)
    assert positions[1].total == D(25)
    assert [d.level for d in result.differences] == ["section"]
    write_kros_xlsx(path, rows, bill=KrosBill(stated_total=D(999)))
    with pytest.raises(ParseError, match=r"999\.00 CZK"):
        assert_reconciled(drain(path)[1])
