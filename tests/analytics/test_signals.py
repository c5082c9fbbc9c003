"""Demand signals, from publishing to being counted, once each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from analytics.models import AppliedBatch, AskedQuestion, DeadSignal, DemandBucket, EntityDemand, EntityTotal
from analytics.services import consuming, signals
from analytics.services.backlog import signals_state
from analytics.services.consuming import Consumer
from analytics.services.counting import clock, count_signals
from analytics.services.delivery import GROUP, Delivery
from analytics.services.raw import raw_cursor
from analytics.services.signals import publish_queries, publish_updates, queries_stream, updates_stream
from analytics.streams.entries import pack, read_signal
from analytics.streams.scoring import score_at
from jobs.connections import breaker_of, events_redis, events_url
from jobs.models import Job
from tests.factories.people import make_organisation

from .demand_cast import a_signal, counted, make_entity, put, told

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_streams() -> Iterator[None]:
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())
    yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


def test_what_is_asked_for_is_counted_with_its_times_hours_windows_and_totals() -> None:
    entity, other = make_entity(), make_entity("Other")
    before = timezone.now() - timedelta(hours=3)
    assert publish_queries([a_signal(entity), a_signal(entity, timestamp=before), a_signal(other)]) == 3

    tally = counted()

    assert (tally.applied, tally.dead) == (3, 0)
    demand = EntityDemand.objects.get(pk=entity.pk)
    assert demand.query_count == 2
    assert abs((demand.first_queried_at - before).total_seconds()) < 0.01
    assert demand.last_queried_at > before + timedelta(hours=2)
    assert (demand.current_1d, demand.current_7d, demand.current_30d, demand.previous_1d) == (2, 2, 2, 0)
    assert sorted(DemandBucket.objects.filter(entity=entity).values_list("count", flat=True)) == [1, 1]
    assert score_at(demand.rank, timezone.now(), clock().half_life_days) == pytest.approx(2, rel=0.02)
    total = EntityTotal.objects.get(entity_type="clause", organisation=None)
    assert (total.queries, total.with_demand) == (3, 2)
    assert total.demand == pytest.approx(3, rel=0.02)


def test_one_signal_in_hand_when_the_server_goes_away_is_no_dead_one(monkeypatch: pytest.MonkeyPatch) -> None:
    entity, asked = make_entity(), []

    def without_a_server_at_first(**batch: object) -> object:
        asked.append(batch)
        if len(asked) == 1:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return count_signals(**batch)  # type: ignore[arg-type]

    monkeypatch.setattr(consuming, "count_signals", without_a_server_at_first)
    monkeypatch.setattr(consuming, "PAUSE_S", 0.01)
    publish_queries([a_signal(entity)])

    tally = counted()

    assert (len(asked), tally.applied, tally.dead) == (2, 1, 0)
    assert not DeadSignal.objects.exists()


def test_the_same_entries_handed_out_again_are_recognised() -> None:
    entity = make_entity()
    publish_queries([a_signal(entity) for _ in range(5)])
    counted()
    events_redis().xgroup_setid(queries_stream(), GROUP, "0")
    publish_queries([a_signal(entity)])

    tally = counted()

    assert (tally.applied, tally.already) == (1, 5)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == 6
    assert AppliedBatch.objects.count() == 2


def test_counted_but_not_acknowledged_by_a_consumer_that_died_counts_once() -> None:
    entity = make_entity()
    put(*(told(entity.pk) for _ in range(4)))
    dying = Delivery("dying")
    dying.ensure_groups()
    entries = dying.read(10, block_ms=0)[queries_stream()]
    half = [read_signal(pack(number), fields, int(timezone.now().timestamp() * 1000)) for number, fields in entries[:2]]
    count_signals(stream=queries_stream(), signals=half, consumer="dying")

    tally = counted(claim_idle_ms=0)

    assert (tally.applied, tally.already) == (2, 2)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == 4
    assert signals_state().streams[0].pending == 0


def test_what_is_no_signal_or_names_nothing_is_dead_with_the_reason_and_the_rest_counts() -> None:
    entity, stranger = make_entity(), uuid4()
    put(
        told(entity.pk),
        b"not json",
        [],  # type: ignore[arg-type]
        told("not-an-id"),
        told(stranger),
        told(entity.pk) | {"timestamp": "yesterday"},
        told(entity.pk) | {"query": 7},
        told(entity.pk),
    )
    events_redis().xadd(queries_stream(), {"something": "else"})

    tally = counted()

    assert (tally.applied, tally.dead) == (2, 7)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == 2
    found = dict(DeadSignal.objects.values_list("detail", "reason"))
    assert found[f"There is no entity {stranger}."] == DeadSignal.Reason.UNKNOWN_ENTITY
    assert found["`timestamp` is not a time."] == DeadSignal.Reason.MALFORMED
    assert found["There is no field `signal`."] == DeadSignal.Reason.MALFORMED
    assert DeadSignal.objects.get(reason=DeadSignal.Reason.UNKNOWN_ENTITY).payload["signal"].count(str(stranger)) == 1
    assert signals_state().streams[0].pending == 0


def test_times_beyond_belief_are_taken_for_the_nearest_believable() -> None:
    entity, now = make_entity(), timezone.now()
    put(told(entity.pk, now + timedelta(days=365)), told(entity.pk, now - timedelta(days=365)))

    counted()

    demand = EntityDemand.objects.get(pk=entity.pk)
    assert timedelta(minutes=4) < demand.last_queried_at - now < timedelta(minutes=6)
    assert timedelta(days=6, hours=23) < now - demand.first_queried_at < timedelta(days=7, minutes=1)
    assert (demand.current_7d + demand.previous_7d, demand.current_30d) == (2, 2)


@pytest.fixture
def poison() -> Iterator[str]:
    """A question that the database refuses to take, as a fault of ours would."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_askedquestion ADD CONSTRAINT poison CHECK (text <> 'poison')")
    yield "poison"
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE analytics_askedquestion DROP CONSTRAINT poison")


