"""From `publish` to the browser: one client on a real server, beside the least that could do the same."""

from __future__ import annotations

import asyncio
import os
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

EVENTS = 300
EVERY_S = 0.02
MEDIAN_MS = 5.0
CHANNEL = "bench:reference"

Publish = Callable[[int], None]


def measure() -> Iterator[Report]:
    from accounts.services import create_person, tokens_for
    from jobs import events as said
    from projects.services.opening import open_project

    user = create_person(email="live@plumbline.example", password=None, full_name="Live")
    project = open_project(actor=user, name="Live")
    channel = f"project:{project.pk}"
    with web() as port:
        ours = asyncio.run(
            _latencies(
                f"ws://127.0.0.1:{port}/ws/?token={tokens_for(user=user).access}",
                lambda n: said.publish(channel, "notification", {"n": n, "level": "info", "text": "measured"}) and None,
                join={"action": "join", "channel": channel},
            )
        )
    port = free_port()
    client = redis.Redis.from_url(os.environ["REDIS_URL"])
    with running("-m", "benchmarks.bare_hub", str(port), CHANNEL, port=port):
        bare = asyncio.run(
            _latencies(
                f"ws://127.0.0.1:{port}/",
                lambda n: client.publish(CHANNEL, orjson.dumps({"type": "notification", "data": {"n": n}})) and None,
            )
        )
    report = Report(f"An event from publish to a client, {EVENTS} times")
    report.claim("median", statistics.median(ours), "ms", MEDIAN_MS,
                 reference=f"Redis pub/sub and a bare websocket: {statistics.median(bare):.2f} ms")  # fmt: skip
    report.figure("95th percentile", f"{_p95(ours):.2f} ms; reference {_p95(bare):.2f} ms")
    yield report


async def _latencies(url: str, publish: Publish, join: dict[str, Any] | None = None) -> list[float]:
    """Milliseconds from the call of `publish`, in another thread, to the frame in hand."""
    sent: dict[int, float] = {}
    found: list[float] = []
    async with websockets.connect(url, origin=f"http://{urlsplit(url).netloc}") as socket:  # as a browser sends it
        if join:
            await socket.send(orjson.dumps(join).decode())
            while orjson.loads(await socket.recv())["type"] != "snapshot":
                pass
        await asyncio.sleep(0.5)
        threading.Thread(target=_publish_all, args=(publish, sent), daemon=True).start()
        while len(found) < EVENTS:
            frame = orjson.loads(await asyncio.wait_for(socket.recv(), 10))
            if frame["type"] == "notification":
                found.append((time.perf_counter() - sent[frame["data"]["n"]]) * 1000)
    return found


def _publish_all(publish: Publish, sent: dict[int, float]) -> None:
    for n in range(EVENTS):
        sent[n] = time.perf_counter()
        publish(n)
        time.sleep(EVERY_S)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
