"""The endpoints of demand: their shapes, bounds, and who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from analytics.models import DemandBucket, EntityDemand
from analytics.services import signals
from analytics.services.proving import prove
from analytics.services.signals import publish_queries, queries_stream, updates_stream
from config.cache import invalidate
from jobs.connections import events_redis
from tests.factories.people import make_organisation, make_user

from .demand_cast import a_signal, counted, make_entity, put, put_often, told

pytestmark = pytest.mark.django_db(transaction=True)
BASE = "/api/analytics/demand/"
ENDPOINTS = ["stats", "top", "trending", "stale", "queries", "spikes", "export?what=top"]
WANTED = {
    "id",
    "name",
    "entity_type",
    "demand_score",
    "query_count",
    "last_queried_at",
    "last_updated_at",
    "needs_update",
}


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    names = (queries_stream(), updates_stream(), signals.lost_key())
    events_redis().delete(*names)
    invalidate("demand")
    invalidate("demand_patterns")
    yield
    events_redis().delete(*names)


@pytest.fixture
def mine() -> Organisation:
    return make_organisation()


@pytest.fixture
def owner(mine: Organisation) -> User:
    return make_user("owner", organisation=mine)


@pytest.fixture
def stranger() -> User:
    return make_user("stranger", organisation=make_organisation("Elsewhere"))


def get(user: User | None, path: str, status: int = 200) -> Any:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    answer = client.get(BASE + path)
    assert answer.status_code == status, answer.content
    return answer.json() if "json" in answer["content-type"] else answer.content.decode()


def test_stats_are_the_sums_of_what_one_may_see(owner: User, stranger: User, mine: Organisation) -> None:
    shared, private = make_entity(), make_entity("Ours", organisation=mine, entity_type="tender")
    make_entity("Silent")
    put_often(shared, 3)
    put_often(private, 6)
    counted()
    prove()

    assert get(owner, "stats") == {
        "total_entities": 3,
        "total_queries": 9,
        "entities_with_demand": 2,
        "avg_demand_score": pytest.approx(4.5, rel=0.01),
        "trending_entities": 1,
        "needs_update": 0,
        "top_entity_types": [
            {"entity_type": "tender", "count": 1, "total_demand": pytest.approx(6, rel=0.01)},
            {"entity_type": "clause", "count": 2, "total_demand": pytest.approx(3, rel=0.01)},
        ],
    }
    theirs = get(stranger, "stats")
    assert (theirs["total_entities"], theirs["total_queries"], theirs["trending_entities"]) == (2, 3, 0)


def test_top_is_by_decayed_score_and_hides_what_others_own(owner: User, stranger: User, mine: Organisation) -> None:
    shared, private = make_entity(), make_entity("Ours", organisation=mine, entity_type="tender")
    put_often(shared, 2)
    put_often(private, 3)
    counted()

    found = get(owner, "top?limit=5")
    assert [row["name"] for row in found["entities"]] == ["Ours", "Preheat"]
    assert (found["total"], found["limit"]) == (2, 5)
    assert set(found["entities"][0]) == WANTED
    assert found["entities"][0]["query_count"] == 3
    assert [row["name"] for row in get(owner, "top?entity_type=clause")["entities"]] == ["Preheat"]
    assert [row["name"] for row in get(stranger, "top")["entities"]] == ["Preheat"]
    assert get(stranger, "top?entity_type=tender") == {"entities": [], "total": 0, "limit": 10}


def test_only_a_growth_beyond_chance_is_a_trend(owner: User) -> None:
    few, many = make_entity("Few"), make_entity("Many")
    now = timezone.now()
    before = now - timedelta(days=1, hours=6)
    put_often(few, 4, [now, now, now, before])
    put_often(many, 260, [now] * 160 + [before] * 100)
    counted()

    found = get(owner, "trending?timeframe=1d")

    assert [(row["name"], row["current"], row["previous"]) for row in found["trending"]] == [("Many", 160, 100)]
    assert found["trending"][0]["growth"] == pytest.approx(60 / 261**0.5, abs=0.001)
    assert (found["total"], found["timeframe"]) == (1, "1d")


def test_of_many_that_are_wanted_alike_the_most_wanted_is_found(owner: User, mine: Organisation) -> None:
    """More share a step of the index than a list looks at; another owner has less."""
    now, made = timezone.now(), []
    for number in range(60):
        organisation = None if number % 6 else mine
        entity = make_entity(f"E{number}", organisation=organisation)
        place = number * 37 % 60 / 1000
        counts = {"current_7d": 20, "previous_7d": 5, "growth_7d": 3.01 + place, "query_count": 20}
        times = {"first_queried_at": now, "last_queried_at": now, "refreshed_at": now - timedelta(days=40)}
        row = EntityDemand(entity=entity, organisation=organisation, entity_type="clause", rank=1000.01 + place)
        for name, value in (counts | times).items():
            setattr(row, name, value)
        made.append(row)
    EntityDemand.objects.bulk_create(made)
    assert EntityDemand.objects.values("rank_step", "trend_7d").distinct().count() == 1
    best = [row.entity.name for row in sorted(made, key=lambda row: -row.rank)]

    for limit in (1, 7, 60):
        assert [row["name"] for row in get(owner, f"top?limit={limit}")["entities"]] == best[:limit]
        assert [row["name"] for row in get(owner, f"top?limit={limit}&entity_type=clause")["entities"]] == best[:limit]
        found = get(owner, f"trending?limit={limit}")
        assert ([row["name"] for row in found["trending"]], found["total"]) == (best[:limit], 60)
        found = get(owner, f"stale?limit={limit}")
        assert ([row["name"] for row in found["stale_entities"]], found["total"]) == (best[:limit], 60)


def test_stale_is_what_is_wanted_and_marked_or_old(owner: User, stranger: User, mine: Organisation) -> None:
    now = timezone.now()
    fresh, marked = make_entity("Fresh"), make_entity("Marked", needs_update=True)
    old = make_entity("Old", organisation=mine, updated_at=now - timedelta(days=40))
    unwanted = make_entity("Unwanted", needs_update=True)
    for entity, count in ((fresh, 9), (marked, 7), (old, 8), (unwanted, 2)):
        put_often(entity, count)
    counted()

    found = get(owner, "stale")

    assert [row["name"] for row in found["stale_entities"]] == ["Old", "Marked"]
    assert found["total"] == 2
    assert found["criteria"] == {"min_demand_score": 5.0, "days_since_update": 30}
    assert [row["name"] for row in get(owner, "stale?days_since_update=50")["stale_entities"]] == ["Marked"]
    assert get(owner, "stale?min_demand_score=1&limit=1")["total"] == 3
    assert [row["name"] for row in get(stranger, "stale")["stale_entities"]] == ["Marked"]


def test_one_entity_with_its_series(owner: User, stranger: User, mine: Organisation) -> None:
    private, silent = make_entity("Ours", organisation=mine), make_entity("Silent")
    now = timezone.now()
    put_often(private, 12, [now] * 11 + [now - timedelta(days=2)])
    counted()

    found = get(owner, f"entity/{private.pk}")["entity"]
    assert (found["name"], found["query_count"], found["query_frequency"]) == ("Ours", 12, "medium")
    assert found["trending"] is True
    assert len(found["series"]) == 30
    assert sum(day["count"] for day in found["series"]) == 12
    assert found["series"][-1]["date"] == now.date().isoformat()
    never = get(owner, f"entity/{silent.pk}")["entity"]
    assert (never["query_frequency"], never["demand_score"], never["first_queried_at"]) == ("never", 0.0, None)
    get(stranger, f"entity/{private.pk}", 404)
    get(owner, f"entity/{uuid4()}", 404)
    assert "is no id" in get(owner, "entity/12", 400)["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "top?limit=0",
        "top?limit=101",
        "top?limit=ten",
        "top?limit=%D9%A1",
        "top?entity_type=%27--",
        "trending?timeframe=2d",
        "stale?min_demand_score=nan",
        "stale?min_demand_score=-1",
        "stale?days_since_update=99999",
        "queries?days=0",
        "queries?unanswered=maybe",
        "spikes?hours=0",
        "related/x",
        "export?what=all",
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(owner: User, path: str) -> None:
    problem = get(owner, path, 400)
    assert problem["code"] in ("invalid_parameter", "invalid_id") and len(problem["detail"]) > 15


@pytest.mark.parametrize("path", [*ENDPOINTS, "entity/6f9619ff-8b86-d011-b42d-00cf4fc964ff"])
def test_nobody_comes_in_without_signing_in(path: str) -> None:
    get(None, path, 401)


def test_questions_are_seen_by_the_organisation_that_asked(owner: User, stranger: User, mine: Organisation) -> None:
    entity = make_entity()
    asking = {"organisation_id": mine.pk, "user_id": owner.pk}
    publish_queries([a_signal(entity, "Preheat?", **asking)])
    publish_queries([a_signal(None, "Lunch?", **asking)])
    publish_queries([a_signal(None, "lunch?", **asking)])
    counted()

    found = get(owner, "queries")["queries"]
    assert [(row["query"], row["asked"], row["unanswered"]) for row in found] == [("lunch?", 2, 2), ("Preheat?", 1, 0)]
    assert [row["query"] for row in get(owner, "queries?unanswered=true")["queries"]] == ["lunch?"]
    assert get(stranger, "queries")["queries"] == []


def test_related_is_what_is_asked_for_in_the_same_hours(owner: User, stranger: User, mine: Organisation) -> None:
    one, close, far = make_entity("One"), make_entity("Close", organisation=mine), make_entity("Far")
    now = timezone.now()
    put_often(one, 4, [now, now, now - timedelta(hours=5), now])
    put_often(close, 3, [now, now, now - timedelta(hours=5)])
    put_often(far, 1, [now - timedelta(days=3)])
    counted()

    assert [row["name"] for row in get(owner, f"related/{one.pk}")["related"]] == ["Close"]
    assert get(stranger, f"related/{one.pk}")["related"] == []
    get(stranger, f"related/{close.pk}", 404)


def test_spikes_are_hours_far_above_the_days_before(owner: User, stranger: User, mine: Organisation) -> None:
    steady, sudden = make_entity("Steady"), make_entity("Sudden", organisation=mine)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    put_often(steady, 1)
    put_often(sudden, 40)
    counted()
    for entity in (steady, sudden):
        DemandBucket.objects.bulk_create(
            DemandBucket(entity=entity, hour=hour - timedelta(hours=back), count=1) for back in range(1, 24 * 12)
        )
    EntityDemand.objects.update(growth_1d=3, current_1d=30)

    found = get(owner, "spikes")
    assert [(row["name"], row["count"]) for row in found["spikes"]] == [("Sudden", 40)]
    assert found["spikes"][0]["expected"] == pytest.approx(1, abs=0.1)
    assert get(stranger, "spikes")["spikes"] == []


def test_lists_go_out_as_csv_that_no_spreadsheet_takes_for_formulas(owner: User) -> None:
    put_often(make_entity("=cmd|' /C calc'!A0"), 1)
    counted()
    lines = get(owner, "export?what=top").splitlines()
    assert lines[0].startswith("\ufeffid,name,entity_type,demand_score,query_count")
    assert "'=cmd" in lines[1] and len(lines) == 2


def test_answers_are_right_within_two_seconds_of_a_signal(owner: User) -> None:
    entity = make_entity()
    put_often(entity, 1)
    counted()
    assert get(owner, "stats")["total_queries"] == 1
    put_often(entity, 1)
    counted()
    deadline = timezone.now() + timedelta(seconds=30)
    while get(owner, "stats")["total_queries"] != 2:
        assert timezone.now() < deadline


@pytest.mark.parametrize("path", ["stats", "top?limit=100", "trending?limit=100", "stale?limit=100", "queries"])
def test_lists_ask_the_same_questions_for_one_row_and_fifty(
    owner: User, path: str, mine: Organisation, settings: Any
) -> None:
    settings.CACHES_ENABLED = False

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as context:
            get(owner, path)
        return len(context)

    def fill(first: int, count: int) -> None:
        for number in range(first, first + count):
            entity = make_entity(f"E{number}", needs_update=True)
            put(*(told(entity.pk, query=f"q{number}", organisation_id=str(mine.pk)) for _ in range(6)))
        counted()

    fill(0, 1)
    one = asked()
    fill(1, 49)
    assert asked() == one <= 8


def test_the_streams_are_the_staffs_to_see(owner: User) -> None:
    entity = make_entity()
    put(told(entity.pk), told(uuid4()))
    counted()
    client = APIClient()
    client.force_authenticate(owner)
    assert client.get("/api/analytics/debug/streams").status_code == 403
    clerk = make_user("clerk", is_staff=True)
    client.force_authenticate(clerk)
    assert client.get("/api/analytics/debug/streams").status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_deadsignal"))
    client.force_authenticate(User.objects.get(pk=clerk.pk))

    seen = client.get("/api/analytics/debug/streams").json()

    assert seen["streams"][0]["length"] == 2
    assert seen["streams"][0]["groups"][0]["pending"] == 0
    assert (seen["lag_s"], seen["dead"], len(seen["dead_signals"])) == (0.0, 1, 1)
    assert str(entity.pk) in seen["streams"][0]["latest"][1]["signal"]
