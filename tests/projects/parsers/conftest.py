"""What the tests of the parsers share: a small bill, and a reader that drains one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projects.parsers.bill import Bill, BillPosition
from projects.parsers.reconcile import Reconciler, Reconciliation
from projects.parsers.registry import open_bill
from projects.parsers.writers.kros_rows import MeasureRow
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection

D = Decimal


@pytest.fixture
def house() -> GivenBill:
    """Two objects, three sections, five positions, 105,106.95 in all."""
    earth = GivenSection("1", "Zemní práce", (
        GivenPosition("1", "Sejmutí ornice strojně", "m2", D("123"), D("29.10"), "121151113",
                      price_system="CS ÚRS 2025 02", measure=(MeasureRow("(14+1)*(7,2+1)", D("123")),
                               MeasureRow("Součet", D("123"), "subtotal", is_quantity=True))),
        GivenPosition("2", "Hloubení rýh nezapažených", "m3", D("68.16"), D("332"), "132151253", note="dle průzkumu",
                      measure=(MeasureRow("1,2*56,8", D("68.16"), is_quantity=True),)),
    ))  # fmt: skip
    concrete = GivenSection("2", "Zakládání", (
        GivenPosition("3", "Základové pasy z betonu tř. C 16/20", "m3", D("22.72"), D("3120.5"), "274313611"),
        GivenPosition("4", "ocel betonářská", "t", D("0.125"), D("64000"), "13021013", is_material=True),
    ))  # fmt: skip
    garage = GivenSection(
        "9", "Ostatní konstrukce", (GivenPosition("1", "Vrata", "kus", D("0.1"), D("7.7"), "767651"),)
    )
    return GivenBill((GivenObject("SO 1", "Dům", (earth, concrete)), GivenObject("SO 2", "Garáž", (garage,))))


@pytest.fixture
def drain() -> Callable[..., tuple[list[BillPosition], Reconciliation, Bill]]:
    """Opens a file and reads it to its end, the way an import does."""

    def read(path: Path, **options: Any) -> tuple[list[BillPosition], Reconciliation, Bill]:
        bill = open_bill(path, **options)
        reconciler = Reconciler(bill)
        positions = list(reconciler.watch(bill.positions))
        return positions, reconciler.result(), bill

    return read
