"""The audit on real bills that no one here wrote: measured figures, and no false alarms.

The files lie outside the repository; PLUMBLINE_REAL_FILES names their folder.
"""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from projects.audit.engine import audit
from projects.audit.findings import BUDGET, AuditResult, Grade
from projects.audit.measure import evaluate_sheet, has_expressions
from projects.audit.structural import STEEL_RANGES
from projects.audit.view import BudgetView
from projects.parsers.bill import Billing
from projects.parsers.registry import open_bill

D = Decimal
REAL_FILES = os.environ.get("PLUMBLINE_REAL_FILES", "")
pytestmark = pytest.mark.skipif(not REAL_FILES, reason="PLUMBLINE_REAL_FILES is not set")

VALCHA = {"unixml": "valcha_kros_unixml12.xml", "kros_xlsx": "valcha_kros_export_komplet.xlsx"}
BVBS_TENDER = "Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_04_04_2024.x83"
BVBS_BID = "BVBS_Pruefdatei_GAEB_DA_XML_3.3_-_Bauausfuehrung_-_V_11_06_2021.x84"


def real(folder: str, name: str) -> Path:
    return Path(REAL_FILES, "construction", folder, name)


def view_of(folder: str, name: str, tender: str | None = None) -> BudgetView:
    return BudgetView.from_bill(open_bill(real(folder, name), tender=real(folder, tender) if tender else None))


@pytest.fixture(scope="module", params=sorted(VALCHA))
def valcha(request: pytest.FixtureRequest) -> tuple[BudgetView, AuditResult]:
    budget = view_of("cz", VALCHA[request.param])
    return budget, audit(budget)


def of(result: AuditResult, rule_id: str) -> list[tuple[int, Grade]]:
    return [(finding.index, finding.grade) for finding in result.findings if finding.rule_id == rule_id]


def test_valcha_is_read_whole(valcha: tuple[BudgetView, AuditResult]) -> None:
    budget, result = valcha
    assert (len(budget), budget.grand_total) == (298, D("8205797.76"))
    assert sum(result.counts.as_dict().values()) == 298
    assert result.counts.not_checked == 0


def test_valchas_arithmetic_is_clean(valcha: tuple[BudgetView, AuditResult]) -> None:
    result = valcha[1]
    assert [of(result, rule_id) for rule_id in ("V04", "V05", "V06", "V07", "V08", "V09", "V10", "V12", "C01")] == [
        []
    ] * 9
    assert result.not_checked == ()


def test_valchas_measure_sheets_all_agree() -> None:
    """123 of plain arithmetic and quoted comments, 17 with a remark after an apostrophe, 12 cosines, 2 figures."""
    budget = view_of("cz", VALCHA["unixml"])
    seen: Counter[str] = Counter()
    for position in budget.positions:
        if not has_expressions(position.measure):
            continue
        result = evaluate_sheet(position.measure, budget.figures.get(position.object_code, {}))
        assert not result.problem
        assert position.quantity is not None
        assert (
            min(abs(value - position.quantity) for value in result.candidates)
            <= D("0.0015") + position.quantity / 10000
        )
        text = " ".join(line.text for line in position.measure if line.kind == "expression")
        kinds = {"cos": "cosine", "'": "remark", "F000": "figure"}
        seen[next((kind for mark, kind in kinds.items() if mark in text), "plain")] += 1
    assert seen == {"plain": 123, "remark": 17, "cosine": 12, "figure": 2}


def test_valcha_prices_one_code_at_834_and_351(valcha: tuple[BudgetView, AuditResult]) -> None:
    budget, result = valcha
    findings = [finding for finding in result.findings if finding.rule_id == "C02"]
    assert len(findings) == 3
    worst = max(findings, key=lambda finding: finding.money_at_stake)
    assert (budget.positions[worst.index].code, worst.evidence["prices"]) == ("713131141", ["351", "834"])
    assert worst.grade is Grade.RED
    assert worst.money_at_stake == D("102354.46")  # (834 - 351) x 211.914 m2


def test_valchas_outliers_in_groups(valcha: tuple[BudgetView, AuditResult]) -> None:
    budget, result = valcha
    assert sum(len(group) for group in budget.by_group.values() if len(group) >= 5) == 103
    assert len(of(result, "C03")) == 3


