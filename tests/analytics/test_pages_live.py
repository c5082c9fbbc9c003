"""Demand that moves is said on the socket, to whom it concerns, and not more often than a page can use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import LazySettings
from django.db import transaction

from accounts.models import Organisation, User
from analytics.models import Entity
from analytics.services import live
from analytics.services.requesting import mark
from analytics.services.signals import publish_queries, queries_stream, updates_stream
from jobs.connections import events_redis
from jobs.events import stream
from tests.jobs.socket_client import connected

from .demand_cast import a_signal, counted, make_entity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_teller(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing told before, and nothing told after."""
    names = (queries_stream(), updates_stream())
    forget("*:events:{demand:*")
    events_redis().delete(*names)
    monkeypatch.setattr(live, "_teller", live.Teller())
    yield
    live._teller.stop()
    events_redis().delete(*names)
    forget()


def forget(*patterns: str) -> None:
    """That something was told within the last half second."""
    for pattern in ("*:demand:told:*", *patterns):
        for key in events_redis().scan_iter(pattern):
            events_redis().delete(key)


def moves(*owners: Organisation | None) -> list[int]:
    """Events on each one's channel so far."""
    channels = [live.channel_of(owner.pk if owner else None) for owner in owners]
    return [events_redis().xlen(stream.keys_of(channel)[1]) for channel in channels]


@sync_to_async
def asked(entity: Entity, **more: Any) -> None:
    publish_queries([a_signal(entity, **more)])
    counted()


async def test_a_signal_for_what_all_see_is_heard_by_all(owner: User, stranger: User) -> None:
    entity = await sync_to_async(make_entity)()
    async with connected(owner) as mine, connected(stranger) as theirs:
        for socket in (mine, theirs):
            snapshot = await socket.join("demand:shared")
            assert snapshot["data"] == {"organisation_id": None, "total_queries": 0, "needs_update": 0, "jobs": []}
        await asked(entity)
        for socket in (mine, theirs):
            event = await socket.until("demand_moved")
            assert (event["channel"], event["data"]) == ("demand:shared", {"organisation_id": None})
        assert (await mine.join("demand:shared"))["data"]["total_queries"] == 1


async def test_strangers_can_not_join_an_organisations_channel_and_hear_nothing_of_it(
    owner: User, viewer: User, stranger: User, organisation: Organisation
) -> None:
    private = await sync_to_async(make_entity)("Our bid", organisation=organisation)
    channel = f"demand:{organisation.pk}"
    async with connected(stranger) as socket:
        for refused in (channel, f"demand:{uuid4()}", "demand:everything", "demand:", f"{channel.upper()}"):
            await socket.say(action="join", channel=refused)
            assert (await socket.until("error"))["code"] == 4404
    async with connected(stranger) as outside, connected(viewer) as inside:
        before = (await outside.join("demand:shared"))["seq"]
        await inside.join(channel)
        await asked(private, organisation_id=organisation.pk)
        event = await inside.until("demand_moved")
        assert event["data"] == {"organisation_id": str(organisation.pk)}
        assert (await outside.join("demand:shared"))["seq"] == before, "nothing shared has moved"


async def test_a_question_in_vain_is_heard_where_it_was_asked(owner: User, organisation: Organisation) -> None:
    async with connected(owner) as socket:
        await socket.join(f"demand:{organisation.pk}")
        await sync_to_async(publish_queries)([a_signal(None, "paint?", organisation_id=organisation.pk)])
        await sync_to_async(counted)()
        assert (await socket.until("demand_moved"))["channel"] == f"demand:{organisation.pk}"


async def test_what_needs_an_update_is_heard_too(owner: User) -> None:
    entity = await sync_to_async(make_entity)()
    async with connected(owner) as socket:
        await socket.join("demand:shared")
        await sync_to_async(mark)(keys=[(entity.source, entity.source_id)])
        await socket.until("demand_moved")


def test_a_row_of_batches_is_told_seldom_and_its_last_one_always() -> None:
    entity = make_entity()
    for number in range(20):
        publish_queries([a_signal(entity, f"question {number}")])
        counted()
    last_told, deadline = moves(None)[0], time.monotonic() + 60
    assert 1 <= last_told < 20
    if not live._teller.is_waiting:  # the machine was so slow that each found its turn
        return
    while moves(None)[0] == last_told and time.monotonic() < deadline:
        time.sleep(0.02)
    assert moves(None)[0] == last_told + 1


def test_two_processes_tell_the_same_channel_in_turn(organisation: Organisation) -> None:
    mine, other = live.Teller(), live.Teller()
    owner = str(organisation.pk)
    mine.moved([owner])
    other.moved([owner])
    try:
        assert moves(organisation) == [1]
        assert other.is_waiting and not mine.is_waiting
        forget()
        other.tell()
        assert moves(organisation) == [2] and not other.is_waiting
    finally:
        mine.stop()
        other.stop()


def test_nothing_is_told_of_what_was_rolled_back(organisation: Organisation) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        live.moved_on_commit([organisation.pk, None])
        raise ZeroDivisionError
    assert moves(organisation, None) == [0, 0]


def test_without_redis_nothing_is_told_and_nobody_fails(settings: LazySettings) -> None:
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    live.moved_on_commit([None])
    assert not live._teller.is_waiting
    assert live.moments(["demand:shared"]) is None
