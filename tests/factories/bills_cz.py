"""Bills in the workbooks of Czech programs: RTS BUILDpower, Aspe (form SŽDC05), the list view of KROS.

Laid out as the programs do: formulas with their results beside them, types of rows in their columns, titles in place.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from projects.parsers.sheet_extent import column_letters
from projects.parsers.writers.spreadsheet_parts import SharedStrings, number, open_part, write_package
from tests.factories.bills import GivenBill, GivenObject, GivenPosition

__all__ = ["Formula", "write_aspe", "write_kros_list", "write_rts", "write_sheets"]


@dataclass(frozen=True)
class Formula:
    """A cell's formula and the result that the file holds for it."""

    text: str
    value: Decimal | None


Cell = str | Decimal | Formula | None
Cells = dict[str, Cell]  # column → cell


def write_sheets(
    path: Path,
    sheets: Sequence[tuple[str, Iterable[Cells]]],
    *,
    hidden_sheets: Iterable[str] = (),
    hidden_rows: Iterable[tuple[str, int]] = (),
) -> None:
    """Rows from row 1; hidden rows by sheet and number."""
    strings, hidden = SharedStrings(), set(hidden_rows)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, (name, rows) in enumerate(sheets, start=1):
            with open_part(archive, f"xl/worksheets/sheet{place}.xml") as out:
                out.write('<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>')
                for at, cells in enumerate(rows, start=1):
                    content = "".join(_cell(f"{column}{at}", cell, strings) for column, cell in cells.items())
                    mark = ' hidden="1"' if (name, at) in hidden else ""
                    out.write(f'<row r="{at}"{mark}>{content}</row>')
                out.write("</sheetData></worksheet>")
        write_package(archive, [name for name, _ in sheets], strings)
    _hide(path, set(hidden_sheets))


def _cell(reference: str, cell: Cell, strings: SharedStrings) -> str:
    if isinstance(cell, Formula):
        value = "" if cell.value is None else f"<v>{cell.value:f}</v>"
        return f'<c r="{reference}"><f>{escape(cell.text)}</f>{value}</c>'
    if isinstance(cell, str) and cell.startswith("#") and cell.endswith(("!", "/A", "?")):
        return f'<c r="{reference}" t="e"><v>{escape(cell)}</v></c>'
    return strings.cell(reference, cell) if isinstance(cell, str) else number(reference, cell)


def _hide(path: Path, names: set[str]) -> None:
    if not names:
        return
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    book = parts["xl/workbook.xml"].decode()
    for name in names:
        book = book.replace(f'<sheet name="{name}"', f'<sheet name="{name}" state="hidden"')
    parts["xl/workbook.xml"] = book.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)


def _row(*cells: Cell) -> Cells:
    return {column_letters(place): cell for place, cell in enumerate(cells) if cell is not None and cell != ""}


def _sum(positions: Iterable[GivenPosition]) -> Decimal:
    return sum((p.total for p in positions), Decimal(0))


def _of(obj: GivenObject) -> list[GivenPosition]:
    return [p for section in obj.sections for p in section.positions]


_RTS_TITLES = ("P.č.", "Číslo položky", "Název položky", "MJ", "Množství", "Cena / MJ", "Celkem", "Dodávka",
               "Dodávka celk.", "Montáž", "Montáž celk.", "DPH", "Cena s DPH", "Hmotnost / MJ", "Hmotnost celk.(t)",
               "Dem. hmotnost / MJ", "Dem. hmotnost celk.(t)", "Ceník", "Cen. soustava / platnost", "Cenová úroveň",
               "Nhod / MJ", "Nhod celk.", "Dodavatel", "Typ položky", "Stav položky")  # fmt: skip


def write_rts(path: Path, bill: GivenBill, *, total: Decimal | None = None) -> None:
    """Each object is an object with one bill, "01". `total` is what the cover states: a fault on purpose."""
    sheets: list[tuple[str, list[Cells]]] = [("Stavba", _rts_cover(bill, bill.total if total is None else total))]
    sheets += [(f"{obj.code} 01 Pol", _rts_bill(bill, obj)) for obj in bill.objects]
    write_sheets(path, sheets)


def _rts_cover(bill: GivenBill, total: Decimal) -> list[Cells]:
    rows: list[Cells] = [
        _row("#RTSROZP#", "Položkový rozpočet stavby"),
        {"B": "Stavba:", "D": "38", "E": bill.title},
        {},
        {"B": "Objednatel:", "D": "Obec Lhota", "H": "IČO:", "I": "00000001"},
        {"B": "Základ pro sníženou DPH", "E": Decimal(12), "F": "%", "G": Decimal(0), "J": "CZK"},
        {"B": "Základ pro základní DPH", "E": Decimal(21), "F": "%", "G": total, "J": "CZK"},
        {"B": "Cena celkem bez DPH", "G": Formula("Zaklad+Zaklad2", total), "J": "CZK"},
        {"C": "v", "F": "dne", "G": "5. 3. 2026"},
        _row("#CASTI>>", "Číslo", "Název", "", "", "Základ pro sníženou DPH", "Základ pro základní DPH", "DPH celkem",
             "Cena celkem", "%"),
        _row(Decimal(1), "Stavba", "", "", "", Decimal(0), total),
    ]  # fmt: skip
    for obj in bill.objects:
        amounts = (Decimal(0), _sum(_of(obj)))
        rows.append(_row(Decimal(2), obj.code, obj.name, "", "", *amounts))
        rows.append(_row(Decimal(3), "01", "Stavební práce", "", "", *amounts))
    return [*rows, {}, {"A": "#POPS", "B": "Popis stavby"}]


