"""Plain tables (xlsx, ods, xls, csv): read with a mapping that a person confirmed, or a proposal without a doubt.

A row with a description and a quantity, price or total is a position. A row with a text and nothing else opens a
section and replaces the one before. Rows that only sum up ("Cena celkem", "Summe", "Total", "Importe total") or state
the tax are no positions, with an amount or without; which of them is the sum of the bill: see `table_sums`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from projects.parsers.bill import Bill, BillHeader, BillPosition, ParseError, Score
from projects.parsers.catalogues import catalogue_of
from projects.parsers.filehead import FileHead
from projects.parsers.numbering import Numbering
from projects.parsers.table_mapping import Mapping, propose, refuse_unmapped
from projects.parsers.table_rows import TableFormat, read_format, table_rows, table_sheets
from projects.parsers.table_sums import SumKind, Sums
from projects.parsers.workbook import Row, figure_of, text_of

NAME = "table"
LABEL = "Plain table (xlsx, ods, xls, csv)"


def detect(head: FileHead) -> Score:
    """At most 40: any dialect that knows the file by more than its columns comes first."""
    if not head.is_workbook and head.kind != "text":
        return Score(0)
    if head.kind == "text" and head.text.lstrip().startswith(("{", "[")):
        return Score(0)
    try:
        proposal = propose(head)
    except ParseError as error:
        if error.code == "unknown_dialect":
            return Score(0)
        raise
    if proposal.is_certain:
        return Score(40, proposal.reasons)
    return Score(20 if proposal.mapping.columns else 5, proposal.reasons)


def read(head: FileHead) -> Bill:
    """Without a mapping: only a table whose titles leave no doubt. Raises ParseError("mapping_needed")."""
    proposal = propose(head)
    refuse_unmapped(proposal)
    return read_mapped(head, proposal.mapping)


def read_mapped(head: FileHead, mapping: Mapping) -> Bill:
    """Raises ParseError("bad_mapping" | "no_such_sheet" | "damaged")."""
    mapping.check()
    if head.is_workbook:
        if mapping.sheet not in table_sheets(head):
            raise ParseError(
                f"The workbook has no sheet '{mapping.sheet}'. Confirm the mapping again.", code="no_such_sheet"
            )
        layout = TableFormat()
    elif head.kind == "text" and mapping.delimiter and mapping.encoding and mapping.decimal_mark:
        # Nothing is left to tell by the first lines, of which a long text may leave too few.
        layout = TableFormat(mapping.delimiter, mapping.encoding, mapping.decimal_mark)
    else:
        found = read_format(head)
        layout = TableFormat(mapping.delimiter or found.delimiter, mapping.encoding or found.encoding,
                             mapping.decimal_mark or found.decimal_mark)  # fmt: skip
    header = BillHeader(dialect=NAME, dialect_label=LABEL, title=mapping.sheet, currency=mapping.currency)
    bill = Bill(header=header, positions=iter(()))
    bill.positions = _TableReader(bill, mapping, layout).positions(head)
    return bill


class _TableReader:
    def __init__(self, bill: Bill, mapping: Mapping, layout: TableFormat) -> None:
        self._bill, self._mapping, self._layout = bill, mapping, layout
        self._at = mapping.columns
        self._mark = mapping.decimal_mark or layout.decimal_mark
        self._numbering = Numbering(bill.warnings)
        self._sums = Sums()
        self._section = self._section_code = ""
        self._ordinal = 0

    def positions(self, head: FileHead) -> Iterator[BillPosition]:
        for index, (place, row) in enumerate(table_rows(head, self._layout, self._mapping.sheet)):
            if index <= self._mapping.header_row:
                continue
            text = self._text(row, "description")
            figures = {name: self._figure(row, name, place) for name in ("quantity", "unit_price", "total")}
            if (kind := self._sum(row, figures)) is not None:
                self._sums.take(kind, figures["total"], place)
                continue
            if all(figure is None for figure in figures.values()) and not self._text(row, "unit"):
                if text and "section" not in self._at:
                    self._open_section(self._text(row, "code"), text)
                continue
            yield self._position(row, text, figures, place)
        self._bill.totals[:] = self._sums.of_bill()

    def _open_section(self, code: str, text: str) -> None:
        self._section, self._section_code = " ".join(part for part in (code, text) if part), code
        self._sums.open_section(text, self._section)

    def _sum(self, row: Row, figures: dict[str, Decimal | None]) -> SumKind | None:
        """What a line sums up that is no position: it has neither unit nor quantity nor unit price, and no code but
        its section's."""
        if figures["quantity"] is not None or figures["unit_price"] is not None or self._text(row, "unit"):
            return None
        return self._sums.told(
            (text_of(cell) for cell in row if type(cell) is str and cell),
            code=self._text(row, "code"),
            text=self._text(row, "description"),
            section_code=self._section_code,
        )

    def _position(self, row: Row, text: str, figures: dict[str, Decimal | None], place: str) -> BillPosition:
        self._ordinal += 1
        section = self._text(row, "section") or self._section
        object_code = self._text(row, "object")
        system = self._text(row, "price_system")
        self._sums.position()
        if "section" in self._at:
            self._sums.open_section(section)
        unit = self._text(row, "unit") or None
        return BillPosition(
            ordinal=self._ordinal,
            number=self._numbering.claim(object_code, self._text(row, "number"), place),
            description=text,
            object_code=object_code,
            object_name=object_code,
            section_path=(section,) if section else (),
            code=self._text(row, "code"),
            catalogue=catalogue_of(system),
            price_system=system,
            long_text=self._text(row, "note"),
            unit=unit,
            quantity=figures["quantity"],
            quantity_reason="" if figures["quantity"] is not None else self._why(row, unit),
            unit_price=figures["unit_price"],
            total=figures["total"],
            vat_rate=self._vat(row, place),
            source=place,
        )

    def _why(self, row: Row, unit: str | None) -> str:
        if "quantity" not in self._at:
            return "the table has no column of quantities"
        written = self._text(row, "quantity")
        return f"no figure: {written[:40]!r}" if written else "percentage" if unit == "%" else "empty cell"

    def _vat(self, row: Row, place: str) -> Decimal | None:
        if not self._text(row, "vat_rate").rstrip("% "):
            return None
        rate = self._figure(row, "vat_rate", place)
        return rate * 100 if rate is not None and 0 < rate < 1 else rate

    def _text(self, row: Row, name: str) -> str:
        column = self._at.get(name, -1)
        return text_of(row[column]) if 0 <= column < len(row) else ""

    def _figure(self, row: Row, name: str, place: str) -> Decimal | None:
        column = self._at.get(name, -1)
        if not 0 <= column < len(row) or row[column] == "":
            return None
        value = row[column]
        try:
            return figure_of(value.rstrip("% ") if type(value) is str else value, self._mark)
        except ValueError:
            if self._ordinal:  # above the first position it is a title or a unit under the titles
                self._bill.warnings.append(
                    f"{place}: {text_of(value)[:40]!r} in '{name}' is not a figure; it is left out."
                )
            return None
