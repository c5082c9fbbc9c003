"""uniXML 1.2: texts from the sources, decimal commas, declared rounding, figures in measure sheets."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from projects.parsers.bill import Rounding
from projects.parsers.totals import position_total
from projects.parsers.writers.kros_rows import MeasureRow
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_unixml


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.xml"


def test_positions_take_text_unit_and_price_system_from_the_sources(path, house, drain):
    write_unixml(path, house)
    positions, result, bill = drain(path)
    first = positions[0]
    assert (first.description, first.unit, first.price_system) == ("Sejmutí ornice strojně", "m2", "CS ÚRS 2025 02")
    assert (first.quantity, first.unit_price, first.vat_rate) == (D("123"), D("29.1"), D(21))
    assert (first.object_code, first.object_name, first.section_path) == ("SO 1", "Dům", ("1 Zemní práce",))
    assert (bill.header.title, bill.header.currency, bill.header.is_public_tender) == ("Rodinný dům", "CZK", True)
    assert bill.header.vat_rates == (D(21), D(12))
    assert result.computed_total == house.total
    assert positions[1].long_text == "dle průzkumu"


def test_no_total_is_stated_and_it_is_computed_with_the_declared_rounding(path, drain):
    section = GivenSection(
        "1", "Práce", (GivenPosition("1", "Výkop", quantity=D("1.5"), unit_price=D("3.3"), code="1"),)
    )
    write_unixml(path, GivenBill((GivenObject("SO", "Dům", (section,)),)), step="0,1")
    [position], result, bill = drain(path)
    assert position.total is None
    assert bill.header.rounding == Rounding(total=D("0.1"), is_stated=True)
    assert position_total(position, bill.header.rounding) == D("5.0")  # 4.95, half up
    assert (result.computed_total, result.stated_total) == (D("5.0"), None)


def test_measure_sheet_keeps_the_line_that_is_the_quantity(path, house, drain):
    write_unixml(path, house)
    positions, *_ = drain(path)
    assert [(line.kind, line.is_quantity) for line in positions[0].measure] == [
        ("expression", False),
        ("subtotal", True),
    ]


def test_figures_that_a_sheet_reads_come_with_their_values(path, drain):
    measure = (MeasureRow("F0005*2", kind="expression", is_quantity=True),)
    position = GivenPosition("1", "Izolace", quantity=D("201.6"), code="711", measure=measure)
    write_unixml(path, GivenBill((GivenObject("SO", "Dům", (GivenSection("711", "Izolace", (position,)),)),)))
    figure = "<figury><figura><kod_figury>F0005</kod_figury><merna_jednotka>m2</merna_jednotka><vymera>100,80</vymera></figura></figury>"  # noqa: E501
    path.write_text(path.read_text("utf-8").replace("</zdroje>", f"</zdroje>{figure}"), "utf-8")
    [read], *_ = drain(path)
    definition, expression = read.measure
    assert (definition.kind, definition.figure, definition.value) == ("comment", "F0005", D("100.8"))
    assert expression.is_quantity


def test_a_sheet_whose_lines_are_summed_says_so_with_a_last_subtotal(path, drain):
    measure = (MeasureRow("1"), MeasureRow("2"))
    position = GivenPosition("1", "Izolace", quantity=D(3), code="711", measure=measure)
    write_unixml(path, GivenBill((GivenObject("SO", "Dům", (GivenSection("711", "Izolace", (position,)),)),)))
    path.write_text(
        path.read_text("utf-8").replace("<vykaz_vymer>", "<vykaz_vymer><soucet_radku>ANO</soucet_radku>"), "utf-8"
    )
    [read], *_ = drain(path)
    assert [(line.kind, line.is_quantity) for line in read.measure][-1] == ("subtotal", True)


@pytest.mark.parametrize("encoding", ["windows-1250", "utf-16"])
def test_other_encodings_are_read_as_they_declare(path, house, drain, encoding):
    write_unixml(path, house)
    path.write_text(path.read_text("utf-8-sig").replace("utf-8", encoding), encoding)
    positions, _, bill = drain(path)
    assert (positions[0].description, bill.header.title) == ("Sejmutí ornice strojně", "Rodinný dům")


def test_a_code_without_source_is_a_warning_not_a_refusal(path, house, drain):
    write_unixml(path, house)
    path.write_text(
        path.read_text("utf-8").replace("<kod_polozky>121151113</kod_polozky><zkr", "<kod_polozky>x</kod_polozky><zkr"),
        "utf-8",
    )
    positions, _, bill = drain(path)
    assert positions[0].description == ""
    assert "'121151113'" in bill.warnings[0]


def test_what_is_no_figure_is_left_out_with_the_line(path, house, drain):
    write_unixml(path, house)
    path.write_text(path.read_text("utf-8").replace("<mnozstvi>123</mnozstvi>", "<mnozstvi>asi 5</mnozstvi>"), "utf-8")
    positions, _, bill = drain(path)
    assert positions[0].quantity is None
    assert "asi 5" in positions[0].quantity_reason
    assert bill.warnings[0].startswith("Line ")
