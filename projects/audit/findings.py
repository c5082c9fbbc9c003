"""The vocabulary of the audit: grades, roles, what a rule says, what the engine returns. Free of Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

BUDGET = -1  # the `index` of what is said of the budget as a whole, not of one position


class Grade(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    NOT_CHECKED = "not_checked"
    INFO = "info"  # only of a finding: worth knowing, changes no position's grade


class Severity(IntEnum):
    """For sorting: what a person should look at first."""

    GREEN = 0
    INFO = 1
    NOT_CHECKED = 2
    AMBER = 3
    RED = 4


class Role(StrEnum):
    VALIDATOR = "validator"
    COST = "cost"
    STRUCTURAL = "structural"
    CONCRETE = "concrete"
    STANDARDS = "standards"
    ORCHESTRATOR = "orchestrator"


@dataclass(frozen=True, slots=True)
class Suggestion:
    action: str
    benefit: str = ""
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """What one rule says of one position. `index` is the position's place in `BudgetView.positions`, or `BUDGET`.

    `subject` and `demand` say what the hit is about and what it asks for ("unit_price", "lower"): two hits on one
    position with the same subject and different demands contradict each other. Of a hit on the budget as a whole,
    `subject` names the part ("object SO 1"), so that several hits of one rule can be told apart.
    """

    index: int
    grade: Grade
    reasoning: str
    evidence: dict[str, Any] = field(default_factory=dict)  # JSON: inputs, formula, threshold; Decimals as str
    deviation: Decimal | None = None  # share of the position's total that is in question, 0-1; None: all of it
    money_at_stake: Decimal | None = None  # overrides total x deviation where the rule knows the amount
    suggestion: Suggestion | None = None
    related: tuple[int, ...] = ()  # indexes of the other positions of the same observation
    subject: str = ""
    demand: str = ""


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A rule applies but could not run. `index` BUDGET, from a rule on the whole budget: it ran for no position."""

    reason: str
    index: int = BUDGET


@dataclass(slots=True)
class GradeCounts:
    green: int = 0
    amber: int = 0
    red: int = 0
    not_checked: int = 0

    def add(self, grade: Grade) -> None:
        name = grade.value
        setattr(self, name, getattr(self, name) + 1)

    def as_dict(self) -> dict[str, int]:
        return {"green": self.green, "amber": self.amber, "red": self.red, "not_checked": self.not_checked}


@dataclass(frozen=True, slots=True)
class Override:
    """A person's decision on one finding. It holds while the position's content hash is unchanged.

    For a finding on the budget as a whole, `content_hash` is `AuditResult.inputs_sha256` and `position_identity`
    is the finding's subject. `grade` None: the finding counts for nothing; otherwise it counts with that grade.
    """

    rule_id: str
    content_hash: str
    position_identity: str
    reason: str
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """A hit with everything needed to replay it: the rule's id, version and role, and how it was consolidated."""

    index: int
    rule_id: str
    rule_version: int
    role: Role
    grade: Grade
    reasoning: str
    evidence: dict[str, Any]
    money_at_stake: Decimal  # 0 for info
    confidence: Decimal  # the rule's measured precision; 1 while `evidence["precision"]` says "not yet measured"
    suggestion: Suggestion | None = None
    related: tuple[int, ...] = ()
    subject: str = ""
    demand: str = ""
    conflicts_with: tuple[str, ...] = ()  # ids of the rules that demand something else of the same subject
    resolution: str = ""  # of a conflict: who wins and why; of an override: its reason
    resolved: bool = False  # by an override: listed, but counts only with `counted_grade`
    counted_grade: Grade | None = None  # what counts for the position's grade; None: nothing


@dataclass(frozen=True, slots=True)
class Verdict:
    """The consolidated result for one position."""

    index: int
    grade: Grade
    confidence: Decimal  # 0-1, 4 digits
    money_at_stake: Decimal  # of its worst open finding
    roles: dict[str, str]  # role -> grade; a role without any applicable rule is absent
    not_checked: tuple[str, ...] = ()  # ids of the rules that applied but could not run, and so capped the grade


@dataclass(frozen=True, slots=True)
class RuleNotRun:
    """A rule that could not run for the budget at all, and why: shown once, for the whole budget."""

    rule_id: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class PositionNotChecked:
    index: int
    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What one audit says. The same view, thresholds, overrides and precision give an equal result."""

    verdicts: tuple[Verdict, ...]  # one per position, in the order of the view
    findings: tuple[AuditFinding, ...]  # by position (the budget's first), then by rule id
    not_checked_rules: tuple[RuleNotRun, ...]
    not_checked: tuple[PositionNotChecked, ...]
    counts: GradeCounts
    money_at_stake: Decimal  # the sum over the verdicts
    hits_by_rule: dict[str, int]
    rules: dict[str, int]  # id -> version of every rule registered
    thresholds: dict[str, Decimal]
    inputs_sha256: str
    budget_grade: Grade  # the worst open finding on the budget as a whole

    def ranked(self) -> list[AuditFinding]:
        """Open findings by money at stake, then severity; those without money (info) last."""
        opened = [finding for finding in self.findings if not finding.resolved]
        return sorted(
            opened,
            key=lambda f: (-f.money_at_stake, -Severity[f.grade.name], f.index, f.rule_id),
        )
