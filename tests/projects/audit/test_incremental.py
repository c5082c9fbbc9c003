"""Re-audit: whatever is edited, what is stored afterwards is what auditing everything would have stored."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.audit.findings import Override
from projects.audit.known import Known, NeedsFullAudit, rules_in_order
from projects.audit.scopes import SCOPES
from projects.audit.view import AuditPosition, hash_of
from projects.parsers.bill import Billing, MeasureLine, PositionKind, Rounding, StatedTotal
from tests.projects.audit.build import position, sheet
from tests.projects.audit.edited import EditedBudget, stored_of
from tests.projects.audit.large_view import large_view

D = Decimal
CODES = (
    "311321611", "311351121", "311351122", "311361821", "274321511", "274351121", "274361821", "Pol1", "",
    "28376504", "132151253", "174101101", "171251201", "941111111", "941111811", "998011001", "632481213",
)  # fmt: skip
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "description": st.sampled_from(
        ["", "N1", "Zeď z betonu C 25/35 XC4", "Zřízení bednění", "Odstranění bednění", "Odpočet", "Podlaha tl. 50 mm",
         "Přesun hmot"]
    ),
    "kind": st.sampled_from([PositionKind.WORK, PositionKind.WORK, PositionKind.MATERIAL, PositionKind.NOTE]),
    "billing": st.sampled_from([Billing.NORMAL, Billing.NORMAL, Billing.NORMAL, *Billing]),
    "object_code": st.sampled_from(["SO 1", "SO 2", ""]),
    "section_path": st.sampled_from([("1",), ("1", "2"), ()]),
    "code": st.sampled_from(CODES),
    "price_system": st.sampled_from(["", "CS ÚRS 2025 02", "CS ÚRS 2023 01"]),
    "unit": st.sampled_from(["m2", "m3", "m2", "m3", "kg", "t", "us", None, "%", "kpl", "soubor"]),
    "quantity": st.sampled_from([None, D(0), D(-1), D(1), D("2.5"), D(10), D(11), D(100)]),
    "unit_price": st.sampled_from([None, D(0), D(-3), D(10), D("10.4"), D(20), D(1000), D(90000)]),
    "total": st.sampled_from([None, None, D(100), D("25.00"), D(0)]),
    "vat_rate": st.sampled_from([None, D(21), D(15)]),
    "measure": st.sampled_from([(), (), sheet("1+1"), sheet("délka*2"), sheet("1/0")]),
}  # fmt: skip
POSITIONS = st.fixed_dictionaries(FIELDS)
EDITS = st.one_of(
    st.tuples(st.just("change"), st.integers(0, 99), st.sampled_from(sorted(FIELDS)).flatmap(
        lambda name: st.tuples(st.just(name), FIELDS[name])
    )),
    st.tuples(st.just("add"), st.integers(0, 99), POSITIONS),
    st.tuples(st.just("delete"), st.integers(0, 99), st.none()),
    st.tuples(st.just("move"), st.integers(0, 99), st.integers(0, 30)),
    st.tuples(st.just("override"), st.integers(0, 99), st.integers(0, 5)),
    st.tuples(st.just("withdraw"), st.integers(0, 99), st.none()),
    st.tuples(st.just("threshold"), st.integers(0, 99), st.sampled_from([D("0.01"), D("0.2")])),
)  # fmt: skip


def _budget(rows: list[dict[str, Any]], **context: Any) -> EditedBudget:
    positions = {}
    for n, row in enumerate(rows, start=1):
        made = replace(position(number=str(n)), **row, key=str(n), ordinal=n * 16, lineage=f"lineage {n}")
        positions[made.key] = replace(made, content_hash=hash_of(made))
    values = {"currency": "CZK", "rounding": Rounding(total=D("0.1"), is_stated=True), "is_public_tender": True}
    return EditedBudget(positions, values | context)


def _edit(budget: EditedBudget, edit: tuple[str, int, Any]) -> None:
    what, place, detail = edit
    keys = sorted(budget.positions, key=int)
    if what == "add":
        made = replace(
            position(number=f"n{budget.next_key}"), **detail, ordinal=place * 7, lineage=f"{budget.next_key}"
        )
        budget.put(made)
    elif what == "threshold":
        budget.options = {"thresholds": {"C02.spread": detail}}
    elif what == "withdraw" and budget.overrides:
        budget.overrides.pop(place % len(budget.overrides))
    elif keys:
        key = keys[place % len(keys)]
        if what == "change":
            budget.change(key, **dict([detail]))
        elif what == "move":
            budget.change(key, ordinal=detail * 11)
        elif what == "delete":
            budget.delete(key)
        elif what == "override":
            _override(budget, budget.positions[key], detail)


def _override(budget: EditedBudget, of: AuditPosition, which: int) -> None:
    found = [one for one, _ in budget.ledger.findings.get(of.key, ()) if one.grade in ("red", "amber")]
    if found:
        rule = found[which % len(found)].rule_id
        decided = Override(rule, of.content_hash, of.decided_as, "It is so.")
        budget.overrides = [o for o in budget.overrides if (o.rule_id, o.position_identity) != (rule, of.decided_as)]
        budget.overrides.append(decided)


def _compare(budget: EditedBudget) -> bool:
    """Whether it was done by what changed; either way, what is stored is what a full audit stores."""
    try:
        budget.reaudit()
        was_incremental = True
    except NeedsFullAudit:
        budget.audit()
        was_incremental = False
    full = EditedBudget(budget.positions, budget.context, budget.options, budget.overrides)
    full.audit()
    mine, theirs = stored_of(budget), stored_of(full)
    for part in theirs:
        assert mine[part] == theirs[part], part
    return was_incremental


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(POSITIONS, min_size=1, max_size=14), st.lists(EDITS, min_size=1, max_size=4))
def test_after_any_edits_the_result_is_that_of_a_full_audit(
    rows: list[dict[str, Any]], edits: list[tuple[str, int, Any]]
) -> None:
    budget = _budget(rows)
    budget.audit()
    for edit in edits:
        _edit(budget, edit)
        _compare(budget)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 399), st.sampled_from(["quantity", "unit_price", "code", "unit", "description", "section_path"]))
def test_one_edit_in_a_large_budget(place: int, name: str) -> None:
    large = large_view(400)
    context = {name: value for name, value in large.context.items() if name != "is_priced"}
    budget = EditedBudget({p.key: p for p in large.positions}, context)
    budget.audit()
    values = {"quantity": D(777), "unit_price": D("0.01"), "code": "274321999", "unit": "kpl", "description": "Jiná",
              "section_path": ("HSV Práce a dodávky HSV", "0 Oddíl")}  # fmt: skip
    budget.change(str(place), **{name: values[name]})
    assert _compare(budget)


STEEL_ROWS = [
    {"object_code": of, "code": code, "unit": unit, "quantity": quantity}
    for of, steel in (("SO 1", "0.8"), ("SO 2", "0.8"), ("SO 3", "0.803"), ("SO 4", "1.1"))
    for code, unit, quantity in (("311321611", "m3", D(10)), ("311361821", "t", D(steel)))
]
STEEL_EDITS = st.one_of(
    st.tuples(
        st.just("change"), st.integers(0, 7), st.tuples(st.just("quantity"), st.sampled_from(
            [D(0), D(10), D(20), D("0.8"), D("0.803"), D("0.806"), D("1.1"), D("1.6")]
        )),
    ),
    st.tuples(
        st.just("change"), st.integers(0, 7), st.tuples(st.just("unit_price"), st.sampled_from([D(1), D(90000)]))
    ),
    st.tuples(st.just("change"), st.integers(0, 7), st.tuples(
        st.just("code"), st.sampled_from(["311321611", "311361821", "274361821", "274321511", "Pol1"])
    )),
    st.tuples(st.just("change"), st.integers(0, 7), st.tuples(st.just("unit"), st.sampled_from(["kg", "t", "m3"]))),
    st.tuples(st.just("delete"), st.integers(0, 7), st.none()),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEEL_EDITS, min_size=1, max_size=5))
def test_equal_steel_ratios_come_and_go_as_a_full_audit_sees_them(edits: list[tuple[str, int, Any]]) -> None:
    budget = _budget(STEEL_ROWS)
    assert budget.audit().hits_by_rule["S03"] == 1
    for edit in edits:
        _edit(budget, edit)
        assert _compare(budget) or not budget.positions


def test_only_what_can_have_changed_is_asked() -> None:
    large = large_view(3000)
    budget = EditedBudget({p.key: p for p in large.positions}, large.context)
    budget.audit()
    budget.change("1003", description="Jiný popis téže konstrukce")
    outcome, source = budget.reaudit()
    assert len(outcome.verdicts) <= 3
    assert len(source.fetched) < 2000  # of few codes, so that groups are large


def test_stated_sums_that_no_longer_hold_need_no_full_audit() -> None:
    budget = _budget([{"total": D("125.0")}, {"total": D("125.0")}], totals=[StatedTotal("bill", D(999))])
    assert budget.audit().hits_by_rule["V08"] == 1
    budget.change("1", description="Vrstva z PE fólie")
    budget.context["totals"] = []
    assert _compare(budget)
    assert budget.ledger.of_budget == [pair for pair in budget.ledger.of_budget if pair[0] != "V08"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("currency", "EUR"), ("phase", "X84"), ("rounding", Rounding()), ("vat_rates", [D(20)]), ("dialect", "gaeb_xml"),
     ("catalogue", {}), ("blank", [position()]), ("is_public_tender", False)],
)  # fmt: skip
def test_another_context_needs_a_full_audit(name: str, value: Any) -> None:
    budget = _budget([{}, {}])
    budget.audit()
    budget.context[name] = value
    with pytest.raises(NeedsFullAudit):
        budget.reaudit()


def test_other_thresholds_precision_or_rules_need_a_full_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = _budget([{}, {}])
    budget.audit()
    budget.options = {"thresholds": {"C07.step": D(5)}}
    with pytest.raises(NeedsFullAudit, match="thresholds"):
        budget.reaudit()
    budget.options = {"precision": {"C07": D("0.5")}}
    with pytest.raises(NeedsFullAudit):
        budget.reaudit()
    budget.options = {}
    monkeypatch.setitem(SCOPES, "C02", replace(SCOPES["C02"], version=99))
    with pytest.raises(NeedsFullAudit, match="C02"):
        budget.reaudit()


def test_a_figure_that_other_sheets_read_needs_a_full_audit() -> None:
    lines = (MeasureLine("5", "expression", None, "délka"),)
    budget = _budget([{"measure": lines, "quantity": D(5)}, {"measure": sheet("délka*2"), "quantity": D(10)}])
    budget.audit()
    budget.change("1", measure=())
    with pytest.raises(NeedsFullAudit, match="figures"):
        budget.reaudit()
    assert not _compare(budget)


def test_what_is_kept_and_can_not_be_read_needs_a_full_audit() -> None:
    budget = _budget([{}])
    budget.audit()
    for damaged in ({}, budget.known | {"facts": {}}, budget.known | {"more": 1}):
        with pytest.raises(NeedsFullAudit):
            Known.from_json(damaged)


def test_every_rule_says_what_it_reads() -> None:
    unsaid = [
        rule.id
        for rule in rules_in_order()
        if rule.scope != "verdict" and (rule.id not in SCOPES or SCOPES[rule.id].version != rule.version)
    ]
    assert unsaid == []
