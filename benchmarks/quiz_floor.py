"""What the server alone can do: an answer as long as a quiz, with as many headers, and nothing behind it.
`uvicorn benchmarks.quiz_floor:app`."""

from __future__ import annotations

import os
from typing import Any

BODY = b"x" * int(os.environ.get("BENCH_BYTES", "4000"))
HEADERS = [
    (b"content-type", b"application/json"),
    (b"x-cache", b"none"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"ratelimit", b'"quiz-900";r=999999999;t=900'),
    (b"ratelimit-policy", b'"quiz-900";q=1000000000;w=900'),
    (b"ratelimit-limit", b"1000000000"),
    (b"ratelimit-remaining", b"999999999"),
    (b"ratelimit-reset", b"900"),
    (b"content-length", b"%d" % len(BODY)),
]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