def _rts_bill(bill: GivenBill, obj: GivenObject) -> list[Cells]:
    rows: list[Cells] = [
        {"A": "Položkový rozpočet", "AG": "#TypZaznamu#"},
        {"A": "S:", "B": "38", "C": bill.title, "AG": "STA"},
        {"A": "O:", "B": obj.code, "C": obj.name, "AG": "OBJ"},
        {"A": "R:", "B": "01", "C": "Stavební práce", "AG": "ROZ"},
        {},
        _row(*_RTS_TITLES),
        {},
    ]
    for section in obj.sections:
        heading: Cells = {"A": "Díl:", "B": section.code, "C": section.name, "G": None, "AG": "DIL"}
        rows.append(heading)
        first = len(rows) + 1
        for p in section.positions:
            rows.append(_rts_position(p, len(rows) + 1))
            rows += [{"C": line.text, "E": line.value, "AG": "VV", "AH": Decimal(0)} for line in p.measure]
            rows += [{"C": "Poznámka k položce:", "AG": "POP"}, {"C": p.note, "AG": "POP"}] if p.note else []
        heading["G"] = Formula(f"SUM(G{first}:G{max(first, len(rows))})", _sum(section.positions))
    return [*rows, {"AE": Decimal(12), "AF": Decimal(21), "AG": "DPH"},
            {"B": "Celkem", "G": Formula("G8", _sum(_of(obj))), "AG": "SUM"}, {},
            {"A": "Poznámky uchazeče k zadání"}, {"A": "doplněno", "AG": "POPUZIV"}, {"AG": "END"}]  # fmt: skip


def _rts_position(p: GivenPosition, row: int) -> Cells:
    return {
        "A": Decimal(p.number), "B": p.code, "C": p.description, "D": p.unit, "E": p.quantity, "F": p.unit_price,
        "G": Formula(f"ROUND(E{row}*F{row},2)", p.total), "L": Decimal(21), "S": p.price_system,
        "X": "Specifikace" if p.is_material else "Práce", "Y": "Běžná", "AG": "POL3_0" if p.is_material else "POL1_1",
    }  # fmt: skip


def write_aspe(path: Path, bill: GivenBill, *, unpriced: int | None = None) -> None:
    """One form: an O1 with the objects as its parts. `unpriced` is the form's own count: a fault on purpose."""
    positions = [p for *_, p in bill.walk()]
    count = sum(not p.unit_price for p in positions) if unpriced is None else unpriced
    rows: list[Cells] = [
        {"A": "SŽDC05", "E": "Soupis prací objektu", "P": "3"},
        {"P": "6"},
        {"A": "S", "B": "Stavba: ", "C": "58135", "E": bill.title, "N": "Aspe", "O": "0,00", "P": "2"},
        {"A": "O", "B": "Objekt:", "C": "E.2.1", "E": "Pozemní objekty budov", "O": "15,00", "P": "2"},
        {"A": "Typ", "B": "Poř. číslo", "C": "Kód položky", "D": "Varianta", "E": "Název položky", "F": "MJ",
         "G": "Množství", "H": "Jednotková hmotnost", "I": "Celková hmotnost", "L": "Jednotková cena",
         "N": "Cenové soustavy", "O": "21,00", "P": "2"},
        {"J": "Dodávka"},
        {"J": "Jednotková", "K": "Celkem", "L": "Jednotková", "M": "Celkem", "S": "Počet položek s nulovou cenou",
         "T": Formula("COUNTIFS(L8:L999,\"=0\")", Decimal(count))},
        {"A": "O1", "C": "SO 1", "E": "Stavba", "M": Formula("0+M9", _sum(positions))},
    ]  # fmt: skip
    for obj in bill.objects:
        rows.append({"A": "O2", "C": obj.code, "E": obj.name, "M": Formula("0+M10", _sum(_of(obj)))})
        for section in obj.sections:
            rows.append({"A": "SD", "C": section.code, "E": section.name, "M": Formula("0", _sum(section.positions))})
            for p in section.positions:
                rows += _aspe_position(p, len(rows) + 1)
    write_sheets(path, [("SO 1", rows)])


def _aspe_position(p: GivenPosition, row: int) -> list[Cells]:
    lines = "\n".join(line.text for line in p.measure)
    return [
        {"A": "P", "B": p.number, "C": p.code, "E": p.description, "F": p.unit, "G": p.quantity, "H": Decimal(0),
         "L": p.unit_price or Decimal(0), "M": Formula(f"ROUND(ROUND(L{row},2)*ROUND(G{row},3),2)", p.total),
         "N": p.price_system, "O": Formula(f"(M{row}*21)/100", Decimal(0)), "P": "2"},
        {"A": "PP", "E": p.description}, {"A": "VV", "E": lines}, {"A": "TS", "E": p.note},
    ]  # fmt: skip


def write_kros_list(
    path: Path, bill: GivenBill, *, total: Decimal | None = None, titles: Sequence[str] = (), above: int = 0
) -> None:
    """A sheet per object. `above`: empty rows over the titles; `total` is what the last row states."""
    named = titles or ("PČ", "Typ", "Kód", "Popis", "MJ", "Množství", "J.cena [CZK]", "Cena [CZK]")
    sheets = []
    for obj in bill.objects:
        rows: list[Cells] = [*({} for _ in range(above)), _row(*named)]
        for section in obj.sections:
            rows.append(_row(None, "D", section.code, section.name, None, None, None, _sum(section.positions)))
            rows += [
                _row(p.number, "M" if p.is_material else "K", p.code, p.description, p.unit, p.quantity, p.unit_price,
                     p.total if p.unit_price is not None else None)
                for p in section.positions
            ]  # fmt: skip
        whole = _sum(_of(obj)) if total is None else total
        sheets.append((obj.code, [*rows, _row(None, None, None, "Celkem", None, None, None, whole)]))
    write_sheets(path, sheets)
