"""Files that leave here, opened by another spreadsheet program; real bills that it saved in other kinds, read here."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projects.exports.sheet_cells import SheetText
from projects.exports.workbook_parts import Package
from projects.exports.write_back import write_back
from projects.exports.xlsx_file import write_xlsx
from projects.parsers.bill import Bill, BillPosition
from projects.parsers.reconcile import Reconciler
from projects.parsers.registry import open_bill

from .test_exports import ASPE, FOLDER, RTS, VALCHA, price_of, version_of

BILLS = (VALCHA, RTS, ASPE)
D = Decimal


def _python_with_uno() -> str:
    """The system's, as a rule: LibreOffice's module is not one of packages."""
    for name in ("/usr/bin/python3", "python3"):
        if not shutil.which(name):
            continue
        if subprocess.run([name, "-c", "import uno"], capture_output=True, check=False).returncode == 0:
            return name
    return ""


OFFICE = shutil.which("soffice")
PYTHON = _python_with_uno() if OFFICE else ""
pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="PLUMBLINE_REAL_FILES names no folder of real files"),
    pytest.mark.skipif(not PYTHON, reason="LibreOffice with its Python module is not installed"),
]


def opened(folder: Path, *paths: Path) -> dict[str, Any]:
    """As `tests/office.py` tells it."""
    program = Path(__file__).parents[1] / "office.py"
    subprocess.run([PYTHON, str(program), *map(str, paths), str(folder / "told.json")], check=True, timeout=300)
    told: dict[str, Any] = json.loads((folder / "told.json").read_text("utf-8"))
    return told


def stored(path: Path) -> dict[str, dict[tuple[int, int], Any]]:
    """The results of formulas that the file holds, by sheet."""
    found = {}
    with Package(path) as package:
        strings = package.shared_strings()
        for name, part in package.sheets.items():
            cells = SheetText(package.text(part)).cells(strings)
            found[name] = {place: cells.values.get(place, "") for place in cells.formulas}
    return found


def assert_computed_alike(path: Path, told: dict[str, Any]) -> int:
    """What the file holds is what the program computes; how many."""
    assert told["asked"] == []
    held = stored(path)
    computed = {
        name: {(row, column): result for row, column, result in results} for name, results in told["sheets"].items()
    }
    count = 0
    for name, results in held.items():
        assert results.keys() == computed[name].keys()
        for place, was in results.items():
            result = computed[name][place]
            if isinstance(result, float) and was != "":
                assert abs(D(repr(result)) - D(was)) <= D("0.000001"), (name, place, was, result)
            else:  # a reference to an empty cell: nothing in the one, 0 in the other
                assert (result or "") == was, (name, place, was, result)
            count += 1
    return count


def test_priced_bills_open_without_a_question_and_compute_to_what_they_hold(tmp_path: Path) -> None:
    paths = []
    for source in BILLS:
        paths.append(tmp_path / source.name)
        write_back(
            source=source, target=paths[-1], opened=open_bill, price_of=price_of, into_locked=source == VALCHA
        )  # fmt: skip
    told = opened(tmp_path, *paths)
    assert [assert_computed_alike(path, told[str(path)]) for path in paths] == [3629, 1903, 2176]


def test_exports_open_without_a_question_and_compute_to_what_they_hold(tmp_path: Path) -> None:
    paths = []
    for source in BILLS:
        paths.append(tmp_path / f"export-{source.name}")
        write_xlsx(paths[-1], version_of(source, price=D("12.35"))[0])
    told = opened(tmp_path, *paths)
    assert [assert_computed_alike(path, told[str(path)]) for path in paths] == [299, 210, 635]


def test_a_damaged_file_is_asked_about(tmp_path: Path) -> None:
    """Else the two above would see nothing."""
    (tmp_path / "cut.xlsx").write_bytes(RTS.read_bytes()[:90_000])
    assert opened(tmp_path, tmp_path / "cut.xlsx")[str(tmp_path / "cut.xlsx")]["asked"]


def test_a_workbook_that_was_printed_says_the_same(tmp_path: Path) -> None:
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "pdf",
         "--outdir", str(tmp_path), str(VALCHA)],
        check=True, timeout=300, capture_output=True,
    )  # fmt: skip
    printed = open_bill(tmp_path / f"{VALCHA.stem}.pdf")
    reconciler = Reconciler(printed)
    found, expected = list(reconciler.watch(printed.positions)), list(open_bill(VALCHA).positions)
    assert [_printed(position) for position in found] == [_printed(position) for position in expected]
    result = reconciler.result()
    assert (result.computed_total, result.stated_total, result.differences) == (D("8205797.76"), D("8205797.76"), ())
    # Texts of measure lines, their results in the three digits of the print.
    assert [_measured(position) for position in found] == [_measured(position) for position in expected]


def _printed(position: BillPosition) -> tuple[object, ...]:
    words = " ".join(position.description.split())
    return (
        position.number, position.kind, position.code, words, position.unit, position.quantity, position.unit_price,
        position.total, position.object_code, position.object_name, position.section_path,
    )  # fmt: skip


def _measured(position: BillPosition) -> list[tuple[str, D | None]]:
    def printed(value: D | None) -> D | None:
        return None if value is None else value.quantize(D("0.001"), "ROUND_HALF_UP")

    return [("".join(line.text.split()), printed(line.value)) for line in position.measure]


def read(path: Path) -> tuple[Bill, list[BillPosition]]:
    """Without places: columns keep theirs, but a sheet that begins further right is named from there."""
    bill = open_bill(path)
    return bill, [replace(position, source="") for position in bill.positions]


@pytest.mark.parametrize("kind", ["ods", "xls", "xlsx"])
def test_a_bill_saved_by_another_program_is_the_same_bill(tmp_path: Path, kind: str) -> None:
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", kind,
         "--outdir", str(tmp_path), *map(str, BILLS)],
        check=True, timeout=300, capture_output=True,
    )  # fmt: skip
    for source in BILLS:
        bill, positions = read(source)
        again, found = read(tmp_path / f"{source.stem}.{kind}")
        assert found == positions and found
        assert again.header == bill.header
        assert [replace(total, source="") for total in again.totals] == [
            replace(total, source="") for total in bill.totals
        ]
        assert (again.warnings, again.stated_count) == (bill.warnings, bill.stated_count)
