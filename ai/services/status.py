"""What operators see of the model: which, whether it may be asked, what it has cost today."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from django.conf import settings

from jobs import limits
from jobs.limits import LimitUnreachable

from .. import configuration
from ..configuration import OFFLINE
from ..models import ModelBatch
from ..pricing import price_of
from . import budget, pausing


class State(TypedDict):
    """`paused_*`: until an operator resumes. `slowed_*`: for all callers, until then by itself. `in_flight`, `waiting`,
    `at_once`: None where Redis can't be read, and offline. `budget_usd`: None is no limit."""

    provider: str
    model: str
    base_url: str
    is_price_known: bool
    paused_since: datetime | None
    paused_reason: str
    spent_today_usd: Decimal
    budget_usd: Decimal | None
    in_flight: int | None
    waiting: int | None
    at_once: int | None
    slowed_until: datetime | None
    slowed_reason: str
    batches_under_way: int


def state() -> State:
    config = configuration.current()
    pause = pausing.standing(config) if config else None
    seen = State(
        provider=config.provider if config else OFFLINE,
        model=config.model if config else "",
        base_url=config.base_url if config else "",
        is_price_known=price_of(config.model).is_known if config else True,
        paused_since=pause.since if pause else None,
        paused_reason=pause.reason if pause else "",
        spent_today_usd=budget.spent_today(),
        budget_usd=settings.AI_DAILY_BUDGET_USD,
        in_flight=None,
        waiting=None,
        at_once=None,
        slowed_until=None,
        slowed_reason="",
        batches_under_way=ModelBatch.objects.filter(status=ModelBatch.Status.UNDER_WAY).count() if config else 0,
    )
    if config is None:
        return seen
    try:
        limit = limits.get(config.limit_name).state()
    except LimitUnreachable:
        return seen
    return {
        **seen,
        "in_flight": limit["held"],
        "waiting": limit["waiting"],
        "at_once": limit["effective"],
        "slowed_until": limit["paused_until"],
        "slowed_reason": limit["reason"],
    }
