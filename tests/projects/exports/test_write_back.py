"""Prices go into the client's own workbook, and nothing else changes."""

from __future__ import annotations

import zipfile
from decimal import Decimal
from pathlib import Path

import pytest

from projects.exports.source import ExportError
from projects.exports.text_back import write_back_csv
from projects.exports.write_back import Price, WriteBack, write_back
from projects.parsers.bill import BillPosition
from projects.parsers.registry import open_bill
from projects.parsers.table_mapping import propose_mapping
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_kros
from tests.factories.bills_cz import write_rts
from tests.projects.exports.workbooks import client_workbook

D = Decimal
PRICES = {"1": D("1250.5"), "2": D(31000)}


def price_of(position: BillPosition) -> Price:
    return Price(PRICES.get(position.number), "" if position.number in PRICES else "this version has no such position")


def written(source: Path, *, into_locked: bool = False) -> tuple[Path, WriteBack]:
    target = source.with_name(f"priced-{source.name}")
    return target, write_back(
        source=source, target=target, opened=open_bill, price_of=price_of, into_locked=into_locked
    )


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def figures(path: Path) -> dict[str, object]:
    """Cells as a program that does not compute sees them."""
    from openpyxl import load_workbook

    book = load_workbook(path, data_only=True)
    return {
        f"{s.title}!{c.coordinate}": c.value for s in book for row in s.iter_rows() for c in row if c.value is not None
    }


