"""Real invoices, FIEBDC-3 files and printed bills, read from $PLUMBLINE_REAL_FILES. Figures were checked by hand."""

from __future__ import annotations

import os
from decimal import Decimal as D
from pathlib import Path

import pytest

from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import open_bill

ROOT = Path(os.environ.get("PLUMBLINE_REAL_FILES", "")) / "construction"
pytestmark = pytest.mark.skipif("PLUMBLINE_REAL_FILES" not in os.environ, reason="PLUMBLINE_REAL_FILES is not set")


def read(name, **options):
    bill = open_bill(ROOT / name, **options)
    reconciler = Reconciler(bill)
    positions = list(reconciler.watch(bill.positions))
    result = reconciler.result()
    assert_reconciled(result)
    return positions, result, bill


def test_an_invoice_adds_up_and_says_that_it_is_one():
    positions, result, bill = read("gaeb/gaebphp_invoice.x89")
    assert (result.computed_total, result.stated_total, result.differences) == (D("2565.00"), D("2565.00"), ())
    assert [(p.quantity, p.unit, p.unit_price) for p in positions] == [
        (D("30.000"), "m3", D("45.500")),
        (D("1.000"), "psch", D("1200.000")),
    ]
    assert ["RE-2026-007" in warning for warning in bill.warnings] == [True]
