"""The replayable certificate: what was checked, by which rules, on which input, with which result, as bytes."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from projects.audit.findings import AuditFinding, AuditResult
    from projects.audit.view import BudgetView

FORMAT = "plumbline-audit-certificate/1"


def inputs_hash(view: BudgetView) -> str:
    """SHA-256 over the content of every position, in order, and everything else that rules read."""
    digest = hashlib.sha256()
    context = {
        "currency": view.currency,
        "phase": view.phase,
        "rounding": asdict(view.rounding),
        "budget_on": view.budget_on,
        "dialect": view.dialect,
        "is_public_tender": view.is_public_tender,
        "vat_rates": view.vat_rates,
        "totals": [asdict(total) for total in view.totals],
        "is_priced": view.is_priced,
        "figures": {"|".join(name): value for name, value in view.stated_figures.items()},
    }
    digest.update(canonical(context))
    for position in view.positions:
        digest.update(f"{position.object_code}|{position.number}|{position.content_hash}\n".encode())
    for reference in (view.catalogue, view.blank, view.history, view.file_facts):
        digest.update(b"none\n" if reference is None else canonical(_reference(reference)))
    digest.update(canonical([view.catalogue_name, view.catalogue_edition, view.absent]))
    return digest.hexdigest()


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


def _reference(reference: object) -> object:
    if isinstance(reference, dict):
        return {code: asdict(entry) for code, entry in reference.items()}
    if isinstance(reference, tuple):  # facts of files
        return [facts.as_json() for facts in reference]
    return [position.content_hash for position in reference]  # type: ignore[attr-defined]


def canonical(value: object) -> bytes:
    return orjson.dumps(value, default=_default, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _default(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    raise TypeError(f"{type(value).__name__} has no canonical form")
