"""Real invoices, FIEBDC-3 files and printed bills, read from $PLUMBLINE_REAL_FILES. Figures were checked by hand."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal as D
from pathlib import Path

import pytest

from projects.audit.measure import evaluate_sheet
from projects.parsers.bill import ParseError
from projects.parsers.reconcile import Reconciler, assert_reconciled
from projects.parsers.registry import open_bill
from projects.services.comparing import compare_files

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


def test_a_chapter_that_states_another_sum_is_flagged_and_the_file_is_read():
    positions, result, bill = read("bc3/disid_test.bc3")
    assert (bill.header.title, bill.header.currency, bill.header.dialect_label) == (
        "Root concept",
        "EUR",
        "FIEBDC-3 (BC3), FIEBDC-3/2007",
    )
    assert [(p.number, p.code, p.quantity, p.unit_price) for p in positions] == [
        ("1.1", "A01", D(10), D(10)),
        ("1.2", "B01", D(20), D("2.4")),
        ("2.1", "A01", D(10), D(10)),
        ("2.2", "B01", D(20), D("2.4")),
        ("3.1", "C01", D(1), D("0.0")),
    ]
    assert [(d.where, d.stated, d.computed) for d in result.differences] == [
        ("the whole bill", D("1000400.48"), D("296.00")),
        ("02 Subconcept 2", D("500250.23"), D("148.00")),
        ("03 Subconcept 3", D("5.0"), D("0.00")),
    ]
    assert [evaluate_sheet(p.measure, {}).candidates for p in positions[:2]] == [(D(10),), (D(20),)]


def test_a_printed_bid_has_its_28_positions_and_adds_up():
    positions, result, bill = read("gaeb/BVBS_Ausdruck_Musterdatei_Bauausfuehrung_3.3.pdf")
    assert len({p.number for p in positions}) == len(positions) == 28
    assert (result.computed_total, result.stated_total) == (D("2000000.00"), D("2000000.00"))
    assert (result.differences, result.currency) == ((), "EUR")
    assert Counter(total.level for total in bill.totals) == {"section": 12, "bill": 1}
    assert ["to be confirmed" in warning for warning in bill.warnings] == [True]
    assert all(p.source.endswith("of the print, to be confirmed") for p in positions)


def test_a_printed_bid_says_what_its_file_says():
    """The same bid as a file (X84) joined to its tender (X83)."""
    tender = ROOT / "gaeb/Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_04_04_2024.x83"
    file, *_ = read("gaeb/BVBS_Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_11_06_2021.x84", tender=tender)
    printed, *_ = read("gaeb/BVBS_Ausdruck_Musterdatei_Bauausfuehrung_3.3.pdf")

    def facts(positions):
        return {
            p.number.lower(): (p.quantity, (p.unit or "").lower(), p.unit_price, p.total, p.billing) for p in positions
        }

    assert facts(printed) == facts(file)


def test_a_print_that_is_no_bill_is_refused():
    with pytest.raises(ParseError) as refused:
        read("gaeb/BVBS_Pruefkriterien_Bauausfuehrung_3.3.pdf")
    assert refused.value.code == "no_positions"


def test_one_budget_from_its_exchange_file_and_its_workbook_is_proven_equal():
    left, right = ROOT / "cz/valcha_kros_unixml12.xml", ROOT / "cz/valcha_kros_export_komplet.xlsx"
    found = compare_files(left=left, right=right)
    assert (found.verdict, found.equality.matched) == ("equal", 298)
    assert found.equality.left == found.equality.right
    assert (found.equality.left.positions, found.equality.left.total) == (298, D("8205797.76"))
    assert found.unproven == (
        "Measure sheets are not compared: 154 positions of the first have one, 154 of the second.",
        "224 paired positions name another price system or none; that is not part of the proof.",
    )
