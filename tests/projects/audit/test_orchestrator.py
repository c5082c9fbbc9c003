"""Consolidation: grades, confidence, money, conflicts, overrides; never green by silence."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from projects.audit.engine import audit
from projects.audit.findings import Grade, Hit, NotChecked, Override, Role, Verdict
from projects.audit.orchestrator import grade_without_findings
from projects.audit.registry import Rule, all_rules
from projects.parsers.bill import Billing
from tests.projects.audit.build import NOTE, numbered, position, said, sheet, view

D = Decimal


def rule(rule_id: str, *hits: Hit | NotChecked, role: Role = Role.VALIDATOR, essential: bool = False) -> Rule:
    """A rule for these tests: says the same of every position that the hits name."""

    def check(budget: object, index: int, thresholds: object) -> list[Hit | NotChecked]:
        return [hit for hit in hits if hit.index == index]

    return Rule(rule_id, 1, role, rule_id, "test", lambda *_: True, check_position=check, essential=essential)


def amber(subject: str = "", demand: str = "", **more: object) -> Hit:
    return Hit(0, Grade.AMBER, "amber", subject=subject, demand=demand, **more)  # type: ignore[arg-type]


SILENT = [rule(f"Z{n}") for n in range(4)]  # enough rules that run for a grade to rest on


def verdict_of(*rules: Rule, **options: object) -> Verdict:
    budget = options.pop("budget", view(position()))
    return audit(budget, rules=[*SILENT, *rules], **options).verdicts[0]  # type: ignore[arg-type]


def test_the_worst_open_finding_is_the_grade() -> None:
    red = Hit(0, Grade.RED, "red")
    assert verdict_of().grade is Grade.GREEN
    assert verdict_of(rule("A", Hit(0, Grade.INFO, "info"))).grade is Grade.GREEN
    assert verdict_of(rule("A", amber())).grade is Grade.AMBER
    assert verdict_of(rule("A", amber()), rule("B", red)).grade is Grade.RED


def test_roles_have_their_own_grades_and_absent_roles_are_absent() -> None:
    verdict = verdict_of(rule("A", amber(), role=Role.COST), rule("B", Hit(0, Grade.INFO, "info"), role=Role.CONCRETE))
    assert verdict.roles == {"validator": "green", "cost": "amber", "concrete": "green", "orchestrator": "green"}


def test_an_essential_rule_that_could_not_run_caps_a_priced_position_at_amber() -> None:
    verdict = verdict_of(rule("A", NotChecked("why", 0), essential=True))
    assert (verdict.grade, verdict.roles["validator"], verdict.not_checked) == (Grade.AMBER, "not_checked", ("A",))


def test_an_unpriced_position_is_not_checked_instead() -> None:
    blank = view(position(unit_price=None, total=None))
    assert verdict_of(rule("A", NotChecked("why", 0), essential=True), budget=blank).grade is Grade.NOT_CHECKED


def test_a_finding_outweighs_what_could_not_run() -> None:
    verdict = verdict_of(rule("A", NotChecked("why", 0), essential=True), rule("B", Hit(0, Grade.RED, "red")))
    assert (verdict.grade, verdict.roles["validator"]) == (Grade.RED, "red")


def test_a_lesser_rule_that_could_not_run_lowers_confidence_only() -> None:
    verdict = verdict_of(rule("A", NotChecked("why", 0)))
    assert (verdict.grade, verdict.confidence, verdict.not_checked) == (Grade.GREEN, D("0.8000"), ())


def test_a_position_for_which_no_rule_ran_is_not_checked() -> None:
    result = audit(view(position(kind=NOTE)), rules=[rule("A", NotChecked("why", 0))])
    assert result.verdicts[0].grade is Grade.NOT_CHECKED
    assert audit(view(position(kind=NOTE)), rules=[]).verdicts[0].grade is Grade.NOT_CHECKED


@pytest.mark.parametrize("scope", ["position", "budget", "applies"])
def test_a_rule_that_breaks_caps_the_grade_and_does_not_end_the_audit(scope: str) -> None:
    def fails(*_: object) -> list[Hit]:
        raise ZeroDivisionError("broken on purpose")

    broken = {
        "position": Rule("X", 1, Role.COST, "X", "test", lambda *_: True, check_position=fails),
        "budget": Rule("X", 1, Role.COST, "X", "test", lambda *_: True, check_budget=fails),
        "applies": Rule("X", 1, Role.COST, "X", "test", fails, check_position=lambda *_: []),  # type: ignore[arg-type]
    }[scope]
    result = audit(view(*numbered({}, {"quantity": 3})), rules=[*SILENT, rule("A", amber()), broken])
    assert [verdict.grade for verdict in result.verdicts] == [Grade.AMBER, Grade.AMBER]
    assert all(verdict.not_checked == ("X",) for verdict in result.verdicts)
    assert result.verdicts[1].roles["cost"] == "not_checked"
    assert result.verdicts[1].confidence == D("0.8333")  # five of six ran
    told = [one.reason for one in (*result.not_checked, *result.not_checked_rules)]
    assert any("broken on purpose" in reason for reason in told)
    assert [finding.rule_id for finding in result.findings] == ["A"]


def test_too_little_evidence_is_amber() -> None:
    result = audit(view(position()), rules=[rule("A"), rule("B")])
    assert [(f.rule_id, f.grade) for f in result.findings] == [("O02", Grade.AMBER)]
    assert result.verdicts[0].roles["orchestrator"] == "amber"


def test_less_than_half_of_the_applicable_rules_is_too_little() -> None:
    lost = [rule(f"L{n}", NotChecked("why", 0)) for n in range(5)]
    assert verdict_of(*lost).grade is Grade.AMBER
    assert verdict_of(*lost[:4]).grade is Grade.GREEN


def test_surcharges_and_notes_are_not_judged_by_the_number_of_rules() -> None:
    for changes in ({"billing": Billing.SURCHARGE}, {"kind": NOTE}):
        result = audit(view(position(**changes)), rules=[rule("A")])
        assert result.findings == ()


def test_confidence_is_the_share_that_ran_times_the_measured_precision_of_what_fired() -> None:
    fired = [rule("A", amber()), rule("B", amber()), rule("C", NotChecked("why", 0))]
    assert verdict_of(*fired).confidence == D("0.8571")  # 6 of 7
    precise = verdict_of(*fired, precision={"A": D("0.5"), "Z0": D("0.1")})
    assert precise.confidence == D("0.6429")  # 6/7 x (0.5 + 1) / 2


def test_an_unmeasured_precision_is_called_so() -> None:
    budget = view(position())
    (finding,) = audit(budget, rules=[*SILENT, rule("A", amber())]).findings
    assert (finding.confidence, finding.evidence["precision"]) == (1, "not yet measured")
    (finding,) = audit(budget, rules=[*SILENT, rule("A", amber())], precision={"A": D("0.75")}).findings
    assert (finding.confidence, finding.evidence["precision"]) == (D("0.75"), "0.75")


def test_money_at_stake_is_the_total_by_deviation_or_what_the_rule_knows() -> None:
    assert verdict_of(rule("A", amber())).money_at_stake == D("125.00")
    assert verdict_of(rule("A", amber(deviation=D("0.1")))).money_at_stake == D("12.50")
    assert verdict_of(rule("A", amber(deviation=D(3)))).money_at_stake == D("125.00")
    assert verdict_of(rule("A", amber(money_at_stake=D("-7")))).money_at_stake == D("7.00")
    assert verdict_of(rule("A", Hit(0, Grade.INFO, "info"))).money_at_stake == 0


def test_a_positions_money_is_that_of_its_worst_finding() -> None:
    red = Hit(0, Grade.RED, "red", money_at_stake=D(5))
    assert verdict_of(rule("A", amber()), rule("B", red)).money_at_stake == D("5.00")


def test_findings_are_ranked_by_money_then_severity() -> None:
    hits = [
        Hit(0, Grade.AMBER, "a", money_at_stake=D(10)),
        Hit(0, Grade.RED, "b", money_at_stake=D(10)),
        Hit(0, Grade.RED, "c", money_at_stake=D(1)),
        Hit(0, Grade.INFO, "d", money_at_stake=D(99)),
    ]
    result = audit(view(position()), rules=[*SILENT, rule("A", *hits)])
    assert [finding.reasoning for finding in result.ranked()] == ["b", "a", "c", "d"]


def test_law_prevails_over_cost_and_both_opinions_are_kept() -> None:
    cost = rule("C", amber("unit_price", "lower"), role=Role.COST)
    law = rule("N", amber("unit_price", "raise"), role=Role.STANDARDS)
    result = audit(view(position()), rules=[*SILENT, cost, law])
    by_rule = {finding.rule_id: finding for finding in result.findings}
    assert set(by_rule) == {"C", "N", "O01"}
    assert by_rule["C"].conflicts_with == ("N",)
    assert by_rule["N"].conflicts_with == ("C",)
    assert by_rule["C"].resolution == "N prevails over C: law and standards come first."
    assert by_rule["O01"].evidence["winner"] == "N"
    assert result.verdicts[0].roles["orchestrator"] == "amber"


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (Role.STANDARDS, Role.STRUCTURAL),
        (Role.STRUCTURAL, Role.CONCRETE),
        (Role.CONCRETE, Role.VALIDATOR),
        (Role.VALIDATOR, Role.COST),
    ],
)
def test_the_order_of_precedence(winner: Role, loser: Role) -> None:
    rules = [rule("A", amber("quantity", "raise"), role=loser), rule("B", amber("quantity", "lower"), role=winner)]
    (conflict,) = [f for f in audit(view(position()), rules=[*SILENT, *rules]).findings if f.rule_id == "O01"]
    assert conflict.evidence["winner"] == "B"


def test_agreement_and_different_subjects_are_no_conflict() -> None:
    pairs = [
        (amber("unit_price", "lower"), amber("unit_price", "lower")),
        (amber("unit_price", "lower"), amber("quantity", "raise")),
        (amber(), amber()),
    ]
    for first, second in pairs:
        result = audit(view(position()), rules=[*SILENT, rule("A", first), rule("B", second, role=Role.COST)])
        assert [finding.rule_id for finding in result.findings] == ["A", "B"]


def test_of_two_concrete_classes_the_higher_wins() -> None:
    text = "Zeď z betonu C 25/35 XC4"  # no such class: C25/30 is nearest; XC4 calls for C30/37
    (conflict,) = said(view(position(description=text, code="311321611", unit="m3")), "O01")
    assert conflict.evidence["winner"] == "B03"
    assert "C30/37" in conflict.reasoning


def test_a_higher_class_contradicts_a_lower_price() -> None:
    durable = rule("B", amber("concrete_class", "C30/37"), role=Role.CONCRETE)
    cheap = rule("C", amber("unit_price", "lower"), role=Role.COST)
    (conflict,) = [f for f in audit(view(position()), rules=[*SILENT, durable, cheap]).findings if f.rule_id == "O01"]
    assert (conflict.evidence["subject"], conflict.evidence["winner"]) == ("unit_price", "B")


def _override(**changes: object) -> Override:
    values = {
        "rule_id": "V07",
        "content_hash": "hash of SO 1 1",
        "position_identity": "SO 1|1",
        "reason": "agreed with the client",
    }
    return Override(**(values | changes))  # type: ignore[arg-type]


def test_an_overridden_finding_stays_listed_and_counts_no_more() -> None:
    budget = view(position(total="999"))
    assert audit(budget).verdicts[0].grade is Grade.RED
    result = audit(budget, overrides=[_override()])
    (finding,) = [f for f in result.findings if f.rule_id == "V07"]
    assert finding.resolved
    assert "agreed with the client" in finding.resolution
    assert result.verdicts[0].grade is Grade.GREEN
    assert result.verdicts[0].money_at_stake == 0
    assert finding not in result.ranked()


def test_an_overridden_finding_no_longer_lowers_confidence() -> None:
    wrong = view(position(total="999"))
    half = {"V07": D("0.5")}
    doubted = audit(wrong, precision=half).verdicts[0].confidence
    assert audit(wrong, precision=half, overrides=[_override()]).verdicts[0].confidence == doubted * 2


def test_an_override_may_lower_the_grade_instead() -> None:
    verdict = audit(view(position(total="999")), overrides=[_override(grade=Grade.AMBER)]).verdicts[0]
    assert verdict.grade is Grade.AMBER


def test_an_override_ends_when_the_position_changes() -> None:
    changed = replace(position(total="999"), content_hash="another")
    assert audit(view(changed), overrides=[_override()]).verdicts[0].grade is Grade.RED
    for other in ({"rule_id": "V04"}, {"position_identity": "SO 1|2"}):
        assert audit(view(position(total="999")), overrides=[_override(**other)]).verdicts[0].grade is Grade.RED


def test_a_finding_on_the_budget_is_overridden_by_its_subject() -> None:
    budget = view(position(), currency="")
    first = audit(budget)
    decision = _override(rule_id="C09", content_hash=first.inputs_sha256, position_identity="currency")
    assert first.budget_grade is Grade.RED
    (finding,) = [f for f in audit(budget, overrides=[decision]).findings if f.rule_id == "C09"]
    assert finding.resolved
    assert audit(budget, overrides=[decision]).budget_grade is not Grade.RED


def test_overridden_findings_contradict_nobody() -> None:
    rules = [rule("V07", amber("unit_price", "raise")), rule("C", amber("unit_price", "lower"), role=Role.COST)]
    result = audit(view(position()), rules=[*SILENT, *rules], overrides=[_override()])
    assert "O01" not in result.hits_by_rule


def test_grade_without_findings() -> None:
    assert grade_without_findings(is_capped=False, is_priced=True) is Grade.GREEN
    assert grade_without_findings(is_capped=True, is_priced=True) is Grade.AMBER
    assert grade_without_findings(is_capped=True, is_priced=False) is Grade.NOT_CHECKED


def test_no_position_with_an_essential_gap_is_ever_green() -> None:
    """Over every rule that is really registered as essential: make it say that it could not run."""
    essential = [one for one in all_rules() if one.essential]
    assert {one.id for one in essential} >= {"V01", "V02", "V04", "V07", "V09", "C01"}
    for one in essential:
        mute = replace(
            one, applies=lambda *_: True, check_budget=None, check_position=lambda *_: [NotChecked("mute", 0)]
        )
        others = [other for other in all_rules() if other.id != one.id]
        for changes in ({"measure": sheet("10")}, {"unit_price": None, "total": None}):
            verdict = audit(view(position(**changes)), rules=[*others, mute]).verdicts[0]
            assert verdict.grade is not Grade.GREEN
            assert one.id in verdict.not_checked
