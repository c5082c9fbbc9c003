"""Which dialect a file is in goes by content; formats without a reader are named."""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import replace

import openpyxl
import pytest

from projects.parsers.bill import ParseError
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import detect, dialect_label, open_bill
from tests.factories.bills import write_csv, write_gaeb, write_kros, write_legacy_json, write_unixml
from tests.factories.bills_cz import write_aspe, write_kros_list, write_rts
from tests.factories.spreadsheets import compound


@pytest.mark.parametrize(
    ("write", "dialect", "score"),
    [
        (write_kros, "kros_xlsx", 100), (write_unixml, "unixml", 100), (write_gaeb, "gaeb_xml", 100),
        (write_csv, "table", 40), (write_legacy_json, "legacy_json", 90), (write_rts, "rts_xlsx", 100),
        (write_aspe, "aspe_xlsx", 100), (write_kros_list, "kros_list", 85),
    ],
)  # fmt: skip
def test_the_dialect_is_found_whatever_the_name(tmp_path, house, write, dialect, score):
    path = tmp_path / "ROZPOCET.PDF"
    write(path, house)
    found = detect(path, "ROZPOCET.PDF")
    assert (found.dialect, found.score) == (dialect, score)
    assert found.reasons
    assert found.label == dialect_label(dialect)
    assert found.candidates[0].dialect == dialect


def test_a_dialect_can_be_asked_for(tmp_path, house):
    write_unixml(tmp_path / "f", house)
    assert open_bill(tmp_path / "f", dialect="unixml").header.dialect == "unixml"
    with pytest.raises(ParseError) as refused:
        open_bill(tmp_path / "f", dialect="unknown")
    assert refused.value.code == "unknown_dialect"


def zipped(path, *names, content=b"<x/>"):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)


def workbook_with(path, *cells):
    book = openpyxl.Workbook()
    book.active.append(list(cells))
    book.save(path)


FILES = {
    "nothing": ("empty_file", b""),
    "only blanks": ("empty_file", b" \r\n\t\n"),
    "a PDF of nothing": ("damaged", b"%PDF-1.7\n%\xe2\xe3"),
    "an older Word file": ("not_a_workbook", compound({"WordDocument": b"x", "Workbook": b"a table in it"})),
    "an older presentation": ("not_a_workbook", compound({"PowerPoint Document": b"x"})),
    "an encrypted workbook": ("encrypted", compound({"EncryptedPackage": b"x"})),
    "an older workbook of nothing": ("damaged", compound({"Workbook": b""})),
    "the beginning of an older Office file": ("damaged", compound({"Workbook": b"x"})[:600]),
    "a drawing": ("unsupported_dialect", b"AC1032\x00\x00\x00\x00" + bytes(range(256)) * 4),
    "a drawing as text": ("unsupported_dialect", b"999\r\nfrom a program\r\n  0\r\nSECTION\r\n  2\r\nHEADER\r\n"),
    "GAEB 2000": ("unsupported_dialect", b"#begin[GAEB]\r\n#begin[GAEBInfo]\r\n"),
    "GAEB 90": ("unsupported_dialect", b"".join(
        f"{kind:<2}{text:<72}{number:06d}\r\n".encode() for number, (kind, text) in
        enumerate((("00", "83L Neubau"), ("01", "LV"), ("11", "Titel")), 1))),
    "IFC": ("unsupported_dialect", b"ISO-10303-21;\nHEADER;\n"),
    "XC4": ("unsupported_dialect", b'<?xml version="1.0"?><XC4 xmlns="urn:xc4"><stavba/></XC4>'),
    "other XML": ("unknown_dialect", b"<xml>test</xml>"),
    "a web page": ("unknown_dialect", b"<html><body>Rozpocet</body></html>"),
    "compressed bytes": ("unknown_dialect", gzip.compress(bytes(range(256)) * 40)),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_what_is_no_readable_bill_is_named(tmp_path, what):
    code, content = FILES[what]
    path = tmp_path / "bill.xlsx"
    path.write_bytes(content)
    for ask in (detect, open_bill):
        with pytest.raises(ParseError) as refused:
            ask(path)
        assert refused.value.code == code
        assert len(str(refused.value)) > 30


@pytest.mark.parametrize(
    ("names", "code", "words"),
    [
        (("[Content_Types].xml", "word/document.xml"), "not_a_workbook", "Word document"),
        (("ppt/presentation.xml",), "not_a_workbook", "presentation"),
        (("xl/workbook.bin",), "unsupported_dialect", "xlsb"),
        (("bill.xlsx", "readme.txt"), "not_a_workbook", "zip archive"),
    ],
)
def test_other_zip_files_are_named(tmp_path, names, code, words):
    path = tmp_path / "bill.xlsx"
    zipped(path, *names)
    with pytest.raises(ParseError, match=words) as refused:
        detect(path, "bill.xlsx")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cells", "dialect", "code"),
    [(("#RTSROZP#", "Rozpočet"), "rts_xlsx", "no_positions"), (("SŽDC05", "Soupis"), "aspe_xlsx", "damaged"),
     (("Výkaz", "#TypZaznamu#"), "rts_xlsx", "damaged")],
)  # fmt: skip
def test_a_workbook_with_a_programs_mark_and_nothing_else_has_no_bill(tmp_path, cells, dialect, code):
    path = tmp_path / "bill.xlsx"
    workbook_with(path, *cells)
    assert (detect(path).dialect, detect(path).score) == (dialect, 100)
    with pytest.raises(ParseError) as refused:
        bill = open_bill(path)
        reconciler = Reconciler(bill)
        list(reconciler.watch(bill.positions))
        assert_reconciled(reconciler.result())
    assert refused.value.code == code


XC4 = {
    "a price list": ('<XC4><CenoveSoustavy><Polozky/></CenoveSoustavy></XC4>', "price list"),
    "a bill": ("<XC4><zdroj>AspeEsticon</zdroj><stavba><objekty/></stavba></XC4>", "SŽDC05"),
    "a bill with its prices": ("<XC4><stavba><objekty/></stavba><CenoveSoustavy/></XC4>", "SŽDC05"),
    "a classification": ("<BuildingInformation><XC4><CenoveSoustavy/></XC4></BuildingInformation>", "price list"),
}  # fmt: skip


@pytest.mark.parametrize("what", XC4)
def test_xc4_is_refused_by_what_it_carries(tmp_path, what):
    content, words = XC4[what]
    (tmp_path / "f.xml").write_text(f'<?xml version="1.0" encoding="utf-8"?>{content}', "utf-8")
    with pytest.raises(ParseError, match=words) as refused:
        detect(tmp_path / "f.xml")
    assert refused.value.code == "unsupported_dialect"


def test_a_bill_that_speaks_of_concrete_xc4_is_no_xc4_file(tmp_path, house):
    write_gaeb(tmp_path / "f", replace(house, title="Stahlbeton C25/30 XC4"))
    assert detect(tmp_path / "f").dialect == "gaeb_xml"


def test_a_missing_file_is_a_parse_error(tmp_path):
    with pytest.raises(ParseError):
        detect(tmp_path / "none.xlsx")
