"""Consolidation: from what the rules said of a position to one grade, one confidence, one amount of money.

Grade: the worst open finding, amber or red. A rule marked essential that applies but could not run caps the grade: a
priced position is amber at best, an unpriced one "not checked"; a position for which no rule ran is "not checked".
Never green by silence.

Rules that need a reference which is not loaded (a price catalogue for C04 and N02, the unpriced file for V13) do not
cap: otherwise no position could be green without a catalogue, and the traffic light would say nothing. They are listed
once for the budget (`AuditResult.not_checked_rules`) and lower the confidence of the positions they apply to.

Confidence: the share of applicable rules that ran, times the mean measured precision of the rules that fired (1 while
nothing is measured, and the finding says so). Never averaged from absent votes.

Conflicts between roles: `conflicts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from projects.audit.conflicts import is_graded_by_evidence, with_conflicts
from projects.audit.findings import (
    BUDGET,
    AuditFinding,
    Grade,
    Hit,
    Override,
    Role,
    Severity,
    Suggestion,
    Verdict,
)
from projects.audit.gathering import Evidence, has_role, roles_of
from projects.audit.registry import Rule, Thresholds, add
from projects.audit.view import BudgetView

CENT = Decimal("0.01")
ONE = Decimal(1)
MAX_RELATED = 20  # a family of a large budget can have thousands of members
NOT_MEASURED = "not yet measured"
_FOUR_DIGITS = Decimal("0.0001")
_NO_CONFIDENCE = Decimal("0.0000")
_NOTHING_AT_STAKE = Decimal(0)
_LEVEL = {Grade.RED: 2, Grade.AMBER: 1}


O02 = Rule(
    id="O02",
    version=1,
    role=Role.ORCHESTRATOR,
    title="Graded on too little evidence",
    source="a grade rests on the rules that really ran",
    applies=is_graded_by_evidence,
)
add(O02)


_ROLES_GREEN: dict[int, dict[str, str]] = {}  # bits of roles -> each of them green; a cache, copied for every verdict


def _green(bits: int) -> dict[str, str]:
    roles = _ROLES_GREEN.get(bits)
    if roles is None:
        roles = _ROLES_GREEN[bits] = {role.value: Grade.GREEN.value for role in roles_of(bits)}
    return roles.copy()


@lru_cache(maxsize=4096)
def _coverage(ran: int, applicable: int) -> Decimal:
    return (Decimal(ran) / Decimal(applicable)).quantize(_FOUR_DIGITS, ROUND_HALF_UP) if applicable else _NO_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Consolidator:
    view: BudgetView
    thresholds: Thresholds
    precision: Mapping[str, Decimal]
    overrides: Mapping[tuple[str, str, str], Override]  # (rule id, content hash, identity)
    inputs_sha256: str
    thin: dict[tuple[int, int], bool] = field(default_factory=dict)  # O02's answers by (ran, applicable)

    def finding(self, rule: Rule, hit: Hit) -> AuditFinding:
        """The hit, with its money, its rule's precision, and a person's override where one holds."""
        measured = self.precision.get(rule.id)
        override = self._override(rule, hit)
        return AuditFinding(
            index=hit.index,
            rule_id=rule.id,
            rule_version=rule.version,
            role=rule.role,
            grade=hit.grade,
            reasoning=hit.reasoning,
            evidence={**hit.evidence, "precision": NOT_MEASURED if measured is None else str(measured)},
            money_at_stake=self._money(hit),
            confidence=ONE if measured is None else measured,
            suggestion=hit.suggestion,
            related=hit.related[:MAX_RELATED],
            subject=hit.subject,
            demand=hit.demand,
            resolved=override is not None,
            resolution="" if override is None else f"Overridden: {override.reason}",
            counted_grade=hit.grade if override is None else override.grade,
        )

    def _override(self, rule: Rule, hit: Hit) -> Override | None:
        if not self.overrides:
            return None
        if hit.index == BUDGET:
            return self.overrides.get((rule.id, self.inputs_sha256, hit.subject))
        position = self.view.positions[hit.index]
        return self.overrides.get((rule.id, position.content_hash, position.decided_as))

    def _money(self, hit: Hit) -> Decimal:
        if hit.grade not in _LEVEL:
            return Decimal(0)
        if hit.money_at_stake is not None:
            return abs(hit.money_at_stake).quantize(CENT, ROUND_HALF_UP)
        if hit.index == BUDGET:
            return Decimal(0)
        share = ONE if hit.deviation is None else min(abs(hit.deviation), ONE)
        return (abs(self.view.amounts[hit.index]) * share).quantize(CENT, ROUND_HALF_UP)

    def consolidate(self, index: int, evidence: Evidence) -> tuple[Verdict, list[AuditFinding]]:
        findings = [self.finding(rule, hit) for rule, hit in evidence.hits]
        if len(findings) > 1:
            findings = with_conflicts(index, findings, self.finding)
        if has_role(evidence.roles, Role.ORCHESTRATOR) and self._is_thin(evidence):
            findings.append(self.finding(O02, self._thin(index, evidence)))
        roles = _green(evidence.roles)
        if not findings and not evidence.gaps and evidence.ran:
            confidence = _coverage(evidence.ran, evidence.applicable)
            return Verdict(index, Grade.GREEN, confidence, _NOTHING_AT_STAKE, roles), findings
        return self._verdict(index, evidence, findings, roles), findings

    def _verdict(
        self, index: int, evidence: Evidence, findings: Sequence[AuditFinding], roles: dict[str, str]
    ) -> Verdict:
        capped = [gap.rule for gap in evidence.gaps if gap.caps]
        for rule in capped:
            roles[rule.role.value] = Grade.NOT_CHECKED.value
        worst, money = self._worst(findings, roles)
        return Verdict(
            index=index,
            grade=self._grade(index, worst, evidence.ran, bool(capped)),
            confidence=_confidence(evidence, findings),
            money_at_stake=money,
            roles=roles,
            not_checked=tuple(rule.id for rule in capped),
        )

    def _worst(self, findings: Sequence[AuditFinding], roles: dict[str, str]) -> tuple[int, Decimal]:
        """The highest level that counts (2 red, 1 amber, 0 none) and its money; raises the roles' grades on the way."""
        worst, money = 0, _NOTHING_AT_STAKE
        for finding in findings:
            grade = finding.counted_grade
            level = 0 if grade is None else _LEVEL.get(grade, 0)
            if grade is None or not level:
                continue
            role = finding.role.value
            if Severity[grade.name] > Severity[Grade(roles.get(role, "green")).name]:
                roles[role] = grade.value
            if level > worst:
                worst, money = level, finding.money_at_stake
            elif level == worst:
                money = max(money, finding.money_at_stake)
        return worst, money

    def _grade(self, index: int, worst: int, ran: int, is_capped: bool) -> Grade:
        if worst:
            return Grade.RED if worst == 2 else Grade.AMBER
        if not ran:
            return Grade.NOT_CHECKED
        position = self.view.positions[index]
        return grade_without_findings(is_capped=is_capped, is_priced=bool(position.unit_price or position.total))

    def _is_thin(self, evidence: Evidence) -> bool:
        """O02: fewer rules ran than a grade can rest on."""
        key = (evidence.ran, evidence.applicable)
        is_thin = self.thin.get(key)
        if is_thin is None:
            minimum, coverage = self.thresholds["O02.min_ran"], self.thresholds["O02.min_coverage"]
            is_thin = self.thin[key] = evidence.ran < minimum or evidence.ran < coverage * evidence.applicable
        return is_thin

    def _thin(self, index: int, evidence: Evidence) -> Hit:
        minimum, coverage = self.thresholds["O02.min_ran"], self.thresholds["O02.min_coverage"]
        return Hit(
            index,
            Grade.AMBER,
            f"Only {evidence.ran} of {evidence.applicable} applicable rules could run: too few to call this checked.",
            {
                "applicable": evidence.applicable,
                "ran": evidence.ran,
                "threshold": f"at least {minimum} and {coverage} of the applicable rules",
            },
            deviation=Decimal(0),
            suggestion=Suggestion("Complete the position: code, unit, quantity, price.", "More rules can check it."),
        )


def grade_without_findings(*, is_capped: bool, is_priced: bool) -> Grade:
    """Of a position that no open finding speaks against: what could not be checked caps it, amber if it is priced."""
    if not is_capped:
        return Grade.GREEN
    return Grade.AMBER if is_priced else Grade.NOT_CHECKED


def _confidence(evidence: Evidence, findings: Sequence[AuditFinding]) -> Decimal:
    fired = [f.confidence for f in findings if not f.resolved and f.grade in _LEVEL]
    if not fired or not evidence.applicable:
        return _coverage(evidence.ran, evidence.applicable)
    share = Decimal(evidence.ran) / Decimal(evidence.applicable)
    return (share * sum(fired, Decimal(0)) / len(fired)).quantize(_FOUR_DIGITS, ROUND_HALF_UP)
