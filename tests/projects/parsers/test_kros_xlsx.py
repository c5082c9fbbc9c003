"""KROS "Export Komplet": sections, measures, notes, totals of every level, rounding from the formula."""

from __future__ import annotations

import zipfile
from decimal import Decimal as D

import pytest

from projects.parsers.bill import PositionKind, Rounding
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.writers.kros_rows import ItemRow, MeasureRow, ObjectRow, SectionRow
from projects.parsers.writers.kros_xlsx import write_kros_xlsx
from tests.factories.bills import write_kros


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.xlsx"


def test_positions_carry_what_the_sheet_says(path, house, drain):
    write_kros(path, house)
    positions, _, bill = drain(path)

    first, second, _, steel, gate = positions
    assert (first.number, first.code, first.description, first.unit) == (
        "1",
        "121151113",
        "Sejmutí ornice strojně",
        "m2",
    )
    assert (first.quantity, first.unit_price, first.total) == (D("123"), D("29.1"), D("3579.3"))
    assert (first.object_code, first.object_name, first.section_path) == ("SO 1", "Dům", ("1 Zemní práce",))
    assert (first.price_system, first.catalogue, first.vat_rate) == ("CS ÚRS 2025 02", "ÚRS", D(21))
    assert second.long_text == "dle průzkumu"
    assert steel.kind is PositionKind.MATERIAL
    assert (gate.object_code, gate.number, gate.total) == ("SO 2", "1", D("0.77"))
    assert [p.ordinal for p in positions] == [1, 2, 3, 4, 5]
    assert bill.warnings == []


def test_measure_lines_keep_kind_value_and_which_is_the_quantity(path, house, drain):
    write_kros(path, house)
    positions, _, _ = drain(path)
    expression, subtotal = positions[0].measure
    assert (expression.text, expression.kind, expression.value, expression.is_quantity) == (
        "(14+1)*(7,2+1)", "expression", D(123), False,
    )  # fmt: skip
    assert (subtotal.kind, subtotal.is_quantity) == ("subtotal", True)


def test_the_bill_reconciles_with_its_recapitulation_at_every_level(path, house, drain):
    assert write_kros(path, house) == house.total
    _, result, bill = drain(path)
    assert_reconciled(result)
    assert (result.computed_total, result.stated_total, result.currency) == (house.total, house.total, "CZK")
    assert result.differences == ()
    assert {total.level for total in bill.totals} == {"bill", "object", "section"}


def test_rounding_is_read_from_the_total_formula(path, house, drain):
    write_kros(path, house)
    *_, bill = drain(path)
    assert bill.header.rounding == Rounding(total=D("0.01"), is_stated=True)


def test_a_place_names_sheet_and_cell(path, house, drain):
    write_kros(path, house)
    positions, *_ = drain(path)
    assert positions[0].source == "SO 1 - Dům!C23"


def test_nested_sections_give_nested_paths_and_sums(path, drain):
    rows = [
        ObjectRow("SO 1", "Dům"), SectionRow("HSV", "Práce HSV", 0), SectionRow("1", "Zemní práce", 1),
        ItemRow("1", "Výkop", "m3", D(2), D(10)), SectionRow("2", "Zakládání", 1),
        ItemRow("2", "Pasy", "m3", D(3), D(10)),
        SectionRow("PSV", "Práce PSV", 0), ItemRow("7", "Izolace", "m2", D(1), D(5)),
    ]  # fmt: skip
    write_kros_xlsx(path, rows)
    positions, result, bill = drain(path)
    assert [p.section_path for p in positions] == [
        ("HSV Práce HSV", "1 Zemní práce"), ("HSV Práce HSV", "2 Zakládání"), ("PSV Práce PSV",),
    ]  # fmt: skip
    sections = {total.section_path: total.amount for total in bill.totals if total.level == "section"}
    assert sections[("HSV Práce HSV",)] == D(50)
    assert result.differences == ()


def test_a_section_opened_twice_is_one_section(path, drain):
    rows = [ObjectRow("SO 1", "Dům")]
    for quantity in (2, 3):
        rows += [SectionRow("1", "Zemní práce"), ItemRow(str(quantity), "Výkop", "m3", D(quantity), D(10))]
    write_kros_xlsx(path, rows)
    _, result, bill = drain(path)
    assert [total.amount for total in bill.totals if total.level == "section"] == [D(50)]
    assert result.differences == ()


def test_a_repeated_number_is_made_unique_and_reported(path, drain):
    rows = [ObjectRow("SO 1", "Dům"), SectionRow("1", "Zemní práce")]
    rows += [ItemRow(code, "Výkop", "m3", D(1), D(1), number="7") for code in ("a", "b")]
    write_kros_xlsx(path, rows)
    positions, _, bill = drain(path)
    assert [p.number for p in positions] == ["7", "7/2"]
    assert "number 7 occurs again" in bill.warnings[0]


def test_an_empty_quantity_and_a_percentage_say_why(path, drain):
    rows = [ObjectRow("SO 1", "Dům"), SectionRow("998", "Přesun hmot")]
    rows += [ItemRow("998", "Přesun hmot", "%", None, D("1.2")), ItemRow("a", "Bez výměry", "m", None, D(3))]
    write_kros_xlsx(path, rows)
    percent, empty = drain(path)[0]
    assert percent.quantity_reason == "percentage"
    assert empty.quantity_reason == "empty cell H24"


def test_without_hidden_columns_measures_are_told_apart_by_their_content(path, house, drain, tmp_path):
    write_kros(path, house)
    bare = tmp_path / "bare.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                content = b'r="ZZ'.join(content.split(b'r="AT'))  # the repeated row type is elsewhere
            new.writestr(name, content)
    positions, *_ = drain(bare)
    assert [(line.kind, line.is_quantity) for line in positions[0].measure] == [
        ("expression", False), ("subtotal", False),
    ]  # fmt: skip


def test_same_rows_give_the_same_bytes(tmp_path, house):
    for name in ("a", "b"):
        write_kros(tmp_path / name, house)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_row_before_the_first_object_is_refused(path):
    with pytest.raises(ValueError, match="ObjectRow"):
        write_kros_xlsx(path, [MeasureRow("1")])


def test_the_written_workbook_opens_in_another_reader(path, house):
    import openpyxl

    write_kros(path, house)
    sheet = openpyxl.load_workbook(path)["SO 1 - Dům"]
    assert sheet["F23"].value == "Sejmutí ornice strojně"
    assert sheet["J23"].value == "=ROUND(I23*H23,2)"
