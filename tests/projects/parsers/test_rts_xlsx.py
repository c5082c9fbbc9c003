"""BUILDpower workbooks: what the cover says, measure lines, sums, what is not as it should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest

from projects.parsers.bill import ParseError
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import open_bill
from projects.parsers.writers.kros_rows import MeasureRow
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection
from tests.factories.bills_cz import write_rts, write_sheets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.xlsx"


def one(**position):
    given = GivenPosition("1", "Hloubení jam", "m3", D("306.68"), D("100"), "131201112", **position)
    return GivenBill((GivenObject("SO01", "Hala", (GivenSection("1", "Zemní práce", (given,)),)),))


def test_the_cover_tells_of_the_whole(path, house, drain):
    write_rts(path, house)
    positions, result, bill = drain(path)
    header = bill.header
    assert (header.title, header.reference, header.client, header.currency) == (
        "Rodinný dům",
        "38",
        "Obec Lhota",
        "CZK",
    )
    assert (header.vat_rates, header.budget_on) == ((D(21), D(12)), date(2026, 3, 5))
    assert (header.rounding.total, header.rounding.is_stated) == (D("0.01"), True)
    assert (result.computed_total, result.stated_total, result.differences) == (D("105106.95"), D("105106.95"), ())
    assert {p.vat_rate for p in positions} == {D(21)}
    assert positions[0].source == "SO 1 01 Pol!A9"
    assert positions[0].object_name == "Dům – Stavební práce"


def test_a_cover_that_states_another_sum_refuses_the_file(path, house, drain):
    write_rts(path, house, total=D("105107.95"))
    _, result, _ = drain(path)
    with pytest.raises(ParseError, match=r"105,107\.95 CZK \(Stavba!G7\).*105,106\.95"):
        assert_reconciled(result)


def test_a_position_without_a_price_has_no_total_although_its_formula_gives_nought(path, drain):
    write_rts(path, replace(one(), objects=tuple(
        replace(o, sections=tuple(replace(s, positions=tuple(replace(p, unit_price=None) for p in s.positions))
                                  for s in o.sections)) for o in one().objects)))  # fmt: skip
    [position], result, _ = drain(path)
    assert (position.unit_price, position.total, result.unpriced, result.stated_total) == (None, None, 1, D(0))


def test_measure_lines_keep_their_results_and_remarks(path, drain):
    lines = (
        MeasureRow("(21,292*9,307) :"), MeasureRow("198,165", D("198.17")), MeasureRow("pasy : 2*3,5", D("7")),
    )  # fmt: skip
    write_rts(path, one(measure=lines, note="dle průzkumu"))
    [position], _, _ = drain(path)
    assert [(line.text, line.kind, line.value) for line in position.measure] == [
        ("(21,292*9,307) :", "comment", None),
        ("198,165", "expression", D("198.165")),  # the cell beside it is rounded, the figure is not
        ("pasy : 2*3,5", "expression", D("7")),
    ]
    assert position.long_text == "dle průzkumu"


def test_a_bare_figure_that_is_not_the_result_is_none_of_it(path, drain):
    lines = (
        MeasureRow("88.073", D("88.07")),  # a point, where the program writes a comma
        MeasureRow("2024", D("12.5")),  # a year
        MeasureRow("12345678901234567890", D("3")),  # no figure of a bill
    )
    write_rts(path, one(measure=lines))
    [position], _, _ = drain(path)
    assert [line.value for line in position.measure] == [D("88.07"), D("12.5"), D("3")]


TITLES = {"A": "P.č.", "B": "Číslo položky", "C": "Název položky", "D": "MJ", "E": "Množství", "F": "Cena / MJ",
          "G": "Celkem"}  # fmt: skip


def sheet(*rows):
    return [{"A": "Položkový rozpočet", "K": "#TypZaznamu#"}, {"A": "R:", "B": "01", "C": "Hala", "K": "ROZ"}, TITLES,
            *rows]  # fmt: skip


def item(number, mark, **cells):
    return {"A": D(number), "B": "1", "C": "Výkop", "D": "m3", "E": D(2), "F": D(3), "G": D(6), "K": mark} | cells


def test_a_coefficient_is_of_the_lines_above_it(path, drain):
    rows = sheet(item("1", "POL1_"), {"C": "výztuž : 40,32*30", "E": D("1209.6"), "K": "VV", "L": D(5)},
                 {"C": "Koeficient ztratné: 0,15", "E": D("181.44"), "K": "VV", "L": D(4)},
                 {"C": "Koeficient neznámý", "E": D("5"), "K": "VV", "L": D(4)}, {"G": D(6), "K": "SUM"})  # fmt: skip
    write_sheets(path, [("a", rows)])
    [position], _, _ = drain(path)
    assert [line.text for line in position.measure] == [
        "výztuž : 40,32*30", "Koeficient ztratné: 0,15*1209,6", "Koeficient neznámý",
    ]  # fmt: skip


def test_rows_of_unknown_type_are_read_and_told_and_what_stands_below_the_sum_is_not(path, drain):
    rows = sheet(item("1", "POL1_"), item("2", "NEW"), {"G": D(12), "K": "SUM"}, item("3", "POL1_"))
    write_sheets(path, [("a", rows)])
    positions, result, bill = drain(path)
    assert [p.number for p in positions] == ["1", "2"]
    assert bill.warnings == ["Sheet 'a', cell K5: the row's type 'NEW' is not known; it is read as a position."]
    assert result.differences == ()


def test_a_sheet_without_its_sum_and_a_cell_that_is_no_figure_are_told(path, drain):
    write_sheets(path, [("a", sheet(item("1", "POL1_", E="dvě")))])
    [position], _, bill = drain(path)
    assert (position.quantity, position.quantity_reason) == (None, "no figure in cell E4: 'dvě'")
    assert bill.warnings == [
        "Sheet 'a', cell E4: 'dvě' is not a figure; the cell is left out.",
        "Sheet 'a': the row with its sum is missing.",
    ]


def test_a_number_that_occurs_again_is_made_unique(path, drain):
    write_sheets(path, [("a", sheet(item("1", "POL1_"), item("1", "POL1_"), {"G": D(12), "K": "SUM"}))])
    positions, _, bill = drain(path)
    assert [p.number for p in positions] == ["1", "1/2"]
    assert "occurs again" in bill.warnings[0]


def test_a_sheet_whose_titles_are_gone_refuses_the_file(path, house):
    write_sheets(path, [("a", sheet(item("1", "POL1_"))), ("b", [{"A": "x", "K": "#TypZaznamu#"}, {"A": "y"}])])
    with pytest.raises(ParseError, match=r"Sheet 'b'.*titles") as refused:
        list(open_bill(path).positions)
    assert refused.value.code == "damaged"
