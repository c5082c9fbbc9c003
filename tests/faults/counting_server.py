"""An HTTP server that counts how many requests it has in hand at once: what a provider would see. Its own process.

Each request states in `X-Valid-Until` when its sender's lease ends (seconds of `jobs.limits.lease.clock`, the same for
all processes of a machine) and takes `X-Takes` seconds. It is in hand until it is answered, its connection drops, or
its lease ends: then the server ends it, as its sender's timeout does if the sender gets to run. So a sender starved of
the processor can't keep a request going beyond its lease, and the count is exact however loaded the machine is:

Before a request is counted, those that ended are taken out. The one at hand was sent after its place was given; that
was after the place's former holder had released it, so its answer had been sent, or after the former lease had ended,
so that request is over by the clock.
"""

from __future__ import annotations

import json
import os
import selectors
import socket
import sys
import time
from dataclasses import dataclass

CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass
class Request:
    unit: str
    until: float
    done_at: float


class Server:
    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.unread: dict[socket.socket, bytes] = {}
        self.in_hand: dict[socket.socket, Request] = {}
        self.served: set[str] = set()
        self.stats = {"peak": 0, "answered": 0, "dropped": 0, "over": 0, "late": 0}

    def run(self) -> None:
        sys.stdout.write(f"{self.listener.getsockname()[1]}\n")
        sys.stdout.flush()
        parent = os.getppid()
        while True:
            ends = [min(request.done_at, request.until) for request in self.in_hand.values()]
            wait_s = max(0.0, min(ends) - now()) if ends else 1.0
            if os.getppid() != parent:
                return  # the test was killed
            for key, _ in self.selector.select(wait_s):
                if key.fileobj is self.listener:
                    self.accept()
                elif key.fileobj in self.unread:
                    self.read(key.fileobj)  # type: ignore[arg-type]
            self.take_out_what_ended()

    def accept(self) -> None:
        connection, _ = self.listener.accept()
        connection.setblocking(False)
        self.unread[connection] = b""
        self.selector.register(connection, selectors.EVENT_READ)

    def read(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(4096)
        except OSError:
            received = b""
        head = self.unread[connection] = self.unread[connection] + received
        if not received:
            self.close(connection)
        elif head.endswith(b"\r\n\r\n"):
            del self.unread[connection]
            self.begin(connection, head.decode())

    def begin(self, connection: socket.socket, head: str) -> None:
        lines = head.split("\r\n")
        if lines[0].startswith("GET /stats "):
            self.answer(connection, 200, json.dumps(self.stats | {"served": sorted(self.served)}))
            return
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        request = Request(lines[0].split()[1], float(headers["X-Valid-Until"]), now() + float(headers["X-Takes"]))
        self.take_out_what_ended()
        if now() >= request.until:
            self.stats["late"] += 1
            self.answer(connection, 409, "The lease is over.")
            return
        self.in_hand[connection] = request
        self.stats["peak"] = max(self.stats["peak"], len(self.in_hand))

    def take_out_what_ended(self) -> None:
        for connection, request in list(self.in_hand.items()):
            if self.is_dropped(connection):
                self.end(connection, "dropped")
            elif now() >= request.until:
                self.end(connection, "over")
            elif now() >= request.done_at:
                del self.in_hand[connection]  # before the answer, upon which the place is released
                self.stats["answered"] += 1
                self.served.add(request.unit)
                self.answer(connection, 200, "done")

    def is_dropped(self, connection: socket.socket) -> bool:
        try:
            return connection.recv(1) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def end(self, connection: socket.socket, how: str) -> None:
        del self.in_hand[connection]
        self.stats[how] += 1
        self.close(connection)

    def answer(self, connection: socket.socket, status: int, body: str) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        try:
            connection.setblocking(True)
            connection.sendall((head + body).encode())
        except OSError as error:
            sys.stderr.write(f"the client is gone: {error}\n")
        self.close(connection)

    def close(self, connection: socket.socket) -> None:
        self.unread.pop(connection, None)
        self.selector.unregister(connection)
        connection.close()


def now() -> float:
    return time.clock_gettime(CLOCK)


if __name__ == "__main__":
    Server().run()
