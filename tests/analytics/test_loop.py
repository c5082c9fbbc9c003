"""The loop of demand: what is asked for and out of date is refreshed by itself, the most wanted first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from analytics.exceptions import SourceMissing
from analytics.models import Entity, EntityDemand, RefreshSetback
from analytics.registry import source_named
from analytics.services import refreshing, refreshing_setbacks, requesting, signals
from analytics.services.refreshing_choice import choose
from analytics.services.signals import queries_stream, updates_stream
from jobs.connections import events_redis
from jobs.models import Job
from jobs.services import enqueue
from quiz.models import Clause
from tests.factories.people import make_organisation

from .demand_cast import counted as count_all
from .demand_cast import make_entity, put_often
from .loop_cast import NAME, Shelf, age, closed_at_the_end, make_wanted, nothing_cached, shelf_of_things
from .search_cast import counted, forget, index, make_clauses, totals

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty() -> Iterator[None]:
    forget()
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())
    yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with shelf_of_things() as shelf:
        yield shelf


def ask(user: User, path: str) -> Any:
    nothing_cached()
    client = APIClient()
    client.force_authenticate(user)
    return client.get(f"/api/analytics/demand/{path}").json()


def chosen(limit: int = 100) -> list[str]:
    source = source_named(NAME)
    assert source is not None
    return [each.source_id for each in choose(limit=limit, sources=[source])]


def look(drain: Callable[[], int]) -> None:
    """As the schedule does it."""
    enqueue(kind=refreshing.WANTED, params={})
    drain()


def test_what_people_ask_for_is_refreshed_in_the_order_in_which_they_want_it(
    owner: User, drain: Callable[[], int]
) -> None:
    clauses = make_clauses()
    index()
    for each, count in zip(clauses, (6, 9, 7, 2, 0), strict=True):
        entity = Entity.objects.get(source_id=str(each.pk))
        put_often(entity, count)
        count_all()
        age(entity, days=40)
    Clause.objects.filter(pk=clauses[1].pk).update(title="Heat between passes")
    requesting.mark(keys=[("quiz.clause", str(clauses[1].pk))])
    assert [row["name"][9:] for row in ask(owner, "stale")["stale_entities"]] == [
        "4.1.10 Interpass temperature",
        "7.3 Bolts",
        "4.1.2 Preheating",
    ]
    assert ask(owner, "stats")["needs_update"] == 1

    assert refreshing.start_wanted(limit=2).entities == 2
    drain()

    assert [row["name"][9:] for row in ask(owner, "stale")["stale_entities"]] == ["4.1.2 Preheating"]
    assert ask(owner, "stats")["needs_update"] == 0
    best = ask(owner, "top")["entities"][0]
    assert (best["name"], best["needs_update"]) == ("AWS D1.1 4.1.10 Heat between passes", False)
    assert best["last_updated_at"] > (timezone.now() - timedelta(minutes=10)).isoformat()

    look(drain)
    assert ask(owner, "stale")["total"] == 0
    untouched = Entity.objects.filter(updated_at__lt=timezone.now() - timedelta(days=30))
    assert {row.name[9:] for row in untouched} == {"8.2 Inspection of welds", "9.1 Concrete cover"}
    look(drain)
    assert Job.objects.filter(kind=refreshing.OF_SOURCE).count() == 2  # the third look finds nothing to do
    assert totals() == counted()


def test_what_an_organisation_has_in_plenty_does_not_stand_before_what_another_one_has(shelf: Shelf) -> None:
    one, other = make_organisation("One"), make_organisation("Other")
    for number in range(4):
        make_wanted(shelf, f"one{number}", 30 - number, organisation=one)
    make_wanted(shelf, "other", 6, organisation=other)
    make_wanted(shelf, "shared0", 8)
    make_wanted(shelf, "shared1", 7)
    assert chosen(limit=3) == ["one0", "shared0", "other"]
    assert chosen() == ["one0", "shared0", "other", "one1", "shared1", "one2", "one3"]


def test_only_what_is_wanted_and_marked_or_old_is_chosen(shelf: Shelf) -> None:
    make_wanted(shelf, "old", 6)
    make_wanted(shelf, "marked", 1, days_old=1, needs_update=True)
    make_wanted(shelf, "fresh", 9, days_old=2)
    make_wanted(shelf, "just refreshed", 9, days_old=0.02, needs_update=True)
    make_wanted(shelf, "hardly wanted", 2)
    make_entity("never asked for", needs_update=True, updated_at=timezone.now() - timedelta(days=90))
    assert chosen() == ["old", "marked"]


def test_a_source_does_what_it_can_before_its_things_are_read(shelf: Shelf, drain: Callable[[], int]) -> None:
    make_wanted(shelf, "a", 8)
    make_wanted(shelf, "b", 9)
    shelf.put("a", text="New words.")
    shelf.things.pop("b")
    look(drain)
    assert shelf.asked == [["b", "a"]]
    job = Job.objects.get(kind=refreshing.OF_SOURCE)
    assert (job.status, job.about, job.queue) == ("completed", "Thing", "low")
    assert job.result == {
        "counts": "0 created, 1 updated, 0 unchanged, 1 removed",
        "failed": 0,
        "left_alone": 0,
        "asked": "2 fetched",
    }
    assert [row.text for row in Entity.objects.all()] == ["New words."]


def test_a_source_at_work_gets_no_second_job(shelf: Shelf, drain: Callable[[], int]) -> None:
    make_wanted(shelf, "a", 8)
    assert len(refreshing.start_wanted().jobs) == 1
    make_wanted(shelf, "b", 9)
    again = refreshing.start_wanted()
    assert (again.jobs, again.busy, again.entities) == ([], [NAME], 0)
    drain()
    assert shelf.asked == [["a"]]
    assert len(refreshing.start_wanted().jobs) == 1


def test_four_who_look_at_once_start_each_source_once(shelf: Shelf, drain: Callable[[], int]) -> None:
    make_wanted(shelf, "a", 8)
    make_wanted(shelf, "b", 9)
    barrier = threading.Barrier(4)

    def start() -> None:
        barrier.wait(60)
        refreshing.start_wanted()

    threads = [threading.Thread(target=closed_at_the_end(start)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    drain()
    assert shelf.asked == [["b", "a"]]


def test_what_somebody_else_has_refreshed_meanwhile_is_left_alone(shelf: Shelf) -> None:
    first, second = make_wanted(shelf, "a", 8), make_wanted(shelf, "b", 9)
    ids = [first.pk, second.pk]
    refreshing.refresh_named(entity_ids=[first.pk])
    done = refreshing.refresh_wanted(source=NAME, entity_ids=ids)
    assert (done.counts.updated + done.counts.unchanged, done.left) == (1, 1)
    again = refreshing.refresh_wanted(source=NAME, entity_ids=ids)
    assert (again.left, again.asked, again.failed) == (2, "", 0)
    assert shelf.reads == [["a"], ["b"]]


def test_one_that_can_not_be_read_holds_up_nobody_and_waits_longer_each_time(
    shelf: Shelf, drain: Callable[[], int]
) -> None:
    for number in range(7):
        make_wanted(shelf, f"t{number}", 20 - number)
    shelf.poison = {"t2"}
    look(drain)
    assert Job.objects.get(kind=refreshing.OF_SOURCE).result["failed"] == 1
    setback = RefreshSetback.objects.get()
    assert (setback.source, setback.source_id, setback.failures) == (NAME, "t2", 1)
    assert "t2 can't be read" in setback.error
    assert chosen() == []
    waits = []
    for _ in range(9):
        with time_machine.travel(setback.wait_until + timedelta(seconds=1)):
            assert chosen()[0] == "t2"
            look(drain)
            setback.refresh_from_db()
            waits.append((setback.wait_until - timezone.now()).total_seconds() / 3600)
    assert [round(wait) for wait in waits] == [2, 4, 8, 16, 32, 64, 128, 168, 168]
    shelf.poison = set()
    with time_machine.travel(setback.wait_until + timedelta(seconds=1)):
        look(drain)
        assert "t2" not in chosen()
    assert not RefreshSetback.objects.exists()


def test_a_source_of_which_nothing_can_be_read_is_given_up_for_now(shelf: Shelf, drain: Callable[[], int]) -> None:
    for number in range(40):
        make_entity(f"t{number}", updated_at=timezone.now() - timedelta(days=40))
    for entity in Entity.objects.all():
        put_often(entity, 6)
    count_all()
    shelf.poison = {f"t{number}" for number in range(40)}
    look(drain)
    assert RefreshSetback.objects.filter(source_id="").count() == 1
    assert RefreshSetback.objects.exclude(source_id="").count() == refreshing.MOST_FAILURES
    reads = len(shelf.reads)
    look(drain)
    assert len(shelf.reads) == reads and chosen() == []
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        shelf.poison = set()
        look(drain)
        assert chosen() == [] and not RefreshSetback.objects.exists()


def test_a_source_whose_own_way_fails_backs_off_and_its_things_are_read_nonetheless(
    shelf: Shelf, drain: Callable[[], int]
) -> None:
    make_wanted(shelf, "a", 8)
    shelf.is_broken = True
    shelf.put("a", text="New words.")
    look(drain)
    assert Entity.objects.get().text == "New words."
    assert "The archive is closed." in Job.objects.get(kind=refreshing.OF_SOURCE).result["asked"]
    make_wanted(shelf, "b", 8)
    look(drain)
    assert (shelf.asked, chosen()) == ([["a"]], [])
    shelf.is_broken = False
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        look(drain)
    assert shelf.asked == [["a"], ["b"]]
    assert not RefreshSetback.objects.exists()


def test_old_setbacks_are_forgotten() -> None:
    refreshing_setbacks.set_back(source=NAME, source_id="a", error=ValueError("x"))
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        refreshing_setbacks.forget_old_setbacks()
    assert not RefreshSetback.objects.exists()


def test_a_person_who_asks_does_not_wait_for_a_setback(shelf: Shelf, owner: User, drain: Callable[[], int]) -> None:
    entity = make_wanted(shelf, "a", 8)
    refreshing_setbacks.set_back(source=NAME, source_id="a", error=ValueError("x"))
    refreshing_setbacks.set_back(source=NAME, error=ValueError("x"))
    shelf.put("a", text="New words.")
    refreshing.start_refresh(entity_ids=[entity.pk], actor=owner)
    assert EntityDemand.objects.get().needs_update
    drain()
    assert shelf.asked == [["a"]]
    entity.refresh_from_db()
    assert (entity.text, entity.needs_update) == ("New words.", False)
    assert not RefreshSetback.objects.exists()


def test_an_unknown_source_is_refused_by_name() -> None:
    with pytest.raises(SourceMissing, match="nobody"):
        refreshing.refresh_wanted(source="nobody.nothing", entity_ids=[uuid4()])


def test_choosing_takes_three_queries_however_many_are_wanted(
    shelf: Shelf, organisation: Organisation, django_assert_max_num_queries: Any
) -> None:
    for number in range(50):
        make_wanted(shelf, f"t{number}", 6, organisation=organisation if number % 2 else None)
    with django_assert_max_num_queries(3):
        assert len(chosen()) == 50
