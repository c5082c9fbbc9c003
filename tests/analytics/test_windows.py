"""Windows that move by the hour, hours that become days, and the proof that they add up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone

from analytics.models import DemandBucket, DemandDay, DemandProof, EntityDemand, EntityTotal
from analytics.services import signals
from analytics.services.counting import clock
from analytics.services.proving import prove
from analytics.services.signals import queries_stream, updates_stream
from analytics.services.windows import follow_entities, move_windows, roll_up
from analytics.streams.scoring import rank_of, score_at
from analytics.streams.trends import growth, is_trend
from jobs.connections import events_redis

from .demand_cast import counted, make_entity, put, told

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
WINDOWS = ["current_1d", "previous_1d", "current_7d", "previous_7d", "current_30d", "previous_30d"]


@pytest.fixture(autouse=True)
def _empty_streams() -> Iterator[None]:
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())
    yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


def windows_of(pk: object) -> list[int]:
    return list(EntityDemand.objects.values_list(*WINDOWS).get(pk=pk))


def test_windows_move_on_hour_by_hour_as_if_counted_anew() -> None:
    entity = make_entity()
    with time_machine.travel(NOON, tick=False):
        put(*(told(entity.pk, NOON - timedelta(hours=hours)) for hours in (0, 1, 23, 24, 47, 48, 166, 167)))
        counted()
        assert windows_of(entity.pk) == [3, 2, 8, 0, 8, 0]
    for hours, expected in [
        (1, [2, 2, 7, 1, 8, 0]),
        (25, [0, 2, 6, 2, 8, 0]),
        (24 * 7 + 24, [0, 0, 0, 6, 8, 0]),
        (24 * 40, [0, 0, 0, 0, 0, 8]),
        (24 * 70, [0, 0, 0, 0, 0, 0]),
    ]:
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False):
            move_windows()
            assert windows_of(entity.pk) == expected, hours
            assert move_windows()["entities"] == 0
            assert prove().windows_mended == 0


def test_a_signal_counted_before_the_windows_caught_up_is_not_lost_from_them() -> None:
    entity = make_entity()
    with time_machine.travel(NOON, tick=False):
        put(told(entity.pk))
        counted()
    with time_machine.travel(NOON + timedelta(hours=30), tick=False):
        put(told(entity.pk))
        counted()
        move_windows()
        assert windows_of(entity.pk)[:2] == [1, 1]
        assert prove().windows_mended == 0


def test_old_hours_become_days_and_the_sums_stay() -> None:
    entity, now = make_entity(), timezone.now()
    put(told(entity.pk), told(entity.pk))
    counted()
    old = (now - timedelta(days=70)).replace(hour=5, minute=0, second=0, microsecond=0)
    for hour in (old, old + timedelta(hours=3)):
        DemandBucket.objects.create(entity=entity, hour=hour, count=4)
    EntityDemand.objects.filter(pk=entity.pk).update(query_count=10)

    assert roll_up() == 1

    assert DemandDay.objects.get().count == 8
    assert DemandDay.objects.get().day == old.date()
    assert DemandBucket.objects.count() == 1
    proof = prove()
    assert (proof.holds, proof.queries, proof.in_buckets) == (True, 10, 10)


def test_the_proof_finds_what_does_not_add_up_and_leaves_counts_alone() -> None:
    entity, other = make_entity(), make_entity("Other")
    put(told(entity.pk), told(entity.pk), told(other.pk))
    counted()
    assert prove().holds
    DemandBucket.objects.filter(entity=entity).update(count=1)
    EntityTotal.objects.update(queries=99)

    proof = prove()

    assert (proof.holds, proof.differing, proof.totals_mended, proof.windows_mended) == (False, 1, 1, 1)
    assert proof.examples == [{"entity": str(entity.pk), "query_count": 2, "in_buckets": 1}]
    assert EntityDemand.objects.get(pk=entity.pk).query_count == 2
    assert EntityTotal.objects.get().queries == 3
    assert DemandProof.objects.count() == 2


def test_scores_halve_in_a_half_life_and_order_without_being_touched(settings: LazySettings) -> None:
    old, new = make_entity("Old"), make_entity("New")
    start = NOON.replace(minute=0)
    with time_machine.travel(start, tick=False):
        put(*(told(old.pk) for _ in range(3)))
        counted()
    later = start + timedelta(days=14)
    with time_machine.travel(later, tick=False):
        put(told(new.pk), told(new.pk))
        counted()
        rows = list(EntityDemand.objects.order_by("-rank"))
        assert [row.pk for row in rows] == [new.pk, old.pk]
        assert [score_at(row.rank, later, 14) for row in rows] == pytest.approx([2.0, 1.5])
        assert EntityTotal.objects.get().demand == pytest.approx(3.5)

        settings.DEMAND_HALF_LIFE_DAYS = 7.0
        assert move_windows()["rescaled"]
        assert clock().half_life_days == 7.0
        rows = list(EntityDemand.objects.order_by("-rank"))
        assert [score_at(row.rank, later, 7) for row in rows] == pytest.approx([2.0, 1.5])
        assert score_at(rows[0].rank, later + timedelta(days=7), 7) == pytest.approx(1.0)


def test_ranks_are_what_the_hours_make_them() -> None:
    entity = make_entity()
    put(*(told(entity.pk, timezone.now() - timedelta(hours=hours)) for hours in (0, 5, 50, 100)))
    counted(batch=1)
    hours = [(int(row.hour.timestamp()) // 3600, row.count) for row in DemandBucket.objects.all()]
    assert EntityDemand.objects.get().rank == pytest.approx(rank_of(hours, 14.0), abs=1e-9)


def test_demand_follows_its_entity() -> None:
    entity = make_entity()
    put(told(entity.pk))
    counted()
    entity.needs_update, entity.entity_type = True, "tender"
    entity.save()

    assert follow_entities(entity_ids=[entity.pk]) == 1

    row = EntityDemand.objects.get()
    assert (row.needs_update, row.entity_type, row.refreshed_at) == (True, "tender", entity.updated_at)


def test_one_to_three_is_no_trend_and_a_hundred_to_a_hundred_and_sixty_is() -> None:
    assert not is_trend(3, 1)
    assert is_trend(160, 100)
    assert growth(160, 100) > 3.5
    assert not is_trend(100, 160)
    assert not is_trend(4, 0)
