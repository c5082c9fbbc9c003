"""A receiver of webhooks as others would write one: a real HTTP server on loopback that remembers what came."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.local_server import Handler, serving


@dataclass
class Came:
    """One request. Headers by lower-case name."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers`: one per request, the last one for all that follow: (status, headers, body). While `is_open` is not
    set, requests are taken in and not answered."""

    port: int = 0
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=lambda: [(200, {}, b"thanks")])
    came: list[Came] = field(default_factory=list)
    asked_for: list[str | None] = field(default_factory=list)  # names in the TLS greeting
    is_open: threading.Event = field(default_factory=threading.Event)
    has_heard: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def will_answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.answers = [(status, headers or {}, body)]


@contextmanager
def receiver(*, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    said = Receiver()
    said.is_open.set()

    class Hook(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said.came.append(Came(self.command, self.path, headers, body))
            said.has_heard.set()
            said.is_open.wait(300)
            status, more, content = said.answers[min(len(said.came), len(said.answers)) - 1]
            self.say(status, more, content)
            self.wfile.write(content)

        do_GET = do_POST

    if tls is not None:
        tls.sni_callback = lambda connection, name, context: said.asked_for.append(name)
    with serving(Hook, tls=tls) as said.port:
        try:
            yield said
        finally:
            said.is_open.set()
