"""Deadlines for calendars: right by RFC 5545, numbered when they change, and nobody's but their owner's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership, Organisation, User
from tenders.models import CalendarEntry, CalendarFeed, Tender
from tenders.services import calendars, ical
from tenders.services.decisions import decide, withdraw
from tenders.services.saved_searches import save_search
from tests.factories.people import make_user
from tests.factories.tenders import make_source, make_tender
from tests.platform.throttled import limit, throttled
from tests.projects.pages import signed_in
from tests.tenders.icalendar import Component, parsed
from tests.tenders.test_pages import page_of, queries, url

pytestmark = pytest.mark.django_db
__all__ = ["throttled"]
NOW = datetime(2026, 11, 20, 9, 0, 0, tzinfo=UTC)


@pytest.fixture
def feed(member: User) -> CalendarFeed:
    return calendars.open_feed(actor=member)


def path_of(feed: CalendarFeed) -> str:
    return "/tenders" + calendars.address_of(feed).split("/tenders", 1)[1]


def events(feed: CalendarFeed, *, after: int = 0) -> list[Component]:
    """As told so many days after NOW."""
    return parsed(calendars.read_feed(feed, now=NOW + timedelta(days=after))).inside


def watched(member: User, **fields: Any) -> Tender:
    tender = make_tender(**({"deadline_at": NOW + timedelta(days=10)} | fields))
    decide(tender_id=tender.pk, actor=member, choice="watch")
    return tender


def test_a_deadline_is_told_with_what_one_needs_to_know(feed: CalendarFeed, member: User) -> None:
    title = "Obnova mostu; ev. č. 1, „Nový“\\ a ještě něco velmi dlouhého, co se na jeden řádek nevejde"
    tender = watched(member, title=title, buyer_name="Kraj Vysočina")
    (event,) = events(feed)
    assert event.moment("DTSTART") == tender.deadline_at
    assert event.text("SUMMARY") == f"Deadline: {title}"
    described = event.text("DESCRIPTION").split("\n")
    assert described == ["Kraj Vysočina (CZ)", "1,250,000.50 CZK", "Watched", "https://example.com/notice"]
    assert event.get("URL").endswith(f"/tenders/{tender.pk}/")
    assert str(tender.pk) in event.get("UID")
    assert (event.get("STATUS"), event.get("SEQUENCE"), event.inside) == ("CONFIRMED", "0", [])


def test_only_what_is_watched_or_bid_on_is_told(feed: CalendarFeed, member: User, stranger: User) -> None:
    watched(member, title="ours")
    make_tender(title="undecided", deadline_at=NOW + timedelta(days=1))
    no = make_tender(title="no", deadline_at=NOW + timedelta(days=1))
    decide(tender_id=no.pk, actor=member, choice="no_bid", reason="Too far")
    theirs = make_tender(title="theirs", deadline_at=NOW + timedelta(days=1))
    decide(tender_id=theirs.pk, actor=stranger, choice="bid")
    bid = make_tender(title="bid", deadline_at=NOW + timedelta(days=2))
    decide(tender_id=bid.pk, actor=member, choice="bid")
    watched(member, title="no deadline", deadline_at=None)
    watched(member, title="long ago", deadline_at=NOW - timedelta(days=31))
    assert [event.text("SUMMARY") for event in events(feed)] == ["Deadline: bid", "Deadline: ours"]


def test_nothing_changes_while_nothing_changes(feed: CalendarFeed, member: User) -> None:
    watched(member)
    first = calendars.read_feed(feed, now=NOW)
    assert calendars.read_feed(feed, now=NOW + timedelta(days=1)) == first
    assert parsed(first).inside[0].moment("DTSTAMP") == NOW


def test_a_deadline_that_moves_counts_up_and_a_new_title_does_not(feed: CalendarFeed, member: User) -> None:
    tender = watched(member)
    events(feed)
    Tender.objects.filter(pk=tender.pk).update(title="Another")
    (event,) = events(feed, after=1)
    assert (event.get("SEQUENCE"), event.moment("DTSTAMP")) == ("0", NOW + timedelta(days=1))
    moved = NOW + timedelta(days=20)
    Tender.objects.filter(pk=tender.pk).update(deadline_at=moved)
    (event,) = events(feed, after=2)
    assert (event.get("SEQUENCE"), event.moment("DTSTART")) == ("1", moved)
    assert event.moment("LAST-MODIFIED") == NOW + timedelta(days=2)


def test_what_falls_away_is_told_as_cancelled_for_a_while_and_may_come_back(feed: CalendarFeed, member: User) -> None:
    tender = watched(member, deadline_at=NOW + timedelta(days=90))
    uid = events(feed)[0].get("UID")
    withdraw(tender_id=tender.pk, actor=member)
    (event,) = events(feed, after=1)
    assert (event.get("UID"), event.get("STATUS"), event.get("SEQUENCE")) == (uid, "CANCELLED", "1")
    assert event.text("SUMMARY").startswith("Cancelled: ")
    assert len(events(feed, after=30)) == 1
    assert events(feed, after=32) == []
    decide(tender_id=tender.pk, actor=member, choice="bid")
    (event,) = events(feed, after=33)
    assert (event.get("UID"), event.get("STATUS"), event.get("SEQUENCE")) == (uid, "CONFIRMED", "2")


@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"status": "withdrawn"}, {"deadline_at": None}])
def test_what_the_publisher_takes_back_is_cancelled(feed: CalendarFeed, member: User, change: dict[str, Any]) -> None:
    tender = watched(member)
    events(feed)
    Tender.objects.filter(pk=tender.pk).update(**change)
    (event,) = events(feed, after=1)
    assert (event.get("STATUS"), event.get("SEQUENCE")) == ("CANCELLED", "1")


def test_a_deadline_that_has_passed_stays_for_a_month_as_it_was(feed: CalendarFeed, member: User) -> None:
    tender = watched(member)
    before = events(feed)
    withdraw(tender_id=tender.pk, actor=member)
    after = events(feed, after=15)  # decided on long after its end
    assert after[0].properties[:6] == before[0].properties[:6]
    assert events(feed, after=41) == []
    assert CalendarEntry.objects.count() == 1


def test_the_open_hits_of_a_saved_search_come_along(member: User) -> None:
    search = save_search(actor=member, name="Roads", query={"cpv": ["45233"]})
    feed = calendars.open_feed(actor=member, search_id=search.pk, remind_days=3)
    make_tender(title="road", deadline_at=NOW + timedelta(days=5))
    make_tender(title="over", deadline_at=NOW - timedelta(days=1))
    make_tender(title="software", cpv_main="72000000", deadline_at=NOW + timedelta(days=5))
    (event,) = events(feed)
    assert event.text("SUMMARY") == "Deadline: road"
    assert "Found by a saved search" in event.text("DESCRIPTION")
    (alarm,) = event.inside
    assert (alarm.name, alarm.get("TRIGGER"), alarm.get("ACTION")) == ("VALARM", "-P3D", "DISPLAY")
    search.delete()
    feed.refresh_from_db()
    assert [event.get("STATUS") for event in events(feed, after=1)] == ["CANCELLED"]


def test_a_source_that_is_no_longer_seen_is_no_longer_told_of(feed: CalendarFeed, member: User, stranger: User) -> None:
    source = make_source()
    watched(member, source=source)
    assert len(events(feed)) == 1
    source.organisation = Organisation.objects.get(memberships__user=stranger)
    source.save()
    assert events(feed, after=1) == []


def test_the_address_opens_without_a_session_and_says_when_nothing_has_changed(
    feed: CalendarFeed, member: User
) -> None:
    watched(member, deadline_at=datetime.now(UTC) + timedelta(days=3))
    answer = Client().get(path_of(feed))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-cache"
    assert len(parsed(answer.content).inside) == 1
    again = Client().get(path_of(feed), headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    withdraw(tender_id=Tender.objects.get().pk, actor=member)
    assert Client().get(path_of(feed), headers={"If-None-Match": answer["ETag"]}).status_code == 200
    assert Client().post(path_of(feed)).status_code == 405


def test_a_wrong_secret_and_a_renewed_one_open_nothing(feed: CalendarFeed, member: User) -> None:
    path = path_of(feed)
    changed = path.replace(".ics", "")
    for wrong in (f"{changed[:-2]}AA.ics", "/tenders/calendar/x.ics", f"{changed}A.ics", "/tenders/calendar/č.ics"):
        assert Client().get(wrong).status_code == 404
    calendars.renew(actor=member)
    assert Client().get(path).status_code == 404
    feed.refresh_from_db()
    assert Client().get(path_of(feed)).status_code == 200
    calendars.close_feed(actor=member)
    assert Client().get(path_of(feed)).status_code == 404


def test_who_has_left_or_is_suspended_is_told_nothing(feed: CalendarFeed, member: User) -> None:
    User.objects.filter(pk=member.pk).update(status=User.Status.SUSPENDED)
    assert Client().get(path_of(feed)).status_code == 404
    User.objects.filter(pk=member.pk).update(status=User.Status.ACTIVE)
    assert Client().get(path_of(feed)).status_code == 200
    Membership.objects.filter(user=member).delete()
    assert Client().get(path_of(feed)).status_code == 404


def test_an_address_outlives_a_change_of_the_secret_key(feed: CalendarFeed, settings: LazySettings) -> None:
    path = path_of(feed)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-" * 5, [settings.SECRET_KEY]
    assert Client().get(path).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(path).status_code == 404


def test_guessing_and_asking_too_often_are_refused(throttled: LazySettings, feed: CalendarFeed) -> None:
    limit(throttled, anonymous="2/minute", user="3/minute")
    path = path_of(feed)
    assert [Client().get(path).status_code for _ in range(4)] == [200, 200, 200, 429]
    limit(throttled, user="100/minute")
    assert [Client().get("/tenders/calendar/x.ics").status_code for _ in range(3)] == [404, 404, 429]
    refused = Client().get("/tenders/calendar/x.ics")
    assert 0 < int(refused["Retry-After"]) <= 60


def test_the_page_makes_shows_renews_and_takes_back_the_address(member: User, owner: User) -> None:
    client = signed_in(member)
    assert "Make an address" in page_of(member, url("calendar"))
    client.post(url("calendar"), {"action": "open", "remind_days": "7", "search": ""})
    feed = CalendarFeed.objects.get()
    assert (feed.user, feed.remind_days) == (member, 7)
    assert calendars.address_of(feed) in page_of(member, url("calendar"))
    assert "Not fetched yet" in page_of(member, url("calendar"))
    assert calendars.address_of(feed) not in page_of(owner, url("calendar"))
    assert signed_in(owner).post(url("calendar"), {"action": "renew"}).status_code == 404
    client.post(url("calendar"), {"action": "renew"})
    feed.refresh_from_db()
    assert feed.version == 2
    client.post(url("calendar"), {"action": "close"})
    assert not CalendarFeed.objects.exists()


def test_what_can_not_be_chosen_is_refused(member: User, owner: User) -> None:
    theirs = save_search(actor=owner, name="Mine", query={})
    client = signed_in(member)
    for search in (str(theirs.pk), "x"):
        assert client.post(url("calendar"), {"action": "open", "search": search}).status_code == 404
    assert client.post(url("calendar"), {"action": "explode"}).status_code == 400
    assert not CalendarFeed.objects.exists()
    client.post(url("calendar"), {"action": "open", "remind_days": "5000"})
    assert CalendarFeed.objects.get().remind_days == 0
    nobody = make_user("nobody")
    assert "You belong to no organisation" in page_of(nobody, url("calendar"))
    assert signed_in(nobody).post(url("calendar"), {"action": "open"}).status_code == 400
    assert Client().get(url("calendar")).status_code == 302


def test_the_calendar_asks_as_often_for_fifty_as_for_one(feed: CalendarFeed, member: User) -> None:
    def more(count: int) -> None:
        for _ in range(count):
            watched(member, deadline_at=datetime.now(UTC) + timedelta(days=5))

    more(1)
    one = queries(Client(), path_of(feed))
    more(49)
    assert queries(Client(), path_of(feed)) == one


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    event = ical.Event(
        uid="1", sequence=0, changed_at=NOW, at=NOW, summary=text, description="", url="https://example.com/"
    )
    (told,) = parsed(ical.calendar(name=text, events=[event])).inside
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    assert told.text("SUMMARY") == "".join(each for each in plain if each in "\n\t" or (each >= " " and each != "\x7f"))
