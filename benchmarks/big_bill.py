"""A bill of 100,000 positions in KROS format: the demo's building, stage by stage, with a few faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path

from projects.demo.building import BILL, sound_building
from projects.parsers.writers.kros_rows import ItemRow, KrosRow, MeasureRow, ObjectRow, SectionRow
from projects.parsers.writers.kros_xlsx import write_kros_xlsx

OBJECTS = 20
STAGES = 8
_CENT = Decimal("0.01")


def write_big_bill(path: Path, positions: int) -> None:
    """`positions` items in twenty objects; every item that has a measure sheet keeps it."""
    write_kros_xlsx(path, _rows(positions), bill=replace(BILL, code="BENCH", title="Obytný soubor"))


def _rows(positions: int) -> Iterator[KrosRow]:
    """Sections of some fifty items: those of a part of the building, for eight stages of construction at a time."""
    written = 0
    for number in range(1, OBJECTS + 1):
        yield ObjectRow(f"SO {number:02}", f"Bytový dům {number}")
        first, end = 1, positions * number // OBJECTS
        while written < end:
            for heading, items in _sections():
                yield _named(heading, first)
                if heading.level == 0:
                    continue
                for stage in range(first, first + STAGES):
                    for row in items:
                        if isinstance(row, ItemRow):
                            if written == end:
                                break
                            written += 1
                        yield _varied(row, stage, written)
            first += STAGES


@cache
def _sections() -> list[tuple[SectionRow, list[KrosRow]]]:
    found: list[tuple[SectionRow, list[KrosRow]]] = []
    for row in sound_building():
        if isinstance(row, SectionRow):
            found.append((row, []))
        elif not isinstance(row, ObjectRow):
            found[-1][1].append(row)
    return found


def _named(heading: SectionRow, first: int) -> SectionRow:
    if heading.level == 0:
        return heading
    stages = f"etapy {first} až {first + STAGES - 1}"
    return replace(heading, code=f"{heading.code}.{first}", name=f"{heading.name}, {stages}")


def _varied(row: KrosRow, stage: int, written: int) -> KrosRow:
    """Stage n has n % more of everything, at prices up to 2 % apart; each 97th item lacks its unit, each 211th adds up
    wrongly."""
    factor = 1 + Decimal(stage) / 100
    if isinstance(row, MeasureRow) and row.kind == "expression":
        # Not evaluated while writing: the sum of its rounded lines is what the position states, within V09's tolerance.
        value = None if row.value is None else (row.value * factor).quantize(Decimal("0.001"))
        return replace(row, text=f"({row.text})*{f'{factor}'.replace('.', ',')}", value=value)
    if isinstance(row, MeasureRow):
        return replace(row, value=None if row.value is None else (row.value * factor).quantize(Decimal("0.001")))
    if not isinstance(row, ItemRow) or row.quantity is None or row.unit_price is None:
        return row
    price = (row.unit_price * (1 + Decimal(written % 5 - 2) / 100)).quantize(_CENT)
    item = replace(row, quantity=(row.quantity * factor).quantize(Decimal("0.001")), unit_price=price)
    if written % 97 == 0:
        return replace(item, unit="")
    if written % 211 == 0:
        return replace(item, total=(row.quantity * factor * price).quantize(_CENT) + 1000)
    return item
