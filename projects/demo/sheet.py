"""How the demo's bills are written down: an object's rows in order, quantities computed from their measure sheets."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from ..audit.arithmetic import Problem, evaluate
from ..parsers.writers.kros_rows import ItemRow, KrosRow, MeasureRow, NoteRow, ObjectRow, SectionRow

PRICE_SYSTEM = "CS ÚRS 2026 01"
OWN = ""  # the author's own items name no price system
_STEP = Decimal("0.001")


def value_of(expression: str) -> Decimal:
    """The value of a line of a measure sheet, to three digits. ValueError where it can't be evaluated."""
    value = evaluate(expression)
    if value is None or isinstance(value, Problem):
        raise ValueError(f"{expression!r} has no value: {value}")
    return value.quantize(_STEP, ROUND_HALF_UP)


class ObjectSheet:
    """Rows of one building object. Every item returns its quantity, so that what follows from it can be computed."""

    def __init__(self, code: str, name: str) -> None:
        self.rows: list[KrosRow] = [ObjectRow(code, name)]

    def group(self, code: str, name: str) -> None:
        self.rows.append(SectionRow(code, name, level=0))

    def section(self, code: str, name: str) -> None:
        self.rows.append(SectionRow(code, name, level=1))

    def work(
        self, code: str, text: str, unit: str, price: str, *measure: str, note: str = "", system: str = PRICE_SYSTEM
    ) -> Decimal:
        return self._item("K", code, text, unit, price, measure, note, system)

    def material(
        self, code: str, text: str, unit: str, price: str, *measure: str, note: str = "", system: str = PRICE_SYSTEM
    ) -> Decimal:
        return self._item("M", code, text, unit, price, measure, note, system)

    def _item(
        self, kind: str, code: str, text: str, unit: str, price: str, measure: tuple[str, ...], note: str, system: str
    ) -> Decimal:
        """A single line that is only a number needs no sheet; several lines end in their sum."""
        values = [value_of(line) for line in measure]
        quantity = sum(values, Decimal(0))
        self.rows.append(ItemRow(code, text, unit, quantity, Decimal(price), type=kind, price_system=system))
        if note:
            self.rows.append(NoteRow(note))
        is_plain = len(measure) == 1 and measure[0].replace(",", "").isdigit()
        if not is_plain:
            self.rows += [MeasureRow(line, value) for line, value in zip(measure, values, strict=True)]
            if len(measure) > 1:
                self.rows.append(MeasureRow("Součet", quantity, kind="subtotal", is_quantity=True))
        return quantity


def czech(value: Decimal) -> str:
    """A figure as a measure sheet writes it: "86,300"."""
    return f"{value:f}".replace(".", ",")
