"""The engine: runs every rule over a view, fails closed, and consolidates to one verdict per position.

Deterministic: the same view, thresholds, overrides and precision give the same result, whenever and wherever.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from projects.audit.certificate import inputs_hash
from projects.audit.conflicts import O01
from projects.audit.findings import (
    BUDGET,
    AuditFinding,
    AuditResult,
    Grade,
    GradeCounts,
    Override,
    PositionNotChecked,
    RuleNotRun,
    Verdict,
)
from projects.audit.gathering import Gatherer
from projects.audit.orchestrator import O02, Consolidator
from projects.audit.registry import Rule, all_rules
from projects.audit.thresholds import merged
from projects.audit.view import BudgetView

Report = Callable[[int, int, str, GradeCounts], None]

_REPORT_EVERY_S = 0.05
_MAX_REPORTS = 100  # besides those by time: a budget of 298 positions still shows its progress


class AuditCancelled(Exception):
    """Someone asked the audit to stop; there is no result."""


def audit(
    view: BudgetView,
    *,
    thresholds: Mapping[str, Decimal] | None = None,
    overrides: Iterable[Override] = (),
    precision: Mapping[str, Decimal] | None = None,
    report: Report | None = None,
    is_cancelled: Callable[[], bool] | None = None,
    rules: Iterable[Rule] | None = None,
) -> AuditResult:
    """Run every rule: those on the whole budget first, then the positions one by one, in order.

    `report(done, total, message, counts)` is called for every hundredth part of the positions, when 50 ms have
    passed, and for the last one; `counts` is the caller's to keep. `is_cancelled` is asked as often; it ends the
    audit with `AuditCancelled`. `precision`: rule id -> measured share of its findings that people accepted.
    A rule that raises counts as one that could not run: fail closed, and the audit goes on.
    """
    chosen = {rule.id: rule for rule in (*(all_rules() if rules is None else rules), O01, O02)}
    run = _Run(view, tuple(chosen[rule_id] for rule_id in sorted(chosen)), thresholds, overrides, precision)
    run.report, run.is_cancelled = report, is_cancelled
    run.check_budget()
    run.check_positions()
    return run.result()


class _Run:
    def __init__(
        self,
        view: BudgetView,
        rules: tuple[Rule, ...],
        thresholds: Mapping[str, Decimal] | None,
        overrides: Iterable[Override],
        precision: Mapping[str, Decimal] | None,
    ) -> None:
        self.view = view
        self.rules = rules
        self.thresholds = merged(thresholds)
        self.inputs_sha256 = inputs_hash(view)
        self.lacking = {rule.id: why for rule in rules if rule.needs and (why := view.lacks(rule.needs))}
        self.gatherer = Gatherer(view, rules, self.thresholds, lacking=self.lacking)
        self.consolidator = Consolidator(
            view,
            self.thresholds,
            dict(precision or {}),
            {(o.rule_id, o.content_hash, o.position_identity): o for o in overrides},
            self.inputs_sha256,
        )
        self.report: Report | None = None
        self.is_cancelled: Callable[[], bool] | None = None
        self.findings: list[AuditFinding] = []
        self.verdicts: list[Verdict] = []
        self.not_checked: list[PositionNotChecked] = []
        self.counts = GradeCounts()
        self._reported_at = 0.0

    def check_budget(self) -> None:
        rules = self.gatherer.budget_rules
        for number, rule in enumerate(rules, start=1):
            self._tell(0, f"Comparing the budget as a whole: {rule.title} ({number}/{len(rules)})")
            self.gatherer.check_budget_by(rule)
        self.findings.extend(self.consolidator.finding(*pair) for pair in self.gatherer.hits.pop(BUDGET, []))

    def check_positions(self) -> None:
        total = len(self.view)
        every = max(1, total // _MAX_REPORTS)
        for index in range(total):
            evidence = self.gatherer.gather(index)
            verdict, findings = self.consolidator.consolidate(index, evidence)
            self.verdicts.append(verdict)
            self.counts.add(verdict.grade)
            if findings:
                self.findings.extend(findings)
            for gap in evidence.gaps:
                if not gap.is_whole:
                    self.not_checked.append(PositionNotChecked(index, gap.rule.id, gap.reason))
            done = index + 1
            if done % every == 0 or done == total or time.monotonic() - self._reported_at >= _REPORT_EVERY_S:
                description = self.view.positions[index].description[:80]
                self._tell(done, f"Auditing position {done}/{total}: {description}")

    def _tell(self, done: int, message: str) -> None:
        self._reported_at = time.monotonic()
        if self.is_cancelled is not None and self.is_cancelled():
            raise AuditCancelled
        if self.report is not None:
            self.report(done, len(self.view), message, GradeCounts(**self.counts.as_dict()))

    def result(self) -> AuditResult:
        findings = sorted(self.findings, key=lambda f: (f.index, f.rule_id, f.subject))
        return AuditResult(
            verdicts=tuple(self.verdicts),
            findings=tuple(findings),
            not_checked_rules=self._rules_not_run(),
            not_checked=tuple(self.not_checked),
            counts=self.counts,
            money_at_stake=sum((v.money_at_stake for v in self.verdicts), Decimal(0)),
            hits_by_rule=dict(sorted(Counter(f.rule_id for f in findings).items())),
            rules={rule.id: rule.version for rule in self.rules},
            thresholds=self.thresholds,
            inputs_sha256=self.inputs_sha256,
            budget_grade=_worst(f.counted_grade for f in findings if f.index == BUDGET),
        )

    def _rules_not_run(self) -> tuple[RuleNotRun, ...]:
        reasons = {rule_id: gap.reason for rule_id, gap in self.gatherer.not_run.items()}
        reasons.update({rule_id: self.lacking[rule_id] for rule_id in self.gatherer.missed})
        titles = {rule.id: rule.title for rule in self.rules}
        return tuple(RuleNotRun(rule_id, titles[rule_id], reasons[rule_id]) for rule_id in sorted(reasons))


def _worst(grades: Iterable[Grade | None]) -> Grade:
    """Red, amber or green: info and overridden findings count for nothing."""
    counted = set(grades)
    return Grade.RED if Grade.RED in counted else Grade.AMBER if Grade.AMBER in counted else Grade.GREEN
