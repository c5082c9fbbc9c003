"""Consolidation: from what the rules said of a position to one grade, one confidence, one amount of money.

Grade: the worst open finding, amber or red. A rule marked essential that applies but could not run caps the grade: a
priced position is amber at best, an unpriced one "not checked"; a position for which no rule ran is "not checked".
Never green by silence.

Rules that need a reference which is not loaded (a price catalogue for C04 and N02, the unpriced file for V13) do not
cap: otherwise no position could be green without a catalogue, and the traffic light would say nothing. They are listed
once for the budget (`AuditResult.not_checked_rules`) and lower the confidence of the positions they apply to.

Confidence: the share of applicable rules that ran, times the mean measured precision of the rules that fired (1 while
nothing is measured, and the finding says so). Never averaged from absent votes.

Conflicts: one subject, two demands. Order: law and standard > structural > concrete > arithmetic > cost; between two
concrete classes the higher wins. Both opinions are kept, with the winner and the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

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
from projects.audit.registry import Rule, Thresholds, add, every_position
from projects.audit.view import BudgetView
from projects.parsers.bill import Billing

CENT = Decimal("0.01")
ONE = Decimal(1)
NOT_MEASURED = "not yet measured"
_FOUR_DIGITS = Decimal("0.0001")
_LEVEL = {Grade.RED: 2, Grade.AMBER: 1}

# Who prevails when two roles contradict each other, and why
_ORDER = (Role.STANDARDS, Role.STRUCTURAL, Role.CONCRETE, Role.VALIDATOR, Role.COST, Role.ORCHESTRATOR)
_WHY = {
    Role.STANDARDS: "law and standards come first",
    Role.STRUCTURAL: "what carries the building comes before durability, arithmetic and cost",
    Role.CONCRETE: "durability comes before arithmetic and cost",
    Role.VALIDATOR: "arithmetic comes before cost",
    Role.COST: "the more serious finding counts",
    Role.ORCHESTRATOR: "the more serious finding counts",
}
# What a demand entails elsewhere: a higher concrete class costs more
_ENTAILS = {"concrete_class": ("unit_price", "raise")}


def _is_graded_by_evidence(view: BudgetView, index: int) -> bool:
    """Not notes, and not surcharges: those have neither unit nor quantity that rules could check."""
    return not view.is_note[index] and view.positions[index].billing is not Billing.SURCHARGE


O01 = Rule(
    id="O01",
    version=1,
    role=Role.ORCHESTRATOR,
    title="Roles contradict each other",
    source="order of precedence: law, standard, structure, durability, arithmetic, cost",
    applies=every_position,
)
O02 = Rule(
    id="O02",
    version=1,
    role=Role.ORCHESTRATOR,
    title="Graded on too little evidence",
    source="a grade rests on the rules that really ran",
    applies=_is_graded_by_evidence,
)
add(O01)
add(O02)


@dataclass(slots=True)
class Evidence:
    """What the rules said of one position, before consolidation."""

    hits: list[tuple[Rule, Hit]] = field(default_factory=list)
    not_run: list[tuple[Rule, str]] = field(default_factory=list)  # essential or not; references excluded
    applicable: int = 0
    absent: int = 0  # of these, lack a reference that is not loaded
    ran: int = 0
    roles: tuple[Role, ...] = ()


@dataclass(frozen=True, slots=True)
class Consolidator:
    view: BudgetView
    thresholds: Thresholds
    precision: Mapping[str, Decimal]
    overrides: Mapping[tuple[str, str, str], Override]  # (rule id, content hash, identity)
    inputs_sha256: str

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
            related=hit.related,
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
        return self.overrides.get((rule.id, position.content_hash, position.identity))

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
            findings = self._with_conflicts(index, findings)
        thin = self._thin(index, evidence)
        if thin is not None:
            findings.append(self.finding(O02, thin))
        return self._verdict(index, evidence, findings), findings

    def _verdict(self, index: int, evidence: Evidence, findings: Sequence[AuditFinding]) -> Verdict:
        capped = [rule for rule, _ in evidence.not_run if rule.essential]
        roles: dict[str, str] = {role.value: Grade.GREEN.value for role in evidence.roles}
        if O02.applies(self.view, index):
            roles[Role.ORCHESTRATOR.value] = Grade.GREEN.value
        for rule in capped:
            roles[rule.role.value] = Grade.NOT_CHECKED.value
        worst, money = 0, Decimal(0)
        for finding in findings:
            level = _LEVEL.get(finding.counted_grade, 0) if finding.counted_grade is not None else 0
            if not level:
                continue
            grade = Grade.RED if level == 2 else Grade.AMBER
            role = finding.role.value
            if Severity[grade.name] > Severity[Grade(roles.get(role, "green")).name]:
                roles[role] = grade.value
            if level > worst:
                worst, money = level, finding.money_at_stake
            elif level == worst:
                money = max(money, finding.money_at_stake)
        return Verdict(
            index=index,
            grade=self._grade(index, worst, evidence.ran, bool(capped)),
            confidence=self._confidence(evidence, findings),
            money_at_stake=money,
            roles=roles,
            not_checked=tuple(rule.id for rule in capped),
        )

    def _grade(self, index: int, worst: int, ran: int, is_capped: bool) -> Grade:
        if worst:
            return Grade.RED if worst == 2 else Grade.AMBER
        if not ran:
            return Grade.NOT_CHECKED
        position = self.view.positions[index]
        return grade_without_findings(is_capped=is_capped, is_priced=bool(position.unit_price or position.total))

    def _confidence(self, evidence: Evidence, findings: Sequence[AuditFinding]) -> Decimal:
        if not evidence.applicable:
            return Decimal("0.0000")
        share = Decimal(evidence.ran) / Decimal(evidence.applicable)
        fired = [f.confidence for f in findings if not f.resolved and f.grade in _LEVEL]
        precision = sum(fired, Decimal(0)) / len(fired) if fired else ONE
        return (share * precision).quantize(_FOUR_DIGITS, ROUND_HALF_UP)

    def _thin(self, index: int, evidence: Evidence) -> Hit | None:
        """O02: fewer rules ran than a grade can rest on."""
        if not O02.applies(self.view, index):
            return None
        minimum, coverage = self.thresholds["O02.min_ran"], self.thresholds["O02.min_coverage"]
        if evidence.ran >= minimum and evidence.ran >= coverage * evidence.applicable:
            return None
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

    def _with_conflicts(self, index: int, findings: list[AuditFinding]) -> list[AuditFinding]:
        """Mark contradicting findings on both sides, and add O01, which keeps both opinions and the winner."""
        pairs = [
            (a, b, subject)
            for a in range(len(findings))
            for b in range(a + 1, len(findings))
            if (subject := _contradiction(findings[a], findings[b]))
        ]
        if not pairs:
            return findings
        marked = list(findings)
        added = []
        for a, b, subject in pairs:
            winner, loser, why = _prevails(findings[a], findings[b])
            resolution = f"{winner.rule_id} prevails over {loser.rule_id}: {why}."
            for at, other in ((a, findings[b]), (b, findings[a])):
                conflicts = (*marked[at].conflicts_with, other.rule_id)
                text = f"{marked[at].resolution} {resolution}".strip()
                marked[at] = replace(marked[at], conflicts_with=conflicts, resolution=text)
            added.append(self.finding(O01, _conflict_hit(index, winner, loser, subject, resolution)))
        return marked + added


def grade_without_findings(*, is_capped: bool, is_priced: bool) -> Grade:
    """Of a position that no open finding speaks against: what could not be checked caps it, amber if it is priced."""
    if not is_capped:
        return Grade.GREEN
    return Grade.AMBER if is_priced else Grade.NOT_CHECKED


def _conflict_hit(index: int, winner: AuditFinding, loser: AuditFinding, subject: str, resolution: str) -> Hit:
    opinions = [
        {"rule": f.rule_id, "role": f.role.value, "grade": f.grade.value, "demand": f.demand} for f in (winner, loser)
    ]
    return Hit(
        index,
        Grade.AMBER,
        f"{winner.role.value.capitalize()} and {loser.role.value} contradict each other about "
        f"{subject.replace('_', ' ')}. {resolution}",
        {"subject": subject, "opinions": opinions, "winner": winner.rule_id},
        money_at_stake=max(winner.money_at_stake, loser.money_at_stake),
        suggestion=Suggestion(f"Follow {winner.rule_id}, or override it with a reason."),
    )


def _claims(finding: AuditFinding) -> dict[str, str]:
    if finding.resolved or not finding.subject or not finding.demand:
        return {}
    claims = {finding.subject: finding.demand}
    entailed = _ENTAILS.get(finding.subject)
    if entailed is not None:
        claims[entailed[0]] = entailed[1]
    return claims


def _contradiction(first: AuditFinding, second: AuditFinding) -> str:
    """The subject of which the two demand different things; "" where they agree or speak of different things."""
    if first.rule_id == second.rule_id:
        return ""
    ours, theirs = _claims(first), _claims(second)
    return next((subject for subject in ours if subject in theirs and ours[subject] != theirs[subject]), "")


def _prevails(first: AuditFinding, second: AuditFinding) -> tuple[AuditFinding, AuditFinding, str]:
    if first.subject == second.subject == "concrete_class":
        ordered = sorted((first, second), key=lambda f: (-class_strength(f.demand), f.rule_id))
        return ordered[0], ordered[1], f"the higher class wins ({ordered[0].demand})"
    ordered = sorted(
        (first, second), key=lambda f: (_ORDER.index(f.role), -Severity[f.grade.name], -f.money_at_stake, f.rule_id)
    )
    winner, loser = ordered
    why = _WHY[winner.role] if winner.role is not loser.role else "the more serious finding counts"
    return winner, loser, why


def class_strength(name: str) -> int:
    """The cylinder strength in MPa of a class like "C30/37"; 0 where it is not one."""
    digits = name.lstrip("LC ").split("/")[0]
    return int(digits) if digits.isdigit() else 0
