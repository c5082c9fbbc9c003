"""The whole way through real processes: uvicorn with the site's own ASGI application, a socket client, a worker."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from accounts.models import User
from accounts.services.tokens import tokens_for
from jobs import events
from jobs.services import enqueue
from tests.factories.people import make_user

from .processes import command, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


class Server:
    """uvicorn on a port of loopback; `stop` and `start` again keep the port."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        arguments = ["--port", str(self.port), "--log-level", "warning", "--timeout-graceful-shutdown", "1"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "config.asgi:application", *arguments],
            env=os.environ | {"WEB_THREADS": "2"},
        )
        wait_until(self._answers, "the server answers")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def connect(self, user: User, **options: Any) -> Any:
        access = tokens_for(user=user).access
        url = f"ws://127.0.0.1:{self.port}/ws/?token={access}"
        return connect(url, origin=f"http://127.0.0.1:{self.port}", **options)


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def person() -> User:
    return make_user("person")


async def say(connection: ClientConnection, **message: Any) -> None:
    await connection.send(orjson.dumps(message).decode())


async def until(connection: ClientConnection, *kinds: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            frame: dict[str, Any] = orjson.loads(await connection.recv())
            if frame["type"] in kinds:
                return frame


async def closed_with(connection: ClientConnection) -> int | None:
    async with asyncio.timeout(60):
        try:
            while True:
                await connection.recv()
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else None


async def test_client_misses_nothing_when_the_server_restarts(server: Server, person: User) -> None:
    job = await sync_to_async(enqueue)(kind="tests.steps", params={"steps": 60, "pause_s": 0.05}, actor=person)
    channel, numbers, last = f"job:{job.pk}", [], None
    with command("work", "default"):
        async with await sync_to_async(server.connect)(person) as connection:
            await say(connection, action="join", channel=channel)
            await until(connection, "snapshot")
            while len(numbers) < 3:
                numbers.append((await until(connection, "progress"))["seq"])
        await sync_to_async(server.stop)()
        await sync_to_async(server.start)()
        async with await sync_to_async(server.connect)(person) as connection:
            await say(connection, action="join", channel=channel, since=numbers[-1])
            assert (await until(connection, "snapshot"))["resumed"]
            while last is None or last["type"] != "job_complete":
                last = await until(connection, "progress", "job_complete")
                numbers.append(last["seq"])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert last["data"]["result"] == {"steps": 60}


async def test_slow_reader_is_cut_off_and_others_hear_everything(server: Server, person: User) -> None:
    channel = f"user:{person.pk}"
    note = {"level": "info", "text": "x" * 4000}
    slow_options = {"max_queue": 1, "ping_interval": None, "compression": None}
    async with (
        await sync_to_async(server.connect)(person, **slow_options) as slow,
        await sync_to_async(server.connect)(person) as quick,
    ):
        for connection in (slow, quick):
            await say(connection, action="join", channel=channel)
            await until(connection, "snapshot")
        slow.transport.pause_reading()
        numbers: list[int] = []
        heard = asyncio.create_task(_numbers(quick, 3000))
        for _ in range(30):  # 12 MB: more than the buffers between hold
            numbers += await sync_to_async(events.publish_many)([(channel, "notification", note)] * 100)
            await asyncio.sleep(0.02)
        assert await heard == numbers
        slow.transport.resume_reading()
        assert await closed_with(slow) in (4408, None)
        await say(quick, action="ping")
        await until(quick, "pong")


async def _numbers(connection: ClientConnection, count: int) -> list[int]:
    return [(await until(connection, "notification"))["seq"] for _ in range(count)]


async def test_a_megabyte_is_refused_and_the_server_lives(server: Server, person: User) -> None:
    async with await sync_to_async(server.connect)(person) as connection:
        await until(connection, "welcome")
        await connection.send("x" * 1_000_000)
        assert await closed_with(connection) == 1009
    async with await sync_to_async(server.connect)(person) as connection:
        await until(connection, "welcome")


async def test_ten_thousand_joins_are_cut_off(server: Server, person: User) -> None:
    async with await sync_to_async(server.connect)(person) as connection:
        await until(connection, "welcome")
        try:
            for _ in range(10_000):
                await say(connection, action="join", channel=f"user:{person.pk}")
        except ConnectionClosed:
            pass
        assert await closed_with(connection) == 4429


async def test_without_an_origin_there_is_no_socket(server: Server, person: User) -> None:
    """Browsers always name one; a client without a browser must name the site."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://127.0.0.1:{server.port}/ws/"):
            pass
    assert refused.value.response.status_code == 403
