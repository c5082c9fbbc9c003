"""How often a rule is right, measured by what people decided on its findings: for an organisation, per rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import sqrt
from uuid import UUID

from django.db.models import Count, Q

from ..audit.thresholds import merged
from ..models import FindingOverride

LEAST = "O02.min_judged"
FOUR_DIGITS = Decimal("0.0001")
Z95 = 1.96  # of the normal distribution, for an interval that holds 95 times in 100


@dataclass(frozen=True, slots=True)
class Precision:
    """`share`: of the findings decided on, those accepted; plain, not smoothed. `interval` (Wilson, 95 %) says how
    much a share of so few decisions is worth."""

    accepted: int
    judged: int

    @property
    def share(self) -> Decimal:
        return (Decimal(self.accepted) / self.judged).quantize(FOUR_DIGITS, ROUND_HALF_UP)

    @property
    def interval(self) -> tuple[Decimal, Decimal]:
        n, p = self.judged, self.accepted / self.judged
        centre, spread = p + Z95**2 / (2 * n), Z95 * sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
        low, high = ((centre + sign * spread) / (1 + Z95**2 / n) for sign in (-1, 1))
        return Decimal(str(round(max(low, 0), 4))), Decimal(str(round(min(high, 1), 4)))


def decided(*, organisation_id: UUID) -> dict[str, Precision]:
    """Rule -> what people decided on it in the organisation's projects, standing decisions only. One query."""
    rows = FindingOverride.objects.filter(project__organisation_id=organisation_id, withdrawn_at__isnull=True)
    counted = (
        rows.order_by()
        .values_list("rule_id")
        .annotate(accepted=Count("pk", filter=Q(decision=FindingOverride.Decision.ACCEPTED)), judged=Count("pk"))
    )
    return {rule_id: Precision(accepted, judged) for rule_id, accepted, judged in sorted(counted)}


def measured(*, organisation_id: UUID, thresholds: Mapping[str, Decimal]) -> dict[str, Precision]:
    """Those with enough decisions to call it measured (threshold O02.min_judged of the organisation's own)."""
    least = merged(thresholds)[LEAST]
    found = decided(organisation_id=organisation_id)
    return {rule_id: precision for rule_id, precision in found.items() if precision.judged >= least}
