"""Money of the day: taken before a call, put right after it. In the caller's transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from ..exceptions import BudgetSpent
from ..models import SpendingDay


def today() -> date:
    return timezone.now().astimezone(UTC).date()


def spent_today() -> Decimal:
    """Estimates of calls under way included."""
    return SpendingDay.objects.filter(day=today()).values_list("spent_usd", flat=True).first() or Decimal(0)


def reserve(*, day: date, amount_usd: Decimal) -> None:
    """One conditional UPDATE: of many who ask for the last dollar at once, one gets it. Raises BudgetSpent."""
    if _add_within(day, amount_usd):
        return
    SpendingDay.objects.bulk_create([SpendingDay(day=day)], ignore_conflicts=True)
    if not _add_within(day, amount_usd):
        raise BudgetSpent(
            f"Today's budget for language models, {settings.AI_DAILY_BUDGET_USD} USD, is used up, calls in flight "
            "included. It goes on at midnight UTC, or with a larger AI_DAILY_BUDGET_USD.",
            retry_after_s=_seconds_left(),
        )


def correct(*, day: date, by_usd: Decimal) -> None:
    """The difference between what a call cost and what was taken for it."""
    if by_usd:
        SpendingDay.objects.filter(day=day).update(spent_usd=F("spent_usd") + by_usd)


def _add_within(day: date, amount_usd: Decimal) -> bool:
    rows = SpendingDay.objects.filter(day=day)
    if settings.AI_DAILY_BUDGET_USD is not None:
        rows = rows.filter(spent_usd__lte=settings.AI_DAILY_BUDGET_USD - amount_usd)
    return rows.update(spent_usd=F("spent_usd") + amount_usd) > 0


def _seconds_left() -> float:
    now = timezone.now().astimezone(UTC)
    return (datetime.combine(now.date() + timedelta(days=1), time(0), UTC) - now).total_seconds()
