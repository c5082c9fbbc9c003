"""A model server on loopback, in threads of its own, that speaks Anthropic's messages and OpenAI's chat completions,
and fails as real ones do: as scripted, or at a rate.

It counts what it is asked, what it has in flight, and every fault it makes. A request is in flight until its answer is
sent or its sender has hung up; who hung up before a request came does not count beside it, however late this process
is to notice.

    python -m tests.ai.stand_in '{"latency_s": 0.2, "faults": ["429", "reset"], "rate": 0.2}'

is a process of its own, which prints its address and ends with its standard input. GET /seen tells what it has seen.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

from .stand_in_batches import Batches

BASE_DIR = Path(__file__).resolve().parent.parent.parent
Json = dict[str, Any]

STATUSES = {"429": 429, "529": 529, "500": 500, "401": 401, "402": 402, "403": 403, "400": 400}
MISFIT = {"nothing": "of what was asked"}
RESET, SILENCE = (0, "reset"), (0, "silence")  # instead of an answer


@dataclass
class Behaviour:
    """`script`: what the next requests meet, in turn; after it, at `rate`, one of `faults`. `answer`: the JSON that is
    answered with. `refuses`: fields of a request that this server does not take. `key`: which is accepted; None: any.
    """

    answer: Callable[[Json], Any] = lambda body: {"title": "Road works", "score": 0.5, "tags": ["road"]}
    about: Callable[[Json], str] = lambda body: ""
    script: list[str] = field(default_factory=list)
    faults: tuple[str, ...] = ()
    rate: float = 0.0
    latency_s: float = 0.0
    silence_s: float = 30.0
    retry_after: str | None = None
    refuses: tuple[str, ...] = ()
    key: str | None = None
    message: str = "as the test wants it"
    hint: str = ""
    has_usage: bool = True


@dataclass
class Seen:
    requests: list[Json] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)  # by what `Behaviour.about` makes of the request
    in_flight: set[socket.socket] = field(default_factory=set)
    most_in_flight: int = 0
    connections: int = 0

    def told(self) -> Json:
        return {
            "requests": len(self.requests),
            "in_flight": len(self.in_flight),
            "most_in_flight": self.most_in_flight,
            "faults": dict(self.faults),
            "answered": dict(self.answered),
        }


class StandIn(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.behaviour = Behaviour()
        self.seen = Seen()
        self.batches = Batches()
        self.lock = threading.Lock()
        self.dice = random.Random(20261122)
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""

    def next_fate(self) -> str:
        with self.lock:
            told = self.behaviour
            if told.script:
                fate = told.script.pop(0)
            elif told.faults and self.dice.random() < told.rate:
                fate = self.dice.choice(told.faults)
            else:
                fate = ""
            if fate not in ("", "fenced"):
                self.seen.faults[fate] += 1
            return fate


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.seen.connections += 1

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def do_GET(self) -> None:
        if self.path == "/seen":
            with self.server.lock:
                self.send(200, self.server.seen.told())
        else:
            self.send(*self.about_batches({}))

    def about_batches(self, body: Json) -> tuple[int, Any]:
        """By the parts of the path: /v1/messages/batches, then a batch's name, then what is wanted of it."""
        batches, (name, wanted) = self.server.batches, (*self.path.split("?")[0].split("/")[4:], "", "")[:2]
        fate, batch = self.server.next_fate(), batches.made.get(name)
        if fate in STATUSES or not self.has_key():
            status = STATUSES.get(fate, 401)
            return status, self.failure("api_error")
        if self.command == "POST" and not name:
            made = batches.told(batches.create(body))
            return RESET if fate == "reset" else (200, made)  # it has arrived, and nobody is told
        if not name:
            return 200, {"data": [batches.told(each) for each in reversed(batches.made.values())]}
        if batch is None:
            return 404, self.failure("not_found_error")
        if wanted == "results":
            return 200, batches.results(batch, self.reply)
        batch.is_canceled = batch.is_canceled or wanted == "cancel"
        return 200, batches.look(batch)

    def has_key(self) -> bool:
        given = self.headers.get("x-api-key"), (self.headers.get("authorization") or "").removeprefix("Bearer ")
        return self.server.behaviour.key is None or self.server.behaviour.key in given

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))
        if self.path.startswith("/v1/messages/batches"):
            self.send(*self.about_batches(body))
            return
        with server.lock:
            server.seen.requests.append(body)
            server.seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.seen.in_flight -= {each for each in server.seen.in_flight if _has_hung_up(each)}
            server.seen.in_flight.add(self.connection)
            server.seen.most_in_flight = max(server.seen.most_in_flight, len(server.seen.in_flight))
        try:
            answer = self.decide(body)
        finally:
            # Before the answer goes out: once the client has it, its place may be another's.
            with server.lock:
                server.seen.in_flight.discard(self.connection)
        self.send(*answer)

    def decide(self, body: Json) -> tuple[int, Any]:
        told = self.server.behaviour
        if told.latency_s:
            time.sleep(told.latency_s)
        if self.path not in ("/v1/messages", "/v1/chat/completions"):
            return 404, self.failure("not_found_error")
        if not self.has_key():
            return 401, self.failure("authentication_error")
        for name in told.refuses:
            if name in body or name == (body.get("response_format") or {}).get("type"):
                return 400, {"error": {"type": "invalid_request_error", "message": f"Unsupported: {name}.{told.hint}"}}
        fate = self.server.next_fate()
        if fate in STATUSES:
            return STATUSES[fate], self.failure("api_error")
        if fate == "silence":
            self.wait_for_hang_up(told.silence_s)
            return SILENCE
        if fate == "reset":
            return RESET
        with self.server.lock:
            self.server.seen.answered[told.about(body)] += fate in ("", "fenced")
        return 200, self.reply(body, fate)

    def wait_for_hang_up(self, at_most_s: float) -> None:
        end = time.monotonic() + at_most_s
        while time.monotonic() < end and not self.server.over.wait(0.02) and not _has_hung_up(self.connection):
            pass

    def reply(self, body: Json, fate: str) -> Any:
        text = json.dumps(self.server.behaviour.answer(body))
        if fate == "html":
            return "<html>Welcome to the portal</html>"
        text = {
            "truncated": text[: len(text) // 2],
            "refusal": "",
            "wrong_schema": json.dumps(MISFIT),
            "fenced": f"<think>Perhaps {{1}}? No.</think>\nHere it is:\n```json\n{text}\n```\nAnything else?",
            "prose": "I would rather talk about the weather.",
        }.get(fate, text)
        tokens = {"truncated": 5}.get(fate, 20)
        if self.path.startswith("/v1/messages"):
            return self.message(body, text, fate, tokens)
        reason = {"truncated": "length", "refusal": "content_filter"}.get(fate, "stop")
        said: Json = {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": reason}]}
        said["model"] = body["model"]
        if self.server.behaviour.has_usage:
            said["usage"] = {"prompt_tokens": 100, "completion_tokens": tokens}
        return said

    def message(self, body: Json, text: str, fate: str, tokens: int) -> Json:
        said = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": text}],
            "stop_reason": {"truncated": "max_tokens", "refusal": "refusal"}.get(fate, "end_turn"),
        }
        return said | (
            {"usage": {"input_tokens": 100, "output_tokens": tokens}} if self.server.behaviour.has_usage else {}
        )

    def failure(self, kind: str) -> Json:
        return {"type": "error", "error": {"type": kind, "message": self.server.behaviour.message}}

    def send(self, status: int, document: Any) -> None:
        if (status, document) == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if (status, document) in (RESET, SILENCE):
            self.close_connection = True
            self.connection.close()
            return
        raw = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        if status in (429, 529) and self.server.behaviour.retry_after is not None:
            self.send_header("retry-after", self.server.behaviour.retry_after)
        self.end_headers()
        self.wfile.write(raw)


def _has_hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def main() -> None:
    """Functions of the behaviour are given as `module:name`."""
    plan = json.loads(sys.argv[1])
    for name in plan.keys() & {"answer", "about"}:
        module, _, function = plan[name].partition(":")
        plan[name] = getattr(import_module(module), function)
    server = StandIn(plan.pop("port", 0))
    server.behaviour = Behaviour(**plan)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    sys.stdin.read()


@contextmanager
def elsewhere(**plan: Any) -> Iterator[str]:
    """In a process of its own, which dies with this one; its address."""
    program = [sys.executable, "-m", "tests.ai.stand_in", json.dumps(plan)]
    with subprocess.Popen(program, cwd=BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin and server.stdout
        yield server.stdout.readline().strip()
        server.stdin.close()


def seen_by(url: str) -> Json:
    with urllib.request.urlopen(f"{url}/seen", timeout=60) as response:
        seen: Json = json.load(response)
        return seen


@contextmanager
def running() -> Iterator[StandIn]:
    server = StandIn()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


if __name__ == "__main__":
    main()
