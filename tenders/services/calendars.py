"""Deadlines for people's calendars: the address that a calendar fetches without signing in, and what it says there."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Membership, User
from jobs.webhooks import link_to

from ..exceptions import BadFilter, CalendarMissing, NoOrganisation
from ..models import CalendarEntry, CalendarFeed, Decision, SavedSearch, Tender
from . import ical
from .access import acting_organisation
from .searchfields import filters_from
from .searching import search_tenders

KEPT = timedelta(days=30)  # after a deadline, and after it was cancelled
MOST_HITS = 500  # of the saved search
REMINDERS = (0, 1, 2, 3, 7, 14)
SALT = "plumbline.tenders.calendar"
SIGNATURE = 16  # bytes
FIELDS = ("id", "title", "buyer_name", "country", "value_amount", "value_currency", "deadline_at", "status", "url")
WITHDRAWN = ("cancelled", "withdrawn", "unsuccessful")  # OCDS: tenderStatus
FOUND, DROPPED = "found", "dropped"
_WORDS = {
    Decision.Choice.WATCH: "Watched",
    Decision.Choice.BID: "A bid is being made",
    FOUND: "Found by a saved search",
    DROPPED: "No longer watched, bid on or found",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the calendar is to say of a tender."""

    tender: Tender
    why: str  # of _WORDS

    @property
    def is_cancelled(self) -> bool:
        return self.tender.status in WITHDRAWN

    @property
    def description(self) -> str:
        tender = self.tender
        value = "" if tender.value_amount is None else f"{tender.value_amount:,.2f} {tender.value_currency}".strip()
        country = f"{tender.buyer_name} ({tender.country})" if tender.country else tender.buyer_name
        notice = tender.url if tender.url.startswith(("https://", "http://")) else ""
        return "\n".join(part for part in (country, value, _WORDS[self.why], notice) if part)

    @property
    def digest(self) -> str:
        told = f"{self.tender.title}\n{self.description}"
        return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:32]


def feed_of(*, actor: User) -> CalendarFeed | None:
    """The actor's, in the organisation acted for."""
    organisation = acting_organisation(actor)
    found = CalendarFeed.objects.visible_to(actor).filter(organisation=organisation).select_related("search")
    feed: CalendarFeed | None = found.first() if organisation else None
    return feed


def open_feed(*, actor: User, remind_days: int = 0, search_id: UUID | None = None) -> CalendarFeed:
    """The actor's feed with these choices, made if there is none. Raises NoOrganisation, CalendarMissing (no such
    search)."""
    organisation = acting_organisation(actor)
    if organisation is None:
        raise NoOrganisation("You belong to no organisation, so there are no deadlines to tell you of.")
    search = None
    if search_id is not None:
        search = SavedSearch.objects.visible_to(actor).filter(pk=search_id, organisation=organisation).first()
        if search is None:
            raise CalendarMissing("There is no such saved search.")
    values = {"remind_days": remind_days if remind_days in REMINDERS else 0, "search": search}
    feed, _ = CalendarFeed.objects.update_or_create(user=actor, organisation=organisation, defaults=values)
    return feed


def renew(*, actor: User) -> CalendarFeed:
    """A new address; the old one opens nothing any more. Raises CalendarMissing."""
    feed = _own(actor)
    CalendarFeed.objects.filter(pk=feed.pk).update(version=F("version") + 1, read_at=None)
    feed.refresh_from_db()
    return feed


def close_feed(*, actor: User) -> None:
    _own(actor).delete()


def _own(actor: User) -> CalendarFeed:
    feed = feed_of(actor=actor)
    if feed is None:
        raise CalendarMissing("You have no calendar address.")
    return feed


def address_of(feed: CalendarFeed) -> str:
    """Whoever has it can read the deadlines: it is its owner's secret."""
    secret = base64.urlsafe_b64encode(feed.pk.bytes + _signature(feed, None)).decode().rstrip("=")
    return str(settings.SITE_URL).rstrip("/") + reverse("tenders:calendar-feed", args=[secret])


def _signature(feed: CalendarFeed, key: str | bytes | None) -> bytes:
    told = f"{feed.pk}:{feed.version}"
    return salted_hmac(SALT, told, secret=key, algorithm="sha256").digest()[:SIGNATURE]


def feed_by_secret(secret: str) -> CalendarFeed:
    """Raises CalendarMissing: wrong, renewed since, of somebody who is suspended or has left the organisation."""
    missing = CalendarMissing("There is no such calendar.")
    try:
        raw = base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
        feed_id, given = UUID(bytes=raw[:-SIGNATURE]), raw[-SIGNATURE:]
    except (ValueError, binascii.Error):
        raise missing from None
    found = CalendarFeed.objects.select_related("user", "organisation", "search").filter(pk=feed_id)
    feed: CalendarFeed | None = found.first()
    if feed is None or not feed.user.is_active:
        raise missing
    keys = [None, *settings.SECRET_KEY_FALLBACKS]
    if not any(constant_time_compare(given, _signature(feed, key)) for key in keys):
        raise missing
    if not Membership.objects.of(feed.user).filter(organisation=feed.organisation).exists():
        raise missing
    return feed


