"""The reference of events: Redis pub/sub, and websockets that pass on whatever comes, without compression. `python -m
benchmarks.bare_hub PORT CHANNEL`."""

from __future__ import annotations

import asyncio
import os
import sys

import redis.asyncio
import websockets


async def main(port: int, channel: str) -> None:
    clients: set[websockets.ServerConnection] = set()

    async def serve(socket: websockets.ServerConnection) -> None:
        clients.add(socket)
        await socket.wait_closed()
        clients.discard(socket)

    client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"])
    subscription = client.pubsub()
    await subscription.subscribe(channel)
    async with websockets.serve(serve, "127.0.0.1", port, compression=None, ping_interval=None):
        async for message in subscription.listen():
            if message["type"] == "message":
                websockets.broadcast(clients, message["data"].decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
