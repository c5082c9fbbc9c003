"""Own prices: what the organisation's other current budgets ask for the same code in the same unit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import median
from uuid import UUID

from django.db import connection

from ..audit.references import HistoryEntry, history_key
from ..audit.units import normalise
from ..models import Position, Project
from .price_indexing import Series

FOUR_PLACES = Decimal("0.0001")
# The code is looked for in the budgets of one firm only; archived ones are no longer anybody's word on a price.
PRICES = """
SELECT p.code, p.unit, p.unit_price, p.project_id FROM projects_position p
WHERE p.project_id = ANY(%(others)s) AND p.removed_in IS NULL AND p.unit_price > 0
  AND p.kind <> 'note' AND p.billing <> 'surcharge' AND p.code <> '' AND p.code = ANY(%(codes)s)
"""


def codes_of(*, project: Project) -> list[str]:
    """Each code of the current budget once. As a list for the next query, not joined there: right after an import the
    planner knows nothing of the new rows, and would compare each with each."""
    rows = Position.objects.filter(project=project, removed_in__isnull=True).exclude(code="").order_by()
    return list(rows.values_list("code", flat=True).distinct())


def history_of(
    *, project: Project, codes: Sequence[str], series: Series | None = None, least: int = 1
) -> dict[str, HistoryEntry] | None:
    """`history_key(code, unit)` -> entry, for those of `codes` that at least `least` other budgets price.

    Budgets in the same currency, not in the archive; each counts once, with the median of its prices, moved to the
    project's date along the series; one that the series does not reach is left out. None: there is nothing to go by.
    """
    others = _others(project)
    if not others or not codes:
        return None
    by_key: dict[str, dict[UUID, list[Decimal]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(PRICES, {"others": list(others), "codes": list(codes)})
        for code, unit, price, project_id in cursor.fetchall():
            key = history_key(code, normalise(unit) or unit)
            by_key.setdefault(key, {}).setdefault(project_id, []).append(price)
    entries = {}
    for key in sorted(by_key):
        entry = _entry(by_key[key], others, project.budget_on, series or Series())
        if entry is not None and entry.number >= least:
            entries[key] = entry
    return entries or None


def _others(project: Project) -> dict[UUID, date | None]:
    """Other budgets of the organisation in the same currency, and their dates."""
    rows = Project.objects.filter(organisation_id=project.organisation_id, currency=project.currency)
    rows = rows.filter(version_number__gt=0).exclude(pk=project.pk).exclude(status=Project.Status.ARCHIVED)
    return dict(rows.values_list("pk", "budget_on")) if project.currency else {}


def _entry(
    prices: dict[UUID, list[Decimal]], dates: dict[UUID, date | None], to: date | None, series: Series
) -> HistoryEntry | None:
    moved, is_indexed = [], True
    for project_id in sorted(prices):
        price, how = series.moved(median(prices[project_id]), dates[project_id], to)
        is_indexed = is_indexed and bool(how)
        if price is not None:
            moved.append(price.quantize(FOUR_PLACES))
    if not moved:
        return None
    return HistoryEntry(median(moved), len(moved), min(moved), max(moved), is_indexed)
