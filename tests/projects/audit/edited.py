"""A budget in memory that is audited in full, edited, and audited by what the edit changed: for comparing both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from projects.audit.certificate import canonical
from projects.audit.engine import audit
from projects.audit.findings import BUDGET, AuditFinding, AuditResult, Override, PositionNotChecked, Verdict
from projects.audit.incremental import in_order, place_of, reaudit
from projects.audit.known import Given, Known, Reaudit, known_of
from projects.audit.scopes import Selector
from projects.audit.stored import StoredFinding, evidence_of, suggestion_of
from projects.audit.view import AuditPosition, BudgetView, hash_of

CONTEXT = ("catalogue", "history")


@dataclass
class Ledger:
    """What is stored of audits: by position key what the last one said of it."""

    verdicts: dict[str, bytes] = field(default_factory=dict)
    findings: dict[str, list[tuple[StoredFinding, bytes]]] = field(default_factory=dict)
    of_budget: list[tuple[str, bytes]] = field(default_factory=list)

    def take(self, outcome: AuditResult | Reaudit, view: BudgetView) -> None:
        for verdict in outcome.verdicts:
            key = view.positions[verdict.index].key
            self.verdicts[key] = _verdict(verdict)
            self.findings[key] = []
        self.of_budget = []
        for finding in outcome.findings:
            if finding.index == BUDGET:
                self.of_budget.append((finding.rule_id, _finding(finding, view)))
            else:
                key = view.positions[finding.index].key
                self.findings[key].append((_stored(finding, view), _finding(finding, view)))
        for gap in outcome.not_checked:
            key = view.positions[gap.index].key
            self.findings[key].append((_gap(key, gap), canonical([gap.rule_id, gap.reason])))

    def of(self, keys: Iterable[str]) -> dict[str, Any]:
        return {
            "positions": {key: (self.verdicts[key], [told for _, told in self.findings[key]]) for key in sorted(keys)},
            "budget": sorted(self.of_budget),
        }


def _verdict(v: Verdict) -> bytes:
    return canonical([v.grade, v.confidence, v.money_at_stake, v.roles, v.not_checked])


def _stored(finding: AuditFinding, view: BudgetView) -> StoredFinding:
    return StoredFinding(
        view.positions[finding.index].key, finding.rule_id, finding.grade.value, finding.reasoning,
        evidence_of(finding, view), finding.money_at_stake, suggestion_of(finding), finding.subject, finding.demand,
    )  # fmt: skip


def _gap(key: str, gap: PositionNotChecked) -> StoredFinding:
    return StoredFinding(key, gap.rule_id, "not_checked", gap.reason, {}, Decimal(0))


def _finding(f: AuditFinding, view: BudgetView) -> bytes:
    return canonical(
        [f.rule_id, f.rule_version, f.role, f.grade, f.reasoning, evidence_of(f, view), f.money_at_stake, f.confidence,
         suggestion_of(f), f.subject, f.demand, f.conflicts_with, f.resolution, f.resolved, f.counted_grade]
    )  # fmt: skip


@dataclass
class InMemory:
    """The source of an incremental audit: positions before and after the edit, and what is stored."""

    earlier: dict[str, AuditPosition]
    view: BudgetView
    ledger: Ledger
    fetched: set[str] = field(default_factory=set)

    def _found(self, positions: Iterable[AuditPosition]) -> list[AuditPosition]:
        found = list(positions)
        self.fetched.update(p.key for p in found)
        return found

    def changed(self) -> tuple[list[AuditPosition], list[AuditPosition]]:
        now = {p.key: p for p in self.view.positions}
        left = [p for key, p in self.earlier.items() if key not in now]
        return left, self._found(p for key, p in now.items() if key not in self.earlier)

    def matching(self, selectors: Sequence[Selector]) -> list[AuditPosition]:
        rows = enumerate(self.view.positions)
        return self._found(p for i, p in rows if any(selector.matches(self.view, i) for selector in selectors))

    def of_identities(self, identities: Iterable[str]) -> list[AuditPosition]:
        wanted = set(identities)
        return self._found(p for p in self.view.positions if p.decided_as in wanted)

    def before(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]:
        rows = [[p for p in self.view.positions if place_of(p) < place_of(one)] for one in positions]
        return self._found(found[-1] for found in rows if found)

    def after(self, positions: Sequence[AuditPosition]) -> list[AuditPosition]:
        rows = [[p for p in self.view.positions if place_of(p) > place_of(one)] for one in positions]
        return self._found(found[0] for found in rows if found)

    def of_keys(self, keys: Iterable[str]) -> list[AuditPosition]:
        wanted = set(keys)
        return self._found(p for p in self.view.positions if p.key in wanted)

    def findings(self, keys: Iterable[str], rules: Iterable[str] | None = None) -> list[StoredFinding]:
        wanted = None if rules is None else set(rules)
        stored = [one for key in sorted(keys) for one, _ in self.ledger.findings.get(key, ())]
        return [one for one in stored if wanted is None or one.rule_id in wanted]

    def budget_findings(self) -> list[str]:
        return [rule_id for rule_id, _ in self.ledger.of_budget]

    def prices(self, positions: Sequence[AuditPosition]) -> Mapping[str, Any]:
        return {name: getattr(self.view, name) for name in CONTEXT}


@dataclass
class EditedBudget:
    """Positions that change step by step; `context` as `BudgetView` takes it."""

    positions: dict[str, AuditPosition]
    context: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)  # thresholds, precision
    overrides: list[Override] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    known: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, AuditPosition] = field(default_factory=dict)
    next_key: int = 1_000_000

    @property
    def view(self) -> BudgetView:
        return BudgetView(in_order(self.positions.values()), **self.context)

    def given(self, view: BudgetView) -> Given:
        return Given(
            view.context, self.options.get("thresholds"), self.options.get("precision"), tuple(self.overrides), "prices"
        )

    def audit(self) -> AuditResult:
        view = self.view
        result = audit(view, overrides=self.overrides, **self.options)
        self.ledger = Ledger()
        self.ledger.take(result, view)
        self.known = known_of(view=view, result=result, given=self.given(view)).as_json()
        self.seen = dict(self.positions)
        return result

    def reaudit(self) -> tuple[Reaudit, InMemory]:
        """Raises NeedsFullAudit, and then nothing has changed."""
        view = self.view
        source = InMemory(self.seen, view, self.ledger)
        outcome = reaudit(known=Known.from_json(self.known), given=self.given(view), source=source)
        self.ledger.take(outcome, outcome.view)
        self.known = outcome.known.as_json()
        self.seen = dict(self.positions)
        return outcome, source

    # Edits: as in the database, a changed position is a new row of the same lineage and place

    def change(self, key: str, **changes: Any) -> None:
        old = self.positions.pop(key)
        self.put(replace(old, key=str(self.next_key), **changes))

    def put(self, position: AuditPosition) -> None:
        new = replace(position, key=str(self.next_key))
        self.next_key += 1
        self.positions[new.key] = replace(new, content_hash=hash_of(new))

    def delete(self, key: str) -> None:
        del self.positions[key]


def stored_of(budget: EditedBudget) -> dict[str, Any]:
    """Everything that is stored, in a form in which two audits can be compared byte for byte."""
    keys = set(budget.positions)
    kept = {name: value for name, value in budget.known.items() if name not in ("facts", "whole")}
    facts = budget.known["facts"]
    plain = {name: sorted(value.items()) if isinstance(value, dict) else value for name, value in facts.items()}
    for name in ("sections", "elements", "catalogues", "vat_rates"):
        plain[name] = sorted(map(str, _amounts(plain[name])))
    plain["total"], plain["lumps_amount"] = Decimal(facts["total"]), Decimal(facts["lumps_amount"])
    whole = {rule: sorted(found) for rule, found in budget.known["whole"].items()}
    return budget.ledger.of(keys) | {"known": canonical(kept), "facts": canonical(plain), "whole": whole}


def _amounts(rows: list[list[Any]]) -> list[list[Any]]:
    return [[Decimal(v).normalize() if isinstance(v, str) and _is_number(v) else v for v in row] for row in rows]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit() or "E" in text
