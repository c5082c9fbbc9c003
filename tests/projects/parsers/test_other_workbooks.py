"""Bills saved as ods or as Excel 97-2003 (.xls): every dialect of workbooks reads them as it reads the xlsx."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.audit.file_facts import facts_of_file
from projects.parsers import compound as compound_module
from projects.parsers.bill import ParseError, Rounding
from projects.parsers.compound import Compound
from projects.parsers.filehead import FileHead
from projects.parsers.price_list import read_prices
from projects.parsers.registry import detect, open_bill
from projects.parsers.sheet_rounding import stated_rounding
from tests.factories.bills import write_kros
from tests.factories.bills_cz import write_aspe, write_kros_list, write_rts
from tests.factories.spreadsheets import compound, sheets_of, write_ods_sheets, write_xls_sheets

D = Decimal
KINDS = {"ods": write_ods_sheets, "xls": write_xls_sheets}
DIALECTS = {"kros_xlsx": write_kros, "kros_list": write_kros_list, "rts_xlsx": write_rts, "aspe_xlsx": write_aspe}
TABLE = {"Ceny": [["Kód", "Popis", "MJ", "Množství", "J. cena", "Cena celkem"],
                  ["121151113", "Odkopávky", "m3", 12.5, 100.0, 1250.0],
                  ["451573111", "Lože", "m3", 2.0, 900.0, 1800.0]]}  # fmt: skip
_CELL = b"\x44\x0b\x00\x06\xc0"
_ROUND = b"\x1e%c\x00\x41\x1b\x00"


def refusal(path: Path) -> ParseError:
    with pytest.raises(ParseError) as refused:
        list(open_bill(path).positions)
    return refused.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_bill_is_the_same(tmp_path, house, drain, dialect, kind):
    DIALECTS[dialect](tmp_path / "bill.xlsx", house)
    path = KINDS[kind](tmp_path / f"bill.{kind}", sheets_of(tmp_path / "bill.xlsx"))
    assert detect(path) == detect(tmp_path / "bill.xlsx")
    expected, of_xlsx, bill = drain(tmp_path / "bill.xlsx")
    found, result, again = drain(path)
    assert found == expected and len(found) == 5
    assert result == of_xlsx
    assert again.totals == bill.totals and again.warnings == bill.warnings and again.stated_count == bill.stated_count
    # Of these sheets only figures were taken over, and without formulas nothing says how they were rounded.
    assert again.header == replace(bill.header, rounding=Rounding())


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_price_lists_are_read(tmp_path, drain, kind):
    write_of = KINDS[kind]
    path = write_of(tmp_path / "f", TABLE)
    assert (detect(path).dialect, detect(path).score) == ("table", 40)
    positions, result, _ = drain(path)
    assert [(p.code, p.quantity, p.unit_price, p.total) for p in positions] == [
        ("121151113", D("12.5"), D(100), D(1250)), ("451573111", D(2), D(900), D(1800)),
    ]  # fmt: skip
    assert result.computed_total == D(3050)
    assert positions[0].source == "Ceny!A2"
    prices = write_of(
        tmp_path / "p", {"Ceník": [["Kód", "Název", "MJ", "Cena"], ["121151113", "Odkopávky", "m3", 92.5]]}
    )
    assert [(item.code, item.unit, item.unit_price) for item in read_prices(prices)] == [("121151113", "m3", D("92.5"))]


@pytest.mark.parametrize(
    ("kind", "formula", "rounding"),
    [
        ("ods", "of:=ROUND([.I12]*[.H12];1)", Rounding(total=D("0.1"), is_stated=True)),
        ("ods", "of:=ROUND(ROUND([.L11];2)*ROUND([.$G11];3);0)", Rounding(D("0.001"), D("0.01"), D(1), is_stated=True)),
        ("ods", "of:=ROUND([.AG94];2)", Rounding()),
        ("xls", _CELL + _CELL + b"\x05" + _ROUND % 1, Rounding(total=D("0.1"), is_stated=True)),
        ("xls", _CELL + _ROUND % 2 + _CELL + _ROUND % 3 + b"\x05" + _ROUND % 0,
         Rounding(D("0.001"), D("0.01"), D(1), is_stated=True)),
        ("xls", _CELL + _ROUND % 2, Rounding()),
    ],
    ids=["ods total", "ods each", "ods none", "xls total", "xls each", "xls none"],
)  # fmt: skip
def test_the_rounding_of_its_formulas_is_known(tmp_path, kind, formula, rounding):
    if kind == "ods":
        path = write_ods_sheets(tmp_path / "f", TABLE, formula=formula)
    else:
        path = write_xls_sheets(tmp_path / "f", TABLE, tokens=formula)
    assert stated_rounding(FileHead(path)) == rounding
    assert next(open_bill(path).positions).quantity == D("12.5"), "the formula's result"


def test_the_cells_of_an_xls_are_what_they_are_in_an_xlsx(tmp_path):
    rows = [["text", 12.5, True, date(2025, 3, 5), datetime(2025, 3, 5, 13, 30), ""], ["", "", "", "", "", "far"]]
    book = FileHead(write_xls_sheets(tmp_path / "f", {"List 1": rows, "Prázdný": []})).workbook
    assert book.sheet_names == ["List 1", "Prázdný"]
    assert list(book.sheet("List 1").rows()) == rows
    assert list(book.sheet("Prázdný").rows()) == []
    assert book.sheet("List 1").cell(1, 5) == "F2"
    book.release("List 1")
    assert list(book.sheet("List 1").rows()) == rows


def test_an_error_in_a_cell_is_its_text(tmp_path):
    path = write_xls_sheets(tmp_path / "f", {"List 1": [[True, 1.0]]})
    content = path.read_bytes()
    record = struct.pack("<HHHHHBB", 0x0205, 8, 0, 0, 0, 1, 0)
    assert content.count(record) == 1
    path.write_bytes(content.replace(record, record[:-2] + b"\x17\x01"))
    assert next(FileHead(path).workbook.sheet("List 1").rows()) == ["#REF!", 1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_not_looked_for_in_the_file_is_said(tmp_path, kind):
    facts = facts_of_file(KINDS[kind](tmp_path / "f", TABLE), dialect="table", document="bill")
    assert "xlsx workbooks only" in facts.problem


def test_a_password_is_named(tmp_path):
    path = write_xls_sheets(tmp_path / "f", TABLE)
    content = path.read_bytes()
    at = content.index(struct.pack("<HH", 0x00E0, 20))  # in place of the first format: the mark of an encrypted one
    path.write_bytes(content[:at] + struct.pack("<HH", 0x002F, 20) + content[at + 4 :])
    assert refusal(path).code == "encrypted"


def test_an_older_workbook_of_a_hundred_megabytes_is_refused(tmp_path, monkeypatch):
    path = write_xls_sheets(tmp_path / "f", TABLE)
    monkeypatch.setattr(compound_module, "MAX_SIZE", path.stat().st_size - 1)
    assert refusal(path).code == "too_large"


@pytest.mark.parametrize("at", ["the next sector", "the directory", "the tables", "the size of sectors"])
def test_a_compound_file_that_leads_in_circles_is_damaged(tmp_path, at):
    content = bytearray(compound({"Workbook": bytes(9000)}))
    table = 512 + 512 * struct.unpack_from("<I", content, 76)[0]
    if at == "the next sector":
        struct.pack_into("<I", content, table + 4, 0)
    elif at == "the directory":
        first = struct.unpack_from("<I", content, 48)[0]
        struct.pack_into("<I", content, table + 4 * first, first)
    elif at == "the tables":
        struct.pack_into("<II", content, 68, 0, 1)
        struct.pack_into("<I", content, 512 + 508, 0)
    else:
        struct.pack_into("<H", content, 30, 30)
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(ParseError) as refused:
        Compound(tmp_path / "f").stream("Workbook")
    assert refused.value.code == "damaged"


def test_a_short_stream_is_read_from_where_short_ones_are(tmp_path):
    """A stream below 4,096 bytes lies in pieces of 64 within the root's own."""
    content = bytearray(compound({"Holder": bytes(range(256)) * 16, "Workbook": b"", "Numbers": b""}))
    directory = 512 + 512 * struct.unpack_from("<I", content, 48)[0]
    holder, numbers = (struct.unpack_from("<I", content, directory + 128 * n + 116)[0] for n in (1, 3))
    struct.pack_into("<IQ", content, directory + 116, holder, 4096)  # the root's stream: the pieces
    struct.pack_into("<IQ", content, directory + 256 + 116, 3, 100)  # Workbook: 100 bytes from the fourth piece on
    struct.pack_into("<II", content, 60, numbers, 8)
    struct.pack_into("<4I", content, 512 + 512 * numbers, 0, 0xFFFFFFFE, 0, 1)  # 3 → 1 → end
    (tmp_path / "f").write_bytes(content)
    found = Compound(tmp_path / "f")
    assert found.stream("Workbook") == bytes(range(192, 256)) + bytes(range(64, 100))
    with pytest.raises(LookupError):
        found.stream("Book")


def test_a_large_one_lists_its_tables_beyond_the_header(tmp_path):
    content = random.Random(7).randbytes(17 << 20)
    (tmp_path / "f").write_bytes(compound({"Workbook": content}))
    assert Compound(tmp_path / "f").stream("Workbook") == content


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_xls_sheets(tmp_path_factory.mktemp("xls") / "f", TABLE).read_bytes()


MARKS = st.sampled_from([bytes(4), b"\xff" * 4, b"\x01\0\0\0"]) | st.binary(min_size=4, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_damaged_is_refused_or_read(tmp_path, sound, data):
    content = bytearray(sound)
    # The header, the workbook's first records, or anywhere: directory and tables are at the end.
    end = data.draw(st.sampled_from([80, 900, len(content)]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, end - 4))
        content[at : at + 4] = data.draw(MARKS)
    path = tmp_path / "f"
    path.write_bytes(content[: data.draw(st.integers(600, len(content)))])
    try:
        assert len(list(open_bill(path).positions)) < 1000
    except ParseError as error:
        assert error.code and str(error)
