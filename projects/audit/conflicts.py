"""Conflicts: two roles that demand different things of the same subject of one position. Rule O01.

Order: law and standard > structural > concrete > arithmetic > cost; between two concrete classes the higher wins. Both
opinions are kept, with the winner and the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from projects.audit.findings import AuditFinding, Grade, Hit, Role, Severity, Suggestion
from projects.audit.registry import Rule, add
from projects.audit.view import BudgetView
from projects.parsers.bill import Billing

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


def is_graded_by_evidence(view: BudgetView, index: int) -> bool:
    """Not notes, and not surcharges: those have neither unit nor quantity that rules could check."""
    return not view.is_note[index] and view.positions[index].billing is not Billing.SURCHARGE


O01 = Rule(
    id="O01",
    version=1,
    role=Role.ORCHESTRATOR,
    title="Roles contradict each other",
    source="order of precedence: law, standard, structure, durability, arithmetic, cost",
    applies=is_graded_by_evidence,
)
add(O01)


def with_conflicts(
    index: int, findings: Sequence[AuditFinding], make: Callable[[Rule, Hit], AuditFinding]
) -> list[AuditFinding]:
    """Mark contradicting findings on both sides, and add an O01 for each pair; `make` turns a hit into a finding."""
    marked = list(findings)
    added = []
    for a in range(len(findings)):
        for b in range(a + 1, len(findings)):
            subject = _contradiction(findings[a], findings[b])
            if not subject:
                continue
            winner, loser, why = _prevails(findings[a], findings[b])
            resolution = f"{winner.rule_id} prevails over {loser.rule_id}: {why}."
            marked[a] = _marked(marked[a], findings[b], resolution)
            marked[b] = _marked(marked[b], findings[a], resolution)
            added.append(make(O01, _conflict_hit(index, winner, loser, subject, resolution)))
    return marked + added


def _marked(finding: AuditFinding, other: AuditFinding, resolution: str) -> AuditFinding:
    conflicts = (*finding.conflicts_with, other.rule_id)
    return replace(finding, conflicts_with=conflicts, resolution=f"{finding.resolution} {resolution}".strip())


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
