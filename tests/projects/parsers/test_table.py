"""Plain tables: the proposal, the confirmed mapping, csv encodings and marks, sections and sums, refusals."""

from __future__ import annotations

from decimal import Decimal as D

import openpyxl
import pytest

from projects.parsers.bill import ParseError
from projects.parsers.reconcile import assert_reconciled
from projects.parsers.registry import open_bill
from projects.parsers.table_mapping import Mapping, propose_mapping
from projects.parsers.table_words import meaning_of
from tests.factories.bills import csv_rows, write_csv


@pytest.fixture
def path(tmp_path):
    return tmp_path / "bill.csv"


def write_xlsx(path, rows, title="Rozpočet"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_a_clearly_headed_csv_is_read_without_asking(path, house, drain, encoding, delimiter):
    write_csv(path, house, encoding=encoding, delimiter=delimiter)
    positions, result, bill = drain(path)
    assert [p.description for p in positions] == [p.description for *_, p in house.walk()]
    assert [p.quantity for p in positions] == [p.quantity for *_, p in house.walk()]
    assert result.computed_total == house.total
    assert bill.header.currency == "CZK"


@pytest.mark.parametrize(
    "titles",
    [
        ("Pos.", "Art.-Nr.", "Bezeichnung", "Einheit", "Menge", "Einheitspreis", "Gesamtpreis"),
        ("No.", "Code", "Description", "Unit", "Quantity", "Unit price", "Total"),
        ("P.Č.", "Kód položky", "Názov položky", "MJ", "Množstvo", "Jedn. cena", "Cena celkom"),
    ],
)
def test_titles_are_understood_in_four_languages(path, house, drain, titles):
    path.write_text("\n".join(";".join(row) for row in csv_rows(house, titles)), "utf-8")
    positions, result, _ = drain(path)
    assert positions[2].unit == "m3"
    assert result.computed_total == house.total


def test_an_xlsx_table_is_read_with_its_sheet_and_row_as_source(tmp_path, drain):
    path = tmp_path / "bill.xlsx"
    write_xlsx(path, [["Nabídka"], [], ["Popis", "MJ", "Množství", "Cena celkem"], ["Výkop", "m3", 0.1 + 0.2, 12.5]])
    [position], *_ = drain(path)
    assert (position.source, position.quantity, position.total) == ("Rozpočet!A4", D("0.3"), D("12.5"))


def test_section_lines_and_sums_are_no_positions(path, drain):
    path.write_text(
        "Kód;Popis;MJ;Množství;J. cena;Celkem\n1;Zemní práce;;;;\na;Výkop;m3;2;10;20\nb;Zásyp;m3;1;5;5\n;Součet;;;;25\n"
        "2;Zakládání;;;;\nc;Pasy;m3;1;100;100\n;Celkem bez DPH;;;;125\n",
        "utf-8",
    )
    positions, result, bill = drain(path)
    assert [(p.code, p.section_path) for p in positions] == [
        ("a", ("1 Zemní práce",)), ("b", ("1 Zemní práce",)), ("c", ("2 Zakládání",)),
    ]  # fmt: skip
    assert [total.amount for total in bill.totals] == [D(125)]
    assert_reconciled(result)


def test_unclear_titles_need_a_person(path, house):
    path.write_text("\n".join(";".join(row) for row in csv_rows(house, "abcdefg")), "utf-8")
    with pytest.raises(ParseError, match="Needed are clear titles for description") as refused:
        open_bill(path)
    assert refused.value.code == "mapping_needed"


def test_a_confirmed_mapping_reads_a_table_without_titles(path, house, drain):
    path.write_text("\n".join(";".join(row) for row in csv_rows(house)[3:]), "utf-8")
    mapping = Mapping({"number": 0, "description": 2, "unit": 3, "quantity": 4, "unit_price": 5}, header_row=-1,
                      delimiter=";", decimal_mark=",", currency="EUR")  # fmt: skip
    positions, result, bill = drain(path, mapping=Mapping.from_json(mapping.to_json()))
    assert len(positions) == 5
    assert (result.computed_total, bill.header.currency) == (house.total, "EUR")


def test_the_proposal_shows_columns_confidence_and_samples(path, house):
    write_csv(path, house)
    proposal = propose_mapping(path)
    assert proposal.is_certain
    assert proposal.mapping.columns == {
        "number": 0, "code": 1, "description": 2, "unit": 3, "quantity": 4, "unit_price": 5, "total": 6,
    }  # fmt: skip
    assert (proposal.mapping.delimiter, proposal.mapping.encoding, proposal.mapping.decimal_mark) == (
        ";",
        "utf-8-sig",
        ",",
    )
    assert proposal.mapping.header_row == 2
    assert proposal.sample[0][2] == "Sejmutí ornice strojně"
    assert {guess.confidence for guess in proposal.columns} == {1.0}


def test_a_column_of_words_is_not_taken_for_quantities_whatever_its_title(path):
    path.write_text("Popis;MJ;Množství;Cena celkem\n" + "Výkop;m3;dle projektu;5\n" * 4, "utf-8")
    assert not propose_mapping(path).is_certain


def test_a_wide_sheet_without_titles_says_what_was_looked_for(tmp_path):
    path = tmp_path / "wide.xlsx"
    write_xlsx(path, [[row * column for column in range(200)] for row in range(30)])
    with pytest.raises(ParseError, match=r"(?s)No row of titles.*description \(Popis.*200 columns") as refused:
        open_bill(path)
    assert refused.value.code == "mapping_needed"


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", "nothing", '{"columns": {"description": 0, "unit": 0}}', '{"columns": {"description": -1}}',
        '{"columns": {"description": 0, "colour": 1}}', '{"columns": {"unit": 0}}',
        '{"columns": {"description": 0}, "decimal_mark": ";"}',
    ],
)  # fmt: skip
def test_a_bad_mapping_is_refused(text):
    with pytest.raises(ParseError) as refused:
        Mapping.from_json(text)
    assert refused.value.code == "bad_mapping"


def test_a_mapping_of_another_workbook_is_refused(tmp_path):
    path = tmp_path / "bill.xlsx"
    write_xlsx(path, [["Popis"]])
    with pytest.raises(ParseError) as refused:
        open_bill(path, mapping=Mapping({"description": 0}, sheet="List 9"))
    assert refused.value.code == "no_such_sheet"


def test_text_that_is_no_table_is_no_bill(path):
    path.write_text("Vážení,\nv příloze zasíláme rozpočet.\nS pozdravem\n", "utf-8")
    with pytest.raises(ParseError) as refused:
        open_bill(path)
    assert refused.value.code == "unknown_dialect"


@pytest.mark.parametrize(
    ("title", "field"),
    [
        ("J.cena [CZK]", "unit_price"), ("Cena celkem [CZK]", "total"), ("Množství", "quantity"), ("M.J.", "unit"),
        ("EP", "unit_price"), ("Ordnungszahl", "number"), ("Qty", "quantity"), ("Merná jednotka", "unit"), ("xyz", ""),
    ],
)  # fmt: skip
def test_what_titles_mean(title, field):
    assert meaning_of(title)[0] == field