def read_feed(feed: CalendarFeed, *, now: datetime | None = None) -> bytes:
    """The calendar as it is now. What has changed since the last reading is noted, so that its numbers go up: one
    reading of a feed at a time (its row is locked)."""
    now = (now or timezone.now()).replace(microsecond=0)
    with transaction.atomic():
        CalendarFeed.objects.select_for_update().only("pk").get(pk=feed.pk)
        wanted = _wanted(feed, now)
        entries = _noted(feed, wanted, now)
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    dropped = Tender.objects.visible_to(feed.user).filter(pk__in=entries.keys() - wanted.keys()).only(*FIELDS)
    shown = wanted | {tender.pk: _Shown(tender, DROPPED) for tender in dropped}
    in_order = sorted(entries.values(), key=lambda entry: (entry.deadline_at, entry.pk))
    events = [_event(entry, shown[entry.tender_id], feed) for entry in in_order if entry.tender_id in shown]
    return ical.calendar(name=f"Tenders of {feed.organisation}", events=events)


def _event(entry: CalendarEntry, shown: _Shown, feed: CalendarFeed) -> ical.Event:
    host = urlsplit(str(settings.SITE_URL)).hostname or "plumbline"
    return ical.Event(
        uid=f"tender-{entry.tender_id}@{host}",
        sequence=entry.sequence,
        changed_at=entry.changed_at,
        at=entry.deadline_at,
        summary=f"Deadline: {shown.tender.title}",
        description=shown.description,
        url=link_to("tenders:detail", entry.tender_id),
        is_cancelled=entry.is_cancelled,
        remind_days=feed.remind_days,
    )


def _wanted(feed: CalendarFeed, now: datetime) -> dict[UUID, _Shown]:
    """What is watched or bid on, and the open hits of the saved search; with a deadline that is not long past."""
    rows = Tender.objects.visible_to(feed.user).filter(deadline_at__gte=now - KEPT).only(*FIELDS)
    standing = Decision.objects.standing().filter(
        organisation=feed.organisation, choice__in=(Decision.Choice.WATCH, Decision.Choice.BID)
    )
    choices = dict(standing.values_list("tender_id", "choice"))
    found = {tender.pk: _Shown(tender, choices[tender.pk]) for tender in rows.filter(pk__in=choices)}
    for tender in _hits(feed, now):
        found.setdefault(tender.pk, _Shown(tender, FOUND))
    return found


def _hits(feed: CalendarFeed, now: datetime) -> list[Tender]:
    """A search that is no longer understood brings nothing; its page says so."""
    if feed.search is None:
        return []
    try:
        filters = filters_from(feed.search.query)
        hits = search_tenders(user=feed.user, filters=filters, organisation_id=feed.organisation_id)
    except BadFilter:
        return []
    return list(hits.filter(index__deadline_at__gte=now).order_by("index__deadline_at", "id")[:MOST_HITS])


def _noted(feed: CalendarFeed, wanted: dict[UUID, _Shown], now: datetime) -> dict[UUID, CalendarEntry]:
    """The feed's entries as they are told now, by tender."""
    known = CalendarEntry.objects.filter(feed=feed)
    recent = known.filter(Q(tender__in=wanted) | Q(deadline_at__gte=now - KEPT, is_cancelled=False))
    cancelled = known.filter(is_cancelled=True, changed_at__gte=now - KEPT)
    entries = {entry.tender_id: entry for entry in recent | cancelled}
    new = [
        CalendarEntry(feed=feed, tender_id=pk, deadline_at=at, digest=shown.digest, changed_at=now)
        for pk, shown in wanted.items()
        if (at := shown.tender.deadline_at) and pk not in entries and not shown.is_cancelled
    ]
    changed = [entry for pk, entry in entries.items() if _changed(entry, wanted.get(pk), now)]
    CalendarEntry.objects.bulk_create(new)
    columns = ["deadline_at", "is_cancelled", "sequence", "digest", "changed_at"]
    CalendarEntry.objects.bulk_update(changed, columns, batch_size=500)
    return entries | {entry.tender_id: entry for entry in new}


def _changed(entry: CalendarEntry, shown: _Shown | None, now: datetime) -> bool:
    """Bring the entry up to date; whether anything was. Another deadline, or a cancelling, is a new revision."""
    before: dict[str, Any] = {name: getattr(entry, name) for name in ("deadline_at", "is_cancelled", "digest")}
    if shown is not None and shown.tender.deadline_at is not None:
        entry.deadline_at, entry.digest = shown.tender.deadline_at, shown.digest
        entry.is_cancelled = shown.is_cancelled
    elif entry.deadline_at >= now:  # not watched any more, no longer a hit, or it has lost its deadline
        entry.is_cancelled = True
    if all(getattr(entry, name) == value for name, value in before.items()):
        return False
    if (entry.deadline_at, entry.is_cancelled) != (before["deadline_at"], before["is_cancelled"]):
        entry.sequence += 1
    entry.changed_at = now
    return True
