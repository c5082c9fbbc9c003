"""The engine: runs every rule over a view, fails closed, and consolidates to one verdict per position.

Deterministic: the same view, thresholds, overrides and precision give the same result, whenever and wherever.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from projects.audit.certificate import inputs_hash
from projects.audit.findings import (
    BUDGET,
    AuditFinding,
    AuditResult,
    Grade,
    GradeCounts,
    Hit,
    NotChecked,
    Override,
    PositionNotChecked,
    Role,
    RuleNotRun,
    Severity,
    Verdict,
)
from projects.audit.orchestrator import O01, O02, Consolidator, Evidence
from projects.audit.registry import Rule, all_rules
from projects.audit.thresholds import merged
from projects.audit.view import BudgetView

Report = Callable[[int, int, str, GradeCounts], None]

_REPORT_EVERY_S = 0.05
_NONE: dict[str, str] = {}
_MAX_REPORTS = 100  # besides those by time: a budget of 298 positions still shows its progress
_REFERENCES = {"catalogue": "no price catalogue is loaded", "blank": "the file before pricing is not loaded"}


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
    run = _Run(view, tuple(all_rules() if rules is None else rules), thresholds, overrides, precision)
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
        self.consolidator = Consolidator(
            view,
            self.thresholds,
            dict(precision or {}),
            {(o.rule_id, o.content_hash, o.position_identity): o for o in overrides},
            self.inputs_sha256,
        )
        self.report: Report | None = None
        self.is_cancelled: Callable[[], bool] | None = None
        self.position_rules = [rule for rule in rules if rule.check_position is not None]
        self.budget_rules = [rule for rule in rules if rule.check_budget is not None]
        self.not_run: dict[str, str] = {}  # rule id -> reason, for the whole budget
        self.lacking: set[str] = set()  # of these: those that lack a reference, and so do not cap
        self.missed: set[str] = set()  # rules that could not run for the budget, and apply to a position
        self.budget_hits: dict[int, list[tuple[Rule, Hit]]] = {}
        self.budget_not_run: dict[int, dict[str, str]] = {}  # index -> rule id -> reason
        self.findings: list[AuditFinding] = []
        self.verdicts: list[Verdict] = []
        self.not_checked: list[PositionNotChecked] = []
        self.counts = GradeCounts()
        self._reported_at = 0.0
        self._find_references()

    def _find_references(self) -> None:
        loaded = {"catalogue": self.view.catalogue is not None, "blank": self.view.blank is not None}
        for rule in self.rules:
            if rule.needs and not loaded[rule.needs]:
                self.not_run[rule.id] = _REFERENCES[rule.needs]
                self.lacking.add(rule.id)

    # The budget as a whole

    def check_budget(self) -> None:
        for number, rule in enumerate(self.budget_rules, start=1):
            self._tell(0, f"Comparing the budget as a whole: {rule.title} ({number}/{len(self.budget_rules)})")
            if rule.id not in self.not_run:
                self._check_budget_by(rule)
        for rule, hit in sorted(self.budget_hits.pop(BUDGET, []), key=lambda pair: (pair[0].id, pair[1].subject)):
            self.findings.append(self.consolidator.finding(rule, hit))

    def _check_budget_by(self, rule: Rule) -> None:
        assert rule.check_budget is not None
        try:
            said = list(rule.check_budget(self.view, self.thresholds))
        except Exception as error:  # fail closed: one broken rule must not end the audit, nor pass as "ran"
            self.not_run[rule.id] = _broken(error)
            return
        for one in said:
            if isinstance(one, Hit):
                self.budget_hits.setdefault(one.index, []).append((rule, one))
            elif one.index == BUDGET:
                self.not_run[rule.id] = one.reason
            else:
                self.budget_not_run.setdefault(one.index, {})[rule.id] = one.reason

    # Position by position

    def check_positions(self) -> None:
        total = len(self.view)
        every = max(1, total // _MAX_REPORTS)
        for index in range(total):
            evidence = self._gather(index)
            verdict, findings = self.consolidator.consolidate(index, evidence)
            self.verdicts.append(verdict)
            self.findings.extend(findings)
            self.counts.add(verdict.grade)
            for rule, reason in evidence.not_run:
                self.not_checked.append(PositionNotChecked(index, rule.id, reason))
            done = index + 1
            if done % every == 0 or done == total or time.monotonic() - self._reported_at >= _REPORT_EVERY_S:
                description = self.view.positions[index].description[:80]
                self._tell(done, f"Auditing position {done}/{total}: {description}")

    def _gather(self, index: int) -> Evidence:
        """Ask every rule about one position. What a rule breaks on counts as applicable and not run."""
        evidence = Evidence(hits=self.budget_hits.get(index, []))
        roles: dict[Role, None] = {}
        for rule in self.budget_rules:
            self._ask(rule, index, evidence, roles)
        hits = [*evidence.hits]
        for rule in self.position_rules:
            said = self._ask(rule, index, evidence, roles)
            if said:
                hits.extend((rule, one) for one in said)
        evidence.hits = hits
        evidence.ran = evidence.applicable - evidence.absent - len(evidence.not_run)
        evidence.roles = tuple(roles)
        return evidence

    def _ask(self, rule: Rule, index: int, evidence: Evidence, roles: dict[Role, None]) -> list[Hit] | None:
        try:
            if not rule.applies(self.view, index):
                return None
            evidence.applicable += 1
            if rule.id in self.lacking:
                evidence.absent += 1
                self.missed.add(rule.id)
                return None
            roles[rule.role] = None
            if rule.check_position is None:
                reason = self.not_run.get(rule.id) or self.budget_not_run.get(index, _NONE).get(rule.id)
                if reason is not None:
                    evidence.not_run.append((rule, reason))
                return None
            said = rule.check_position(self.view, index, self.thresholds)
            if not said:
                return None
            hits = [one for one in said if isinstance(one, Hit)]
            if reasons := [one.reason for one in said if isinstance(one, NotChecked)]:
                evidence.not_run.append((rule, "; ".join(reasons)))
        except Exception as error:  # fail closed, as above
            evidence.applicable += 0 if rule.role in roles else 1
            roles[rule.role] = None
            evidence.not_run.append((rule, _broken(error)))
            return None
        return hits

    def _tell(self, done: int, message: str) -> None:
        self._reported_at = time.monotonic()
        if self.is_cancelled is not None and self.is_cancelled():
            raise AuditCancelled
        if self.report is not None:
            self.report(done, len(self.view), message, GradeCounts(**self.counts.as_dict()))

    def result(self) -> AuditResult:
        titles = {rule.id: rule.title for rule in self.rules}
        budget = [f for f in self.findings if f.index == BUDGET and f.counted_grade is not None]
        worst = max((f.counted_grade for f in budget), key=lambda g: Severity[g.name], default=Grade.GREEN)  # type: ignore[union-attr]
        return AuditResult(
            verdicts=tuple(self.verdicts),
            findings=tuple(sorted(self.findings, key=lambda f: (f.index, f.rule_id, f.subject))),
            not_checked_rules=tuple(
                RuleNotRun(rule_id, titles[rule_id], reason)
                for rule_id, reason in sorted(self.not_run.items())
                if rule_id in self.missed or rule_id not in self.lacking
            ),
            not_checked=tuple(self.not_checked),
            counts=self.counts,
            money_at_stake=sum((v.money_at_stake for v in self.verdicts), Decimal(0)),
            hits_by_rule=dict(sorted(Counter(f.rule_id for f in self.findings).items())),
            rules={rule.id: rule.version for rule in (*self.rules, O01, O02)},
            thresholds=self.thresholds,
            inputs_sha256=self.inputs_sha256,
            budget_grade=Grade.GREEN if worst in (None, Grade.INFO) else worst,
        )


def _broken(error: Exception) -> str:
    return f"the rule failed with {type(error).__name__}: {error}"
