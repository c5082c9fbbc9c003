"""Many connections that each ask again as soon as they are answered: `python -m benchmarks.http_load PORT PATH
CONNECTIONS SECONDS` prints `{"per_s", "p50_ms", "p99_ms", "statuses"}`. As little as a client can do."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import uvloop


class Asker(asyncio.Protocol):
    def __init__(self, request: bytes, taken: list[float], statuses: Counter[str]) -> None:
        self.request, self.taken, self.statuses = request, taken, statuses
        self.rest = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.rest += data
        head, separator, body = self.rest.partition(b"\r\n\r\n")
        if not separator:
            return
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.taken.append(time.perf_counter() - self.began)
        self.statuses[head[9:12].decode()] += 1
        self.rest = b""
        self.ask()


async def load(port: int, path: str, connections: int, seconds: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    taken: list[float] = []
    statuses: Counter[str] = Counter()
    transports = [
        (await loop.create_connection(lambda: Asker(request, taken, statuses), "127.0.0.1", port))[0]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 4)  # the first of it warms up
    taken.clear()
    statuses.clear()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    times = sorted(taken)
    for transport in transports:
        transport.abort()
    return {
        "per_s": len(times) / took,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[len(times) * 99 // 100],
        "statuses": dict(statuses),
    }


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(load(int(port), path, int(connections), float(seconds)))))
