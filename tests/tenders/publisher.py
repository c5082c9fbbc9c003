"""A publisher's server as it could be: conditional, in pages, cut off in the middle, overloaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.local_server import Handler, serving


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

    class Shelf(Handler):
        def do_GET(self) -> None:
            given = {name.lower(): value for name, value in self.headers.items()}
            said.came.append((self.path, given))
            status, headers, body = _answer(said, self.path, given)
            self.say(status, headers, body)
            if said.cuts and len(body) > said.cut_after:
                said.cuts -= 1
                body = body[: said.cut_after]
                self.close_connection = True
            self.wfile.write(body)

    with serving(Shelf) as said.port:
        yield said


def _answer(said: Publisher, path: str, given: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    if said.refusals:
        return *said.refusals.pop(0), b""
    if path not in said.files:
        return 404, {}, b""
    if said.etag and given.get("if-none-match") == said.etag:
        return 304, {"ETag": said.etag}, b""
    body = said.files[path]
    more = dict(said.headers) | ({"ETag": said.etag} if said.etag else {})
    asked = given.get("range", "")
    if asked and said.has_ranges and given.get("if-range") == said.etag:
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        return 206, more | {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, body[start:]
    return 200, more, body
