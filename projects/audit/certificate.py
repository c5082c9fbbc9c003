"""The replayable certificate: what was checked, by which rules, on which input, with which result, as bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from projects.audit.findings import AuditFinding, AuditResult
    from projects.audit.view import BudgetView

FORMAT = "plumbline-audit-results/1"
LOADED = ("catalogue", "history")  # prices, loaded for the codes in the budget: the certificate holds them


def inputs_hash(view: BudgetView) -> str:
    """SHA-256 over what rules read of every position, and of the context they stand in."""
    digest = hashlib.sha256(canonical(plain_context(view.context)))
    digest.update(f"{view.facts.positions}|{view.facts.digest:x}".encode())
    return digest.hexdigest()


def plain_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """`BudgetView.context` as JSON can hold it. Of prices, whether there are any: which, their source decides."""
    plain = {name: value for name, value in context.items() if name not in LOADED}
    plain["loaded"] = [name for name in LOADED if context.get(name) is not None]
    plain["figures"] = {"|".join(name): value for name, value in (context.get("figures") or {}).items()}
    return plain


def certificate(result: AuditResult, view: BudgetView) -> bytes:
    """Canonical JSON: keys sorted, Decimals as text. The same audit gives the same bytes."""
    positions = view.positions
    return canonical(
        {
            "format": FORMAT,
            "inputs_sha256": result.inputs_sha256,
            "rules": result.rules,
            "thresholds": result.thresholds,
            "counts": result.counts.as_dict(),
            "budget_grade": result.budget_grade.value,
            "money_at_stake": result.money_at_stake,
            "not_checked_rules": [asdict(rule) for rule in result.not_checked_rules],
            "positions": [
                [
                    positions[v.index].object_code,
                    positions[v.index].number,
                    positions[v.index].content_hash,
                    v.grade.value,
                    v.confidence,
                    v.money_at_stake,
                    v.roles,
                    v.not_checked,
                ]
                for v in result.verdicts
            ],
            "not_checked": [asdict(one) for one in result.not_checked],
            "findings": [_finding(one, view) for one in result.findings],
        }
    )


def _finding(finding: AuditFinding, view: BudgetView) -> dict[str, Any]:
    content = asdict(finding)
    content["source"] = view.positions[finding.index].source if finding.index >= 0 else ""
    return content


def canonical(value: object) -> bytes:
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _default(value: object) -> object:
    if isinstance(value, tuple):  # a named one: orjson leaves those to its caller
        return list(value)
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    raise TypeError(f"{type(value).__name__} has no canonical form")
