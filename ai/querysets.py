"""Named reads of calls to models. Through an API nothing leaves but sums: what a call asked is the staff's to see."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate

from accounts.querysets import organisation_ids_owned_by

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User

    from .models import ModelCall, ProviderPause  # noqa: F401 - ruff does not see names in QuerySet["…"]


class CallQuerySet(models.QuerySet["ModelCall"]):
    def reusable(self, cache_key: str, *, now: datetime) -> CallQuerySet:
        """Answers to the same question that may be given again, newest first."""
        return self.filter(cache_key=cache_key, cached_until__gt=now).order_by("-created_at")

    def in_flight(self, provider: str, *, now: datetime) -> CallQuerySet:
        """Requests that may be running at the provider, those of killed processes included."""
        return self.filter(status="running", provider=provider, in_flight_until__gt=now)

    def visible_to(self, user: User | AnonymousUser) -> CallQuerySet:
        """Those of organisations that the user owns; for staff who may view calls in the admin, all of them."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff and user.has_perm("ai.view_modelcall"):
            return self
        return self.filter(organisation_id__in=organisation_ids_owned_by(user))

    def by_day_and_purpose(self, *, since: datetime) -> list[dict[str, Any]]:
        """As `by_day`, with `purpose`, the oldest day first."""
        days = (
            self.filter(created_at__gte=since)
            .order_by()
            .annotate(day=TruncDate("created_at", tzinfo=UTC))
            .values("day", "purpose")
            .annotate(
                calls=Count("pk"),
                cached=Count("pk", filter=Q(is_cached=True)),
                failed=Count("pk", filter=Q(status__in=("failed", "lost"))),
                tokens_in=Coalesce(Sum("tokens_in"), 0),
                tokens_out=Coalesce(Sum("tokens_out"), 0),
                cost_usd=Coalesce(Sum("cost_usd"), Decimal(0)),
            )
            .order_by("day", "purpose")
        )
        return [dict(day) for day in days]

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
