"""Where the money of a budget is: what each role's findings put at stake, and codes that have several prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from ..models import Project

AT_STAKE = """
SELECT finding.role, finding.grade, count(*), coalesce(sum(finding.money_at_stake), 0)
FROM projects_finding finding
LEFT JOIN projects_position position ON position.id = finding.position_id
LEFT JOIN projects_findingoverride decided ON decided.id = finding.override_id
WHERE finding.project_id = %(project)s AND finding.grade IN ('red', 'amber') AND position.removed_in IS NULL
  AND (decided.id IS NULL OR decided.decision <> 'overridden')
GROUP BY 1, 2
"""
# Of one code and unit in one budget; what the dearest costs beyond the cheapest, for all that is bought of it, decides.
SPREAD = """
SELECT code, unit, min(description), count(*), min(unit_price), max(unit_price),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY unit_price),
    sum((unit_price - low) * quantity) AS above
FROM (
    SELECT code, unit, description, unit_price, quantity, min(unit_price) OVER (PARTITION BY code, unit) AS low
    FROM projects_position
    WHERE project_id = %(project)s AND removed_in IS NULL AND code <> '' AND unit IS NOT NULL AND unit_price > 0
      AND quantity > 0
) priced
GROUP BY code, unit HAVING min(unit_price) < max(unit_price)
ORDER BY above DESC, code, unit LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class AtStake:
    """Open red and amber findings of one role. Several findings of one position each count in full."""

    role: str
    grade: str
    findings: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Spread:
    """A code at several unit prices. `above`: what is paid beyond its lowest price, for all quantities."""

    code: str
    unit: str
    description: str
    positions: int
    lowest: Decimal
    highest: Decimal
    median: Decimal
    above: Decimal

    @property
    def share(self) -> Decimal:
        """By how much the highest is above the lowest."""
        return self.highest / self.lowest - 1


def at_stake(*, project: Project) -> list[AtStake]:
    """By role and grade; one query."""
    with connection.cursor() as cursor:
        cursor.execute(AT_STAKE, {"project": project.pk})
        return [AtStake(*row) for row in cursor.fetchall()]


def spreads(*, project: Project, most: int) -> list[Spread]:
    """Of the current version, what costs most first; one query."""
    with connection.cursor() as cursor:
        cursor.execute(SPREAD, {"project": project.pk, "most": most})
        return [Spread(*row) for row in cursor.fetchall()]
