"""Saved searches and their news: one's own, and what has come since the last look."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tenders.exceptions import BadFilter, NoOrganisation, SearchExists, SearchMissing
from tenders.models import SavedSearch, Tender
from tenders.services.saved_searches import delete_search, look, news_of, save_search, set_alerts
from tests.factories.people import make_user
from tests.factories.tenders import make_tender

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
