"""Sockets that misbehave, one at a time: they are closed or refused as designed, and others hear everything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from jobs import events
from jobs.services import enqueue
from tests.factories.people import make_user
from tests.jobs import kinds  # noqa: F401

from .listeners import Listener, closed_with, hear, listening, say, until
from .web import Web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]
Others = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture(scope="module")
def web(django_db_setup: None) -> Iterator[Web]:
    web = Web()
    web.start()
    yield web
    web.stop()


@pytest.fixture
def person() -> User:
    return make_user("person")


@pytest.fixture
def others(web: Web) -> Others:
    """Ten of somebody else, who during the block are told something again and again and hear all of it, on the same
    connection throughout."""
    bystander = make_user("bystander")
    channel, address = f"user:{bystander.pk}", web.socket_address(bystander)

    @asynccontextmanager
    async def unaffected() -> AsyncIterator[None]:
        listeners = [Listener(address, channel) for _ in range(10)]
        numbers: list[int] = []
        async with listening(listeners):
            await until(lambda: all(one.snapshots for one in listeners), "the others have joined")
            telling = asyncio.create_task(_tell(channel, numbers))
            yield
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling
            numbers += await sync_to_async(events.publish_many)([note(channel)])
            await until(lambda: all(one.since == numbers[-1] for one in listeners), "the others hear the last")
        for one in listeners:
            assert one.numbers == list(range(numbers[0], numbers[-1] + 1))
            assert one.closes == []

    return unaffected


async def _tell(channel: str, numbers: list[int]) -> None:
    while True:
        numbers += await sync_to_async(events.publish_many)([note(channel)])
        await asyncio.sleep(0.02)


def note(channel: str, text: str = "Hello") -> tuple[str, events.EventType, dict[str, str]]:
    return channel, "notification", {"level": "info", "text": text}


async def test_slow_reader_is_cut_off_and_others_hear_everything(web: Web, person: User, others: Others) -> None:
    channel = f"user:{person.pk}"
    connecting = await sync_to_async(web.connect)(person, max_queue=1, ping_interval=None, compression=None)
    async with others(), connecting as slow:
        await say(slow, action="join", channel=channel)
        await hear(slow, "snapshot")
        slow.transport.pause_reading()
        for _ in range(40):  # 16 MB: more than the buffers between hold, and more frames than wait for anybody
            await sync_to_async(events.publish_many)([note(channel, "x" * 4000)] * 100)
            await asyncio.sleep(0.02)
        slow.transport.resume_reading()
        # None: the server had no room left even for its farewell.
        assert await closed_with(slow) in (4408, None)
    async with await sync_to_async(web.connect)(person) as back:
        await say(back, action="join", channel=channel)
        assert (await hear(back, "snapshot"))["live"]


async def test_strangers_channel_is_refused_like_one_that_is_not_there(web: Web, person: User, others: Others) -> None:
    job = await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=person)
    stranger = await sync_to_async(make_user)("stranger")
    async with others(), await sync_to_async(web.connect)(stranger) as connection:
        refusals = []
        for channel in (f"job:{job.pk}", f"user:{person.pk}", f"batch:{job.pk}", f"job:{uuid4()}", "project:nonsense"):
            await say(connection, action="join", channel=channel)
            refusal = await hear(connection, "error", "snapshot")
            refusals.append((refusal["code"], refusal["message"]))
        assert set(refusals) == {(4404, "There is no such channel.")}
        await sync_to_async(events.publish_many)([note(f"job:{job.pk}"), note(f"user:{person.pk}")])
        await say(connection, action="ping")
        assert (await hear(connection, "notification", "pong"))["type"] == "pong"


@pytest.mark.parametrize("size", [5_000, 1_000_000, 20_000_000])
async def test_large_message_closes_the_one_that_sent_it(size: int, web: Web, person: User, others: Others) -> None:
    async with others(), await sync_to_async(web.connect)(person) as connection:
        await hear(connection, "welcome")
        with suppress(ConnectionClosed):
            await connection.send("x" * size)
        assert await closed_with(connection) in ((1009,) if size < 16_000_000 else (1009, None))


async def test_ten_thousand_joins_are_cut_off(web: Web, person: User, others: Others) -> None:
    async with others(), await sync_to_async(web.connect)(person) as connection:
        await hear(connection, "welcome")
        await _flood(connection, f"user:{person.pk}")
        assert await closed_with(connection) in (4429, None)


async def test_floods_from_many_sockets_at_once_are_cut_off(web: Web, person: User, others: Others) -> None:
    async def flood() -> None:
        async with await sync_to_async(web.connect)(person) as connection:
            await hear(connection, "welcome")
            await _flood(connection, f"job:{uuid4()}")
            assert await closed_with(connection) in (4404, 4429, None)

    async with others():
        await asyncio.gather(*(flood() for _ in range(20)))


async def _flood(connection: ClientConnection, channel: str) -> None:
    with suppress(ConnectionClosed):
        for _ in range(10_000):
            await say(connection, action="join", channel=channel)


async def test_more_channels_than_a_page_needs_are_refused_one_by_one(web: Web, person: User, others: Others) -> None:
    jobs = [await sync_to_async(enqueue)(kind="tests.echo", params={}, actor=person) for _ in range(55)]
    async with others(), await sync_to_async(web.connect)(person) as connection:
        answers = []
        for job in jobs:
            await say(connection, action="join", channel=f"job:{job.pk}")
            answers.append(await hear(connection, "snapshot", "error"))
            await asyncio.sleep(0.06)  # at the rate that is allowed
        assert [answer["type"] for answer in answers] == ["snapshot"] * 50 + ["error"] * 5
        assert {answer["code"] for answer in answers[50:]} == {4429}
        await say(connection, action="ping")
        await hear(connection, "pong")


async def test_page_of_another_site_gets_no_socket(web: Web, person: User) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with await sync_to_async(web.connect)(person, origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_program_that_names_no_origin_comes_in_by_token_only(web: Web, person: User) -> None:
    async with await sync_to_async(web.connect)(person) as connection:
        assert (await hear(connection, "welcome"))["user_id"] == str(person.pk)
