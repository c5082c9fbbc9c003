"""The list view of KROS: what tells it from the whole export, sections, its own sum."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from projects.parsers.bill import ParseError
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import detect, open_bill
from tests.factories.bills_cz import write_kros_list, write_sheets

TITLES = {"A": "PČ", "B": "Typ", "C": "Kód", "D": "Popis", "E": "MJ", "F": "Množství", "G": "J.cena", "H": "Cena"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.xlsx"


def item(number, kind="K", **cells):
    return {"A": number, "B": kind, "C": "1", "D": "Výkop", "E": "m3", "F": D(2), "G": D(3), "H": D(6)} | cells


def test_a_list_is_read_with_its_sums(path, house, drain):
    write_kros_list(path, house, above=3)
    positions, result, bill = drain(path)
    assert (bill.header.dialect, bill.header.currency) == ("kros_list", "CZK")
    assert (result.computed_total, result.stated_total, result.differences) == (D("105106.95"), D("105106.95"), ())
    assert (positions[0].source, positions[0].object_code) == ("SO 1!A6", "SO 1")


def test_a_sum_that_differs_refuses_the_list(path, house, drain):
    write_kros_list(path, house, total=D(1))
    _, result, _ = drain(path)
    with pytest.raises(ParseError, match="does not add up"):
        assert_reconciled(result)


def test_trades_are_outermost(path, drain):
    rows = [TITLES, {"B": "D", "C": "HSV", "D": "Práce a dodávky HSV", "H": D(12)},
            {"B": "D", "C": "1", "D": "Zemní práce", "H": D(6)}, item("1"),
            {"B": "D", "C": "2", "D": "Zakládání", "H": D(6)}, item("2"),
            {"B": "D", "C": "PSV", "D": "Práce a dodávky PSV"}, item("3", "M")]  # fmt: skip
    write_sheets(path, [("a", rows)])
    positions, result, _ = drain(path)
    assert [p.section_path for p in positions] == [
        ("HSV Práce a dodávky HSV", "1 Zemní práce"), ("HSV Práce a dodávky HSV", "2 Zakládání"),
        ("PSV Práce a dodávky PSV",),
    ]  # fmt: skip
    assert (result.differences, positions[2].kind) == ((), "material")


def test_notes_and_measures_are_kept_and_unknown_rows_told(path, drain):
    rows = [TITLES, item("1"), {"B": "P", "D": "dle průzkumu"}, {"B": "VV", "D": "1*2", "F": D(2)},
            {"B": "VV", "D": "celá plocha"}, {"D": "bez typu"}, item("2", "X"), item("3", F=None)]  # fmt: skip
    write_sheets(path, [("a", rows)])
    positions, _, bill = drain(path)
    assert positions[0].long_text == "dle průzkumu"
    assert [(m.text, m.kind, m.value) for m in positions[0].measure] == [
        ("1*2", "expression", D(2)),
        ("celá plocha", "comment", None),
    ]
    assert bill.warnings == ["Sheet 'a', cell B7: row type 'X' is not known; the row is read as a work."]
    assert positions[2].quantity_reason == "empty cell F8"


def test_a_sheet_cut_out_of_the_whole_export_is_no_list(path):
    write_sheets(path, [("a", [TITLES | {"AR": "Typ", "AX": "x"}, item("1", AR="K")])])
    assert detect(path).dialect == "kros_xlsx"


def test_a_list_asked_for_in_a_workbook_without_one_is_refused(path):
    write_sheets(path, [("a", [{"A": "x"}])])
    with pytest.raises(ParseError, match="titles of a KROS list"):
        open_bill(path, dialect="kros_list")
