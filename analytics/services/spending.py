"""What language models cost, by purpose and day: of organisations that one owns, or of all of them for staff."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings

from accounts.models import User
from accounts.querysets import organisation_ids_owned_by
from ai import configuration
from ai.models import ModelCall
from ai.services import budget

from ..exceptions import SpendingNotVisible

Row = dict[str, Any]
SUMMED = ("calls", "cached", "failed", "tokens_in", "tokens_out", "cost_usd")
DAYS, MOST_DAYS = 30, 90  # calls are not kept for longer unless AI_CALLS_KEPT_DAYS says so


def may_see(user: User) -> bool:
    return sees_all(user) or organisation_ids_owned_by(user).exists()


def sees_all(user: User) -> bool:
    return user.is_staff and user.has_perm("ai.view_modelcall")


def spending(*, user: User, days: int) -> Row:
    """{days, provider, model, is_configured, budget, totals, by_purpose, by_day, by_day_and_purpose}; days are of UTC,
    today included. `budget` ({daily_usd, spent_today_usd}, None for owners) is that of the whole installation. Costs
    are estimates for calls that run or were lost. One statement sums the calls. SpendingNotVisible.
    """
    if not may_see(user):
        raise SpendingNotVisible("What models cost is shown to owners of organisations and to staff.")
    first = budget.today() - timedelta(days=days - 1)
    since = datetime.combine(first, time(0), UTC)
    rows = ModelCall.objects.visible_to(user).by_day_and_purpose(since=since)
    config = configuration.current()
    listed = [first + timedelta(days=number) for number in range(days)]
    return {
        "days": days,
        "provider": config.provider if config else configuration.OFFLINE,
        "model": config.model if config else "",
        "is_configured": config is not None,
        "budget": _budget() if sees_all(user) else None,
        "totals": _summed(rows),
        "by_purpose": sorted(
            _grouped(rows, "purpose"), key=lambda row: (-row["cost_usd"], -row["calls"], row["purpose"])
        ),
        "by_day": [{"day": day, **_summed(row for row in rows if row["day"] == day)} for day in listed],
        "by_day_and_purpose": rows,
    }


def _budget() -> Row:
    return {"daily_usd": settings.AI_DAILY_BUDGET_USD, "spent_today_usd": budget.spent_today()}


def _grouped(rows: list[Row], by: str) -> list[Row]:
    names = dict.fromkeys(row[by] for row in rows)
    return [{by: name, **_summed(row for row in rows if row[by] == name)} for name in names]


def _summed(rows: Iterable[Row]) -> Row:
    """With `cache_hit_rate`: 0 to 1, None where nothing was asked."""
    sums: Row = dict.fromkeys(SUMMED, 0) | {"cost_usd": Decimal(0)}
    for row in rows:
        for name in SUMMED:
            sums[name] += row[name]
    return sums | {"cache_hit_rate": round(sums["cached"] / sums["calls"], 4) if sums["calls"] else None}
