"""Bills that KROS printed are read as the workbook that it exports of them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from projects.parsers.bill import MeasureLine, PositionKind
from projects.parsers.numbering import left_out
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import detect
from projects.parsers.writers.kros_rows import MeasureRow
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_kros
from tests.factories.bills_pdf import write_kros_print

# What a print does not say: which price system, which measure line is the quantity.
UNPRINTED = {"source": "", "price_system": "", "catalogue": "", "measure": (), "vat_rate": None}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.pdf"


@pytest.fixture
def long_text(house):
    """The first position's text is three lines high: its number stands beside the second."""
    first = house.objects[0].sections[0].positions[0]
    words = (
        "Sejmutí ornice strojně při souvislé ploše přes 100 do 500 m2, tl. vrstvy do 200 mm, s naložením na dopravní "
    )
    text = words + "prostředek a složením na hromady v místě stavby nebo na skládku, do vzdálenosti 50-100 m"
    section = house.objects[0].sections[0]
    sections = (replace(section, positions=(replace(first, description=text), *section.positions[1:])),
                *house.objects[0].sections[1:])  # fmt: skip
    return GivenBill((replace(house.objects[0], sections=sections), *house.objects[1:]))


def test_a_print_says_what_the_workbook_says(tmp_path, path, long_text, drain):
    write_kros(tmp_path / "bill.xlsx", long_text)
    expected, of_xlsx, _ = drain(tmp_path / "bill.xlsx")
    found, result, bill = drain(write_kros_print(path, long_text))
    assert [replace(p, **UNPRINTED) for p in found] == [replace(p, **UNPRINTED) for p in expected]
    assert len(found) == 5 and found[0].description.endswith("do vzdálenosti 50-100 m")
    assert found[3].kind is PositionKind.MATERIAL
    assert_reconciled(result)
    assert (result.computed_total, result.stated_total, result.differences) == (
        of_xlsx.computed_total,
        D("105106.95"),
        (),
    )
    assert {(t.level, t.object_code, t.section_path) for t in bill.totals} == {
        ("bill", "", ()), ("object", "SO 1", ()), ("object", "SO 2", ()), ("section", "SO 1", ("1 Zemní práce",)),
        ("section", "SO 1", ("2 Zakládání",)), ("section", "SO 2", ("9 Ostatní konstrukce",)),
    }  # fmt: skip
    assert len(bill.warnings) == 1 and "to be confirmed" in bill.warnings[0]
    assert detect(path).dialect == "pdf_table"


def test_the_name_of_an_object_may_stand_beside_its_label(path, house, drain):
    found, result, _ = drain(write_kros_print(path, house, beside=True))
    assert [(p.object_code, p.object_name) for p in found] == [("SO 1", "Dům")] * 4 + [("SO 2", "Garáž")]
    assert result.differences == ()


def test_measure_lines_and_notes_stand_below_the_box(path, house, drain):
    first, second, *_ = drain(write_kros_print(path, house))[0]
    assert first.measure == (
        MeasureLine("(14+1)*(7,2+1)", "expression", D("123.000")), MeasureLine("Součet", "subtotal", D("123.000")),
    )  # fmt: skip
    assert (second.long_text, second.measure[0].text) == ("dle průzkumu", "1,2*56,8")


@pytest.mark.parametrize("parts", [9, 14], ids=["two lines", "three lines"])
def test_a_long_measure_is_one_line(path, drain, parts):
    text = " + ".join(f"{n},25*{n}0,5" for n in range(1, parts + 1))
    rows = (MeasureRow("2*3", D(6)), MeasureRow(text, D(100)), MeasureRow("1*1", D(1)))
    work = GivenPosition("1", "Výkop rýh", "m3", D(107), D(100), "132151253", measure=rows, note="dle průzkumu")
    bill = GivenBill((GivenObject("SO 1", "Dům", (GivenSection("1", "Zemní práce", (work,)),)),))
    (position,), _, _ = drain(write_kros_print(path, bill))
    assert [(line.text, line.value) for line in position.measure] == [("2*3", D(6)), (text, D(100)), ("1*1", D(1))]
    assert position.long_text == "dle průzkumu"


def test_groups_of_trades_hold_their_sections(path, drain):
    work = GivenPosition("1", "Výkop rýh", "m3", D(2), D(100), "132151253")
    bill = GivenBill((GivenObject("SO 1", "Dům", (
        GivenSection("HSV", "Práce a dodávky HSV", ()), GivenSection("1", "Zemní práce", (work,)),
    )),))  # fmt: skip
    (position,), _, _ = drain(write_kros_print(path, bill))
    assert position.section_path == ("HSV Práce a dodávky HSV", "1 Zemní práce")


def test_a_price_that_nobody_gave_is_none_and_so_is_its_total(path, house, drain):
    blank = GivenBill(tuple(
        replace(obj, sections=tuple(
            replace(section, positions=tuple(replace(p, unit_price=None) for p in section.positions))
            for section in obj.sections))
        for obj in house.objects
    ))  # fmt: skip
    found = drain(write_kros_print(path, blank))[0]
    assert len(found) == 5 and {(p.unit_price, p.total) for p in found} == {(None, None)}


def test_numbers_that_are_left_out_are_told(path, house, drain):
    _, _, bill = drain(write_kros_print(path, house, numbers={"4": "7"}))
    assert any("leave out 4 to 6:" in warning for warning in bill.warnings)


def test_a_page_of_measures_only_goes_on_with_the_position_before(path, drain):
    lines = tuple(MeasureRow(f"{n}*2", D(2 * n)) for n in range(1, 60))
    work = GivenPosition("1", "Výkop rýh", "m3", D(3540), D(100), "132151253", measure=lines)
    other = GivenPosition("2", "Zásyp", "m3", D(1), D(100), "174151101")
    bill = GivenBill((GivenObject("SO 1", "Dům", (GivenSection("1", "Zemní práce", (work, other)),)),))
    first, second = drain(write_kros_print(path, bill))[0]
    assert [line.text for line in first.measure] == [f"{n}*2" for n in range(1, 60)]
    assert (second.number, second.measure) == ("2", ())


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ("1 2 3", ""),
        ("1 2 5", "3 to 4"),
        ("1 3 1 2 4", "2, 3"),
        ("2 1 4", "3"),
        ("1.1 1.3", ""),
        ("10 20 30", ""),
        ("5", ""),
        ("", ""),
    ],
)
def test_which_numbers_a_count_leaves_out(numbers, missing):
    assert ", ".join(left_out(numbers.split())) == missing
