"""Each format, written from a version and read back by our own reader."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projects.exports.csv_file import LONGEST, write_csv
from projects.exports.gaeb_file import write_gaeb
from projects.exports.proof import Proof
from projects.exports.source import ExportBill, ExportError
from projects.exports.unixml_file import write_unixml
from projects.exports.xlsx_file import write_xlsx
from projects.parsers.bill import Billing, BillPosition, MeasureLine, PositionKind
from projects.parsers.registry import open_bill
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection
from tests.factories.bills import write_gaeb as tender_of

D = Decimal
WORK = BillPosition(
    1, "1", "Základové pásy z betonu tř. C 20/25", object_code="SO 1", object_name="Dům",
    section_path=("HSV Práce a dodávky HSV", "2 Zakládání"), code="274321411", catalogue="ÚRS",
    price_system="CS ÚRS 2025 02", long_text="První řádek\ndruhý", unit="m3", quantity=D("10.5"),
    unit_price=D("3120.5"), vat_rate=D(21),
    measure=(
        MeasureLine("F1 = 10,50 m3", "comment", D("10.50"), "F1"), MeasureLine("F1", "expression", None, "", True),
    ),
)  # fmt: skip
POSITIONS = (
    WORK,
    replace(
        WORK, ordinal=2, number="2", description='=1+2 <&> "Größe"', code="Pol1", kind=PositionKind.MATERIAL,
        measure=(), unit="soubor", vat_rate=D(12), unit_price=D("0.0125"),
        section_path=("HSV Práce a dodávky HSV", "3 Svislé"),
    ),
    replace(
        WORK, ordinal=3, number="3", description="Jiný text", measure=(), quantity=None, unit="%", unit_price=D(2),
        quantity_reason="percentage", object_code="SO 2", object_name="Garáž", section_path=("VRN",), vat_rate=None,
    ),
    replace(WORK, ordinal=4, number="4", description="Alternativa", billing=Billing.ALTERNATIVE, measure=(), code=""),
    replace(WORK, ordinal=5, number="5", description="Zpět v dílu 2", measure=(), long_text=""),
)  # fmt: skip
TOTAL = D("32765.25") + D("0.13") + D("32765.25")


def bill(positions: tuple[BillPosition, ...] = POSITIONS) -> ExportBill:
    def read() -> Iterator[BillPosition]:
        return iter(positions)

    return ExportBill(read=read, title="Dům u lesa", currency="CZK", made_on=date(2026, 3, 5), count=len(positions),
                      vat_rates=(D(21), D(12)))  # fmt: skip


@pytest.mark.parametrize("delimiter", ["semicolon", "comma", "tab"])
def test_csv_has_every_field_and_no_formula(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "bill.csv"
    told = write_csv(path, bill(), delimiter=delimiter, bom=True)
    assert (told["read_back"], D(told["total"])) == (5, TOTAL)
    text = path.read_text(encoding="utf-8-sig")
    mark = {"semicolon": ";", "comma": ",", "tab": "\t"}[delimiter]
    rows = list(csv.DictReader(text.splitlines(keepends=True), delimiter=mark))
    assert rows[1]["Description"].startswith("'=1+2")
    assert rows[0]["Quantity"] == ("10,5" if delimiter == "semicolon" else "10.5")
    assert rows[0]["Section"] == "HSV Práce a dodávky HSV › 2 Zakládání"
    assert [row["In the total"] for row in rows] == ["yes", "yes", "yes", "no", "yes"]
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")


def test_csv_without_its_mark(tmp_path: Path) -> None:
    write_csv(tmp_path / "bill.csv", bill(), bom=False)
    assert not (tmp_path / "bill.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_xlsx_has_totals_as_formulas_and_sums(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    path = tmp_path / "bill.xlsx"
    assert write_xlsx(path, bill())["read_back"] == 5
    shown, typed = load_workbook(path, data_only=True), load_workbook(path)
    assert shown["Bill"]["P7"].value == float(TOTAL)
    assert typed["Bill"]["P2"].value == "=ROUND(M2*O2,2)"
    assert typed["Bill"]["J3"].value == '=1+2 <&> "Größe"' and typed["Bill"]["J3"].data_type == "s"
    sums = {row[0].value: row[1].value for row in shown["Sums"].iter_rows(max_col=2)}
    assert (sums["Whole"], sums["SO 2"]) == (float(TOTAL), 0)


def test_a_text_as_long_as_a_field_may_be_is_read_back_with_its_apostrophe(tmp_path: Path) -> None:
    long = replace(WORK, description="-" + "x" * (LONGEST - 1))
    told = write_csv(tmp_path / "bill.csv", bill((long,)))
    assert (told["read_back"], told["cut"]) == (1, 1)
    exact = replace(WORK, description="x" * LONGEST)
    assert write_csv(tmp_path / "bill.csv", bill((exact,)))["cut"] == 0


def test_figures_that_a_spreadsheet_does_not_hold_are_counted(tmp_path: Path) -> None:
    fine = replace(WORK, quantity=D("12345678901234.5678"), unit_price=D("0.01"))
    told = write_xlsx(tmp_path / "bill.xlsx", bill((WORK, replace(fine, ordinal=2, number="2"))))
    assert (told["read_back"], told["fifteen_digits"]) == (2, 1)


@pytest.mark.parametrize("write", [write_csv, write_xlsx], ids=["csv", "xlsx"])
def test_a_total_beyond_any_table_is_refused_by_its_position(tmp_path: Path, write: Any) -> None:
    huge = replace(WORK, number="7", quantity=D(10) ** 8, unit_price=D(10) ** 7)
    with pytest.raises(ExportError, match="total of position 7") as refused:
        write(tmp_path / "bill", bill((huge,)))
    assert refused.value.code == "too_large"


def test_texts_without_a_code_get_one_each_and_the_same_text_the_same(tmp_path: Path) -> None:
    texts = ["Výkop", "Zásyp", "Výkop", "Odvoz", "Zásyp"]
    positions = tuple(
        replace(WORK, ordinal=i, number=str(i), code="", description=text, measure=()) for i, text in enumerate(texts)
    )
    told = write_unixml(tmp_path / "bill.xml", bill(positions))
    read = list(open_bill(tmp_path / "bill.xml").positions)
    assert [(p.code, p.description) for p in read] == [
        ("X/2", "Výkop"), ("X/3", "Zásyp"), ("X/2", "Výkop"), ("X/4", "Odvoz"), ("X/3", "Zásyp"),
    ]  # fmt: skip
    assert (told["read_back"], told["recoded"]) == (5, 5)


def test_unixml_gives_back_what_it_was_given(tmp_path: Path) -> None:
    path = tmp_path / "bill.xml"
    told = write_unixml(path, bill())
    assert (told["read_back"], told["uncounted"]) == (5, 1)
    read = {p.number: p for p in open_bill(path).positions}
    assert replace(read["1"], source="", quantity=D("10.5")) == WORK
    assert (read["2"].vat_rate, read["2"].kind, read["2"].unit_price) == (D(12), PositionKind.MATERIAL, D("0.0125"))
    assert told["recoded"] == 2, "one code with other texts, and none at all"
    assert read["5"].code == "274321411/2"


def test_gaeb_contract_numbers_what_has_no_numbers_of_gaeb(tmp_path: Path) -> None:
    path = tmp_path / "bill.x86"
    told = write_gaeb(path, bill(), phase="86")
    assert (told["read_back"], told["numbered_anew"], told["units"]) == (5, True, {"soubor": "soub"})
    again = open_bill(path)
    read = list(again.positions)
    assert [p.number for p in read] == [
        "01.01.01.0010",
        "01.01.01.0020",
        "01.01.01.0030",
        "01.01.02.0010",
        "02.01.01.0010",
    ]
    assert [t.amount for t in again.totals if t.level == "bill"] == [TOTAL]
    assert [p.billing for p in read if p.description == "Alternativa"] == [Billing.ALTERNATIVE]
    assert told["rounded"] == 1, "GAEB has three digits: 0.0125 is 0.013"


def test_a_gaeb_bid_answers_its_tender_by_its_ids(tmp_path: Path) -> None:
    dug = GivenPosition("0010", "Aushub", "m3", D(5), D(12))
    deep = GivenPosition("0010", "Aushub tief", "m3", D(2), D(15), index="A")
    sections = (GivenSection("01", "Erdarbeiten", (dug, deep)),)
    tender = tmp_path / "tender.x83"
    tender_of(tender, GivenBill((GivenObject("01", "Halle", sections),)), phase="83")
    positions = tuple(replace(p, unit_price=D("12.345")) for p in open_bill(tender).positions)
    path = tmp_path / "bid.x84"
    told = write_gaeb(path, bill(positions), phase="84", tender=tender)
    assert (told["read_back"], told["joined"], told["numbered_anew"]) == (2, True, False)
    text = path.read_text(encoding="utf-8")
    assert 'ID="I0010" RNoPart="0010"' in text and 'RNoIndex="A"' in text and 'ID="C01"' in text
    assert "<Qty>" not in text and "Aushub" not in text, "a bid has prices, no quantities and no texts"
    joined = list(open_bill(path, tender=tender).positions)
    assert [(p.quantity, p.unit_price, p.total) for p in joined] == [
        (D(5), D("12.345"), D("61.73")),
        (D(2), D("12.345"), D("24.69")),
    ]


def test_a_bid_that_lacks_positions_of_its_tender_is_not_given_out(tmp_path: Path) -> None:
    sections = (GivenSection("01", "Erdarbeiten", tuple(GivenPosition(f"00{i}0", "Aushub") for i in (1, 2))),)
    tender = tmp_path / "tender.x83"
    tender_of(tender, GivenBill((GivenObject("01", "Halle", sections),)), phase="83")
    first = next(iter(open_bill(tender).positions))
    with pytest.raises(ExportError, match="lacks: 01"):
        write_gaeb(tmp_path / "bid.x84", bill((first,)), phase="84", tender=tender)


def test_another_reader_of_gaeb_finds_no_fault_in_the_contract(tmp_path: Path) -> None:
    from pygaeb import GAEBParser

    path = tmp_path / "bill.x86"
    write_gaeb(path, bill(), phase="86")
    document = GAEBParser.parse(str(path))
    assert len(list(document.award.boq.iter_items())) == 5
    assert not [result for result in document.validation_results if "error" in str(result.severity).lower()]


def test_a_file_that_says_something_else_is_no_export(tmp_path: Path) -> None:
    path = tmp_path / "bill.xml"
    write_unixml(path, bill())
    proof = Proof()
    proof.expect(("SO 1", "1"), ("another",), None)
    with pytest.raises(ExportError, match="reads otherwise") as refused:
        proof.check(open_bill(path), lambda position: (position.description,))
    assert refused.value.code == "not_true_when_read"


@pytest.mark.parametrize("write", [write_csv, write_xlsx, write_unixml], ids=["csv", "xlsx", "unixml"])
def test_nothing_is_no_file(tmp_path: Path, write: object) -> None:
    with pytest.raises(ExportError) as refused:
        write(tmp_path / "bill", bill(()))  # type: ignore[operator]
    assert refused.value.code == "no_positions"
