"""What is said on a socket beside events, and the codes with which it closes. Documented for clients in
docs/jobs.md."""

from __future__ import annotations

from typing import Any

import orjson

CLOSE_NOT_SIGNED_IN = 4401
CLOSE_NOT_VISIBLE = 4404
CLOSE_TOO_SLOW = 4408
CLOSE_SIGN_IN_CHANGED = 4410
CLOSE_TOO_MUCH = 4429
CLOSE_MESSAGE_TOO_BIG = 1009
CLOSE_OUR_FAULT = 1011

BAD_MESSAGE = 4400
NOT_NOW = 4503


def frame(kind: str, **content: Any) -> str:
    return orjson.dumps({"type": kind, **content}, default=str).decode()


def error(code: int, message: str, channel: str | None = None) -> str:
    """The socket stays open: one channel refused must not take the others along."""
    return frame("error", code=code, message=message, channel=channel)


def snapshot(channel: str, *, seq: int, resumed: bool, live: bool, data: Any) -> str:
    """State as of event `seq`. resumed: what follows continues without a gap after the client's `since`. live: False
    while Redis can't be reached; another snapshot follows when it can."""
    return frame("snapshot", channel=channel, seq=seq, resumed=resumed, live=live, data=data)
