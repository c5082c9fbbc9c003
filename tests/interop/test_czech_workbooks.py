"""Real workbooks of RTS BUILDpower and Aspe, read from $PLUMBLINE_REAL_FILES. Figures were checked by hand."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal as D
from pathlib import Path

import pytest

from projects.audit.engine import audit
from projects.audit.measure import evaluate_sheet, has_expressions
from projects.audit.view import BudgetView
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import detect, open_bill
from projects.parsers.sheet_facts import SheetFacts, facts_of

ROOT = Path(os.environ.get("PLUMBLINE_REAL_FILES", "")) / "construction/cz"
pytestmark = pytest.mark.skipif("PLUMBLINE_REAL_FILES" not in os.environ, reason="PLUMBLINE_REAL_FILES is not set")

RTS = "rozmital_rts_buildpower_blank.xlsx"
ASPE = "bohumin_aspe_szdc05_blank.xlsx"
KROS = "valcha_kros_export_komplet.xlsx"


def read(name):
    bill = open_bill(ROOT / name)
    reconciler = Reconciler(bill)
    positions = list(reconciler.watch(bill.positions))
    result = reconciler.result()
    assert_reconciled(result)
    return positions, result, bill


def sheets(positions):
    """How many measure sheets give the quantity, give another one, can't be evaluated."""
    found = Counter()
    for p in positions:
        if has_expressions(p.measure) and p.quantity is not None:
            result = evaluate_sheet(p.measure, {})
            near = any(abs(c - p.quantity) <= D("0.0015") + abs(p.quantity) / 10_000 for c in result.candidates)
            found["unreadable" if result.problem else "agrees" if near else "differs"] += 1
    return found


def test_a_tender_of_buildpower():
    positions, result, bill = read(RTS)
    assert (detect(ROOT / RTS).dialect, detect(ROOT / RTS).score) == ("rts_xlsx", 100)
    assert Counter(p.object_code for p in positions) == {"SO01/01": 47, "SO02/01": 63, "SO02/02": 88, "SO03/01": 12}
    assert (result.positions, result.unpriced, result.stated_total, bill.warnings) == (210, 210, D(0), [])
    assert bill.header.title == "Demolice a následná novostavba haly na sůl Rožmitál pod Třemšínem"
    assert (bill.header.vat_rates, bill.header.currency) == ((D(21), D(12)), "CZK")
    assert (bill.header.rounding.total, bill.header.rounding.is_stated) == (D("0.01"), True)
    assert Counter(total.level for total in bill.totals) == {"section": 30, "object": 8, "bill": 1}
    assert Counter(p.kind for p in positions) == {"work": 164, "material": 46}
    assert Counter(p.price_system for p in positions) == {"Vlastní": 154, "RTS 24/ II": 56}
    assert [p.unit for p in positions if p.quantity is None] == ["%"]
    assert sheets(positions) == {"agrees": 75}


def test_a_tender_of_aspe():
    positions, result, bill = read(ASPE)
    assert (detect(ROOT / ASPE).dialect, detect(ROOT / ASPE).score) == ("aspe_xlsx", 100)
    assert (result.positions, result.stated_count, result.unpriced, bill.warnings) == (634, 634, 634, [])
    assert (bill.header.reference, bill.header.vat_rates) == ("5813520029-zm00", (D("21.00"), D("15.00")))
    assert len({p.object_code for p in positions}) == 9
    assert Counter(total.level for total in bill.totals) == {"section": 58, "object": 9, "bill": 1}
    assert Counter(p.catalogue for p in positions) == {"ÚRS": 363, "own": 271}
    assert sum(p.long_text.startswith("Varianta ") for p in positions) == 20
    assert len({(p.object_code, p.number) for p in positions}) == 634
    assert sheets(positions) == {"agrees": 205, "unreadable": 14}


@pytest.mark.parametrize("name", [RTS, ASPE, KROS])
def test_whole_programs_hide_nothing_that_counts(name):
    assert facts_of(ROOT / name) == SheetFacts()


@pytest.mark.parametrize("name", [RTS, ASPE])
def test_a_blank_tender_is_audited(name):
    view = BudgetView.from_bill(open_bill(ROOT / name))
    result = audit(view)
    assert len(result.verdicts) == len(view.positions)
    # Nothing of a blank bill is to be priced, and its sums and measure sheets agree.
    assert not {finding.rule_id for finding in result.findings} & {"C01", "V07", "V08", "V09"}
