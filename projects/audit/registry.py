"""Where rules register: id, version, role, source, what they apply to, and the small pure function that checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from projects.audit.findings import Hit, NotChecked, Role
from projects.audit.thresholds import THRESHOLDS

if TYPE_CHECKING:
    from projects.audit.view import BudgetView

Thresholds: TypeAlias = Mapping[str, Decimal]
Said: TypeAlias = Sequence[Hit | NotChecked]  # of one position
SaidOfBudget: TypeAlias = Iterable[Hit | NotChecked]
Applies: TypeAlias = "Callable[[BudgetView, int], bool]"
PositionCheck: TypeAlias = "Callable[[BudgetView, int, Thresholds], Said]"
BudgetCheck: TypeAlias = "Callable[[BudgetView, Thresholds], SaidOfBudget]"

NOTHING: tuple[Hit, ...] = ()  # what a rule returns when all is well

# One module per role, the larger ones split by topic. Importing them registers their rules.
_MODULES = (
    "validator_text", "validator_numbers", "validator_totals", "validator_measure", "validator_codes", "cost",
    "cost_budget", "cost_reference", "structural", "estimates", "materials", "earthworks", "concrete", "standards",
    "files", "conflicts", "orchestrator",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    version: int
    role: Role
    title: str
    source: str
    applies: Applies
    check_position: PositionCheck | None = None
    check_budget: BudgetCheck | None = None
    essential: bool = False  # a position for which it could not run is capped at amber
    needs: str = ""  # a reference that must be loaded, of those in `references.ABSENT`

    @property
    def scope(self) -> str:
        if self.check_position is not None:
            return "position"
        return "budget" if self.check_budget is not None else "verdict"

    @property
    def thresholds(self) -> dict[str, Decimal]:
        """The rule's own rows of the table."""
        return {name: value for name, value in THRESHOLDS.items() if name.startswith(f"{self.id}.")}


_RULES: dict[str, Rule] = {}


def every_position(view: BudgetView, index: int) -> bool:
    return True


def position_rule(
    *,
    id: str,
    version: int,
    role: Role,
    title: str,
    source: str,
    applies: Applies = every_position,
    essential: bool = False,
    needs: str = "",
) -> Callable[[PositionCheck], PositionCheck]:
    """Register a check of one position: `(view, index, thresholds)` -> hits, or a NotChecked with the reason."""

    def register(check: PositionCheck) -> PositionCheck:
        add(Rule(id, version, role, title, source, applies, check_position=check, essential=essential, needs=needs))
        return check

    return register


def budget_rule(
    *,
    id: str,
    version: int,
    role: Role,
    title: str,
    source: str,
    applies: Applies,
    essential: bool = False,
    needs: str = "",
) -> Callable[[BudgetCheck], BudgetCheck]:
    """Register a check that compares positions: `(view, thresholds)` -> hits. `applies` says whom it speaks of."""

    def register(check: BudgetCheck) -> BudgetCheck:
        add(Rule(id, version, role, title, source, applies, check_budget=check, essential=essential, needs=needs))
        return check

    return register


def add(rule: Rule) -> None:
    known = _RULES.get(rule.id)
    if known is not None and (known.check_position, known.check_budget) != (rule.check_position, rule.check_budget):
        raise ValueError(f"rule {rule.id} is registered twice")
    _RULES[rule.id] = rule


def all_rules() -> tuple[Rule, ...]:
    """Every rule, by id. Loads the rule modules on first use."""
    for module in _MODULES:
        import_module(f"projects.audit.{module}")
    return tuple(_RULES[rule_id] for rule_id in sorted(_RULES))


def rule(rule_id: str) -> Rule:
    """The rule with this id. KeyError where there is none."""
    all_rules()
    return _RULES[rule_id]
