"""Grading positions anew after a decision on one of their findings, without a whole audit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ..audit.orchestrator import grade_without_findings
from ..models import Finding, FindingOverride, Verdict


def regrade(*, position_ids: Iterable[int]) -> list[Verdict]:
    """In the caller's transaction: the verdicts of these positions from the findings that count now."""
    verdicts = list(Verdict.objects.select_related("position").filter(position_id__in=list(position_ids)))
    for verdict in verdicts:
        counting = list(
            Finding.objects.filter(position_id=verdict.position_id, grade__in=("red", "amber"))
            .exclude(override__decision=FindingOverride.Decision.OVERRIDDEN)
            .values_list("role", "grade", "money_at_stake")
        )
        _consolidate(verdict, counting)
        verdict.save(update_fields=["grade", "money_at_stake", "roles"])
    return verdicts


def _consolidate(verdict: Verdict, counting: list[tuple[str, str, Any]]) -> None:
    """Worst counting finding; without any, what could not be checked still caps."""
    roles = {role: "green" if grade in ("red", "amber") else grade for role, grade in verdict.roles.items()}
    for role, grade, _ in counting:
        roles[role] = "red" if "red" in (grade, roles.get(role)) else "amber"
    worst = "red" if any(grade == "red" for _, grade, _ in counting) else "amber" if counting else ""
    verdict.roles = roles
    verdict.money_at_stake = max((money for _, grade, money in counting if grade == worst), default=Decimal(0))
    verdict.grade = worst or grade_without_findings(
        is_capped=bool(verdict.not_checked),
        is_priced=bool(verdict.position.unit_price or verdict.position.stated_total),
    )
