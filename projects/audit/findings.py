"""The vocabulary of the audit: grades, roles, what a rule says, what the engine returns. Free of Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any


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
    """What one rule says of one position. `index` is the position's place in `BudgetView.positions`."""

    index: int
    grade: Grade
    reasoning: str
    evidence: dict[str, Any] = field(default_factory=dict)  # JSON: inputs, formula, threshold; Decimals as str
    deviation: Decimal | None = None  # share of the position's total that is in question, 0-1; None: all of it
    money_at_stake: Decimal | None = None  # overrides total x deviation where the rule knows the amount
    suggestion: Suggestion | None = None
    related: tuple[int, ...] = ()  # indexes of the other positions of the same observation


@dataclass(frozen=True, slots=True)
class Verdict:
    """The consolidated result for one position."""

    index: int
    grade: Grade
    confidence: Decimal  # 0-1, 4 digits
    money_at_stake: Decimal  # of its worst open finding
    roles: dict[str, str]  # role -> grade; a role without any applicable rule is absent
    not_checked: tuple[str, ...] = ()  # ids of the rules that applied but could not run
