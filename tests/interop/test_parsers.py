"""Real files that other programs and people made, read from $PLUMBLINE_REAL_FILES. Figures were checked by hand."""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from projects.parsers.bill import Billing, ParseError
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import detect, open_bill
from projects.parsers.totals import computed_total, position_total

ROOT = Path(os.environ.get("PLUMBLINE_REAL_FILES", "")) / "construction"
pytestmark = pytest.mark.skipif("PLUMBLINE_REAL_FILES" not in os.environ, reason="PLUMBLINE_REAL_FILES is not set")

KROS = "cz/valcha_kros_export_komplet.xlsx"
UNIXML = "cz/valcha_kros_unixml12.xml"
TENDER = "gaeb/Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_04_04_2024.x83"
BID = "gaeb/BVBS_Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_11_06_2021.x84"


def read(name, **options):
    bill = open_bill(ROOT / name, **options)
    reconciler = Reconciler(bill)
    positions = list(reconciler.watch(bill.positions))
    result = reconciler.result()
    assert_reconciled(result)
    return positions, result, bill


# One Czech budget, exported by its program in two formats


@pytest.mark.parametrize(("name", "dialect"), [(KROS, "kros_xlsx"), (UNIXML, "unixml")])
def test_valcha_adds_up_in_both_formats(name, dialect):
    positions, result, bill = read(name)
    assert bill.header.dialect == dialect
    assert (result.positions, result.computed_total, result.currency) == (298, D("8205797.76"), "CZK")
    assert result.object_totals == {
        "SO 1": D("4810986.28"),
        "SO 2": D("2531283.38"),
        "Elektroinstalace": D("330370.83"),
        "ZTI": D("433994.49"),
        "Zámková dlažba": D("99162.78"),
    }
    assert (result.differences, bill.warnings, result.unpriced) == ((), [], 0)
    assert (bill.header.reference, bill.header.vat_rates) == ("01-2025-AP", (D(21), D(12)))
    assert bill.header.rounding.total == D("0.01")
    assert bill.header.rounding.is_stated
    assert {p.kind for p in positions} == {"work", "material"}


def test_valcha_is_the_same_in_both_formats_code_by_code():
    workbook, exchange = read(KROS)[0], read(UNIXML)[0]
    rounding = read(UNIXML)[2].header.rounding

    def facts(p):
        return (p.object_code, p.object_name, p.number, p.code, p.kind, p.description, p.unit, p.quantity, p.unit_price,
                p.section_path, p.vat_rate, position_total(p, rounding))  # fmt: skip

    def by_number(positions):
        return {(p.object_code, p.number): facts(p) for p in positions}

    assert by_number(workbook) == by_number(exchange)
    assert [p.code for p in workbook if p.code == "998012021"] == [p.code for p in exchange if p.code == "998012021"]


def test_valcha_workbook_states_every_sum_and_has_no_arithmetic_fault():
    positions, result, bill = read(KROS)
    assert result.stated_total == D("8205797.76")
    assert Counter(total.level for total in bill.totals) == {"section": 52, "object": 10, "bill": 1}
    assert [p for p in positions if p.total != computed_total(p, bill.header.rounding)] == []


def test_valcha_measure_sheets_name_their_quantity():
    positions, *_ = read(UNIXML)
    sheets = [p.measure for p in positions if p.measure]
    assert len(sheets) == 154
    assert all(sum(line.is_quantity for line in sheet) == 1 for sheet in sheets)
    lines = Counter(line.kind for sheet in sheets for line in sheet)
    assert lines == {"expression": 175, "subtotal": 11, "comment": 17}  # without 11 empty lines, with 2 figures
    assert all(line.text for sheet in sheets for line in sheet)
    figures = {(line.figure, line.value) for sheet in sheets for line in sheet if line.figure}
    assert figures == {("F0005", D("100.8")), ("F0007", D("28.4"))}


def test_valcha_workbook_has_the_same_measure_lines_with_their_results():
    def lines(positions):  # without the figures' values, which stand on a sheet of their own in the workbook
        return {
            (p.object_code, p.number): [
                ("".join(line.text.split()), line.kind, line.is_quantity) for line in p.measure if not line.figure
            ]
            for p in positions
        }

    workbook, exchange = read(KROS)[0], read(UNIXML)[0]
    assert lines(workbook) == lines(exchange)
    assert sum(line.value is not None for p in workbook for line in p.measure) == 186


def test_valcha_exchange_file_names_the_price_system_where_the_workbook_leaves_it_empty():
    systems = Counter(p.price_system for p in read(UNIXML)[0])
    assert systems == {"CS ÚRS 2025 02": 224, "": 74}
    assert {p.price_system for p in read(KROS)[0]} == {""}


# GAEB DA XML


def test_bvbs_bid_joined_to_its_tender():
    positions, result, bill = read(BID, tender=ROOT / TENDER)
    assert (result.positions, result.computed_total, result.stated_total) == (28, D("2000000.00"), D("2000000.00"))
    assert (result.differences, bill.warnings) == ((), [])
    assert Counter(p.billing for p in positions) == {
        Billing.NORMAL: 24, Billing.OPTIONAL_COUNTED: 2, Billing.ALTERNATIVE: 1, Billing.SURCHARGE: 1,
    }  # fmt: skip
    [alternative] = [p for p in positions if p.billing is Billing.ALTERNATIVE]
    [surcharge] = [p for p in positions if p.billing is Billing.SURCHARGE]
    assert (alternative.number, alternative.total) == ("001.002.0050", D("0.00"))
    assert (surcharge.number, surcharge.total, surcharge.unit_price) == ("002.001.0030", D("85000.00"), D("10.00"))
    agree = [p for p in positions if p.quantity is not None and p.total == computed_total(p, bill.header.rounding)]
    assert len(agree) == 26
    assert {"001.001.0010", "001.001.0010.1", "001.001.0010.A"} <= {p.number for p in positions}
    [largest] = [p for p in positions if p.quantity == D("12345678.012")]
    assert largest.total == D("123456.78")


