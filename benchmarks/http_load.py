"""Many connections that each ask again as soon as they are answered: `python -m benchmarks.http_load PORT PATH
CONNECTIONS SECONDS` prints `{"per_s", "p50_ms", "p99_ms", "asking_us", "statuses"}`. As little as a client can do."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

import uvloop


class Asker(asyncio.Protocol):
    """Head and body may come apart: uvicorn writes them one after the other."""

    def __init__(self, request: bytes, taken: list[float], statuses: Counter[bytes]) -> None:
        self.request, self.taken, self.statuses = request, taken, statuses
        self.head, self.missing = b"", 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
        else:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            self.missing = end + 4 + length_of(self.head, end) - len(self.head)
        if self.missing <= 0:
            self.taken.append(time.perf_counter() - self.began)
            self.statuses[self.head[9:12]] += 1
            self.head, self.missing = b"", 0
            self.ask()


def length_of(head: bytes, end: int) -> int:
    at = head.find(b"content-length: ", 0, end)
    if at < 0:
        at = head.lower().index(b"content-length: ", 0, end)
    return int(head[at + 16 : head.find(b"\r\n", at)])


async def load(port: int, path: str, connections: int, seconds: float) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    taken: list[float] = []
    statuses: Counter[bytes] = Counter()
    transports = [
        (await loop.create_connection(lambda: Asker(request, taken, statuses), "127.0.0.1", port))[0]
        for _ in range(connections)
    ]
    await asyncio.sleep(seconds / 4)  # the first of it warms up
    taken.clear()
    statuses.clear()
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took, cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    times = sorted(taken)
    for transport in transports:
        transport.abort()
    return {
        "per_s": len(times) / took,
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[len(times) * 99 // 100],
        "asking_us": 1e6 * cpu_s / max(len(times), 1),
        "statuses": {status.decode(): count for status, count in statuses.items()},
    }


if __name__ == "__main__":
    port, path, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(load(int(port), path, int(connections), float(seconds)))))
