"""The demand pages: what they show to whom, and with how many questions to the database."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Organisation, User
from analytics import alarms
from analytics.models import Entity, EntityDemand
from analytics.services import demand_pages
from analytics.services.demand import Scope
from analytics.services.signals import publish_queries, queries_stream
from jobs.connections import events_redis
from tests.factories.people import make_user
from tests.factories.quiz import make_clause

from .demand_cast import a_signal, counted, make_entity, put_often, told
from .pages_cast import empty_streams, figure, fresh, page_of, queries_of, url
from .search_cast import index

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["empty_streams"]


# --- the dashboard ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["demand", "questions", "ai"])
def test_who_is_not_signed_in_is_sent_to_sign_in(name: str) -> None:
    assert Client().get(url(name)).status_code == 302
    assert Client().post(url("refresh"), {"entity": str(uuid4())}).status_code == 302


def test_a_site_without_entities_and_one_without_questions_say_so(owner: User) -> None:
    assert "Nothing can be found yet" in page_of(owner)
    make_clause("4.1.2", "Preheating", text="Heat it.")
    index()
    fresh()
    assert "Nothing has been asked yet" in page_of(owner)


def test_the_dashboard_shows_what_one_may_see_and_no_more(
    owner: User, stranger: User, organisation: Organisation
) -> None:
    shared, private = make_entity("Preheat"), make_entity("Our bid", organisation=organisation, entity_type="project")
    put_often(shared, 3)
    put_often(private, 7)
    publish_queries([a_signal(None, "paint for bridges?", organisation_id=organisation.pk)])
    counted()

    mine, theirs = page_of(owner), page_of(stranger)
    assert (figure(mine, "total_queries"), figure(theirs, "total_queries")) == ("10", "3")
    words = ("Preheat", "Our bid", "paint for bridges?")
    assert [word in mine for word in words] == [True, True, True]
    assert [word in theirs for word in words] == [True, False, False]
    assert f"demand:{organisation.pk}" in mine and f"demand:{organisation.pk}" not in theirs


def test_signals_show_at_once_though_figures_are_kept(owner: User) -> None:
    entity = make_entity()
    put_often(entity, 1)
    counted()
    assert figure(page_of(owner), "total_queries") == "1"
    for name in events_redis().keys("*:demand:told:*"):  # on a slow machine they have run out by themselves
        events_redis().delete(name)
    put_often(entity, 4)
    counted()
    demand_pages.live._teller.tell()
    assert figure(page_of(owner), "total_queries") == "5"


def test_rising_ones_have_their_course_over_the_chosen_window(owner: User) -> None:
    entity, now = make_entity("Anchors"), timezone.now()
    put_often(entity, 8, [now - timedelta(hours=number) for number in (0, 0, 0, 1, 1, 2, 3, 4, 30)])
    counted()
    for timeframe, points in (("1d", 48), ("7d", 14), ("30d", 60)):
        page = page_of(owner, f"{url()}?timeframe={timeframe}")
        [before] = re.findall(r'class="demand-spark-before" points="([^"]*)"', page)
        [after] = re.findall(r'class="demand-spark-now" points="([^"]*)"', page)
        assert len(before.split()) + len(after.split()) == points + 1, "they meet"
        assert f'id="timeframe-{timeframe}"' in page
    lines = demand_pages.sparklines(entity_ids=[entity.pk], timeframe="1d")[entity.pk]
    assert lines[-5:] == [1, 1, 1, 2, 3] and sum(lines) == 9
    assert sum(lines[:24]) == 1, "thirty hours ago is of the day before"


def test_choices_that_make_no_sense_are_as_if_not_made(owner: User) -> None:
    make_entity()
    for chosen in ("timeframe=1y", "least=x", "days=-1", "type=%00", "type=" + "x" * 99, "least=1e999"):
        assert "Demand" in page_of(owner, f"{url()}?{chosen}")


def test_without_redis_the_page_says_so_and_shows_what_was_counted(
    owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_often(make_entity(), 2)
    counted()
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    alarms.forget()
    page = page_of(owner)
    assert "Redis can&#x27;t be reached" in page
    assert figure(page, "total_queries") == "2"
    assert "Not known while Redis" in page_of(owner, url("entity", Entity.objects.get().pk))


def test_signals_that_nobody_counts_are_said_to_wait(owner: User) -> None:
    entity = make_entity()
    an_hour_ago = int((timezone.now().timestamp() - 3600) * 1000)
    events_redis().xadd(queries_stream(), {b"signal": orjson.dumps(told(entity.pk))}, id=f"{an_hour_ago}-0")
    assert "nobody counts them at present" in page_of(owner)
    counted()
    fresh()
    assert "nobody counts them" not in page_of(owner)


@pytest.mark.parametrize("name", ["demand", "questions"])
def test_no_more_queries_for_fifty_rows_than_for_one(name: str, owner: User, organisation: Organisation) -> None:
    def lay(numbers: range) -> None:
        entities = [make_entity(f"Thing {number}", organisation=organisation) for number in numbers]
        for entity in entities:
            put_often(entity, 6)
        asked = [
            a_signal(None, f"question {number}", organisation_id=organisation.pk, user_id=owner.pk)
            for number in numbers
        ]
        publish_queries(asked)
        counted()
        Entity.objects.update(updated_at=timezone.now() - timedelta(days=60))
        EntityDemand.objects.update(refreshed_at=timezone.now() - timedelta(days=60))

    lay(range(1))
    one = queries_of(owner, url(name))
    lay(range(1, 50))
    # What is most wanted, rising and old is read along steps: where one holds more than is shown, each looks once more.
    assert queries_of(owner, url(name)) <= one + (3 if name == "demand" else 0)


# --- an entity --------------------------------------------------------------------------------------------------------


def test_an_entity_has_its_series_windows_and_what_led_there(
    owner: User, stranger: User, organisation: Organisation
) -> None:
    entity, other = make_entity("Preheat", text="Base metal is preheated."), make_entity("Bolts")
    now = timezone.now()
    put_often(entity, 6, [now] * 6)
    put_often(other, 3, [now] * 3)
    publish_queries(
        [
            a_signal(entity, "How hot?", organisation_id=organisation.pk),
            a_signal(entity, "how HOT?", organisation_id=organisation.pk, timestamp=now - timedelta(seconds=5)),
            a_signal(entity, "Their secret question", organisation_id=uuid4()),
        ]
    )
    counted()

    page = page_of(owner, url("entity", entity.pk))
    assert (figure(page, "query_count"), figure(page, "frequency")) == ("9", "low")
    assert "Base metal is preheated." in page
    assert "how HOT?" in page and "2 times" in page, "two spellings are one question"
    assert "Their secret question" not in page
    assert f"related-{other.pk}" in page
    [series] = re.findall(r'<script id="series" type="application/json">(.*?)</script>', page)
    chart = json.loads(series)
    assert len(chart["hours"]["counts"]) == 48 and sum(chart["hours"]["counts"]) == 9
    assert len(chart["days"]["counts"]) == 90 and chart["days"]["counts"][-2:] in ([0, 9], [9, 0])
    assert "how HOT?" not in page_of(stranger, url("entity", entity.pk)), "it is shared, its askers are not"


def test_a_spike_is_marked_and_told(owner: User) -> None:
    entity = make_entity()
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    quiet = [hour - timedelta(hours=number) for number in range(1, 120)]
    put_often(entity, 0, [*quiet, *[hour] * 60])
    counted()
    found = demand_pages.entity(user=owner, entity_id=entity.pk)
    assert [(spike["hour"], spike["count"]) for spike in found["spikes"]] == [(hour, 60)]
    assert found["chart"]["hours"]["spikes"] == [False] * 47 + [True]
    assert found["chart"]["days"]["spikes"][-1] is True
    page = page_of(owner, url("entity", entity.pk))
    assert "<strong>60</strong>" in page and "expected: " in page


def test_an_entity_that_nobody_asked_for_has_a_page(owner: User) -> None:
    page = page_of(owner, url("entity", make_entity().pk))
    assert "Nobody has asked for it yet" in page


def test_what_others_own_has_no_page(owner: User, stranger: User, organisation: Organisation) -> None:
    entity = make_entity("Our bid", organisation=organisation)
    assert "Our bid" in page_of(owner, url("entity", entity.pk))
    page_of(stranger, url("entity", entity.pk), status=404)
    page_of(owner, url("entity", uuid4()), status=404)


def test_as_many_queries_for_an_entity_with_fifty_relations_as_with_one(owner: User) -> None:
    entity = make_entity("Preheat")
    now = timezone.now()

    def lay(numbers: range) -> None:
        for number in numbers:
            put_often(make_entity(f"Thing {number}"), 1, [now])
        put_often(entity, 1, [now])
        publish_queries([a_signal(entity, f"q {number}", user_id=owner.pk) for number in numbers])
        counted()

    lay(range(1))
    one = queries_of(owner, url("entity", entity.pk))
    lay(range(1, 50))
    assert queries_of(owner, url("entity", entity.pk)) == one


def test_people_without_organisation_have_pages(db: None) -> None:
    lonely = make_user("lonely")
    put_often(make_entity(), 1)
    counted()
    assert figure(page_of(lonely), "total_queries") == "1"
    page_of(lonely, url("questions"))
    assert demand_pages.moments_of(Scope(()))[0] == ["demand:shared"]
