"""Workbooks as clients send them, small: protected or not, with formulas, styles and whatever else must stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def client_workbook(
    path: Path,
    *,
    protected: bool = False,
    locked_rows: tuple[int, ...] = (),
    rows: tuple[tuple[Any, ...], ...] = (("1", "Beton", "m3", 2, None), ("2", "Výztuž", "t", 0.5, 100)),
    formulas: bool = True,
    typed_sum: float | None = None,
) -> Path:
    """A table: titles in row 3, positions from row 4, totals as formulas, the grand total below; one hidden row, a
    merged title, a defined name, a comment of a width."""
    from openpyxl import Workbook
    from openpyxl.styles import Font, Protection

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Rozpočet"
    sheet["A1"] = "Soupis prací"
    sheet["A1"].font = Font(bold=True)
    sheet.merge_cells("A1:C1")
    sheet.append([])
    sheet.append(["Poř. č.", "Popis", "MJ", "Množství", "J. cena [CZK]", "Cena celkem [CZK]"])
    for row, values in enumerate(rows, start=4):
        for column, value in enumerate(values, start=1):
            sheet.cell(row, column, value)
        sheet.cell(row, 5).protection = Protection(locked=row in locked_rows)
        if formulas:
            sheet.cell(row, 6, f"=ROUND(D{row}*E{row},2)")
        else:
            sheet.cell(row, 6, round((values[3] or 0) * (values[4] or 0), 2))
    end = 4 + len(rows)
    sheet.cell(end, 2, "Celkem bez DPH")
    sheet.cell(end, 6, f"=SUM(F4:F{end - 1})" if typed_sum is None else typed_sum)
    sheet.row_dimensions[2].hidden = True
    sheet.column_dimensions["B"].width = 44
    sheet.protection.sheet = protected
    _add_notes(book, end)
    book.save(path)
    return path


def _add_notes(book: Any, total_row: int) -> None:
    from openpyxl.workbook.defined_name import DefinedName

    book.defined_names["Celkem"] = DefinedName("Celkem", attr_text=f"'Rozpočet'!$F${total_row}")
    other = book.create_sheet("Poznámky")
    other["A1"] = "=Celkem*1.21"
    other["A2"] = "Platí do konce roku"
