"""The consumer at /ws/: who is it, what do they ask, do they ask too much. Events go past it, from hub to client."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from accounts.models import User

from .. import metrics, tuning
from . import access, frames
from .client import Client
from .hub import hub

LAST_SEQ = 1 << 62  # what a stream of Redis can be asked for; numbers come from a clock


class LiveConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """Messages in: `{"action": "auth", "token"}`, `join` (channel, since), `leave` (channel), `ping`, `pong`."""

    def __init__(self) -> None:
        self.client: Client | None = None
        self._allowance = tuning.SOCKET_MESSAGES_BURST
        self._heard_at = time.monotonic()
        self._refused = 0
        self._closed = False  # frames that were on their way when we closed are not listened to
        self._watch: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._watch is not None:
                self._watch.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await self._watch
            if self.client is not None:
                await self.client.gone()

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        await self.send({"type": "websocket.accept"})
        token = _token_of(self.scope)
        user = self.scope.get("user")  # of a session; there is none where no page's origin was named
        if token:
            await self._sign_in(await access.in_thread(access.user_of_token, token))
        elif user is not None and user.is_authenticated:
            fresh = await access.in_thread(User.objects.filter(pk=user.pk).first)
            await self._sign_in(fresh, self.scope["session"].session_key)
        else:
            self._watch = asyncio.create_task(self._close_unless_signed_in())

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        if self._closed:
            return
        self._heard_at = time.monotonic()
        raw = message.get("text") or message.get("bytes") or ""
        if len(raw) > tuning.SOCKET_MESSAGE_BYTES:
            await self._close(frames.CLOSE_MESSAGE_TOO_BIG)
        elif not self._has_allowance():
            await self._close(frames.CLOSE_TOO_MUCH)
        elif self.client is None:
            await self._expect_token(_parsed(raw))
        else:
            await self._act(self.client, _parsed(raw))

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        raise StopConsumer

    async def _expect_token(self, asked: dict[str, Any]) -> None:
        token = asked.get("token")
        user = await access.in_thread(access.user_of_token, token) if isinstance(token, str) else None
        await self._sign_in(user)

    async def _sign_in(self, user: User | None, session_key: str = "") -> None:
        if self._watch is not None:
            self._watch.cancel()
        if user is None or not user.is_active:
            await self._close(frames.CLOSE_NOT_SIGNED_IN)
            return
        self.client = Client(user, access.sign_in_of(user, session_key), hub(), self.send)
        self.client.tell(frames.frame("welcome", user_id=user.pk))
        self._watch = asyncio.create_task(self._ping_for_ever(self.client))

    async def _act(self, client: Client, asked: dict[str, Any]) -> None:
        action, channel = asked.get("action"), asked.get("channel")
        if action == "ping":
            client.tell(frames.frame("pong"))
        elif action == "join" and isinstance(channel, str):
            await self._join(client, channel, asked.get("since"))
        elif action == "leave" and isinstance(channel, str):
            client.leave(channel)
            client.tell(frames.frame("left", channel=channel))
        elif action != "pong":
            client.tell(frames.error(frames.BAD_MESSAGE, "Ask with an action: join, leave (with a channel), ping."))

    async def _join(self, client: Client, channel: str, since: Any) -> None:
        if channel not in client.seats and len(client.seats) >= tuning.SOCKET_CHANNELS:
            client.tell(frames.error(frames.CLOSE_TOO_MUCH, "Too many channels on one socket.", channel))
        elif await access.in_thread(access.may_join, client.user, channel):
            metrics.JOINS.labels("joined").inc()
            client.join(channel, since if isinstance(since, int) and 0 < since < LAST_SEQ else None)
        else:
            metrics.JOINS.labels("refused").inc()
            client.tell(frames.error(frames.CLOSE_NOT_VISIBLE, "There is no such channel.", channel))
            self._refused += 1
            if self._refused >= tuning.SOCKET_REFUSED_JOINS:
                client.close(frames.CLOSE_NOT_VISIBLE)

    def _has_allowance(self) -> bool:
        """A token bucket, refilled by the time since the last message."""
        now = time.monotonic()
        earned = (now - getattr(self, "_counted_at", now)) * tuning.SOCKET_MESSAGES_PER_S
        self._counted_at = now
        self._allowance = min(tuning.SOCKET_MESSAGES_BURST, self._allowance + earned) - 1
        return self._allowance >= 0

    async def _close(self, code: int) -> None:
        if self.client is not None:
            self.client.close(code)
        elif not self._closed:
            self._closed = True
            metrics.CLOSES.labels(str(code)).inc()
            await self.send({"type": "websocket.close", "code": code})

    async def _close_unless_signed_in(self) -> None:
        await asyncio.sleep(tuning.SOCKET_SIGN_IN_S)
        await self._close(frames.CLOSE_NOT_SIGNED_IN)

    async def _ping_for_ever(self, client: Client) -> None:
        """A peer that vanished without a word (a closed lid, a lost network) is noticed by its silence."""
        while True:
            await asyncio.sleep(tuning.SOCKET_PING_EVERY_S)
            asked_at = time.monotonic()
            client.tell(frames.frame("ping"))
            await asyncio.sleep(tuning.SOCKET_PONG_WITHIN_S)
            if self._heard_at < asked_at:
                client.close(frames.CLOSE_TOO_SLOW)
                return


def _token_of(scope: dict[str, Any]) -> str:
    """From the address (what browsers can do) or the header (what keeps it out of logs); "": none."""
    for name, value in scope.get("headers", ()):
        if name == b"authorization":
            kind, _, token = value.decode("latin1").partition(" ")
            return str(token).strip() if kind.lower() == "bearer" else ""
    asked = parse_qs(scope.get("query_string", b"").decode("latin1"))
    return str(asked.get("token", [""])[0])


def _parsed(raw: str | bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(raw)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
