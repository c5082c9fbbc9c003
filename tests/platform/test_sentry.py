"""Sentry: what reaches it, over HTTP, from a process that is configured as a server is; and what does not."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from accounts.models import User
from jobs.models import Job

SECRET = "s3cr3t-that-nobody-may-see"
PROGRAM = f"""
import django
django.setup()
import sentry_sdk
import tests.jobs.kinds
from django.core.wsgi import get_wsgi_application
from django.views.decorators.csrf import csrf_exempt
from django.test import Client, RequestFactory
from django.urls import path
from accounts.models import User
from jobs.models import Job
from jobs.registry import register
from jobs.services import enqueue
from jobs.worker import Drain

@register("tests.says_much")
def says_much(run, params):
    raise RuntimeError("cannot mail who@example.com, password={SECRET}")

@register("tests.isolated_bug", isolated=True)
def isolated_bug(run, params):
    raise ZeroDivisionError("in a child of its own")

user = User.objects.get()
for kind in ("tests.says_much", "tests.isolated_bug", "tests.refuse", "tests.temporary", "tests.echo", "tests.slow"):
    enqueue(kind=kind, params={{"password": "{SECRET}"}}, actor=user)
drain = Drain()
drain.all_of(Job.Queue.values)
drain.heart.stop()

@csrf_exempt
def broken(request):
    local = "{SECRET}"
    raise LookupError("a page that fails")

import config.urls
config.urls.urlpatterns.append(path("broken", broken))
client = Client(raise_request_exception=False)
headers = {{"authorization": "Bearer {SECRET}", "x-request-id": "request-12345"}}
asked = RequestFactory().post("/broken?token={SECRET}", {{"password": "{SECRET}"}}, headers=headers)
told = []
list(get_wsgi_application()(asked.environ, lambda status, headers: told.append(status)))  # as a server calls it
assert told[0].startswith("500"), told
assert client.get("/no-such-page").status_code == 404
assert client.get("/api/jobs/").status_code == 401
sentry_sdk.flush(timeout=30)
"""


class Inbox:
    """Events by the name of their exception, and everything as it arrived."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.lock = threading.Lock()

    def take(self, body: bytes) -> None:
        with self.lock:
            self.raw.append(body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """An envelope is lines of JSON: its header, then for each item a header and a payload."""
        found = []
        for body in self.raw:
            lines = body.split(b"\n")
            for header, payload in zip(lines[1::2], lines[2::2], strict=False):
                if header and json.loads(header).get("type") == "event":
                    found.append(json.loads(payload))
        return found

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["exception"]["values"][-1]["type"] == name]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    found = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            """Not on the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.port = server.server_address[1]  # type: ignore[attr-defined]
    yield found
    server.shutdown()
    server.server_close()


def run(**environment: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.django_db(transaction=True)
def test_unexpected_errors_arrive_once_with_their_job_and_without_anybodys_data(inbox: Inbox) -> None:
    user = User.objects.create_user("who@example.com", "a long password", full_name="Somebody Known")
    run(SENTRY_DSN=f"http://key@127.0.0.1:{inbox.port}/1", RELEASE="2026.11", SENTRY_ENVIRONMENT="trial")  # type: ignore[attr-defined]

    names = sorted(event["exception"]["values"][-1]["type"] for event in inbox.events)
    assert names == ["LookupError", "OutOfTime", "RuntimeError", "ZeroDivisionError"]

    [of_job] = inbox.named("RuntimeError")
    job = Job.objects.get(kind="tests.says_much")
    assert of_job["tags"]["job_id"] == str(job.pk)
    assert (of_job["tags"]["kind"], of_job["tags"]["attempt"]) == ("tests.says_much", "1")
    assert (of_job["release"], of_job["environment"]) == ("2026.11", "trial")
    assert of_job["user"] == {"id": str(user.pk)}

    [of_page] = inbox.named("LookupError")
    assert of_page["tags"]["request_id"] == "request-12345"
    assert of_page["request"]["url"].endswith("/broken") and set(of_page["request"]) == {"method", "url"}

    everything = json.dumps(inbox.events)
    assert not [what for what in (SECRET, "who@example.com", "Somebody Known") if what in everything]


@pytest.mark.django_db(transaction=True)
def test_without_a_dsn_nothing_is_sent_and_the_sdk_is_not_even_loaded(inbox: Inbox) -> None:
    program = "import sys, django; django.setup(); import jobs.worker; assert 'sentry_sdk' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"SENTRY_DSN": ""}, check=True)
    assert not inbox.raw