def test_valchas_concrete(valcha: tuple[BudgetView, AuditResult]) -> None:
    """9 positions name a class without exposure; two of them plain screeds. One family of six lacks formwork."""
    budget, result = valcha
    assert Counter(grade for _, grade in of(result, "B04")) == {Grade.AMBER: 7, Grade.INFO: 2}
    with_concrete = [family for family in budget.families if family.concrete and family.concrete_m3]
    assert len(with_concrete) == 6
    ((index, grade),) = of(result, "S01")
    assert (budget.positions[index].object_code, budget.positions[index].code[:3], grade) == ("ZTI", "273", Grade.AMBER)
    assert all(family.element in STEEL_RANGES for family in with_concrete)


def test_valchas_steel_was_assumed(valcha: tuple[BudgetView, AuditResult]) -> None:
    (finding,) = [finding for finding in valcha[1].findings if finding.rule_id == "S03"]
    assert all(D("79.9") < D(rate) < D("80.1") for rate in finding.evidence["rates"])


def test_valchas_typing_error_in_a_unit(valcha: tuple[BudgetView, AuditResult]) -> None:
    (finding,) = [finding for finding in valcha[1].findings if finding.rule_id == "V03"]
    assert (finding.evidence["unit"], finding.evidence["nearest"]) == ("us", "kus")


def test_valchas_price_systems_are_named_in_the_unixml_only() -> None:
    (finding,) = [f for f in audit(view_of("cz", VALCHA["unixml"])).findings if f.rule_id == "C10"]
    assert (finding.index, finding.grade, finding.evidence["without_price_system"]) == (BUDGET, Grade.INFO, 74)


def test_no_rule_hits_more_than_15_percent_of_valcha_except_as_info(valcha: tuple[BudgetView, AuditResult]) -> None:
    serious = Counter(
        finding.rule_id
        for finding in valcha[1].findings
        if finding.grade in (Grade.AMBER, Grade.RED) and finding.index != BUDGET
    )
    assert max(serious.values()) <= 0.15 * 298


def test_what_could_not_run_for_valcha_is_said_once(valcha: tuple[BudgetView, AuditResult]) -> None:
    without_file = [one for one in valcha[1].not_checked_rules if one.rule_id != "V14"]  # read without its file here
    assert [(one.rule_id, one.reason) for one in without_file] == [
        ("C04", "no price catalogue is loaded"),
        ("N02", "no price catalogue is loaded"),
    ]


def test_bvbs_bid_joined_to_its_tender_has_no_false_alarm() -> None:
    budget = view_of("gaeb", BVBS_BID, tender=BVBS_TENDER)
    result = audit(budget)
    assert (len(budget), budget.grand_total) == (28, D("2000000.00"))
    special = [i for i, p in enumerate(budget.positions) if p.billing in (Billing.ALTERNATIVE, Billing.SURCHARGE)]
    assert len(special) == 2
    assert all(result.verdicts[i].grade is Grade.GREEN for i in special)
    assert result.not_checked == ()
    told = {(budget.positions[f.index].number, f.rule_id) for f in result.findings}
    assert told == {("001.004.0020", "B04"), ("002.001.0010", "C05")}  # C20/25 without exposure; 22.5 % of the total


def test_a_bid_without_its_tender_is_never_green() -> None:
    result = audit(view_of("gaeb", BVBS_BID))
    assert result.counts.green == 0
    assert {one.rule_id for one in result.not_checked} == {"V01", "V02", "V04", "V07"}
    assert result.counts.red == 0


@pytest.mark.parametrize("name", ["gaeb2.x83", "gaebphp_contract.x86", "gaebphp_nachtrag.x86", BVBS_TENDER])
def test_german_files_raise_no_arithmetic_or_unit_alarm(name: str) -> None:
    budget = view_of("gaeb", name)
    hits = audit(budget).hits_by_rule
    assert set(hits) <= {"B04"}
    assert None not in [unit for p, unit in zip(budget.positions, budget.units, strict=True) if p.unit]


def test_a_nonconforming_file_gets_findings_not_a_crash() -> None:
    result = audit(view_of("gaeb", "gaebphp_nonconforming.x83"))
    assert result.hits_by_rule == {"V01": 1}
