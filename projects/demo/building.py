"""The residential building of the demo, sound: what the faults are put into."""

from __future__ import annotations

from datetime import date

from ..parsers.writers.kros_rows import KrosBill, KrosRow
from .building_finishes import add_finishes
from .building_services import paved_areas, services, site_costs
from .building_shell import add_shell
from .sheet import ObjectSheet

BILL = KrosBill(
    code="2026-014",
    title="Bytový dům Na Lukách, 12 bytových jednotek",
    budget_on=date(2026, 3, 16),
    client="Bytové družstvo Na Lukách",
)


def sound_building() -> list[KrosRow]:
    """Four objects, about 150 items. An audit finds nothing amber or red in it that the test does not name."""
    house = ObjectSheet("SO 01", "Bytový dům")
    add_shell(house)
    add_finishes(house)
    return [row for sheet in (house, services(), paved_areas(), site_costs()) for row in sheet.rows]
