"""A publisher's server as it could be: conditional, in pages, cut off in the middle, overloaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Publisher:
    """`files` by path. `etag`: sent, and compared. `cut_after`: of each answer, so many bytes of the body are sent and
    the connection is closed, so many times (`cuts`). `refusals`: (status, headers) before anything is served."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    etag: str = ""
    has_ranges: bool = True
    cut_after: int = 0
    cuts: int = 0
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    came: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def publisher() -> Iterator[Publisher]:
    said = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            given = {name.lower(): value for name, value in self.headers.items()}
            said.came.append((self.path, given))
            if said.refusals:
                self._answer(*said.refusals.pop(0), b"")
            elif self.path not in said.files:
                self._answer(404, {}, b"")
            elif said.etag and given.get("if-none-match") == said.etag:
                self._answer(304, {"ETag": said.etag}, b"")
            else:
                self._serve(said.files[self.path], given)

        def _serve(self, body: bytes, given: dict[str, str]) -> None:
            more = dict(said.headers) | ({"ETag": said.etag} if said.etag else {})
            asked = given.get("range", "")
            if asked and said.has_ranges and given.get("if-range") == said.etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                more["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
                self._answer(206, more, body[start:])
            else:
                self._answer(200, more, body)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if said.cuts and len(body) > said.cut_after:
                said.cuts -= 1
                body = body[: said.cut_after]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Not on the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    said.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
