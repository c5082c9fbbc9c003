"""The checker of workbooks: what we write passes it, and what it looks for it finds."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from projects.exports.write_back import Price, write_back
from projects.parsers.registry import open_bill
from tests.factories.bills import GivenPosition, write_kros
from tests.factories.bills_cz import write_rts
from tests.factories.imports import given_bill
from tests.projects.exports.workbooks import client_workbook
from tests.workbook_sound import changes_besides_values, warnings_of

BILL = given_bill(
    GivenPosition("1", "Výkop rýhy", "m3", Decimal(10), Decimal(300), "132151253"),
    GivenPosition("2", "Zásyp", "m3", Decimal(4), Decimal(150), "174151101"),
)
SHEET, TYPES = "xl/worksheets/sheet1.xml", "[Content_Types].xml"


def changed(source: Path, target: Path, part: str, old: str, new: str) -> Path:
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as made:
        for name in given.namelist():
            text = given.read(name)
            if name == part:
                assert old.encode() in text, text[:3000]
                text = text.replace(old.encode(), new.encode(), 1)
            made.writestr(name, text)
    return target


@pytest.mark.parametrize("write", [write_kros, write_rts], ids=["kros", "rts"])
def test_what_is_written_is_sound(tmp_path: Path, write: Callable[..., object]) -> None:
    write(tmp_path / "bill.xlsx", BILL)
    assert warnings_of(tmp_path / "bill.xlsx") == []


def test_written_back_nothing_but_values_has_changed(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", protected=True)
    target = tmp_path / "out.xlsx"
    outcome = write_back(source=source, target=target, opened=open_bill, price_of=lambda _: Price(Decimal("12.5")))
    assert outcome.written == 2
    assert warnings_of(target) == []
    assert changes_besides_values(source, target) == []


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        (TYPES, "/xl/worksheets/sheet1.xml", "/xl/worksheets/sheet9.xml", "sheet9.xml, which is not there"),
        ("xl/_rels/workbook.xml.rels", "sheet2.xml", "sheet7.xml", "points at xl/worksheets/sheet7.xml"),
        ("xl/workbook.xml", "</definedName>", '</definedName><definedName name="CELKEM">1</definedName>', "twice"),
        (SHEET, 's="1"', 's="99"', "a style that is not there"),
        (SHEET, '<dimension ref="A1:F6"', '<dimension ref="A1:B2"', "outside the sheet's dimension"),
        (SHEET, '<row r="4"', '<row r="2"', "row 2 comes after row 3"),
        (SHEET, "<v>2</v>", "<v>2,5</v>", "said to be a number"),
        (SHEET, "</sheetData>", "", "is no XML"),
    ],
    ids=["type", "relation", "name", "style", "dimension", "order", "number", "xml"],
)  # fmt: skip
def test_what_a_program_would_warn_of_is_found(tmp_path: Path, part: str, old: str, new: str, said: str) -> None:
    source = client_workbook(tmp_path / "bill.xlsx")
    assert warnings_of(source) == []
    found = warnings_of(changed(source, tmp_path / "broken.xlsx", part, old, new))
    assert any(said in line for line in found), found


@pytest.mark.parametrize(
    ("part", "old", "new", "said"),
    [
        ("xl/workbook.xml", ">'Rozpočet'!$F$6<", ">'Rozpočet'!$F$5<", "definedNames differs"),
        (SHEET, 'sheet="1"', 'sheet="0"', "sheetProtection differs"),
        (SHEET, "ROUND(D4*E4,2)", "ROUND(D4*E4,3)", "F4 has another formula"),
        (SHEET, 's="1"', 's="0"', "has another style"),
    ],
    ids=["name", "protection", "formula", "style"],
)  # fmt: skip
def test_what_the_client_would_miss_is_found(tmp_path: Path, part: str, old: str, new: str, said: str) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", protected=True)
    found = changes_besides_values(source, changed(source, tmp_path / "other.xlsx", part, old, new))
    assert any(said in line for line in found), found


def test_a_part_that_is_there_twice_is_found(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx")
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("xl/Styles.xml", archive.read("xl/styles.xml"))
    assert "xl/styles.xml is there twice" in warnings_of(source)


def test_a_text_that_is_not_there_is_found(tmp_path: Path) -> None:
    write_rts(tmp_path / "bill.xlsx", BILL)
    broken = changed(tmp_path / "bill.xlsx", tmp_path / "broken.xlsx", SHEET, 't="s"><v>0<', 't="s"><v>999<')
    assert [line.partition(" has ")[2] for line in warnings_of(broken)] == ["a text that is not there"]
