"""A client of the socket, in this process: what a page, or a program, says and hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client as Browser

from accounts.models import User
from jobs.sockets.routing import socket_application

ORIGIN = (b"origin", b"http://testserver")


class Socket:
    """A client as a page sees it."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.raw = communicator

    async def say(self, **message: Any) -> None:
        await self.raw.send_to(text_data=orjson.dumps(message).decode())

    async def hear(self) -> dict[str, Any]:
        """The next frame; a close as `{"type": "closed", "code"}`."""
        output = await self.raw.receive_output(20)
        if output["type"] == "websocket.close":
            return {"type": "closed", "code": output.get("code")}
        return orjson.loads(output["text"])

    async def until(self, kind: str) -> dict[str, Any]:
        while True:
            frame = await self.hear()
            if frame["type"] == kind:
                return frame
            assert frame["type"] != "closed", frame

    async def until_closed(self) -> int:
        while (frame := await self.hear())["type"] != "closed":
            pass
        return int(frame["code"])

    async def join(self, channel: str, since: int | None = None) -> dict[str, Any]:
        """Join and return the snapshot."""
        await self.say(action="join", channel=channel, since=since)
        return await self.until("snapshot")


@asynccontextmanager
async def connected(
    user: User | None = None,
    query: str = "",
    *,
    browser: Browser | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (ORIGIN,),
) -> AsyncIterator[Socket]:
    """With the session of `browser`, or of one in which `user` has just signed in; else without any."""
    if user is not None:
        browser = Browser()
        await sync_to_async(browser.force_login)(user)
    if browser is not None:
        headers = (*headers, (b"cookie", f"sessionid={browser.cookies['sessionid'].value}".encode()))
    communicator = WebsocketCommunicator(socket_application, f"/ws/{query}", headers)
    accepted, _ = await communicator.connect(20)
    assert accepted
    try:
        yield Socket(communicator)
    finally:
        await communicator.disconnect(20)
