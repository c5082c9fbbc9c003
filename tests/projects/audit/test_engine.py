"""The engine: determinism, order, progress, cancelling, certificate, the table of rules."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.audit.certificate import certificate
from projects.audit.engine import AuditCancelled, audit
from projects.audit.findings import BUDGET, Grade, GradeCounts, Role
from projects.audit.registry import all_rules
from projects.audit.registry import rule as rule_by_id
from projects.audit.thresholds import THRESHOLDS, merged
from projects.audit.view import AuditPosition, BudgetView, hash_of
from projects.parsers.bill import Bill, BillHeader, Billing, BillPosition, PositionKind, Rounding, StatedTotal
from tests.projects.audit.build import numbered, position, sheet, view
from tests.projects.audit.large_view import large_view

D = Decimal


def test_rules_of_six_roles_are_registered_with_source_and_title() -> None:
    rules = all_rules()
    assert len(rules) >= 24
    assert {rule.role for rule in rules} == set(Role)
    assert all(rule.source and rule.title and rule.version >= 1 for rule in rules)
    asked_for = {
        *(f"V{n:02d}" for n in range(1, 14)), *(f"C{n:02d}" for n in range(1, 11)), "S01", "S02", "S03", "S04",
        "B01", "B02", "B03", "B04", "N01", "N02", "N03", "N04",
    }  # fmt: skip
    assert asked_for <= {rule.id for rule in rules}


def test_every_threshold_belongs_to_a_rule() -> None:
    ids = {rule.id for rule in all_rules()}
    assert {name.split(".")[0] for name in THRESHOLDS} <= ids
    assert rule_by_id("C02").thresholds == {"C02.spread": D("0.05"), "C02.spread_red": D("0.5")}


def test_an_unknown_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match=r"C02\.spred"):
        merged({"C02.spred": D(1)})


def test_an_empty_budget_has_an_empty_result() -> None:
    result = audit(view())
    assert (result.verdicts, result.money_at_stake, result.counts) == ((), 0, GradeCounts())


_units = st.sampled_from(["m2", "m3", "us", None, "%", "kpl"])
_amounts = st.one_of(st.none(), st.decimals(min_value=-5, max_value=500, places=2))
_positions = st.builds(
    lambda **values: values,
    description=st.sampled_from(["", "N1", "Zeď z betonu C 25/35 XC4", "Zřízení bednění", "Odpočet", "Podlaha"]),
    kind=st.sampled_from(PositionKind),
    billing=st.sampled_from(Billing),
    object_code=st.sampled_from(["SO 1", "SO 2", ""]),
    code=st.sampled_from(["311321611", "311351121", "311361821", "Pol1", "", "28376504", "132151253"]),
    price_system=st.sampled_from(["", "CS ÚRS 2025 02", "CS ÚRS 2023 01"]),
    unit=_units,
    quantity=_amounts,
    unit_price=_amounts,
    total=_amounts,
    vat_rate=st.sampled_from([None, D(21), D(15)]),
    measure=st.sampled_from([(), sheet("1+1"), sheet("délka*2"), sheet("1/0")]),
)


def _view_of(rows: list[dict[str, object]]) -> BudgetView:
    totals = [StatedTotal("bill", D(100)), StatedTotal("object", D(50), "SO 1")]
    return view(*numbered(*rows), totals=totals, is_public_tender=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(_positions, max_size=8))
def test_any_budget_is_audited_and_twice_the_same(rows: list[dict[str, object]]) -> None:
    budget, again = _view_of(rows), _view_of(rows)
    first, second = audit(budget), audit(again)
    assert certificate(first, budget) == certificate(second, again)
    assert first == second
    assert sum(first.counts.as_dict().values()) == len(rows) == len(first.verdicts)


@settings(max_examples=60, deadline=None)
@given(st.lists(_positions, max_size=8))
def test_fails_closed(rows: list[dict[str, object]]) -> None:
    """No green position has an open amber or red finding, or a gap that caps; every verdict is a possible one."""
    result = audit(_view_of(rows))
    essential = {rule.id for rule in all_rules() if rule.essential}
    gaps = {one.index for one in result.not_checked if one.rule_id in essential}
    serious = {f.index for f in result.findings if f.grade in (Grade.AMBER, Grade.RED)}
    for verdict in result.verdicts:
        assert 0 <= verdict.confidence <= 1
        assert verdict.money_at_stake >= 0
        if verdict.grade is Grade.GREEN:
            assert verdict.index not in gaps | serious
            assert set(verdict.roles.values()) <= {"green"}
        assert verdict.grade is not Grade.INFO


def test_the_order_of_rules_changes_nothing() -> None:
    budget = large_view(300)
    rules = list(all_rules())
    expected = certificate(audit(budget), budget)
    random.Random(7).shuffle(rules)
    assert certificate(audit(budget, rules=rules), budget) == expected


_ORDERED = {
    "V10",
    "V11",
    "S06",
    "S01",
    "S02",
    "S04",
    "S05",
    "S08",
    "V12",
}  # choose the first of several, or the one before


def test_the_order_of_positions_changes_only_which_of_several_is_named() -> None:
    """What the other rules say of a position does not depend on where it stands."""
    budget = large_view(400)
    shuffled = list(budget.positions)
    random.Random(3).shuffle(shuffled)
    context = {"currency": budget.currency, "rounding": budget.rounding, "budget_on": budget.budget_on}
    other = BudgetView(shuffled, **context)

    def told(of: BudgetView) -> Counter[tuple[str, str, str]]:
        return Counter(
            (of.positions[f.index].key if f.index != BUDGET else "", f.rule_id, f.grade.value)
            for f in audit(of).findings
            if f.rule_id not in _ORDERED
        )

    assert told(budget)
    assert told(budget) == told(other)


def test_progress_names_positions_and_ends_with_the_last() -> None:
    reports: list[tuple[int, int, str, dict[str, int]]] = []
    budget = large_view(251)
    result = audit(budget, report=lambda k, n, message, counts: reports.append((k, n, message, counts.as_dict())))
    of_budget = [report for report in reports if report[0] == 0]
    of_positions = [report for report in reports if report[0] > 0]
    assert len(of_budget) == len([rule for rule in all_rules() if rule.scope == "budget"])
    assert [k for k, *_ in of_positions] == sorted({k for k, *_ in of_positions})
    assert 100 <= len(of_positions) <= 251
    k, n, message, counts = of_positions[-1]
    assert (k, n, counts) == (251, 251, result.counts.as_dict())
    assert message == f"Auditing position 251/251: {budget.positions[250].description}"
    assert all(sum(counts.values()) == k for k, _, _, counts in of_positions)


def test_a_cancelled_audit_stops_without_a_result() -> None:
    asked: list[bool] = []

    def is_cancelled() -> bool:
        asked.append(True)
        return len(asked) > 40

    with pytest.raises(AuditCancelled):
        audit(large_view(500), is_cancelled=is_cancelled)
    assert len(asked) == 41


def test_the_certificate_is_canonical_json_that_names_rules_and_inputs() -> None:
    budget = view(position(total="999", source="SO 1!A15"))
    result = audit(budget)
    content = certificate(result, budget)
    data = json.loads(content)
    assert data["rules"]["V07"] == 1
    assert data["thresholds"]["C02.spread"] == "0.05"
    assert data["inputs_sha256"] == result.inputs_sha256
    finding = next(one for one in data["findings"] if one["rule_id"] == "V07")
    assert (finding["source"], finding["grade"], finding["evidence"]["stated"]) == ("SO 1!A15", "red", "999")
    assert json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == content


def test_every_input_changes_the_certificate() -> None:
    def of(**changes: object) -> bytes:
        budget = view(position(), **changes)
        return certificate(audit(budget), budget)

    plain = of()
    rounding = Rounding(total=D("0.1"), is_stated=True)
    for changes in (
        {"currency": "EUR"},
        {"rounding": rounding},
        {"totals": [StatedTotal("bill", D(125))]},
        {"catalogue": {}},
    ):
        assert of(**changes) != plain
    assert of() == plain
    budget = view(replace(position(), content_hash="another"))
    assert certificate(audit(budget), budget) != plain
    budget = view(position())
    assert certificate(audit(budget, thresholds={"C07.step": D(5)}), budget) != plain


def _bill() -> Bill:
    rows = [
        BillPosition(
            1, "1", "Zeď", unit="m2", quantity=D("1.50"), unit_price=D(2), total=D("3.00"), object_code="SO 1"
        ),
        BillPosition(2, "2", "Podlaha", unit="m2", quantity=D(3), unit_price=D("0.335"), object_code="SO 1"),
    ]
    header = BillHeader("unixml", "uniXML", currency="CZK", rounding=Rounding(is_stated=True))
    return Bill(header, iter(rows), totals=[StatedTotal("bill", D("4.01"))])


def test_a_bill_becomes_a_view() -> None:
    budget = BudgetView.from_bill(_bill())
    assert [p.key for p in budget.positions] == ["1", "2"]
    assert (budget.currency, budget.is_priced, budget.dialect) == ("CZK", True, "unixml")
    assert budget.amounts == [D("3.00"), D("1.01")]  # 1.005 by the file's rounding
    assert budget.grand_total == D("4.01")
    assert "V08" not in audit(budget).hits_by_rule


def test_amounts_without_a_stated_total_follow_the_files_rounding() -> None:
    rounding = Rounding(total=D("0.1"), is_stated=True)
    assert view(position(quantity="3", unit_price="0.15", total=None), rounding=rounding).amounts == [D("0.5")]


def test_the_content_hash_is_that_of_the_content() -> None:
    first: AuditPosition = position()
    assert hash_of(first) == hash_of(replace(first, quantity=D("10.000"), key="9", ordinal=7, source="B3"))
    for changes in ({"quantity": D(11)}, {"description": "x"}, {"measure": sheet("1")}, {"unit": None}):
        assert hash_of(first) != hash_of(replace(first, **changes))


def test_the_documentation_lists_every_rule() -> None:
    text = (Path(__file__).parents[3] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [rule.id for rule in all_rules() if f"\n| {rule.id} |" not in text] == []