def test_bvbs_bid_alone_has_no_quantities_and_says_so():
    positions, result, _ = read(BID)
    assert result.computed_total == D("2000000.00")
    assert {p.quantity_reason for p in positions} == {"X84 carries no quantities", "surcharge on 850000.00"}


def test_systori_tender():
    positions, result, bill = read("gaeb/gaeb2.x83")
    assert (result.positions, bill.header.phase, bill.header.currency) == (170, "X83", "EUR")
    assert sum(p.billing is Billing.LUMP_SUM for p in positions) == 5
    assert all(p.description and p.long_text and p.unit and p.quantity is not None for p in positions)
    assert all(p.unit_price is None and p.total is None for p in positions)


@pytest.mark.parametrize(
    ("name", "total", "count"),
    [
        ("realistic.x84", "9649.00", 4),
        ("contract.x86", "3475.00", 2),
        ("nachtrag.x86", "4575.00", 4),
    ],
)
def test_gaebphp_totals(name, total, count):
    _, result, bill = read(f"gaeb/gaebphp_{name}")
    assert (result.positions, result.computed_total, result.stated_total) == (count, D(total), D(total))
    assert (result.differences, bill.warnings) == ((), [])


def test_gaebphp_discount_is_kept_beside_the_total():
    *_, bill = read("gaeb/gaebphp_realistic.x84")
    [whole] = [total for total in bill.totals if total.level == "bill"]
    assert whole.discount == D("482.45")


def test_gaebphp_change_orders_are_marked():
    positions, *_ = read("gaeb/gaebphp_nachtrag.x86")
    assert [p.billing for p in positions] == [Billing.NORMAL, Billing.LUMP_SUM, Billing.CHANGE, Billing.CHANGE]


def test_gaebphp_nonconforming_is_read_with_warnings():
    [position], _, bill = read("gaeb/gaebphp_nonconforming.x83")
    assert (position.number, position.quantity, position.unit) == ("0010", D("5.000"), "St")
    assert len(bill.warnings) == 5
    assert "Line 11: position 0010 has no text." in bill.warnings


@pytest.mark.parametrize(("extension", "priced"), [("x81", False), ("x82", True)])
def test_text_and_estimate_phases_come_out_too(extension, priced):
    [name] = list((ROOT / "gaeb").glob(f"GAEB_*.{extension}"))
    positions, _, _ = read(name.relative_to(ROOT))
    assert len(positions) == 18
    assert all((p.unit_price is not None) is priced for p in positions)


# What can't be read yet, and what must not be


def test_a_building_model_is_told_from_a_bill():
    with pytest.raises(ParseError, match="IFC") as refused:
        open_bill(ROOT / "ifc/project0-openings.ifc")
    assert refused.value.code == "unsupported_dialect"


def test_a_real_workbook_with_a_wrong_name_is_known_by_its_content(tmp_path):
    copy = tmp_path / "ROZPOCET.XLS"
    copy.write_bytes((ROOT / KROS).read_bytes())
    assert detect(copy).dialect == "kros_xlsx"


def test_a_real_workbook_cut_short_is_damaged(tmp_path):
    content = (ROOT / KROS).read_bytes()
    for share in (0.1, 0.5, 0.99):
        (tmp_path / "f.xlsx").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(ParseError) as refused:
            list(open_bill(tmp_path / "f.xlsx").positions)
        assert refused.value.code == "damaged"


def test_a_document_type_put_into_a_real_file_is_refused(tmp_path):
    text = (ROOT / UNIXML).read_text("utf-8-sig")
    declared = text.replace("<unixml", '<!DOCTYPE unixml [<!ENTITY x SYSTEM "file:///etc/hostname">]>\n<unixml', 1)
    (tmp_path / "f.xml").write_text(declared.replace("RD Valcha", "&x;", 1), "utf-8")
    with pytest.raises(ParseError) as refused:
        open_bill(tmp_path / "f.xml")
    assert refused.value.code == "xml_forbidden"


def test_one_price_changed_in_a_real_workbook_no_longer_reconciles(tmp_path):
    path = tmp_path / "f.xlsx"
    with zipfile.ZipFile(ROOT / KROS) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet2.xml":
                changed = content.replace(b"<v>94288</v>", b"<v>95288</v>")
                assert changed != content
                content = changed
            new.writestr(name, content)
    bill = open_bill(path)
    reconciler = Reconciler(bill)
    for _ in reconciler.watch(bill.positions):
        pass
    result = reconciler.result()
    assert replace(result.bill_difference).amount == D("-1000")
    assert "SO 1 › HSV Práce a dodávky HSV › 2 Zakládání" in {d.where for d in result.differences}
    with pytest.raises(ParseError, match=r"8,205,797\.76 CZK.*8,206,797\.76 CZK") as refused:
        assert_reconciled(result)
    assert refused.value.code == "does_not_reconcile"
