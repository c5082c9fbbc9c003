"""Real bills priced and written back, and exported to every format: what is read again is what was written."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from projects.exports.gaeb_file import write_gaeb
from projects.exports.recalculate import Recalculator
from projects.exports.sheet_cells import SheetText
from projects.exports.source import ExportBill, ExportError
from projects.exports.unixml_file import write_unixml
from projects.exports.workbook_parts import Package
from projects.exports.write_back import Price, write_back
from projects.parsers.bill import BillPosition
from projects.parsers.registry import open_bill
from tests.workbook_sound import changes_besides_values, warnings_of

FOLDER = Path(os.environ.get("PLUMBLINE_REAL_FILES", "/nowhere")) / "construction"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files")
CZECH, GAEB = FOLDER / "cz", FOLDER / "gaeb"
VALCHA = CZECH / "valcha_kros_export_komplet.xlsx"
RTS = CZECH / "rozmital_rts_buildpower_blank.xlsx"
ASPE = CZECH / "bohumin_aspe_szdc05_blank.xlsx"
D = Decimal


def price_of(position: BillPosition) -> Price:
    """Another price for each, of two digits."""
    return Price(D(position.ordinal * 7) + D("0.15"))


def bare(position: BillPosition) -> BillPosition:
    return replace(position, unit_price=None, total=None, price_components=())


def unplaced(position: BillPosition) -> BillPosition:
    return replace(position, source="", price_components=())


@pytest.mark.parametrize(
    ("path", "positions", "into_locked"), [(VALCHA, 298, True), (RTS, 210, False), (ASPE, 634, False)],
    ids=["kros", "rts", "aspe"],
)  # fmt: skip
def test_prices_go_into_the_clients_file(tmp_path: Path, path: Path, positions: int, into_locked: bool) -> None:
    target = tmp_path / path.name
    outcome = write_back(
        source=path, target=target, opened=open_bill, price_of=price_of, into_locked=into_locked
    )  # fmt: skip
    assert (outcome.positions, outcome.written, outcome.skipped_count) == (positions, positions, {})
    assert outcome.formulas_left == 0
    # The client's own grand total leaves out all but the first part: M8 is =0+M9.
    assert list(outcome.own_sums) == (["SO 11-61-01!M8"] if path == ASPE else [])
    before, after = list(open_bill(path).positions), list(open_bill(target).positions)
    assert [p.unit_price for p in after] == [price_of(p).unit_price for p in before]
    assert [bare(p) for p in after] == [bare(p) for p in before]
    assert outcome.total == sum((p.total or D(0) for p in after), D(0)) > 0
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target) as new:
        assert old.namelist() == new.namelist()
        changed = {name for name in old.namelist() if old.read(name) != new.read(name)}
    assert changed <= {"xl/workbook.xml", *(name for name in changed if name.startswith("xl/worksheets/sheet"))}
    assert warnings_of(target) == []
    assert changes_besides_values(path, target) == []


def test_a_file_that_its_author_locked_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="298 × the cell is locked"):
        write_back(source=VALCHA, target=tmp_path / "out.xlsx", opened=open_bill, price_of=price_of)


@pytest.mark.parametrize(("path", "formulas"), [(VALCHA, 3604), (RTS, 1900), (ASPE, 2039)], ids=["kros", "rts", "aspe"])
def test_every_formula_comes_to_what_the_spreadsheet_stored(path: Path, formulas: int) -> None:
    """Everything computed anew from the constants alone."""
    with Package(path) as package:
        strings = package.shared_strings()
        sheets = {name: SheetText(package.text(part)).cells(strings) for name, part in package.sheets.items()}
        stored = {name: dict(cells.values) for name, cells in sheets.items()}
        constants = {
            name: {place: value for place, value in cells.values.items() if place not in cells.formulas}
            for name, cells in sheets.items()
        }
        found = Recalculator(sheets, package.names).after(constants)
    assert (found.computed, found.left) == (formulas, 0)
    for name, results in found.results.items():
        for place, value in results.items():
            was = stored[name].get(place, "")
            if isinstance(value, D) and isinstance(was, D):
                assert abs(value - was) < D("0.000001"), (name, place, value, was)
            else:
                assert value == was, (name, place, value, was)


def version_of(*paths: Path, price: Decimal | None = None) -> tuple[ExportBill, list[BillPosition]]:
    bill = open_bill(paths[0], tender=paths[1] if len(paths) > 1 else None)
    positions = list(bill.positions)
    if price is not None:
        positions = [replace(p, unit_price=price, total=None) for p in positions]

    def read() -> Iterator[BillPosition]:
        return iter(positions)

    header = bill.header
    made = ExportBill(
        read=read, title=header.title, reference=header.reference, currency=header.currency, made_on=date(2026, 3, 5),
        vat_rates=header.vat_rates, rounding=header.rounding, count=len(positions), budget_on=header.budget_on,
    )  # fmt: skip
    return made, positions


def test_valcha_as_unixml_is_valcha(tmp_path: Path) -> None:
    version, positions = version_of(CZECH / "valcha_kros_unixml12.xml")
    told = write_unixml(tmp_path / "out.xml", version)
    assert (told["read_back"], told["recoded"], told["total"]) == (298, 0, "8205797.76")
    again = open_bill(tmp_path / "out.xml")
    assert [replace(p, source="") for p in again.positions] == [replace(p, source="") for p in positions]
    assert again.header.rounding == version.rounding and again.header.vat_rates == version.vat_rates


def test_the_bvbs_bid_written_anew_joins_its_tender_to_the_same(tmp_path: Path) -> None:
    tender, bid = next(GAEB.glob("Pruefdatei*.x83")), next(GAEB.glob("BVBS*.x84"))
    version, positions = version_of(bid, tender)
    told = write_gaeb(tmp_path / "out.x84", version, phase="84", tender=tender)
    assert (told["read_back"], told["joined"], told["total"]) == (28, True, "2000000.00")
    again = open_bill(tmp_path / "out.x84", tender=tender)
    assert [unplaced(p) for p in again.positions] == [unplaced(p) for p in positions]
    ids = [line.split('"')[1] for line in (tmp_path / "out.x84").read_text().split("<Item ") if line.startswith("ID=")]
    assert "I" not in {identity[:1] for identity in ids if not identity.startswith("ID")}, "the tender's own ids"


@pytest.mark.parametrize("phase", ["84", "86"])
def test_a_czech_budget_as_gaeb(tmp_path: Path, phase: str) -> None:
    version, _ = version_of(VALCHA)
    told = write_gaeb(tmp_path / f"out.x{phase}", version, phase=phase)
    assert (told["read_back"], told["total"], told["numbered_anew"]) == (298, "8205797.76", True)
