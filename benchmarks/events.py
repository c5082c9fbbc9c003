"""From `publish` to the browser, to one client and to a thousand, beside the least that could do the same."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import orjson
import redis
import websockets

from benchmarks.ground import free_port, running, web
from benchmarks.report import Report

CHANNEL = "bench:reference"
ALONE, ALONE_EVERY_S, MEDIAN_MS = 300, 0.02, 2.0
MANY, TO_MANY, TO_MANY_EVERY_S, TIMES = 1000, 30, 0.3, 2.0
ROUNDS = 3  # by turns with the reference, so that both meet the same load; the best of each counts

Publish = Callable[[int], object]


class Site:
    """A server under measurement: where clients connect, what they say first, and how it is told something."""

    def __init__(self, url: str, publish: Publish, join: dict[str, Any] | None = None) -> None:
        self.url, self.publish, self.join = url, publish, join


def measure() -> Iterator[Report]:
    _allow_many_files()
    with _ours() as ours, _bare() as bare:
        yield _one_client(ours, bare)
        yield _many_clients(ours, bare)


def _one_client(ours: Site, bare: Site) -> Report:
    found, reference = _by_turns(ours, bare, clients=1, events=ALONE, every_s=ALONE_EVERY_S, worth=statistics.median)
    report = Report(f"An event from publish to a client, {ALONE} times")
    report.claim("median", statistics.median(found), "ms", MEDIAN_MS,
                 reference=f"Redis pub/sub and a bare websocket: {statistics.median(reference):.2f} ms")  # fmt: skip
    report.figure("95th percentile", f"{_p95(found):.2f} ms; reference {_p95(reference):.2f} ms")
    return report


def _many_clients(ours: Site, bare: Site) -> Report:
    found, reference = _by_turns(ours, bare, clients=MANY, events=TO_MANY, every_s=TO_MANY_EVERY_S, worth=_p95)
    report = Report(f"One event to {MANY:,} clients, {TO_MANY} times")
    report.claim("95th percentile, times that of the reference", _p95(found) / _p95(reference), "×", TIMES,
                 reference=f"{_p95(found):.1f} ms against {_p95(reference):.1f} ms")  # fmt: skip
    report.figure("median", f"{statistics.median(found):.1f} ms; reference {statistics.median(reference):.1f} ms")
    return report


def _by_turns(
    ours: Site, bare: Site, *, clients: int, events: int, every_s: float, worth: Callable[[list[float]], float]
) -> tuple[list[float], list[float]]:
    found: dict[Site, list[list[float]]] = {ours: [], bare: []}
    for _ in range(ROUNDS):
        for site in (ours, bare):
            found[site].append(asyncio.run(latencies(site, clients=clients, events=events, every_s=every_s)))
    return min(found[ours], key=worth), min(found[bare], key=worth)


class _ours:
    """One uvicorn process, as in production, and a channel with its token."""

    def __init__(self, *options: str) -> None:
        self._web = web(*options)

    def __enter__(self) -> Site:
        from accounts.models import User
        from accounts.services import create_person, tokens_for
        from jobs import events as said

        user = User.objects.filter(email="live@plumbline.example").first() or create_person(
            email="live@plumbline.example", password=None, full_name="Live"
        )
        channel = f"user:{user.pk}"
        port = self._web.__enter__()
        return Site(
            f"ws://127.0.0.1:{port}/ws/?token={tokens_for(user=user).access}",
            lambda n: said.publish(channel, "notification", {"n": n, "level": "info", "text": "measured"}),
            join={"action": "join", "channel": channel},
        )

    def __exit__(self, *error: Any) -> None:
        self._web.__exit__(*error)


class _bare:
    """The reference: frames of the same size, passed on by the library alone."""

    def __init__(self) -> None:
        self._port = free_port()
        self._server = running("-m", "benchmarks.bare_hub", str(self._port), CHANNEL, port=self._port)

    def __enter__(self) -> Site:
        self._server.__enter__()
        client = redis.Redis.from_url(os.environ["REDIS_URL"])
        padding = "x" * 150  # number, channel and time of ours

        def publish(n: int) -> object:
            return client.publish(CHANNEL, orjson.dumps({"type": "notification", "data": {"n": n}, "more": padding}))

        return Site(f"ws://127.0.0.1:{self._port}/", publish)

    def __exit__(self, *error: Any) -> None:
        self._server.__exit__(*error)


async def latencies(site: Site, *, clients: int, events: int, every_s: float) -> list[float]:
    """Milliseconds from the call of `publish`, in another thread, to the frame in hand: one for each event and client.

    Clients offer compression, as browsers do. One event is with all of them before the next is said.
    """
    sent: dict[int, float] = {}
    found: list[float] = []
    gate = asyncio.Semaphore(16)
    ready = asyncio.Barrier(clients + 1)
    hearing = [asyncio.create_task(_hear(site, gate, ready, events, sent, found)) for _ in range(clients)]
    async with asyncio.timeout(600):
        await ready.wait()
        await asyncio.sleep(0.5)
        thread = threading.Thread(target=_publish_all, args=(site.publish, sent, events, every_s), daemon=True)
        thread.start()
        await asyncio.gather(*hearing)
    thread.join()
    return found


async def _hear(
    site: Site, gate: asyncio.Semaphore, ready: asyncio.Barrier, events: int, sent: dict[int, float], found: list[float]
) -> None:
    """One client: joins, waits for the others without leaving the server's pings unanswered, then takes the time."""
    origin = f"http://{urlsplit(site.url).netloc}"  # as a browser sends it
    await gate.acquire()  # a few come at a time
    async with websockets.connect(site.url, origin=origin, open_timeout=120, ping_interval=None) as socket:
        if site.join:
            await socket.send(orjson.dumps(site.join).decode())
            while orjson.loads(await socket.recv())["type"] != "snapshot":
                pass
        gate.release()
        waiting = asyncio.create_task(ready.wait())
        heard = 0
        while heard < events:
            raw = await socket.recv()
            now = time.perf_counter()
            frame = orjson.loads(raw)
            if frame["type"] == "notification":
                heard += 1
                found.append((now - sent[frame["data"]["n"]]) * 1000)
            elif frame["type"] == "ping":
                await socket.send('{"action":"pong"}')
        await waiting


def _publish_all(publish: Publish, sent: dict[int, float], events: int, every_s: float) -> None:
    for n in range(events):
        sent[n] = time.perf_counter()
        publish(n)
        time.sleep(every_s)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _allow_many_files() -> None:
    """A socket is a file, here and in the servers that inherit this limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4 * MANY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * MANY) if hard > 0 else 4 * MANY, hard))
