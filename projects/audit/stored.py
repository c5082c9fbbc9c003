"""What was said of a position in an earlier audit, as it is kept, and whether a rule now says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from projects.audit.certificate import canonical
from projects.audit.findings import AuditFinding, Grade, Hit, Suggestion
from projects.audit.orchestrator import MAX_RELATED

if TYPE_CHECKING:
    from projects.audit.view import BudgetView

RELATED = "related_positions"  # in the evidence: [{"key", "number"}] of the positions that a hit is about, too
_ADDED = "precision"  # by consolidation, to the rule's own evidence
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """`grade` "not_checked": not a finding but the reason why the rule could not run."""

    key: str
    rule_id: str
    grade: str
    reasoning: str
    evidence: dict[str, Any]
    money_at_stake: Decimal
    suggestion: dict[str, str] | None = None
    subject: str = ""
    demand: str = ""

    def as_hit(self) -> Hit:
        """As the rule said it. The index is for the caller to set."""
        return Hit(
            0,
            Grade(self.grade),
            self.reasoning,
            {name: value for name, value in self.evidence.items() if name != _ADDED},
            money_at_stake=self.money_at_stake,
            suggestion=None if self.suggestion is None else Suggestion(**self.suggestion),
            subject=self.subject,
            demand=self.demand,
        )


def evidence_of(finding: AuditFinding | Hit, view: BudgetView) -> dict[str, Any]:
    """With the related positions named, so that it can be read without the view."""
    evidence = dict(finding.evidence)
    if finding.related:
        related = (view.positions[index] for index in finding.related[:MAX_RELATED])
        evidence[RELATED] = [{"key": p.key, "number": p.number} for p in related]
    return evidence


def suggestion_of(finding: AuditFinding) -> dict[str, str] | None:
    said = finding.suggestion
    return None if said is None else {"action": said.action, "benefit": said.benefit, "risk": said.risk}


def detached(hit: Hit, view: BudgetView) -> Hit:
    """Without indexes of other positions: those it names stand in the evidence."""
    return replace(hit, evidence=evidence_of(hit, view), related=())


def same_said(hits: Iterable[Hit], stored: Iterable[StoredFinding]) -> bool:
    return sorted(map(_said, hits)) == sorted(_said(one.as_hit()) for one in stored)


def _said(hit: Hit) -> bytes:
    """Everything but the index. The money of `hit` is what is at stake."""
    money = (hit.money_at_stake or _ZERO) + _ZERO
    advice = None if hit.suggestion is None else [hit.suggestion.action, hit.suggestion.benefit, hit.suggestion.risk]
    return canonical([hit.grade, hit.reasoning, hit.evidence, money, advice, hit.subject, hit.demand])
