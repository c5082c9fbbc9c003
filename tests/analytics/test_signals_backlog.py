"""A backlog of signals: read in pieces, counted in large batches, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.utils import timezone

from analytics.models import AppliedBatch, DemandBucket, EntityDemand
from analytics.services import signals
from analytics.services.backlog import signals_state
from analytics.services.consuming import BATCH
from analytics.services.counting import clock
from analytics.services.delivery import GROUP, PIECE, Delivery
from analytics.services.signals import publish_queries, queries_stream, updates_stream
from analytics.streams.entries import FIELD, Entry, Malformed, pack, read_signal, read_signals
from analytics.streams.scoring import HOUR_S, rank_of
from jobs.connections import events_redis

from .demand_cast import a_signal, counted, make_entity, put, put_often, told

NOW_MS = 1_790_000_000_000
ENTITY = "6F9619FF-8B86-D011-B42D-00CF4FC964FF"


@pytest.fixture
def streams() -> Iterator[None]:
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())
    yield
    events_redis().delete(queries_stream(), updates_stream(), signals.lost_key())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("streams")
def test_a_backlog_is_read_in_pieces_and_counted_as_one_batch() -> None:
    entity, count = make_entity(), 2 * PIECE + 100
    put_often(entity, count, timezone.now())

    tally = counted(batch=BATCH)

    assert (tally.applied, tally.batches) == (count, 1)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == count
    assert sorted(len(row.entries) for row in AppliedBatch.objects.all()) == [100, PIECE, PIECE]
    assert signals_state().streams[0].pending == 0

    events_redis().xgroup_setid(queries_stream(), GROUP, "0")  # handed out again, cut otherwise
    tally = counted(batch=PIECE - 300)

    assert (tally.applied, tally.already) == (0, count)
    assert EntityDemand.objects.get(pk=entity.pk).query_count == count


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("streams")
def test_what_is_acknowledged_while_one_looks_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    publish_queries([a_signal(make_entity())])
    consumer = Delivery("one")
    consumer.ensure_groups()
    [(entry_id, _)] = consumer.read(10)[queries_stream()]
    ask = Delivery.ask

    def acknowledged_first(self: Delivery, *command: Any) -> Any:
        if command[0] == "XPENDING":
            consumer.acknowledge(queries_stream(), [entry_id])
        return ask(self, *command)

    assert signals_state().streams[0].pending == 1
    monkeypatch.setattr(Delivery, "ask", acknowledged_first)
    state = signals_state().streams[0]
    assert (state.pending, state.lag_s) == (0, None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("streams")
def test_what_was_read_is_in_hand_though_the_next_piece_can_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    put_often(make_entity(), PIECE + 1, timezone.now())
    delivery = Delivery("reader")
    delivery.ensure_groups()
    read_piece = delivery._read_piece

    def and_then_the_group_is_gone(count: int, block_ms: int) -> dict[str, list[Entry]]:
        found = read_piece(count, block_ms)
        events_redis().xgroup_destroy(queries_stream(), GROUP)
        return found

    monkeypatch.setattr(delivery, "_read_piece", and_then_the_group_is_gone)

    assert len(delivery.read(BATCH, block_ms=0)[queries_stream()]) == PIECE


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("streams")
def test_signals_of_several_hours_in_a_batch_weigh_by_their_hours() -> None:
    entity, other, now = make_entity(), make_entity("Other"), timezone.now()
    times = [now - timedelta(hours=hours) for hours in (0, 0, 0, 5, 60, 60, 160)]
    put(*(told(each.pk, at) for at in times for each in (entity, other)))

    counted()

    hours = [(int(row.hour.timestamp()) // HOUR_S, row.count) for row in DemandBucket.objects.filter(entity=entity)]
    assert sum(count for _, count in hours) == len(times)
    row = EntityDemand.objects.get(pk=entity.pk)
    assert row.rank == pytest.approx(rank_of(hours, clock().half_life_days), abs=1e-9)
    assert (row.query_count, row.current_1d, row.current_7d, row.current_30d) == (7, 4, 7, 7)
    assert (row.last_queried_at - row.first_queried_at).total_seconds() == pytest.approx(160 * HOUR_S, abs=0.01)


def body(**more: Any) -> bytes:
    return orjson.dumps({"entity_id": ENTITY, "query": "preheat", "timestamp": NOW_MS} | more)


BODIES = {
    "plain": body(),
    "all members": body(entity_type="clause", user_id=str(uuid4()), organisation_id=ENTITY, found=False, asked=False),
    "no entity": body(entity_id=None, found=False),
    "no question": orjson.dumps({"entity_id": ENTITY, "timestamp": NOW_MS}),
    "question null": body(query=None),
    "question with NUL": body(query="pre\0heat"),
    "question is a list": body(query=["preheat"]),
    "question is long": body(query="é" * 1000),
    "far ahead": body(timestamp=NOW_MS * 2),
    "far behind": body(timestamp=0),
    "time as text": body(timestamp="2026-11-22T12:00:00Z"),
    "time as fraction": body(timestamp=NOW_MS + 0.5),
    "time is a truth": body(timestamp=True),
    "no time": orjson.dumps({"entity_id": ENTITY, "query": "preheat"}),
    "entity is a number": body(entity_id=7),
    "entity is a list": body(entity_id=[ENTITY]),
    "entity is no id": body(entity_id="preheat"),
    "organisation is no id": body(organisation_id="mine"),
    "a list": b"[1, 2]",
    "text": b'"preheat"',
    "no JSON": b"{",
    "nothing": b"",
}


@pytest.mark.parametrize("fields", [[FIELD, each] for each in BODIES.values()], ids=list(BODIES))
@pytest.mark.parametrize(
    "entry_id", [b"1790000000000-3", b"5-0", b"17900000000000-12345678"], ids=["now", "1970", "far"]
)
def test_signals_are_read_together_as_they_are_one_by_one(fields: list[bytes], entry_id: bytes) -> None:
    for told_as in (fields, [b"other", b"x", *fields], fields[1:], None):
        signals, refused = read_signals([(entry_id, told_as)], NOW_MS)
        try:
            assert signals == [read_signal(pack(entry_id), told_as, NOW_MS)]
        except Malformed as error:
            assert (signals, refused) == ([], [((entry_id, told_as), str(error))])
        else:
            assert refused == []
