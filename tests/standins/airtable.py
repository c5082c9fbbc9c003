"""A stand-in for Airtable's web API over real HTTP on loopback, with its bad days. By hand: `make airtable`."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.standins.airtable_base import NO_MORE_CALLS, NO_TOKEN, NOT_FOUND, TOO_MANY, Airtable, ApiError, Bucket, Json
from tests.standins.airtable_questions import welding_base

RECORDS = re.compile(r"/v0/(app\w+)/([^/]+?)(/listRecords)?")
SCHEMA = re.compile(r"/v0/meta/bases/(app\w+)/tables")
WEBHOOKS = re.compile(r"/v0/bases/(app\w+)/webhooks")
PAYLOADS = re.compile(r"/v0/bases/(app\w+)/webhooks/(ach\w+)/payloads")
REFRESH = re.compile(r"/v0/bases/(app\w+)/webhooks/(ach\w+)(/refresh)?")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    airtable: Airtable

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET

    def _serve(self) -> None:
        address = urlsplit(self.path)
        if address.path.startswith("/files/"):
            self._send_file(unquote(address.path.removeprefix("/files/")))
            return
        length = int(self.headers.get("Content-Length") or 0)
        body: Json = json.loads(self.rfile.read(length) or b"{}")
        fault = ""
        try:
            with self.airtable.lock:
                self.airtable.asked.append((self.command, address.path))
                is_records = RECORDS.fullmatch(address.path)
                fault = self.airtable.faults.popleft() if is_records and self.airtable.faults else ""
                self._check(fault)
                status, answer = 200, self._answer(address.path, body or _asked_by(address.query))
        except ApiError as error:
            status, answer = error.status, error.body
        self._send(status, json.dumps(answer).encode(), fault)

    def _send_file(self, name: str) -> None:
        """As Airtable's own storage: whoever has the address gets it, without a token and uncounted."""
        with self.airtable.lock:
            self.airtable.asked.append((self.command, self.path))
            content = self.airtable.files.get(name)
        self._send(404 if content is None else 200 if content else 503, content or b"", "")

    def _check(self, fault: str) -> None:
        airtable = self.airtable
        if self.headers.get("Authorization") != f"Bearer {airtable.token}":
            raise NO_TOKEN
        airtable.bucket.take()
        if fault == "429":
            airtable.bucket.lock_out()
            raise TOO_MANY
        if fault == "billing":
            raise NO_MORE_CALLS
        if fault == "expire":
            airtable.lose_iterators()

    def _answer(self, path: str, asked: Json) -> Json:
        airtable = self.airtable
        if path == "/v0/meta/bases":
            return {"bases": [{"id": airtable.base_id, "name": "Welding", "permissionLevel": "read"}]}
        for pattern in (SCHEMA, PAYLOADS, WEBHOOKS, REFRESH, RECORDS):
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if found[1] != airtable.base_id:
                raise NOT_FOUND
            if pattern is SCHEMA:
                return airtable.schema()
            if pattern is PAYLOADS:
                return airtable.payloads(found[2], int(asked.get("cursor", 1)), int(asked.get("limit", 50)))
            if pattern is WEBHOOKS:
                return airtable.make_webhook(asked) if self.command == "POST" else airtable.webhooks()
            if pattern is REFRESH:
                return {}
            return airtable.records(unquote(found[2]), asked)
        raise NOT_FOUND

    def _send(self, status: int, text: bytes, fault: str) -> None:
        kind = "application/json"
        if fault == "502":
            status, text, kind = 502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html"
        if fault == "no_json":
            text, kind = b"<html>Please sign in</html>", "text/html"
        if fault == "reset":  # a closed socket with nothing to linger for says RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if fault in ("slow", "cut"):
            half = len(text) // 2
            self.wfile.write(text[:half])
            self.wfile.flush()
            time.sleep(self.airtable.slow_s if fault == "slow" else 0)
            text = text[half:] if fault == "slow" else b""
            self.close_connection = True
        with contextlib.suppress(OSError):  # who asked has given up
            self.wfile.write(text)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: Any) -> None:
        """Not on the tests' output."""


def _asked_by(query: str) -> Json:
    given = parse_qs(query)
    return {
        name.removesuffix("[]"): values if name in ("fields", "fields[]") else values[0]
        for name, values in given.items()
    }


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is no news."""


@contextlib.contextmanager
def serving(airtable: Airtable, port: int = 0) -> Iterator[Airtable]:
    handler = type("BoundHandler", (Handler,), {"airtable": airtable})
    server = Server(("127.0.0.1", port), handler)
    airtable.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield airtable
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def main() -> None:
    parser = ArgumentParser(prog="python -m tests.standins.airtable", description=__doc__)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--lockout", type=float, default=30.0, metavar="SECONDS")
    parser.add_argument("--faults", default="", help="For the next requests of records: 429,502,slow,reset,cut,expire")
    given = parser.parse_args()
    airtable = welding_base(given.records)
    airtable.bucket = Bucket(lockout_s=given.lockout)
    airtable.faults.extend(each for each in given.faults.split(",") if each)
    with serving(airtable, given.port):
        table = next(iter(airtable.tables.values()))
        told = (
            f"Airtable's stand-in, {len(table.records):,} records. In another terminal:",
            f"  export AIRTABLE_URL={airtable.url} AIRTABLE_TOKEN={airtable.token}",
            f"  .venv/bin/python manage.py sync_airtable --base {airtable.base_id} --table {table.id}",
        )
        sys.stdout.write("\n".join(told) + "\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
