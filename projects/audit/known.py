"""What an audit leaves for the next one, and what that one is given: the two sides of an incremental audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from projects.audit.certificate import canonical, plain_context
from projects.audit.conflicts import O01
from projects.audit.facts import Facts, facts_from
from projects.audit.findings import BUDGET, AuditFinding, AuditResult, Override, PositionNotChecked, RuleNotRun, Verdict
from projects.audit.orchestrator import O02
from projects.audit.registry import Rule, all_rules
from projects.audit.scopes import SCOPES, Reach, Selector
from projects.audit.stored import StoredFinding
from projects.audit.thresholds import merged
from projects.audit.view import AuditPosition, BudgetView

# What the positions decide, not the context. Which stated sums still hold concerns V08 alone, which is always asked.
_OF_POSITIONS = ("totals", "is_priced")
FORMAT = 1  # of `Known`; raised when what it holds, or how it is used, changes


class NeedsFullAudit(Exception):
    """What an edit changed can't be told from what is known; the message says why."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an audit is given besides the positions. `references`: a fingerprint of the sources of prices."""

    context: Mapping[str, Any]  # BudgetView.context, prices of catalogue and history left out
    thresholds: Mapping[str, Decimal] | None = None
    precision: Mapping[str, Decimal] | None = None
    overrides: Sequence[Override] = ()
    references: str = ""

    def fingerprint(self, rules: Iterable[Rule]) -> str:
        """Equal for two audits whose results differ by the positions and decisions only."""
        context = plain_context(self.context)
        for name in _OF_POSITIONS:
            context.pop(name)
        versions = {rule.id: rule.version for rule in rules}
        known = [FORMAT, versions, merged(self.thresholds), self.precision or {}, context, self.references]
        return canonical(known).decode()


@dataclass(slots=True)
class Known:
    """What is kept of an audit for the next one."""

    fingerprint: str
    facts: Facts
    is_priced: bool
    applying: dict[str, int]  # rule that lacks its reference -> positions it applies to
    rule_hits: dict[str, int]
    decisions: list[list[str | None]]
    not_run: list[list[str]]  # [rule id, reason], besides those that lack a reference
    whole: dict[str, list[str]]  # rule of reach "whole" -> keys of the positions it speaks of
    loaded: list[str]  # of `certificate.LOADED`, those that there were

    def as_json(self) -> dict[str, Any]:
        return {
            "fingerprint": self.fingerprint, "facts": self.facts.as_json(), "is_priced": self.is_priced,
            "applying": self.applying, "rule_hits": self.rule_hits, "decisions": self.decisions,
            "not_run": self.not_run, "whole": self.whole, "loaded": self.loaded,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Known:
        """Raises NeedsFullAudit for anything but what `as_json` gave."""
        try:
            return cls(**{**data, "facts": facts_from(data["facts"])})
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise NeedsFullAudit(f"what is kept of the last audit can't be read: {error}") from error


class Source(Protocol):
    """Where positions and earlier findings come from. All positions are current ones, except those that left."""

    def changed(self) -> tuple[list[AuditPosition], list[AuditPosition]]:
        """(left, came) since the audit that is known."""

    def matching(self, selectors: Sequence[Selector]) -> list[AuditPosition]: ...

    def of_identities(self, identities: Iterable[str]) -> list[AuditPosition]:
        """By what decisions name (`decided_as`)."""

    def before(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]:
        """The one directly before each of these places in the order, where there is one."""

    def after(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]: ...

    def of_keys(self, keys: Iterable[str]) -> list[AuditPosition]: ...

    def findings(self, keys: Iterable[str], rules: Iterable[str] | None = None) -> list[StoredFinding]:
        """What was said of these positions; of those that left, too. In the order of their writing."""

    def budget_findings(self) -> list[str]:
        """The rules of what was said of the budget as a whole, one for each finding."""

    def prices(self, positions: Sequence[AuditPosition]) -> Mapping[str, Any]:
        """`catalogue` and `history` for these positions, by the names of `BudgetView`."""


@dataclass(slots=True)
class Reaudit:
    """What was asked anew. Indexes are those of `view`, which holds these positions and the ones before them."""

    view: BudgetView
    verdicts: list[Verdict]
    findings: list[AuditFinding]  # of these positions, and all of the budget as a whole
    not_checked: list[PositionNotChecked]
    not_checked_rules: tuple[RuleNotRun, ...]
    known: Known
    inputs_sha256: str
    rules: dict[str, int]
    thresholds: dict[str, Decimal]

    @property
    def keys(self) -> list[str]:
        return [self.view.positions[verdict.index].key for verdict in self.verdicts]


def known_of(*, view: BudgetView, result: AuditResult, given: Given) -> Known:
    """What the next audit needs to know of this one, which asked everything."""
    rules = rules_in_order()
    lacking = {rule.id: rule for rule in rules if rule.needs and view.lacks(rule.needs)}
    applying = {rule_id: sum(1 for i in range(len(view)) if rule.applies(view, i)) for rule_id, rule in lacking.items()}
    whole: dict[str, list[str]] = {one: [] for one, scope in SCOPES.items() if scope.reach is Reach.WHOLE}
    for finding in result.findings:
        if finding.rule_id in whole and finding.index != BUDGET:
            whole[finding.rule_id].append(view.positions[finding.index].key)
    return Known(
        fingerprint=given.fingerprint(rules),
        facts=view.facts,
        is_priced=view.is_priced,
        applying=applying,
        rule_hits=dict(result.hits_by_rule),
        decisions=decisions_json(given.overrides),
        not_run=[[row.rule_id, row.reason] for row in result.not_checked_rules if row.rule_id not in lacking],
        whole=whole,
        loaded=plain_context(view.context)["loaded"],
    )


def rules_in_order() -> tuple[Rule, ...]:
    chosen = {rule.id: rule for rule in (*all_rules(), O01, O02)}
    return tuple(chosen[rule_id] for rule_id in sorted(chosen))


def decisions_json(overrides: Iterable[Override]) -> list[list[str | None]]:
    rows = [
        [o.rule_id, o.content_hash, o.position_identity, o.reason, None if o.grade is None else o.grade.value]
        for o in overrides
    ]
    return sorted(rows, key=lambda row: [value or "" for value in row])
