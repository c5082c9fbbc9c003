"""Named reads of calls to models. Staff only: nothing of these leaves through an API."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate

if TYPE_CHECKING:
    from .models import ModelCall, ProviderPause  # noqa: F401 - ruff does not see names in QuerySet["…"]


class CallQuerySet(models.QuerySet["ModelCall"]):
    def reusable(self, cache_key: str, *, now: datetime) -> CallQuerySet:
        """Answers to the same question that may be given again, newest first."""
        return self.filter(cache_key=cache_key, cached_until__gt=now).order_by("-created_at")

    def in_flight(self, provider: str, *, now: datetime) -> CallQuerySet:
        """Requests that may be running at the provider, those of killed processes included."""
        return self.filter(status="running", provider=provider, in_flight_until__gt=now)

    def by_day(self, *, since: date) -> list[dict[str, Any]]:
        """[{day, calls, cached, failed, tokens_in, tokens_out, cost_usd}], newest first; days are of UTC. The cost is
        an estimate for the calls that are under way or were lost."""
        days = (
            self.filter(created_at__date__gte=since)
            .annotate(day=TruncDate("created_at"))
            .values("day")
            .annotate(
                calls=Count("pk"),
                cached=Count("pk", filter=Q(is_cached=True)),
                failed=Count("pk", filter=Q(status__in=("failed", "lost"))),
                tokens_in=Sum("tokens_in"),
                tokens_out=Sum("tokens_out"),
                cost_usd=Coalesce(Sum("cost_usd"), Decimal(0)),
            )
            .order_by("-day")
        )
        return [dict(day) for day in days]


class PauseQuerySet(models.QuerySet["ProviderPause"]):
    def standing(self, fingerprint: str) -> PauseQuerySet:
        return self.filter(fingerprint=fingerprint, ended_at=None)