def test_prices_are_written_and_everything_else_stays(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx")
    target, outcome = written(source)

    assert (outcome.positions, outcome.written, outcome.skipped_count) == (2, 2, {})
    assert [(p.unit_price, p.total) for p in open_bill(target).positions] == [
        (D("1250.5"), D(2501)), (D(31000), D(15500)),
    ]  # fmt: skip
    before, after = parts(source), parts(target)
    changed = [name for name in before if before[name] != after[name]]
    assert list(before) == list(after)
    assert sorted(changed) == ["xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"]


def test_what_follows_from_the_prices_is_computed_and_formulas_stay(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    source = client_workbook(tmp_path / "bill.xlsx")
    target, outcome = written(source)
    shown = figures(target)
    assert (shown["Rozpočet!F4"], shown["Rozpočet!F6"]) == (2501, 18001)
    assert shown["Poznámky!A1"] == pytest.approx(18001 * 1.21), "of another sheet, through a defined name"
    book = load_workbook(target)
    sheet = book["Rozpočet"]
    assert sheet["F4"].value == "=ROUND(D4*E4,2)" and sheet["F6"].value == "=SUM(F4:F5)"
    assert sheet.row_dimensions[2].hidden and sheet.column_dimensions["B"].width == 44
    assert "A1:C1" in [str(area) for area in sheet.merged_cells.ranges]
    assert book.calculation.fullCalcOnLoad
    assert (outcome.formulas_computed, outcome.formulas_left) == (4, 0)


def test_locked_cells_of_a_protected_sheet_are_left_and_told(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", protected=True, locked_rows=(5,))
    target, outcome = written(source)
    assert outcome.skipped == {"the cell is locked": ["Rozpočet!A5"]}
    assert [p.unit_price for p in open_bill(target).positions] == [D("1250.5"), D(100)]


def test_a_lock_means_nothing_while_the_sheet_is_not_protected(tmp_path: Path) -> None:
    _, outcome = written(client_workbook(tmp_path / "bill.xlsx", locked_rows=(4, 5)))
    assert outcome.written == 2


def test_a_file_all_locked_is_refused_unless_the_client_agreed(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", protected=True, locked_rows=(4, 5))
    with pytest.raises(ExportError, match="locked") as refused:
        written(source)
    assert refused.value.code == "nothing_written"
    target, outcome = written(source, into_locked=True)
    assert (outcome.written, outcome.was_locked) == (2, 2)
    assert b"sheetProtection" in parts(target)["xl/worksheets/sheet1.xml"], "the protection stays"


def test_typed_totals_and_sums_are_put_right(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", formulas=False, typed_sum=50.0)
    target, outcome = written(source)
    assert figures(target)["Rozpočet!F4"] == 2501 and figures(target)["Rozpočet!F6"] == 18001
    assert outcome.totals_written == 3


def test_a_typed_sum_that_is_locked_makes_the_file_false_and_there_is_none(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx", protected=True, typed_sum=50.0)
    with pytest.raises(ExportError, match="the sum of the whole bill reads 50") as refused:
        written(source)
    assert refused.value.code == "not_true_when_read"


def test_a_sum_of_the_clients_own_that_leaves_positions_out_is_told(tmp_path: Path) -> None:
    from openpyxl import load_workbook

    source = client_workbook(tmp_path / "bill.xlsx")
    book = load_workbook(source)
    book["Rozpočet"]["F6"] = "=F4"
    book.save(source)
    _, outcome = written(source)
    assert outcome.own_sums == {"Rozpočet!A6": ("2501", "18001")}


def test_what_the_budget_does_not_have_is_left_and_told(tmp_path: Path) -> None:
    rows = (("1", "Beton", "m3", 2, None), ("9", "Nové", "ks", 1, 7))
    _, outcome = written(client_workbook(tmp_path / "bill.xlsx", rows=rows))
    assert outcome.skipped == {"this version has no such position": ["Rozpočet!A5"]}


def test_a_price_that_is_a_formula_is_not_written_over(tmp_path: Path) -> None:
    rows = (("1", "Beton", "m3", 2, None), ("2", "Výztuž", "t", 0.5, "=E4*2"))
    _, outcome = written(client_workbook(tmp_path / "bill.xlsx", rows=rows))
    assert outcome.skipped == {"its price is computed by a formula": ["Rozpočet!A5"]}


def test_a_row_without_a_cell_for_the_price_gets_one(tmp_path: Path) -> None:
    source = client_workbook(tmp_path / "bill.xlsx")
    content = parts(source)
    sheet = content["xl/worksheets/sheet1.xml"]
    start = sheet.index(b'<c r="E4"')
    end = sheet.index(b"<c ", start + 1)
    content["xl/worksheets/sheet1.xml"] = sheet[:start] + sheet[end:]
    with zipfile.ZipFile(source, "w") as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    target, outcome = written(source)
    assert outcome.written == 2
    assert [p.unit_price for p in open_bill(target).positions] == [D("1250.5"), D(31000)]


def test_a_kros_bill_is_priced_through_all_its_sheets(tmp_path: Path) -> None:
    def section(code: str, price: str) -> GivenSection:
        return GivenSection(code, f"Díl {code}", (GivenPosition("1", "Výkop", "m3", D(3), D(price), "131111111"),))

    given = GivenBill(
        (GivenObject("SO 1", "Dům", (section("1", "10"),)), GivenObject("SO 2", "Garáž", (section("2", "20"),)))
    )
    source = tmp_path / "bill.xlsx"
    write_kros(source, given)
    target, outcome = written(source)
    assert outcome.total == D("7503.00")
    bill = open_bill(target)
    assert [p.total for p in bill.positions] == [D("3751.5"), D("3751.5")]
    assert {t.amount for t in bill.totals if t.level == "bill"} == {D(7503)}


def test_what_is_no_workbook_is_refused_in_words(tmp_path: Path) -> None:
    source = tmp_path / "bill.xlsx"
    source.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(ExportError) as refused:
        written(source)
    assert refused.value.code == "unwritable_workbook"


def test_a_total_that_was_wrong_before_stays_and_hinders_nobody(tmp_path: Path) -> None:
    source, target = tmp_path / "bill.csv", tmp_path / "priced.csv"
    rows = ["number;description;unit;quantity;unit price;total", "1;Digging;m3;10,5;3;999", "2;Filling;m3;4,5;2;9"]
    source.write_text("\n".join(rows) + "\n", encoding="utf-8")
    layout = propose_mapping(source, "bill.csv").mapping
    outcome = write_back_csv(
        source=source, target=target, opened=lambda file: open_bill(file, mapping=layout), mapping=layout,
        price_of=lambda position: Price(Decimal(5) if position.number == "2" else position.unit_price),
        report=lambda done, total, message: None,
    )  # fmt: skip
    assert outcome.written == 1
    assert [p.total for p in open_bill(target, mapping=layout).positions] == [Decimal(999), Decimal("22.50")]


def test_a_cover_that_tells_sums_by_rate_of_tax_is_right_when_one_cell_holds_all(tmp_path: Path) -> None:
    works = (
        GivenPosition("1", "Výkop", "m3", D(3), D(10), "131111111"),
        GivenPosition("2", "Zásyp", "m3", D(2), None, "174151101"),
    )
    source = tmp_path / "stavba.xlsx"
    write_rts(source, GivenBill((GivenObject("SO 1", "Stoka", (GivenSection("1", "Zemní práce", works),)),)))
    target, outcome = written(source)
    assert (outcome.written, outcome.total) == (2, D("65751.5"))
    covers = figures(target)
    assert [covers[f"Stavba!{cell}"] for cell in ("F12", "G12")] == [0, 65751.5]
    assert "Stavba!F12" not in outcome.own_sums
