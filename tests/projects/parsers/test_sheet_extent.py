"""A figure far out is refused before the sheet is laid out; what is merely formatted there is no figure."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from projects.parsers import sheet_extent
from projects.parsers.bill import ParseError
from projects.parsers.sheet_extent import OddlyWritten, too_far
from projects.parsers.workbook import Workbook
from tenders.readers.reading import NotReadable, read

HEAD = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def workbook(path: Path, cells: str) -> Path:
    """One sheet with these rows, as they would stand in its XML."""
    book = openpyxl.Workbook()
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = f"{HEAD}{cells}</sheetData></worksheet>".encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def cell(name: str, value: str = "<v>1</v>") -> str:
    return f'<c r="{name}" s="0">{value}</c>' if value else f'<c r="{name}" s="0"/>'


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


@pytest.mark.parametrize("far", ["XFD1048576", "ZZ99999", "J2205898"])
def test_a_figure_far_out_is_refused_by_its_name(tmp_path: Path, far: str) -> None:
    path = workbook(tmp_path / "far.xlsx", row(1, cell("A1"), cell("B1")) + row(2, cell(far)))
    with pytest.raises(ParseError) as refused:
        Workbook(path)
    assert refused.value.code == "too_large"
    assert far in str(refused.value)


def test_a_notice_table_with_a_figure_far_out_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "far.xlsx", row(1, cell("A1")) + row(1048576, cell("XFD1048576")))
    with path.open("rb") as stream, pytest.raises(NotReadable, match="XFD1048576"):
        list(read(stream, name="far.xlsx", mapping={}).items)


@pytest.mark.parametrize("far", ["XFD1048576", "ZZ99999"])
def test_a_cell_far_out_that_is_merely_formatted_is_no_figure(tmp_path: Path, far: str) -> None:
    path = workbook(tmp_path / "styled.xlsx", row(1, cell("A1"), cell("B1")) + row(2, cell(far, "")))
    assert [list(each) for each in Workbook(path).sheet("Sheet").rows()] == [[1.0, 1.0]]


def test_long_and_narrow_and_short_and_wide_sheets_are_read(tmp_path: Path) -> None:
    long = workbook(tmp_path / "long.xlsx", row(1, cell("A1")) + row(1048576, cell("B1048576")))
    wide = workbook(tmp_path / "wide.xlsx", row(1, cell("A1"), cell("XFD1")) + row(2, cell("A2")))
    aside = workbook(tmp_path / "aside.xlsx", row(1048575, cell("XFC1048575")) + row(1048576, cell("XFD1048576")))
    for path in (long, wide, aside):
        with path.open("rb") as stream:
            assert too_far(stream) == ""


def test_a_figure_is_found_wherever_the_reading_is_cut(tmp_path: Path) -> None:
    start = len(HEAD) + len(row(1, cell("A1")))
    for shift in (-40, -20, -10, -1, 0, 5):
        filler = " " * (sheet_extent._CHUNK + shift - start)
        path = workbook(tmp_path / "cut.xlsx", row(1, cell("A1")) + filler + row(2, cell("XFD1048576")))
        with path.open("rb") as stream:
            assert too_far(stream) == "XFD1048576"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"a;b\n1;2\n"])
def test_what_is_no_workbook_is_left_to_its_reader(content: bytes) -> None:
    stream = io.BytesIO(content)
    assert (too_far(stream), stream.tell()) == ("", 0)


ODD_CELLS = [
    "<c r='XFD1048576'><v>1</v></c>",
    '<c\tr = "XFD1048576"><v>1</v></c>',
    '<c s="0" r="xfd1048576"><v>1</v></c>',
    '<x:c xmlns:x="y" r="XFD1048576"><v>1</v></x:c>',
    '<c r="XFC1048576"/><c><v>1</v></c>',
]


@pytest.mark.parametrize("far", ODD_CELLS)
def test_a_figure_far_out_is_found_however_it_is_written(tmp_path: Path, far: str) -> None:
    path = workbook(tmp_path / "odd.xlsx", row(1, cell("A1")) + f'<row r="1048576">{far}</row>')
    with path.open("rb") as stream:
        assert too_far(stream) == "XFD1048576"


@pytest.mark.parametrize("name", ["AAAAAAA1", "A99999999999", "10B", "$B$10", "B"])
def test_names_no_program_writes_are_damage(tmp_path: Path, name: str) -> None:
    path = workbook(tmp_path / "odd.xlsx", row(1, cell("A1")) + row(2, cell(name)))
    with pytest.raises(ParseError) as refused:
        Workbook(path)
    assert refused.value.code == "damaged"


def test_a_far_cell_in_what_is_no_xml_is_damage(tmp_path: Path) -> None:
    torn = '<c r="J1048576" s="1" t="s">" t="s"><v>7</v></d>'
    path = workbook(tmp_path / "torn.xlsx", row(1, cell("A1"), cell("BZ1")) + row(2, torn))
    with path.open("rb") as stream, pytest.raises(OddlyWritten):
        too_far(stream)


def test_cells_without_names_are_counted(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bare.xlsx", "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>")
    assert [list(each) for each in Workbook(path).sheet("Sheet").rows()] == [[1.0, 2.0], [3.0, ""]]
