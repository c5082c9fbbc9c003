"""Aspe forms: what the form says of itself, its own count, measure sheets in one cell."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from projects.audit.measure import evaluate_sheet
from projects.parsers.aspe_layout import measure_lines
from projects.parsers.bill import ParseError
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import open_bill
from tests.factories.bills_cz import write_aspe, write_sheets


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.xlsx"


def blank(bill):
    return replace(bill, objects=tuple(
        replace(o, sections=tuple(replace(s, positions=tuple(replace(p, unit_price=None) for p in s.positions))
                                  for s in o.sections)) for o in bill.objects))  # fmt: skip


def test_the_form_tells_of_itself(path, house, drain):
    write_aspe(path, house)
    positions, result, bill = drain(path)
    header = bill.header
    assert (header.title, header.reference, header.vat_rates) == ("Rodinný dům", "58135", (D("21.00"), D("15.00")))
    assert (header.rounding.quantity, header.rounding.unit_price, header.rounding.total) == (
        D("0.001"),
        D("0.01"),
        D("0.01"),
    )
    assert header.rounding.is_stated
    assert (result.computed_total, result.stated_total, result.differences) == (D("105106.95"), D("105106.95"), ())
    assert {p.vat_rate for p in positions} == {D("21.00")}
    assert (positions[1].long_text, positions[0].source) == ("dle průzkumu", "SO 1!B11")
    assert positions[0].catalogue == "ÚRS"


@pytest.mark.parametrize("change", [lambda bill: bill, blank], ids=["priced", "blank"])
def test_the_forms_own_count_is_of_all_positions(path, house, drain, change):
    write_aspe(path, change(house))
    _, result, bill = drain(path)
    assert (bill.stated_count, result.positions) == (5, 5)
    assert_reconciled(result)


def test_a_form_that_counts_otherwise_refuses_the_file(path, house, drain):
    write_aspe(path, blank(house), unpriced=6)
    _, result, _ = drain(path)
    with pytest.raises(ParseError, match="says it has 6 positions, but 5 were found") as refused:
        assert_reconciled(result)
    assert refused.value.code == "does_not_reconcile"


def test_a_price_of_nought_is_no_price(path, house, drain):
    write_aspe(path, blank(house))
    positions, result, _ = drain(path)
    assert {(p.unit_price, p.total) for p in positions} == {(None, None)}
    assert (result.unpriced, result.stated_total) == (5, D(0))


def test_an_object_without_parts_has_its_own_total_and_variants_are_kept(path, drain):
    titles = {"A": "Typ", "B": "Poř. číslo", "C": "Kód položky", "D": "Varianta", "E": "Název položky", "F": "MJ",
              "G": "Množství", "H": "Jednotková cena", "I": "x"}  # fmt: skip
    item = {"A": "P", "B": "1", "C": "11163150", "D": "1", "E": "lak", "F": "T", "G": D(2), "H": D(3), "I": D(6)}
    hall, unknown = {"A": "O1", "C": "SO 5", "E": "Hala", "I": D(6)}, {"A": "XX", "B": "2", "C": "9", "G": D(1)}
    write_sheets(path, [("a", [titles, hall, item, {"A": "PP", "E": "lak 1"}, unknown])])
    positions, result, bill = drain(path)
    assert [(p.number, p.object_code, p.long_text) for p in positions] == [
        ("1", "SO 5", "Varianta 1\nlak 1"),
        ("2", "SO 5", ""),
    ]
    assert [(t.level, t.amount, t.object_code) for t in bill.totals] == [("object", D(6), "SO 5"), ("bill", D(6), "")]
    assert (bill.stated_count, result.differences, positions[0].vat_rate) == (None, (), None)
    assert bill.warnings == ["Sheet 'a', cell A5: row type 'XX' is not known; the row is read as a position."]


def test_a_marked_workbook_without_titles_is_damaged(path):
    write_sheets(path, [("a", [{"A": "SŽDC05"}, {"A": "P", "B": "1"}])])
    with pytest.raises(ParseError) as refused:
        open_bill(path)
    assert refused.value.code == "damaged"


SHEETS = {
    "a single line": ("1403*0.9=1 262.700 [A]", [("1403*0.9=1 262.700 [A]", "expression", "1262.700", False)]),
    "a comment": ("'skl.P1 až P3'", [("'skl.P1 až P3'", "comment", None, False)]),
    "a comment before an expression": (
        "''hl.250' 2*3=6.000 [A]",
        [("''hl.250'", "comment", None, False), ("2*3=6.000 [A]", "expression", "6.000", False)],
    ),
    "what adds up to the quantity": (
        "2*3=6.000 [A] \nMezisoučet: 6=6.000 [B] \nCelkem: 6=6.000 [C]",
        [("2*3=6.000 [A]", "expression", "6.000", False), ("Mezisoučet: 6=6.000 [B]", "subtotal", "6.000", False),
         ("Celkem: 6=6.000 [C]", "expression", "6.000", True)],
    ),
    "a remark stuck to a figure": (
        "ozn.K 02a178.80=178.800 [A]",
        [("ozn.K 02a", "comment", None, False), ("178.80=178.800 [A]", "expression", "178.800", False)],
    ),
    "a figure stuck to a figure": (
        "0.5465=5.000 [A]",
        [("0.546", "comment", None, False), ("5=5.000 [A]", "expression", "5.000", False)],
    ),
    "words before a parenthesis": (
        "OP (1.05+0.19)*2=2.480 [A]",
        [("OP", "comment", None, False), ("(1.05+0.19)*2=2.480 [A]", "expression", "2.480", False)],
    ),
    "words before a gap": (
        "m.č.OP03 2 OP16   1+1=2.000 [A]",
        [("m.č.OP03 2 OP16", "comment", None, False), ("1+1=2.000 [A]", "expression", "2.000", False)],
    ),
    "a coefficient": (
        "6 * 1.2Koeficient množství=7.200 [B]",
        [("6 * 1.2", "expression", "7.200", True), ("Koeficient množství", "comment", None, False)],
    ),
    "in doubt": ("O 161.43*2.83=4.047 [A]", [("O 161.43*2.83=4.047 [A]", "expression", "4.047", False)]),
    "an expression without a result": ("+21.42+1.56=", [("+21.42+1.56=", "expression", None, False)]),
    "prose": ("dle PD odměřeno", [("dle PD odměřeno", "comment", None, False)]),
    "nothing": (" \n ", []),
}  # fmt: skip


@pytest.mark.parametrize("what", SHEETS)
def test_lines_of_a_measure_sheet(what):
    text, expected = SHEETS[what]
    assert [
        (m.text, m.kind, None if m.value is None else str(m.value), m.is_quantity) for m in measure_lines(text)
    ] == (expected)


def test_a_sum_counts_what_it_names_and_not_what_stands_above_it():
    sheet = measure_lines(
        "-0.705/-1.105=0.638 [A] \n2*4.476=8.952 [B] \n7.912=7.912 [C] \nCelkem: 8.952+7.912=16.864 [D]"
    )
    assert evaluate_sheet(sheet, {}).candidates == (D("16.864"),)