def test_a_poisoned_entry_among_a_thousand_takes_no_other_along(poison: str) -> None:
    entity = make_entity()
    put(*(told(entity.pk, query=poison if number == 617 else "q") for number in range(1000)))

    tally = counted()

    assert (tally.applied, tally.dead) == (999, 1)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == 999
    dead = DeadSignal.objects.get()
    assert dead.reason == DeadSignal.Reason.FAILED
    assert "poison" in dead.detail and poison in dead.payload["signal"]
    assert signals_state().streams[0].pending == 0


def test_an_entry_whose_consumers_keep_dying_is_dead_after_five_deliveries() -> None:
    entity = make_entity()
    put(told(entity.pk))
    stream = queries_stream()
    Delivery("first").ensure_groups()
    Delivery("first").read(10, block_ms=0)
    for number in range(4):
        events_redis().execute_command("XAUTOCLAIM", stream, GROUP, f"c{number}", 0, "0-0")

    tally = counted(claim_idle_ms=0)

    assert (tally.applied, tally.dead) == (0, 1)
    assert DeadSignal.objects.get().deliveries == 6
    assert signals_state().streams[0].pending == 0


def test_questions_are_kept_apart_by_organisation_and_day_and_told_once_per_asking() -> None:
    mine, entity, other = make_organisation(), make_entity(), make_entity("Other")
    at = timezone.now()
    asking = {"organisation_id": mine.pk, "timestamp": at}
    publish_queries([a_signal(entity, "Préheat  for A572?", **asking), a_signal(other, "Préheat  for A572?", **asking)])
    publish_queries([a_signal(None, "preheat for a572?", **asking)])
    publish_queries([a_signal(entity, "preheat for a572?")])
    publish_queries([a_signal(entity, "q", organisation_id=uuid4())])  # an organisation that is gone

    assert counted().dead == 0
    rows = AskedQuestion.objects.order_by("asked").values_list("organisation", "folded", "asked", "unanswered")
    assert list(rows) == [(None, "preheat for a572?", 1, 0), (mine.pk, "preheat for a572?", 2, 1)]


