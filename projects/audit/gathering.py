"""Asking every rule about one position: fast when all goes well, one rule at a time when one of them breaks.

Many rules apply to the same positions, and many positions have the same rules: the tests of applicability that differ
are asked once each, and what follows from their answers (a `_Plan`) is worked out once per combination of answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from projects.audit.findings import BUDGET, Hit, NotChecked, Role
from projects.audit.registry import Applies, PositionCheck, Rule, Thresholds, every_position
from projects.audit.view import BudgetView

_BITS = {role: 1 << place for place, role in enumerate(Role)}


class Gap(NamedTuple):
    """A rule that applies to a position and could not run."""

    rule: Rule
    reason: str
    caps: bool  # the rule is essential, or broke: the position can't be green
    is_whole: bool  # it could not run for any position: told once, for the budget


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules said of one position, before consolidation. Shared between positions that are alike."""

    hits: Sequence[tuple[Rule, Hit]]
    gaps: Sequence[Gap]
    applicable: int
    ran: int
    roles: int  # a bit per role of which a rule applies and has its references: see `roles_of`


class _Plan(NamedTuple):
    """What follows from one combination of applicable rules."""

    checks: tuple[tuple[Rule, PositionCheck], ...]
    gaps: tuple[Gap, ...]
    applicable: int
    present: int  # of these, those that do not lack a reference
    roles: int
    clean: Evidence  # when no rule says anything
    lacking: frozenset[str]


def roles_of(bits: int) -> tuple[Role, ...]:
    return tuple(role for role, bit in _BITS.items() if bits & bit)


def has_role(bits: int, role: Role) -> bool:
    return bool(bits & _BITS[role])


class Gatherer:
    """Call `check_budget_by` for every one of `budget_rules` first. `lacking`: rule id -> the reference it lacks."""

    def __init__(
        self, view: BudgetView, rules: Iterable[Rule], thresholds: Thresholds, *, lacking: Mapping[str, str]
    ) -> None:
        self.view = view
        self.rules = tuple(rules)
        self.thresholds = thresholds
        self.lacking = lacking
        self.hits: dict[int, list[tuple[Rule, Hit]]] = {}
        self.reasons: dict[int, dict[str, str]] = {}  # index -> rule id -> reason, from rules on the whole budget
        self.not_run: dict[str, Gap] = {}  # rule id -> why it could not run for the budget at all
        self.missed: set[str] = set()  # ids of the lacking rules that apply to a position gathered
        self.budget_rules = [rule for rule in self.rules if rule.check_budget is not None]
        tests = dict.fromkeys(rule.applies for rule in self.rules)
        self._bits: dict[Applies, int] = {applies: 1 << place for place, applies in enumerate(tests)}
        self._tests = [pair for pair in self._bits.items() if pair[0] is not every_position]
        self._always = self._bits.get(every_position, 0)
        self._plans: dict[int, _Plan] = {}

    def check_budget_by(self, rule: Rule) -> None:
        """Run one rule on the whole budget; its hits and gaps are kept for the positions."""
        if rule.id in self.lacking or rule.check_budget is None:
            return
        try:
            said = list(rule.check_budget(self.view, self.thresholds))
        except Exception as error:  # fail closed: one broken rule must neither end the audit nor pass as "ran"
            self.not_run[rule.id] = Gap(rule, broken(error), True, True)
            return
        for one in said:
            if isinstance(one, Hit):
                self.hits.setdefault(one.index, []).append((rule, one))
            elif one.index == BUDGET:
                self.not_run[rule.id] = Gap(rule, one.reason, rule.essential, True)
            else:
                self.reasons.setdefault(one.index, {})[rule.id] = one.reason

    def gather(self, index: int) -> Evidence:
        try:
            return self._at_once(index)
        except Exception:
            return self._one_by_one(index)

    def _at_once(self, index: int) -> Evidence:
        view, thresholds = self.view, self.thresholds
        answers = self._always
        for applies, bit in self._tests:
            if applies(view, index):
                answers |= bit
        plan = self._plans.get(answers) or self._planned(answers)
        hits: list[tuple[Rule, Hit]] = []
        gaps: list[Gap] = []
        for rule, check in plan.checks:
            said = check(view, index, thresholds)
            if said:
                _sort(rule, said, hits, gaps)
        if not hits and not gaps and index not in self.hits and index not in self.reasons:
            return plan.clean
        every_hit = (*self.hits.get(index, ()), *hits)
        every_gap = (*plan.gaps, *self._own_gaps(index), *gaps)
        return Evidence(every_hit, every_gap, plan.applicable, plan.present - len(every_gap), plan.roles)

    def _planned(self, answers: int) -> _Plan:
        rules = [rule for rule in self.rules if answers & self._bits[rule.applies]]
        counted = [rule for rule in rules if rule.scope != "verdict"]
        lacking = frozenset(rule.id for rule in counted if rule.id in self.lacking)
        checks = tuple(
            (rule, rule.check_position)
            for rule in counted
            if rule.check_position is not None and rule.id not in lacking
        )
        gaps = tuple(self.not_run[rule.id] for rule in counted if rule.id in self.not_run)
        roles = 0
        for rule in rules:
            roles |= 0 if rule.id in lacking else _BITS[rule.role]
        present = len(counted) - len(lacking)
        clean = Evidence((), gaps, len(counted), present - len(gaps), roles)
        plan = self._plans[answers] = _Plan(checks, gaps, len(counted), present, roles, clean, lacking)
        self.missed |= lacking
        return plan

    def _own_gaps(self, index: int) -> list[Gap]:
        reasons = self.reasons.get(index)
        if not reasons:
            return []
        return [Gap(rule, reasons[rule.id], rule.essential, False) for rule in self.budget_rules if rule.id in reasons]

    def _one_by_one(self, index: int) -> Evidence:
        """The same, where a rule breaks: it counts as applicable and not run, and caps the grade."""
        applicable = absent = roles = 0
        hits = list(self.hits.get(index, ()))
        gaps = self._own_gaps(index)
        for rule in self.rules:
            try:
                if not rule.applies(self.view, index):
                    continue
                if rule.id in self.not_run:
                    gaps.append(self.not_run[rule.id])
                elif rule.check_position is not None and rule.id not in self.lacking:
                    _sort(rule, rule.check_position(self.view, index, self.thresholds), hits, gaps)
            except Exception as error:
                gaps.append(Gap(rule, broken(error), True, False))
            if rule.id in self.lacking:
                absent += 1
                self.missed.add(rule.id)
            else:
                roles |= _BITS[rule.role]
            applicable += rule.scope != "verdict"
        return Evidence(hits, gaps, applicable, applicable - absent - len(gaps), roles)


def _sort(rule: Rule, said: Iterable[Hit | NotChecked], hits: list[tuple[Rule, Hit]], gaps: list[Gap]) -> None:
    """Hits to the hits, reasons to the gaps; at most one gap per rule. All or nothing, should `said` break."""
    found: list[tuple[Rule, Hit]] = []
    reasons: list[str] = []
    for one in said:
        if isinstance(one, Hit):
            found.append((rule, one))
        else:
            reasons.append(one.reason)
    hits += found
    if reasons:
        gaps.append(Gap(rule, "; ".join(reasons), rule.essential, False))


def broken(error: Exception) -> str:
    return f"the rule failed with {type(error).__name__}: {error}"
