"""Saved searches, their news, and alerts: each new tender is told of once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from accounts.models import Membership, Organisation, User
from jobs.models import Job, WebhookDelivery, WebhookEndpoint
from tenders.exceptions import BadFilter, NoOrganisation, SearchExists, SearchMissing
from tenders.models import SavedSearch, Tender
from tenders.services import alerts
from tenders.services.saved_searches import delete_search, look, news_of, save_search, set_alerts
from tests.factories.people import make_user
from tests.factories.tenders import make_source, make_tender

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(member: User) -> SavedSearch:
    """For roads; begun an hour ago."""
    return begun(save_search(actor=member, name="Roads", query={"cpv": ["45233"], "q": ""}))


def begun(search: SavedSearch) -> SavedSearch:
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=timezone.now() - timedelta(hours=1))
    search.refresh_from_db()
    return search


def arrived(minutes_ago: int = 30, **fields: Any) -> Tender:
    return make_tender(created_at=timezone.now() - timedelta(minutes=minutes_ago), **fields)


def test_news_is_what_came_since_and_fits(search: SavedSearch, member: User) -> None:
    arrived(minutes_ago=90)
    new = arrived()
    arrived(cpv_main="72000000")
    assert list(news_of(search, user=member)) == [new]
    look(search_id=search.pk, actor=member)
    search.refresh_from_db()
    assert not news_of(search, user=member).exists()


def test_each_new_tender_is_told_of_once(search: SavedSearch) -> None:
    arrived()
    arrived()
    assert [alerts.alert(search.pk) for _ in range(3)] == [2, 0, 0]
    arrived(minutes_ago=3)  # before the moment up to which was told: as late as a row can be seen
    assert alerts.alert(search.pk) == 0
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=timezone.now() - timedelta(minutes=4))
    assert alerts.alert(search.pk) == 1


def test_what_cannot_be_found_by_its_words_yet_waits_and_is_not_lost(search: SavedSearch) -> None:
    waiting = arrived(minutes_ago=30)
    arrived(minutes_ago=20)
    Tender.objects.filter(pk=waiting.pk).update(search=None)
    assert alerts.alert(search.pk) == 0
    make_tender(cpv_main="72000000")  # and the words of all are indexed
    assert alerts.alert(search.pk) == 2


def test_what_came_just_now_is_told_of_the_next_time(search: SavedSearch) -> None:
    arrived(minutes_ago=0)
    assert alerts.alert(search.pk) == 0


def test_nothing_is_told_of_what_was_rolled_back(search: SavedSearch) -> None:
    arrived()
    with pytest.raises(RuntimeError), transaction.atomic():
        alerts.alert(search.pk)
        raise RuntimeError
    assert alerts.alert(search.pk) == 1


def test_an_e_mail_names_the_tenders_and_is_sent_once(search: SavedSearch, member: User) -> None:
    set_alerts(search_id=search.pk, actor=member, is_alerting=True, by_email=True)
    for number in range(22):
        arrived(title=f"Road\nnumber {number}")
    alerts.alert(search.pk)
    alerts.alert(search.pk)
    job = Job.objects.get(kind=alerts.MAIL)
    assert alerts.mail(**job.params) is True
    (message,) = mail.outbox
    assert message.to == [member.email]
    assert message.subject == "Plumbline: 22 new tenders for “Roads”"
    assert "Road number 21" in message.body
    assert "and 2 more" in message.body
    set_alerts(search_id=search.pk, actor=member, is_alerting=True, by_email=False)
    assert alerts.mail(**job.params) is False


def test_the_firms_endpoints_hear_of_it(search: SavedSearch, organisation: Organisation) -> None:
    WebhookEndpoint.objects.create(
        organisation=organisation, url="https://example.com/hook", event_types=["tender.matched"]
    )
    tender = arrived()
    alerts.alert(search.pk)
    data = WebhookDelivery.objects.get().payload["data"]
    assert (data["search"], data["count"], data["tender_ids"]) == ("Roads", 1, [str(tender.pk)])


def test_alerts_switched_off_say_nothing_and_begin_from_now(search: SavedSearch, member: User) -> None:
    set_alerts(search_id=search.pk, actor=member, is_alerting=False, by_email=True)
    arrived()
    assert alerts.alert(search.pk) == 0
    set_alerts(search_id=search.pk, actor=member, is_alerting=True, by_email=False)
    assert alerts.alert(search.pk) == 0
    search.refresh_from_db()
    assert search.by_email is False


def test_who_has_left_the_firm_hears_nothing_and_the_others_do(
    search: SavedSearch, member: User, owner: User, organisation: Organisation
) -> None:
    begun(save_search(actor=owner, name="Mine", query={}))
    arrived(source=make_source(organisation))
    Membership.objects.filter(user=member).delete()
    assert alerts.alert_all() == 1
    with pytest.raises(BadFilter):
        alerts.alert(search.pk)


def test_a_search_is_ones_own(search: SavedSearch, owner: User, stranger: User) -> None:
    for other in (owner, stranger):
        for act in (
            lambda who: look(search_id=search.pk, actor=who),
            lambda who: delete_search(search_id=search.pk, actor=who),
            lambda who: set_alerts(search_id=search.pk, actor=who, is_alerting=False, by_email=False),
        ):
            with pytest.raises(SearchMissing):
                act(other)
    assert SavedSearch.objects.get().is_alerting


def test_what_cannot_be_saved_is_refused(search: SavedSearch, member: User, owner: User) -> None:
    with pytest.raises(SearchExists):
        save_search(actor=member, name=" Roads ", query={})
    with pytest.raises(SearchExists):
        save_search(actor=member, name=" ", query={})
    with pytest.raises(BadFilter):
        save_search(actor=member, name="Bad", query={"cpv": "roads"})
    with pytest.raises(NoOrganisation):
        save_search(actor=make_user("nobody"), name="Any", query={})
    assert save_search(actor=owner, name="Roads", query={}).pk  # a colleague's may have the same name
