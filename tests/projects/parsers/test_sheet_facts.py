"""What a workbook holds besides its rows: hidden rows and sheets, errors, constants where formulas were expected."""

from __future__ import annotations

import re
import zipfile
from decimal import Decimal as D

import openpyxl
import pytest

from projects.parsers import sheet_facts, sheet_scan
from projects.parsers.bill import ParseError
from projects.parsers.sheet_facts import SheetFacts, facts_of
from tests.factories.bills import write_csv, write_kros, write_ods
from tests.factories.bills_cz import Formula, write_aspe, write_kros_list, write_rts, write_sheets

TITLES = {
    "A": "PČ",
    "B": "Kód",
    "C": "Popis",
    "D": "MJ",
    "E": "Množství",
    "F": "J.cena [CZK]",
    "G": "Cena celkem [CZK]",
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "f.xlsx"


def rows(count=10, **odd):
    """A title row and positions with a formula for their total; `odd`: cells by name ("G5")."""
    made = [TITLES]
    for at in range(2, count + 2):
        made.append({"A": str(at), "C": "Výkop", "D": "m3", "E": D(2), "F": D(3), "G": Formula(f"E{at}*F{at}", D(6))})
    for name, cell in odd.items():
        made[int(name[1:]) - 1][name[0]] = cell
    return made


@pytest.mark.parametrize("write", [write_kros, write_rts, write_aspe, write_kros_list])
def test_bills_as_programs_write_them_have_nothing_odd(path, house, write):
    write(path, house)
    assert facts_of(path) == SheetFacts()


def test_constants_among_formulas_are_named(path):
    write_sheets(path, [("SO 1", rows(G5=D(7), G6=D(8)))])
    assert facts_of(path).constants_among_formulas == ("SO 1!G5", "SO 1!G6")


def test_sums_written_as_figures_above_calculated_positions_are_no_odd_constants(path):
    sums = {f"{column}{at}": None for at in (2, 6, 9, 12, 15) for column in "EF"}
    write_sheets(path, [("a", rows(20, **sums, **{f"G{at}": D(18) for at in (2, 6, 9, 12, 15, 17)}))])
    assert facts_of(path).constants_among_formulas == ("a!G17",)


def test_elements_with_a_prefix_are_seen_too(path):
    write_sheets(path, [("a", rows(G5=D(7), G7="#REF!"))], hidden_rows=[("a", 4)])
    prefixed = re.compile(rb"<(/?)(?=[a-zA-Z])")
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: prefixed.sub(rb"<\1x:", xml).replace(b"xmlns=", b"xmlns:x="))
    assert facts_of(path) == SheetFacts(
        hidden_rows=("a!4",), errors=(("a!G7", "#REF!"),), constants_among_formulas=("a!G5",)
    )


def test_a_column_without_formulas_and_one_of_few_have_no_constants_to_name(path):
    write_sheets(path, [("a", rows(2, G2=D(6))), ("b", rows(6, G2=D(6), G3=D(6), G4=D(6)))])
    assert facts_of(path).constants_among_formulas == ()


def test_errors_are_named_with_their_cells_in_hidden_sheets_too(path):
    write_sheets(path, [("a", rows(G5="#REF!")), ("b", rows(E3="#N/A"))], hidden_sheets=["b"])
    facts = facts_of(path)
    assert facts.errors == (("a!G5", "#REF!"), ("b!E3", "#N/A"))
    assert facts.hidden_sheets == ("b",)


def test_hidden_rows_of_the_bill_are_named_and_hidden_rows_of_its_cover_are_not(path):
    cover = [{"A": "Snížená DPH", "G": D(0)}, *rows()]
    write_sheets(path, [("a", cover)], hidden_rows=[("a", 1), ("a", 5), ("a", 6)])
    assert facts_of(path).hidden_rows == ("a!5", "a!6")


def test_hidden_rows_are_named_anywhere_where_no_sheet_has_titles_known(path):
    write_sheets(path, [("a", rows()[1:])], hidden_rows=[("a", 3)])
    assert facts_of(path).hidden_rows == ("a!3",)


def test_hidden_rows_and_sheets_without_a_figure_hide_nothing(path):
    words = [{"A": "Položkový rozpočet"}, {"A": "S:"}]
    write_sheets(path, [("a", [*rows(), {"C": "poznámka"}]), ("VzorPolozky", words)], hidden_sheets=["VzorPolozky"],
                 hidden_rows=[("a", 12)])  # fmt: skip
    assert facts_of(path) == SheetFacts()


def test_a_row_of_no_height_is_hidden(path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(TITLES.values()))
    sheet.append([1, "x", "Výkop", "m3", 2, 3, 6])
    sheet.row_dimensions[2].hidden = True
    book.create_sheet("b").append([1])
    book["b"].sheet_state = "veryHidden"
    book.save(path)
    facts = facts_of(path)
    assert (facts.hidden_rows, facts.hidden_sheets) == (("Sheet!2",), ("b",))


def test_more_than_the_limit_is_cut_and_said(path, monkeypatch):
    monkeypatch.setattr(sheet_facts, "LIMIT", 2)
    write_sheets(path, [("a", rows(60, **{f"G{at}": D(7) for at in range(5, 9)}))],
                 hidden_rows=[("a", at) for at in range(20, 30)])  # fmt: skip
    facts = facts_of(path)
    assert (facts.constants_among_formulas, facts.hidden_rows) == (("a!G5", "a!G6"), ("a!20", "a!21"))
    assert not facts.is_complete


def test_rows_are_seen_across_pieces(path, monkeypatch):
    monkeypatch.setattr(sheet_facts, "_HEAD", 400)
    monkeypatch.setattr(sheet_scan, "_CHUNK", 300)
    write_sheets(path, [("a", rows(20, G4=D(7), G9=D(7), E21="#REF!"))], hidden_rows=[("a", 10), ("a", 12)])
    assert facts_of(path) == SheetFacts(
        hidden_rows=("a!10", "a!12"), errors=(("a!E21", "#REF!"),), constants_among_formulas=("a!G4", "a!G9")
    )


def changed(path, part, change):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_cells_that_name_no_place_are_not_passed_over_in_silence(path):
    write_sheets(path, [("a", rows())])
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'<c r="G5">', b"<c>"))
    assert not facts_of(path).is_complete


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"])
def test_a_damaged_part_is_a_parse_error(path, part):
    write_sheets(path, [("a", rows())])
    changed(path, part, lambda xml: xml[: len(xml) // 2])
    with pytest.raises(ParseError) as refused:
        facts_of(path)
    assert refused.value.code == "damaged"


def test_a_document_type_in_a_sheet_is_refused(path):
    write_sheets(path, [("a", rows())])
    changed(path, "xl/worksheets/sheet1.xml", lambda xml: b'<!DOCTYPE worksheet [<!ENTITY a "b">]>' + xml)
    with pytest.raises(ParseError) as refused:
        facts_of(path)
    assert refused.value.code == "xml_forbidden"


def test_what_is_no_xlsx_says_so(tmp_path, house):
    write_ods(tmp_path / "f.ods", [["a"]])
    with pytest.raises(ParseError) as refused:
        facts_of(tmp_path / "f.ods")
    assert refused.value.code == "unsupported_dialect"
    write_csv(tmp_path / "f.csv", house)
    with pytest.raises(ParseError):
        facts_of(tmp_path / "f.csv")