def test_publishing_without_redis_neither_raises_nor_waits_and_counts_the_loss(settings: LazySettings) -> None:
    entity, lost_before = make_entity(), signals.losses()
    here = settings.REDIS_EVENTS_URL
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    try:
        assert publish_queries([a_signal(entity)]) == 0
        assert publish_updates(source="test.thing", source_ids=["a", "b"]) == 0
    finally:
        breaker_of(events_url()).worked()
        settings.REDIS_EVENTS_URL = here
    assert signals.losses() == lost_before + 3
    assert publish_queries([a_signal(entity)]) == 1
    assert signals_state().lost_by_publishers == 3  # told once Redis is back


def test_update_requests_mark_what_they_name_and_become_one_job_for_each_source() -> None:
    entity, other = make_entity(), make_entity("Other")
    publish_queries([a_signal(entity)])
    publish_updates(source="test.thing", source_ids=[entity.source_id, "new"])
    publish_updates(source="test.thing", source_ids=[entity.source_id])

    counted()
    events_redis().xgroup_setid(updates_stream(), GROUP, "0")
    counted()

    entity.refresh_from_db()
    other.refresh_from_db()
    assert (entity.needs_update, other.needs_update) == (True, False)
    assert EntityTotal.objects.get().needing_update == 1
    job = Job.objects.get(kind="analytics.refresh")
    assert job.params["source_ids"] == [entity.source_id, "new"]
    assert EntityDemand.objects.filter(needs_update=True).exists()


def test_streams_are_trimmed_behind_the_slowest_group_only(monkeypatch: pytest.MonkeyPatch) -> None:
    entity = make_entity()
    put(*(told(entity.pk) for _ in range(10)))
    stream = queries_stream()
    delivery = Delivery("reader")
    delivery.ensure_groups()
    events_redis().xgroup_create(stream, "auditors", "0")
    far = int(timezone.now().timestamp() * 1000) + 10**9
    counted()
    assert delivery.trim(stream, far) == 0  # auditors have read nothing

    events_redis().xreadgroup("auditors", "one", {stream: ">"}, count=4)
    assert delivery.trim(stream, far) == 0  # what is pending may be needed
    pending = [row["message_id"] for row in events_redis().xpending_range(stream, "auditors", "-", "+", 10)]
    events_redis().xack(stream, "auditors", *pending)

    assert delivery.trim(stream, far) == 4
    assert events_redis().xlen(stream) == 6


def test_after_redis_lost_everything_the_group_is_made_anew_and_the_loss_is_known() -> None:
    entity = make_entity()
    publish_queries([a_signal(entity)])
    consumer = Consumer(name="steady")
    consumer.work(once=True)
    publish_queries([a_signal(entity) for _ in range(3)])
    consumer._look()
    events_redis().delete(queries_stream(), updates_stream())
    again = Consumer(name="steady")
    again._unread = consumer._unread

    again.work(once=True)
    publish_queries([a_signal(entity)])
    again = Consumer(name="steady")
    again.work(once=True)

    assert EntityDemand.objects.get(pk=entity.pk).query_count == 2
    assert clock().lost == 3


def test_lag_is_the_age_of_what_waits() -> None:
    entity = make_entity()
    old = int((timezone.now() - timedelta(minutes=10)).timestamp() * 1000)
    events_redis().execute_command("XADD", queries_stream(), f"{old}-0", "signal", b"{}")
    Delivery("reader").ensure_groups()
    state = signals_state()
    assert 590 < state.lag_s < 700
    assert state.streams[0].unread == 1

    counted()
    put(told(entity.pk))
    counted()
    assert signals_state().lag_s == 0
    assert EntityDemand.objects.aggregate(Sum("query_count"))["query_count__sum"] == 1
