"""A stand-in for a voice service's API over real HTTP on loopback: lists calls by time, a hundred at once, and has bad
days. And a storage that gives out recordings."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import Handler, serving


@dataclass
class VoiceService:
    """`calls`: as its API lists them. `faults`: statuses that the next questions are answered with; "html": no JSON."""

    key: str = "a key of the API"
    port: int = 0
    calls: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: deque[Any] = field(default_factory=deque)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listed(self, query: dict[str, str]) -> list[dict[str, Any]]:
        """The newest first, as many as are asked for and a hundred at most."""
        since, until = (_moment(query.get(name, "")) for name in ("updatedAtGe", "updatedAtLt"))
        found = [
            call
            for call in self.calls
            if (since is None or _moment(call["updatedAt"]) >= since)
            and (until is None or _moment(call["updatedAt"]) < until)
        ]
        found.sort(key=lambda call: call["createdAt"], reverse=True)
        return found[: min(int(query.get("limit", 100)), 100)]


def _moment(text: str) -> Any:
    return datetime.fromisoformat(text) if text else None


@contextmanager
def voice_service() -> Iterator[VoiceService]:
    service = VoiceService()

    class Api(Handler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            status, body = self._answer(address.path, {k: v[0] for k, v in parse_qs(address.query).items()})
            self.say(status, {"Content-Type": "application/json", "Retry-After": "7"}, body)
            self.wfile.write(body)

        def _answer(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
            if path.startswith("/files/"):
                content = service.files.get(path.removeprefix("/files/"))
                return (404, b"") if content is None else (200, content)
            service.asked.append(query)
            if self.headers.get("Authorization") != f"Bearer {service.key}":
                return 401, b'{"message": "Invalid Key."}'
            fault = service.faults.popleft() if service.faults else None
            if fault == "html":
                return 200, b"<html>Sign in</html>"
            if fault is not None:
                return int(fault), b'{"message": "No."}'
            if path != "/call":
                return 404, b'{"message": "Not found."}'
            return 200, json.dumps(service.listed(query)).encode()

    with serving(Api) as port:
        service.port = port
        yield service
