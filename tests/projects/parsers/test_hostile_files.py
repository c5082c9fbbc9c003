"""Files made to harm: bombs, lies in a zip's directory, corner cells, entities, depth. Refused, quickly and by name."""

from __future__ import annotations

import struct
import zipfile
import zlib
from decimal import Decimal as D

import openpyxl
import pytest

from projects.parsers.bill import ParseError
from projects.parsers.registry import detect, open_bill
from projects.parsers.sheet_extent import MAX_CELLS
from tests.factories.bills import write_kros, write_ods, write_unixml

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def workbook(tmp_path):
    """A small real workbook, and the means to replace one of its parts."""
    path = tmp_path / "bill.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["Popis", "MJ", "Množství", "Cena celkem"])
    book.save(path)
    return path


def with_part(path, name, content):
    with zipfile.ZipFile(path) as archive:
        parts = {info: archive.read(info) for info in archive.namelist()}
    parts[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    return path


def refusal(path):
    with pytest.raises(ParseError) as refused:
        list(open_bill(path).positions)
    return refused.value


def zeros(size):
    """`size` zero bytes, deflated: one block over and over, so that nothing large is ever made."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = engine.compress(bytes(1 << 20)) + engine.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + zlib.compressobj(9, zlib.DEFLATED, -15).flush()


def bomb(path, packed, claimed):
    """A workbook whose sheet unpacks to more than it `claimed`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr(SHEET, b"")
    data = bytearray(path.read_bytes())
    name = SHEET.encode()
    local, central = data.find(name), data.rfind(name)
    header = local - 30
    struct.pack_into("<HHHLLL", data, header + 8, 8, 0, 0, 0, len(packed), claimed)
    struct.pack_into("<HHHLLL", data, central - 46 + 10, 8, 0, 0, 0, len(packed), claimed)
    at = local + len(name)
    data[at:at] = packed
    end = data.rfind(b"PK\x05\x06")
    start = struct.unpack_from("<L", data, end + 16)[0]
    struct.pack_into("<L", data, end + 16, start + len(packed))
    path.write_bytes(data)
    return path


def test_a_gigabyte_of_zeros_is_refused_by_its_directory(tmp_path):
    path = bomb(tmp_path / "bomb.xlsx", zeros(1 << 30), 1 << 30)
    assert path.stat().st_size < 2 << 20
    error = refusal(path)
    assert error.code == "archive_bomb"
    assert "before it was unpacked" in str(error)


def test_a_bomb_whose_directory_lies_is_refused_too(tmp_path):
    path = bomb(tmp_path / "bomb.xlsx", zeros(1 << 28), 1000)
    error = refusal(path)
    assert error.code == "archive_bomb"
    assert "larger than the file's directory says" in str(error)


def test_a_directory_that_promises_too_much_is_refused(tmp_path):
    path = bomb(tmp_path / "bomb.xlsx", zlib.compress(b"<worksheet/>")[2:-4], 5000)
    assert refusal(path).code == "damaged"


def test_thousands_of_parts_are_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(6000):
            archive.writestr(f"xl/{number}", b"")
    assert refusal(path).code == "archive_bomb"


@pytest.mark.parametrize(
    "cell", [b'<c r="XFD1048576"><v>1</v></c>', b"<c r='XFD1048576'><v>1</v></c>", b'<c\nr = "XFD1048576"><v>1</v></c>']
)
def test_a_cell_in_the_last_corner_does_not_fill_the_memory(workbook, cell):
    content = zipfile.ZipFile(workbook).read(SHEET)
    path = with_part(workbook, SHEET, content.replace(b"</sheetData>", b"<row>" + cell + b"</row></sheetData>"))
    error = refusal(path)
    assert error.code == "too_large"
    assert f"{MAX_CELLS:,}" in str(error)


def test_a_truncated_workbook_is_damaged(tmp_path, house):
    path = tmp_path / "bill.xlsx"
    write_kros(path, house)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(path).code == "damaged"


def test_an_ods_cell_repeated_a_billion_times_is_refused(tmp_path):
    path = write_ods(tmp_path / "bill.ods", [["1"]], repeat_rows=1_000_000, repeat_columns=16_000)
    assert refusal(path).code == "too_large"


def test_an_ods_whose_empty_rows_reach_the_edge_of_the_sheet_is_usual(tmp_path, drain):
    rows = [["Popis", "MJ", "Množství", "Cena celkem"], ["Výkop", "m3", "1,5", "12"], [""] * 4]
    path = write_ods(tmp_path / "bill.ods", rows, repeat_rows=1_000_000, repeat_columns=4_000)
    [position], *_ = drain(path)
    assert (position.description, position.quantity) == ("Výkop", D("1.5"))


EXTERNAL = '<!DOCTYPE unixml [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
LAUGHS = '<!DOCTYPE unixml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
REMOTE = '<!DOCTYPE unixml SYSTEM "http://127.0.0.1:9/x.dtd">'


@pytest.mark.parametrize("doctype", [EXTERNAL, LAUGHS, REMOTE])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused(tmp_path, house, doctype, encoding):
    path = tmp_path / "bill.xml"
    write_unixml(path, house, doctype=doctype)
    text = path.read_text("utf-8-sig").replace("utf-8", encoding).replace("Rodinný dům", "&secret;")
    path.write_text(text, encoding)
    for ask in (detect, open_bill):
        with pytest.raises(ParseError) as refused:
            ask(path)
        assert refused.value.code == "xml_forbidden"


def test_an_undeclared_entity_is_damage(tmp_path, house):
    path = tmp_path / "bill.xml"
    write_unixml(path, house)
    path.write_text(path.read_text("utf-8").replace("Zemní práce", "&secret;"), "utf-8")
    assert refusal(path).code == "damaged"


def test_elements_nested_without_end_are_refused(tmp_path):
    path = tmp_path / "bill.xml"
    path.write_text('<unixml verze="1.2"><objekty>' + "<dil>" * 5000 + "</dil>" * 5000 + "</objekty></unixml>")
    error = refusal(path)
    assert error.code == "damaged"
    assert "depth" in str(error)


def test_a_truncated_xml_names_the_line(tmp_path, house):
    path = tmp_path / "bill.xml"
    write_unixml(path, house)
    path.write_bytes(path.read_bytes()[:-200])
    error = refusal(path)
    assert error.code == "damaged"
    assert "line" in str(error)
