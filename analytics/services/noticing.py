"""Spikes, noticed: an hour in which something was asked for far more than in those before is written down once, and
told to whom it concerns once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, User
from jobs.events import publish_on_commit
from jobs.events.types import NotificationData

from ..models import DemandBucket, DemandSpike, Entity
from ..streams.trends import Spike, spikes
from ..webhooks import Named, Spiked, tell_spikes

NOTICE = "analytics.notice_spikes"
LOCK = 0x6E6F7469  # advisory: "noti"
SERIES_H = 14 * 24  # hours that are looked at
LATEST_H = 6  # of them may be new: the job may have missed some, and signals may have come late
LOOKED_AT = 100  # of each owner, what rises most within a day: an hour that is a spike makes its day rise
AT_ONCE = 500
LEAST = 10  # signals in an hour: with fewer a spike is written down, and nobody is bothered
QUIET = timedelta(hours=24)  # after having been told of one of its hours
NAMED = 3  # things that a notification names
KEPT = timedelta(days=90)

# By owner, along the index of trends; the growths of the day.
RISING = f"""
SELECT entity_id FROM (
    SELECT entity_id, row_number() OVER (PARTITION BY organisation_id ORDER BY growth_1d DESC, entity_id) AS place
    FROM analytics_entitydemand WHERE trend_1d IS NOT NULL
) rising WHERE place <= {LOOKED_AT} ORDER BY entity_id
"""


class Noticed(TypedDict):
    """`found`: hours that nobody had found before; `told`: things that people were told of."""

    found: int
    told: int
    people: int
    endpoints: int


def notice_spikes(*, now: datetime | None = None) -> Noticed:
    """Look through the last complete hours of what rises most, and tell of what is new. To be called when windows have
    moved. Two at once: one waits (advisory lock), and finds that all of it is known; whatever ends a transaction half
    way, nothing was said of it."""
    now = now or timezone.now()
    end = now.replace(minute=0, second=0, microsecond=0)
    found = list(_spikes(end))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        DemandSpike.objects.filter(hour__lt=end - KEPT).delete()
        new = _write_down(found, now)
        telling = _to_tell(new, now) if settings.DEMAND_SPIKE_NOTICES else []
        DemandSpike.objects.filter(pk__in=[row.pk for row in telling]).update(is_told=True)
        spiked = _described(telling)
        return Noticed(found=len(new), told=len(spiked), people=_notify(spiked), endpoints=tell_spikes(spiked))


def _spikes(end: datetime) -> Iterable[DemandSpike]:
    """Of the hours before `end`, the last six."""
    with connection.cursor() as cursor:
        cursor.execute(RISING)
        rising = [row[0] for row in cursor.fetchall()]
    start = end - timedelta(hours=SERIES_H)
    for at in range(0, len(rising), AT_ONCE):
        some = rising[at : at + AT_ONCE]
        for entity_id, counts in zip(some, _series(some, start), strict=True):
            for spike in spikes(counts):
                if spike.index >= SERIES_H - LATEST_H:
                    yield _row(entity_id, start, spike)


def _row(entity_id: UUID, start: datetime, spike: Spike) -> DemandSpike:
    return DemandSpike(
        entity_id=entity_id,
        hour=start + timedelta(hours=spike.index),
        count=spike.count,
        expected=round(spike.expected, 2),
        z=round(spike.z, 2),
    )


def _series(ids: Sequence[UUID], start: datetime) -> list[list[int]]:
    """Signals of each hour from `start` on, in the order of the ids."""
    made = {each: [0] * SERIES_H for each in ids}
    hours = DemandBucket.objects.filter(
        entity__in=list(ids), hour__gte=start, hour__lt=start + timedelta(hours=SERIES_H)
    )
    for entity_id, hour, count in hours.values_list("entity_id", "hour", "count"):
        made[entity_id][int((hour - start).total_seconds() // 3600)] = count
    return list(made.values())


def _write_down(found: Sequence[DemandSpike], now: datetime) -> list[DemandSpike]:
    """Those that were not known. Entities that were removed meanwhile are left out."""
    hours = {row.hour for row in found}
    there = set(Entity.objects.filter(pk__in={row.entity_id for row in found}).values_list("pk", flat=True))
    known = set(DemandSpike.objects.filter(hour__in=hours).values_list("entity_id", "hour"))
    new = [row for row in found if row.entity_id in there and (row.entity_id, row.hour) not in known]
    for row in new:
        row.found_at = now
    return DemandSpike.objects.bulk_create(new)


def _to_tell(new: Sequence[DemandSpike], now: datetime) -> list[DemandSpike]:
    """The highest hour of each entity of which nothing was told within a day."""
    ids = {row.entity_id for row in new}
    heard = DemandSpike.objects.filter(entity__in=ids, is_told=True, found_at__gt=now - QUIET)
    quiet = set(heard.values_list("entity_id", flat=True))
    highest: dict[UUID, DemandSpike] = {}
    for row in new:
        if row.count >= LEAST and row.entity_id not in quiet:
            best = highest.get(row.entity_id)
            highest[row.entity_id] = row if best is None or row.z > best.z else best
    return list(highest.values())


def _described(rows: Sequence[DemandSpike]) -> list[Spiked]:
    """The highest first."""
    columns = ("organisation_id", "id", "entity_type", "name", "url")
    chosen = Entity.objects.filter(pk__in=[row.entity_id for row in rows]).values_list(*columns)
    entities = {row[1]: Named(*row) for row in chosen}
    listed = [
        Spiked(entities[row.entity_id], row.hour.isoformat(), row.count, row.expected, row.z)
        for row in rows
        if row.entity_id in entities
    ]
    return sorted(listed, key=lambda spiked: (-spiked.z, str(spiked.entity.id)))


def _notify(spiked: Sequence[Spiked]) -> int:
    """One notification a person: of what their organisations own; staff also of what is shared. How many people."""
    by_owner: dict[UUID | None, list[Spiked]] = defaultdict(list)
    for each in spiked:
        by_owner[each.organisation_id].append(each)
    people: dict[UUID, list[Spiked]] = defaultdict(list)
    for owner, theirs in by_owner.items():
        for user_id in _concerned(owner):
            people[user_id].extend(theirs)
    for user_id, theirs in people.items():
        theirs.sort(key=lambda each: -each.z)
        publish_on_commit(f"user:{user_id}", "notification", _notice(theirs))
    return len(people)


def _concerned(owner: UUID | None) -> list[UUID]:
    active = User.objects.exclude(status=User.Status.SUSPENDED)
    if owner is None:
        active = active.filter(is_staff=True)
    else:
        active = active.filter(pk__in=Membership.objects.filter(organisation=owner).values("user_id"))
    return list(active.order_by("pk").values_list("pk", flat=True))


def _notice(spiked: Sequence[Spiked]) -> NotificationData:
    first = spiked[0]
    if len(spiked) == 1:
        text = (
            f"“{first.entity.name[:120]}” is asked for far more than usual: "
            f"{first.signals:,} times within an hour, {first.expected:.0f} expected."
        )
        return NotificationData(level="info", text=text, url=reverse("analytics:entity", args=[first.entity.id]))
    named = ", ".join(f"“{each.entity.name[:80]}”" for each in spiked[:NAMED])
    more = f" and {len(spiked) - NAMED:,} more" if len(spiked) > NAMED else ""
    text = f"Asked for far more than usual within an hour: {named}{more}."
    return NotificationData(level="info", text=text, url=reverse("analytics:demand"))
