"""What the demand pages show: the dashboard, an entity, what is asked; and "refresh now"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.querysets import organisation_ids_of
from config.cache import get_or_set, invalidate
from jobs.models import Job

from ..exceptions import BadRequest, EntityNotFound, RefreshNotAllowed
from ..models import DemandBucket, Entity, EntityDemand
from ..streams.scoring import score_at
from ..streams.trends import HOURS_OF, SPANS, Spike, is_trend, spikes
from . import demand, demand_patterns, live
from .counting import clock
from .demand import Row, Scope
from .refreshing import NAMED, start_refresh

LISTED = 10
SPIKES_H = 24
UNANSWERED_DAYS = 7
RELATED = 8
REFRESHED_AT_ONCE = 50
JOBS_SHOWN = 3
JOBS_KEPT = timedelta(minutes=2)  # a job that has ended stays on the page for so long
# Points of a sparkline: the window and the one before, in steps of so many hours.
STEP_H = {"1d": 1, "7d": 24, "30d": 24}
CHART_H, CHART_DAYS = 48, 90

SPARKS = """
SELECT entity_id, floor(extract(epoch FROM hour - %(start)s) / %(step_s)s)::int, sum(count)::bigint
FROM analytics_demandbucket WHERE entity_id = ANY(%(ids)s) AND hour >= %(start)s GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader has chosen; `least` and `days` are those of what is wanted and old."""

    timeframe: str = "7d"
    entity_type: str = ""
    least: float = 1.0
    days: int = 30


def figures(*, scope: Scope, wish: Wish, moments: Sequence[int] | None) -> Row:
    """{stats, top, trending, stale}, as of `moments` (live.moments) or later; with sparklines. Kept for two seconds, or
    until demand moves, for all who see the same."""
    if moments is None:
        return _figures(scope, wish)
    parts = [scope.key, wish.timeframe, wish.entity_type, repr(wish.least), str(wish.days), *map(str, moments)]
    found: Row = get_or_set("demand", ["page", *parts], lambda: _figures(scope, wish))
    return found


def _figures(scope: Scope, wish: Wish) -> Row:
    found = {
        "stats": demand.stats(scope=scope),
        "top": demand.top(scope=scope, limit=LISTED, entity_type=wish.entity_type),
        "trending": demand.trending(scope=scope, limit=LISTED, timeframe=wish.timeframe),
        "stale": demand.stale(scope=scope, limit=LISTED, min_demand_score=wish.least, days_since_update=wish.days),
    }
    rising = found["trending"]["trending"]
    counts = sparklines(entity_ids=[row["id"] for row in rising], timeframe=wish.timeframe)
    for row in rising:
        row["counts"] = counts[row["id"]]
    return found


def recent_spikes(*, scope: Scope) -> Row:
    """Of the last 24 hours; a minute old at most."""
    found: Row = get_or_set(
        "demand_patterns",
        ("page", scope.key),
        lambda: demand_patterns.recent_spikes(scope=scope, limit=LISTED, hours=SPIKES_H),
    )
    return found


def unanswered(*, user: User) -> list[Row]:
    found: list[Row] = demand.queries(user=user, limit=LISTED, days=UNANSWERED_DAYS, unanswered=True)["queries"]
    return found


def sparklines(*, entity_ids: Sequence[UUID], timeframe: str, now: datetime | None = None) -> dict[UUID, list[int]]:
    """By entity: signals of the window before and of the window, in as many steps each, the present one last."""
    steps = 2 * HOURS_OF[timeframe] // STEP_H[timeframe]
    end = (now or timezone.now()).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    start = end - timedelta(hours=2 * HOURS_OF[timeframe])
    made = {each: [0] * steps for each in entity_ids}
    if not made:
        return made
    parameters: dict[str, Any] = {"ids": list(made), "start": start, "step_s": STEP_H[timeframe] * 3600}
    with connection.cursor() as cursor:
        cursor.execute(SPARKS, parameters)
        for entity_id, step, count in cursor.fetchall():
            made[entity_id][min(step, steps - 1)] += count  # the clock may have struck since
    return made


# --- one entity -------------------------------------------------------------------------------------------------------


def entity(*, user: User, entity_id: UUID) -> Row:
    """{entity, demand (None: never asked for), score, frequency, windows, chart, spikes, related, may_refresh}.
    EntityNotFound."""
    visible = Entity.objects.visible_to(user).defer("search", "embedding").select_related("organisation")
    row = visible.filter(pk=entity_id).first()
    if row is None:
        raise EntityNotFound("There is no such entity, or it is not yours to see.")
    counted = EntityDemand.objects.filter(pk=entity_id).first()
    hours, found = _hours(entity_id)
    days = demand.series(entity_id=entity_id, days=CHART_DAYS)
    related = get_or_set(
        "demand_patterns",
        ("related", demand.scope_of(user).key, entity_id, RELATED),
        lambda: demand_patterns.related(user=user, entity_id=entity_id, limit=RELATED),
    )
    return {
        "entity": row,
        "demand": counted,
        "score": score_at(counted.rank, timezone.now(), clock().half_life_days) if counted else 0.0,
        "frequency": demand.frequency(counted.query_count if counted else 0).replace("_", " "),
        "windows": _windows(counted) if counted else [],
        "chart": _chart(hours, days, found),
        "spikes": [_told(spike, hours) for spike in reversed(found)],
        "related": related["related"],
        "may_refresh": refreshable(user=user).filter(pk=entity_id).exists(),
    }


def _hours(entity_id: UUID) -> tuple[list[tuple[datetime, int]], list[Spike]]:
    """The hours of two weeks, the present one last, and which of them are spikes."""
    last = timezone.now().replace(minute=0, second=0, microsecond=0)
    start = last - timedelta(hours=demand_patterns.SERIES_H - 1)
    rows = DemandBucket.objects.filter(entity=entity_id, hour__gte=start)
    counts = dict(rows.values_list("hour", "count"))
    listed = [start + timedelta(hours=number) for number in range(demand_patterns.SERIES_H)]
    hours = [(hour, counts.get(hour, 0)) for hour in listed]
    return hours, spikes([count for _, count in hours])


def _windows(row: EntityDemand) -> list[Row]:
    words = {"1d": "Last day", "7d": "Last 7 days", "30d": "Last 30 days"}
    told = []
    for span in SPANS:
        current, previous = getattr(row, f"current_{span}"), getattr(row, f"previous_{span}")
        rising = is_trend(current, previous)
        growth = getattr(row, f"growth_{span}")
        told.append(
            {"words": words[span], "current": current, "previous": previous, "growth": growth, "rising": rising}
        )
    return told


def _chart(hours: list[tuple[datetime, int]], days: list[Row], found: list[Spike]) -> Row:
    """Two series of counts with their labels (UTC); `spikes`: which of the counts hold one."""
    shown = hours[-CHART_H:]
    spiking = {hours[spike.index][0] for spike in found}
    spiking_days = {hour.date() for hour in spiking}
    return {
        "hours": {
            "labels": [f"{hour:%-d %b %H}:00" for hour, _ in shown],
            "counts": [count for _, count in shown],
            "spikes": [hour in spiking for hour, _ in shown],
        },
        "days": {
            "labels": [f"{row['date']:%-d %b}" for row in days],
            "counts": [row["count"] for row in days],
            "spikes": [row["date"] in spiking_days for row in days],
        },
    }


def _told(spike: Spike, hours: list[tuple[datetime, int]]) -> Row:
    return {"hour": hours[spike.index][0], "count": spike.count, "expected": spike.expected}


# --- refresh now ------------------------------------------------------------------------------------------------------


def refreshable(*, user: User) -> QuerySet[Entity]:
    """What the user may have refreshed: of organisations where they do not only look on; shared ones, where there is
    such an organisation, or as staff who may change entities."""
    own = organisation_ids_of(user, may_write=True)
    rule = Q(organisation_id__in=own)
    if (user.is_staff and user.has_perm("analytics.change_entity")) or own.exists():
        rule |= Q(organisation__isnull=True)
    return Entity.objects.filter(rule)


def refresh_now(*, actor: User, entity_ids: Sequence[UUID]) -> Job:
    """One job for all that the actor may have refreshed. What a job of theirs is at already is left to it.

    EntityNotFound: none is theirs to see. RefreshNotAllowed: they only look on. BadRequest: none, or too many.
    """
    if not 0 < len(entity_ids) <= REFRESHED_AT_ONCE:
        raise BadRequest(f"Choose 1 to {REFRESHED_AT_ONCE} entities.")
    allowed = list(refreshable(user=actor).filter(pk__in=entity_ids).order_by("pk").values_list("pk", flat=True))
    if not allowed:
        if Entity.objects.visible_to(actor).filter(pk__in=entity_ids).exists():
            raise RefreshNotAllowed("You only look on here. Ask a member of the organisation to refresh it.")
        raise EntityNotFound("There is no such entity, or it is not yours to see.")
    active = list(Job.objects.active().filter(actor=actor, kind=NAMED).order_by("-created_at"))
    busy = {each for job in active for each in job.params.get("entity_ids", ())}
    left = [each for each in allowed if str(each) not in busy]
    job = start_refresh(entity_ids=left, actor=actor) if left else active[0]
    invalidate("demand")  # the page that answers shows at once that they wait
    return job


def refreshing_jobs(*, user: User) -> list[Job]:
    """Those the user has started: what goes on, and what has ended within the last two minutes."""
    jobs = Job.objects.filter(actor=user, kind=NAMED, created_at__gte=timezone.now() - timedelta(days=1))
    recent = Q(status__in=Job.ACTIVE) | Q(finished_at__gte=timezone.now() - JOBS_KEPT)
    return list(jobs.filter(recent).order_by("-created_at")[:JOBS_SHOWN])


def moments_of(scope: Scope) -> tuple[list[str], list[int] | None]:
    """The channels on which a page of this scope hears of moves, and the last move on each. To be read first."""
    channels = live.channels_of(scope.organisations)
    return channels, live.moments(channels)
