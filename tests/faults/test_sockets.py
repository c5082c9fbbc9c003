"""Many sockets, one server, and the server is restarted while a job runs: nobody misses anything."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from jobs import events
from jobs.services import enqueue
from tests.factories.people import make_user
from tests.jobs import kinds  # noqa: F401
from tests.jobs.processes import command

from .listeners import Listener, listening, until
from .scale import SOAK
from .web import Web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
SOCKETS = 1000 if SOAK else 500
RESTARTS = (signal.SIGKILL, signal.SIGTERM) * (5 if SOAK else 1)


@pytest.fixture
def web(django_db_setup: None) -> Iterator[Web]:
    web = Web()
    web.start()
    yield web
    web.stop()


@pytest.fixture
def person() -> User:
    return make_user("person")


def numbers_of(listeners: list[Listener]) -> set[tuple[int, ...]]:
    return {tuple(listener.numbers) for listener in listeners}


async def test_every_client_has_every_event_in_order_though_the_server_is_restarted(
    web: Web, person: User, tmp_path: Path
) -> None:
    may_end = tmp_path / "may-end"
    job = await sync_to_async(enqueue)(kind="tests.until_told", params={"may_end": str(may_end)}, actor=person)
    address = await sync_to_async(web.socket_address)(person)
    listeners = [Listener(address, f"job:{job.pk}") for _ in range(SOCKETS)]
    async with listening(listeners):
        await until(lambda: all(listener.snapshots for listener in listeners), "all have joined")
        with command("work", "default"):
            await until(lambda: all(len(listener.numbers) >= 3 for listener in listeners), "all hear the job")
            for how in RESTARTS:
                heard = max(len(listener.numbers) for listener in listeners)
                await asyncio.to_thread(web.stop, how)
                await asyncio.to_thread(web.start)
                await until(
                    lambda heard=heard: all(len(listener.numbers) > heard for listener in listeners),
                    "all hear the job after the restart",
                )
            may_end.touch()
            await until(
                lambda: all(listener.last.get("type") == "job_complete" for listener in listeners), "all hear the end"
            )
    (numbers,) = numbers_of(listeners)  # the same for each
    assert list(numbers) == list(range(numbers[0], numbers[0] + len(numbers)))
    joins = len(RESTARTS) + 1
    for listener in listeners:
        assert len(listener.snapshots) >= joins
        assert all(snapshot["resumed"] and snapshot["live"] for snapshot in listener.snapshots[1:])


async def test_what_is_said_while_the_server_is_away_is_heard_when_it_is_back(web: Web, person: User) -> None:
    """Also of sockets that go and come by themselves the whole time."""
    channel, said = f"user:{person.pk}", 0
    address = await sync_to_async(web.socket_address)(person)
    listeners = [Listener(address, channel) for _ in range(50)]
    (first,) = await sync_to_async(events.publish_many)([note(channel, 0)])
    for listener in listeners:
        listener.since = first
    stop = asyncio.Event()
    async with listening(listeners):
        fickle = asyncio.create_task(_come_and_go(address, channel, stop))
        for turn in range(60):
            said += len(await sync_to_async(events.publish_many)([note(channel, turn)] * 10))
            if turn == 30:
                await asyncio.to_thread(web.stop, signal.SIGTERM)
            if turn == 40:
                await asyncio.to_thread(web.start)
            await asyncio.sleep(0.02)
        await until(lambda: all(listener.since == first + said for listener in listeners), "all hear the last")
        stop.set()
        await fickle
    assert numbers_of(listeners) == {tuple(range(first + 1, first + said + 1))}


def note(channel: str, number: int) -> tuple[str, events.EventType, dict[str, str]]:
    return channel, "notification", {"level": "info", "text": f"Number {number}"}


async def _come_and_go(address: str, channel: str, stop: asyncio.Event) -> None:
    while not stop.is_set():
        task = asyncio.create_task(Listener(address, channel).listen())
        await asyncio.sleep(0.1)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
