"""Redis goes away under open sockets, with and without what it held: pages say so, and catch up when it is back."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from asgiref.sync import sync_to_async
from django.conf import LazySettings

from accounts.models import User
from config.embedded.client import make_root
from config.embedded.layout import Layout
from config.embedded.redis import Redis
from jobs import events
from jobs.connections import breaker_of
from jobs.models import Job
from jobs.runner import run_here
from jobs.services import enqueue
from tests.factories.people import make_user
from tests.jobs import kinds  # noqa: F401

from .listeners import Listener, listening, until
from .web import Web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
SOCKETS = 40


class PrivateRedis:
    """A server that nobody else uses, so that it can be killed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="plumbline-redis-"))
        self.folder.chmod(0o711)
        layout = Layout(self.folder / "var")
        make_root(layout, testing=True)
        self.server = Redis(layout)
        self.url = self.server.url

    def kill(self) -> None:
        assert self.server.process is not None
        self.server.process.kill()
        self.server.process.wait()

    def remove(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder)


@pytest.fixture
def private_redis(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateRedis]:
    """This process, and those it starts, meet it instead of the tests' own."""
    private = PrivateRedis()
    private.server.start()
    for name in ("REDIS_URL", "REDIS_QUEUE_URL", "REDIS_EVENTS_URL"):
        setattr(settings, name, private.url)
        monkeypatch.setenv(name, private.url)
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": private.url}}
    yield private
    private.remove()


@pytest.fixture
def web(private_redis: PrivateRedis, django_db_setup: None) -> Iterator[Web]:
    web = Web()
    web.start()
    yield web
    web.stop()


@pytest.fixture
def person() -> User:
    return make_user("person")


async def say_when_possible(private: PrivateRedis, channel: str) -> int:
    """The number of an event; this process, too, takes Redis to be down for a moment after it has come back."""
    async with asyncio.timeout(60):
        while True:
            note: tuple[str, events.EventType, dict[str, str]] = (channel, "notification", {"text": "Hello"})
            (number,) = await sync_to_async(events.publish_many)([note])
            if number:
                return number
            await asyncio.sleep(0.1)


def flushed(private: PrivateRedis) -> None:
    with redis.Redis.from_url(private.url) as client:
        client.flushall()


def restarted_with_its_data(private: PrivateRedis) -> None:
    private.kill()


def restarted_empty(private: PrivateRedis) -> None:
    private.kill()
    shutil.rmtree(private.server.home)


@pytest.mark.parametrize("restarted", [restarted_with_its_data, restarted_empty])
async def test_clients_are_told_that_redis_is_away_and_back_and_what_happened_meanwhile(
    restarted: Callable[[PrivateRedis], None], web: Web, private_redis: PrivateRedis, person: User
) -> None:
    channel = f"user:{person.pk}"
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=person)
    listeners = [Listener(await sync_to_async(web.socket_address)(person), channel) for _ in range(SOCKETS)]
    async with listening(listeners):
        await until(lambda: all(one.snapshots for one in listeners), "all have joined")
        first = await say_when_possible(private_redis, channel)
        await until(lambda: all(one.since == first for one in listeners), "all hear the first")

        await asyncio.to_thread(restarted, private_redis)
        await until(lambda: all(one.live == [False] for one in listeners), "all are told that nothing is live")
        await sync_to_async(run_here)(job_id=job.pk)  # nobody can be told
        assert (await Job.objects.aget(pk=job.pk)).status == "completed"

        known = [len(one.snapshots) for one in listeners]
        await asyncio.to_thread(private_redis.server.start)
        await until(lambda: all(one.live == [False, True] for one in listeners), "all are told that it is live")
        await until(
            lambda: all(_is_told(one.snapshots[before:]) for one, before in zip(listeners, known, strict=True)),
            "all are told anew how things stand: the job is not active any more",
        )
        last = await say_when_possible(private_redis, channel)
        await until(lambda: all(one.since == last for one in listeners), "all hear the last")
    assert last > first
    for one in listeners:
        assert one.numbers == sorted(set(one.numbers))
        assert one.closes == []


def _is_told(snapshots: list[dict[str, Any]]) -> bool:
    return any(snapshot["live"] and snapshot["data"]["jobs"] == [] for snapshot in snapshots)


async def test_flush_under_open_sockets_leaves_no_gap_unnoticed(
    web: Web, private_redis: PrivateRedis, person: User
) -> None:
    channel = f"user:{person.pk}"
    listeners = [Listener(await sync_to_async(web.socket_address)(person), channel) for _ in range(SOCKETS)]
    async with listening(listeners):
        await until(lambda: all(one.snapshots for one in listeners), "all have joined")
        for _ in range(5):
            before = await say_when_possible(private_redis, channel)
            await until(lambda before=before: all(one.since == before for one in listeners), "all hear it")
            await asyncio.to_thread(flushed, private_redis)
            after = await say_when_possible(private_redis, channel)
            assert after > before + 1  # numbers begin at the clock again: none is given twice
            await until(lambda after=after: all(one.since >= after for one in listeners), "all are up to date")
            # What follows continues without a gap.
            following = await say_when_possible(private_redis, channel)
            assert following == after + 1
            await until(lambda following=following: all(one.since == following for one in listeners), "all hear it")
    for one in listeners:
        assert one.numbers == sorted(set(one.numbers))
        assert len([snapshot for snapshot in one.snapshots if not snapshot["resumed"]]) >= 5


async def test_sockets_that_come_while_redis_is_away_see_the_state_and_are_live_when_it_is_back(
    web: Web, private_redis: PrivateRedis, person: User
) -> None:
    channel = f"user:{person.pk}"
    address = await sync_to_async(web.socket_address)(person)
    await asyncio.to_thread(private_redis.kill)
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=person)  # returns at once all the same
    listeners = [Listener(address, channel) for _ in range(SOCKETS)]
    async with listening(listeners):
        await until(lambda: all(one.snapshots for one in listeners), "all see how things stand")
        for one in listeners:
            assert one.snapshots[0]["live"] is False
            assert [state["job_id"] for state in one.snapshots[0]["data"]["jobs"]] == [str(job.pk)]
        await asyncio.to_thread(private_redis.server.start)
        await until(lambda: all(one.snapshots[-1]["live"] for one in listeners), "all are live")
        number = await say_when_possible(private_redis, channel)
        await until(lambda: all(one.since == number for one in listeners), "all hear what is said")
    assert breaker_of(private_redis.url).closed_until == 0.0


async def test_redis_that_hangs_is_noticed_too(web: Web, private_redis: PrivateRedis, person: User) -> None:
    """Its connections stay open; nothing comes on them."""
    channel = f"user:{person.pk}"
    listeners = [Listener(await sync_to_async(web.socket_address)(person), channel) for _ in range(SOCKETS)]
    async with listening(listeners):
        await until(lambda: all(one.snapshots for one in listeners), "all have joined")
        assert private_redis.server.process is not None
        private_redis.server.process.send_signal(signal.SIGSTOP)
        await until(lambda: all(one.live == [False] for one in listeners), "all are told that nothing is live")
        private_redis.server.process.send_signal(signal.SIGCONT)
        await until(lambda: all(one.live == [False, True] for one in listeners), "all are told that it is live")
        number = await say_when_possible(private_redis, channel)
        await until(lambda: all(one.since == number for one in listeners), "all hear what is said")
    assert {tuple(one.closes) for one in listeners} == {()}
