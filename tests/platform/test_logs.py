"""Log lines: what ties them together, and what must not be in them."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from django.conf import LazySettings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from accounts.models import User
from config.scrubbing import scrub, scrub_text
from config.settings.logs import SHARED, rendering
from config.tracing import RequestIdMiddleware
from jobs import worker
from jobs.models import Job
from jobs.registry import register
from jobs.run import Run
from jobs.services import enqueue
from tests.factories.people import PASSWORD, make_organisation, make_user

log = structlog.get_logger("tests.logs")
SECRET = "s3cr3t-that-nobody-may-see"


@register("tests.logs_a_line")
def logs_a_line(run: Run, params: dict[str, object]) -> None:
    log.warning("in_the_job")
    if params.get("again"):
        enqueue(kind="tests.logs_a_line", params={})


class Lines:
    """What was written as a server writes it: one JSON object a line."""

    def __init__(self) -> None:
        self.stream = StringIO()

    def all(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def of(self, event: str) -> list[dict[str, object]]:
        return [line for line in self.all() if line["event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    found = Lines()
    handler = logging.StreamHandler(found.stream)
    pre_chain = [*SHARED, structlog.stdlib.ExtraAdder()]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=rendering("json"), foreign_pre_chain=pre_chain))
    root, requests = logging.getLogger(), logging.getLogger("django_structlog")
    levels = root.level, requests.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    requests.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    root.setLevel(levels[0])
    requests.setLevel(levels[1])


@pytest.mark.django_db
def test_a_request_is_one_line_with_its_number_its_route_and_who_asked(client: Client, lines: Lines) -> None:
    user = make_user("asker", organisation=make_organisation())
    client.force_login(user)
    answer = client.get("/jobs/")
    [line] = lines.of("request_finished")
    assert line["request_id"] == answer["X-Request-ID"]
    assert (line["route"], line["code"], line["user_id"]) == ("/jobs/", 200, str(user.pk))
    assert isinstance(line["ms"], float)
    assert user.email not in lines.stream.getvalue()


@pytest.mark.django_db
def test_who_comes_with_a_token_is_named_too(client: Client, lines: Lines) -> None:
    user = make_user("machine", organisation=make_organisation())
    credentials = {"email": user.email, "password": PASSWORD}
    tokens = client.post("/api/auth/login", credentials, content_type="application/json").json()
    client.get("/api/jobs/", headers={"authorization": f"Bearer {tokens['access']}"})
    line = lines.of("request_finished")[-1]
    assert line["user_id"] == str(user.pk)
    written = lines.stream.getvalue()
    assert tokens["access"] not in written and tokens["refresh"] not in written and PASSWORD not in written


def _echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["HTTP_X_REQUEST_ID"])


@pytest.mark.parametrize("offered", ["0123abcd-4567-89ef", "01J9ZZZZZZZZZZZZZZZZZZZZZZ"])
def test_the_proxys_number_is_taken_over(offered: str) -> None:
    request = RequestFactory().get("/", headers={"x-request-id": offered})
    answer = RequestIdMiddleware(_echo)(request)
    assert answer["X-Request-ID"] == offered == answer.content.decode()


@pytest.mark.parametrize(
    "offered", ["", "short", "x" * 65, "a b c d e f g h", "line\nbreak-line", "-leading-dash", "<script>1"]
)
def test_anything_else_is_replaced(offered: str) -> None:
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = offered
    answer = RequestIdMiddleware(_echo)(request)
    assert answer["X-Request-ID"] != offered and len(answer["X-Request-ID"]) == 32


@pytest.mark.django_db
def test_a_refusal_that_no_view_saw_has_a_number(client: Client) -> None:
    answer = client.generic("POST", "/accounts/login/", b"x", content_type="text/plain; charset=bz2")
    assert answer.status_code == 415 and answer["X-Request-ID"]


@pytest.mark.django_db(transaction=True)
def test_the_number_goes_along_to_the_job_and_to_the_jobs_that_it_asks_for(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(request_id="request-1234"):
        job = enqueue(kind="tests.logs_a_line", params={"again": True})
    assert job.request_id == "request-1234"
    drain = worker.Drain()
    drain.all_of(Job.Queue.values)
    drain.heart.stop()
    first, second = sorted(lines.of("in_the_job"), key=lambda line: line["job_id"] != str(job.pk))
    assert (first["job_id"], first["kind"], first["attempt"]) == (str(job.pk), "tests.logs_a_line", 1)
    assert first["request_id"] == second["request_id"] == "request-1234"
    assert second["job_id"] != first["job_id"]


@pytest.mark.django_db
def test_no_secret_of_a_request_is_written(client: Client, lines: Lines) -> None:
    headers = {"authorization": f"Bearer {SECRET}", "cookie": f"sessionid={SECRET}", "x-api-key": SECRET}
    client.get(f"/api/jobs/?token={SECRET}&secret={SECRET}&page=2", headers=headers)
    client.get(f"/accounts/confirm-email/{SECRET}/")
    client.get(f"/accounts/password/reset/key/{SECRET}/")
    client.get(f"/tenders/calendar/{SECRET}.ics")
    client.get(f"/tenders/alerts/stop/{SECRET}/")
    client.post("/accounts/login/", {"login": "who@example.com", "password": SECRET})
    Client(enforce_csrf_checks=True).post(f"/accounts/login/?token={SECRET}", {"password": SECRET})  # Django logs that
    assert len(lines.of("request_finished")) >= 4
    assert [line for line in lines.all() if line["logger"] == "django.security.csrf"]
    assert SECRET not in lines.stream.getvalue()
    assert "page=2" in lines.stream.getvalue()


def test_no_secret_of_a_library_or_a_traceback_is_written(lines: Lines) -> None:
    logging.getLogger("some.library").warning("GET https://x.example/?api_key=%s", SECRET)
    logging.getLogger("some.library").warning("connecting to redis://user:%s@redis:6379/0", SECRET)
    log.warning("headers", headers={"Authorization": f"Bearer {SECRET}", "Accept": "*/*"}, password=SECRET, tokens=12)
    try:
        raise RuntimeError(f"postgresql://plumbline:{SECRET}@db/plumbline refused: password={SECRET}")
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("some.library").exception("failed there")
    written = lines.stream.getvalue()
    assert len(lines.all()) == 5 and SECRET not in written
    assert "redis:6379" in written and "RuntimeError" in written
    assert lines.of("headers")[0]["tokens"] == 12


@pytest.mark.parametrize(
    "text",
    [
        "/ws/?token=abc.def.ghi",
        "GET /api/cron/trim?secret=abcdef",
        "Authorization: Bearer abcdefgh",
        "{'password': 'abcdefgh', 'name': 'x'}",
        '{"refresh_token": "abcdefgh"}',
        "amqp://me:abcdefgh@host/",
        "whsec_abcdefgh+/=",
        "eyJhbGciOiJIUzI1NiJ9.abcdefgh.abcdefgh",
        "/next/eyJhbGciOiJIUzI1NiJ9.abcdefgh.abcdefgh/",
        "1x+postgresql://me:abcdefgh@host/",
        "Cookie: sessionid=abcdefgh; csrftoken=abcdefgh",
    ],
)
def test_what_looks_like_a_secret_is_masked_and_stays_masked(text: str) -> None:
    scrubbed = scrub_text(text)
    assert "***" in scrubbed and "abcdefgh" not in scrubbed and "abc.def" not in scrubbed and "=abcdef" not in scrubbed
    assert scrub_text(scrubbed) == scrubbed


def test_texts_made_to_be_slow_to_scrub_are_not() -> None:
    """Anybody can send them as an address. Looked at anew from each of their characters, they take many minutes."""
    program = (
        "from config.scrubbing import scrub_text; from config.sentry import EMAIL;"
        "n = 300_000; made = ['a.', 'a-', 'eyJaaaaaaaa-', 'a://', 'token', '\\'', 'x'];"
        "[EMAIL.sub('', scrub_text('/' + each * (n // len(each)))) for each in made]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@pytest.mark.parametrize(
    "text", ["Reading row 15/53: Beton C30/37", "kind=projects.audit status=failed", "2 tokens left"]
)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert scrub_text(text) == text and scrub({"text": text}) == {"text": text}


@pytest.mark.django_db
def test_a_slow_statement_is_told_without_its_values(lines: Lines, settings: LazySettings) -> None:
    settings.SLOW_QUERY_MS = 5
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s), %s", [0.02, SECRET])
    [line] = lines.of("slow_query")
    assert line["sql"] == "SELECT pg_sleep(%s), %s" and isinstance(line["ms"], float)
    assert SECRET not in lines.stream.getvalue()


@pytest.mark.django_db
def test_quick_statements_are_not_told(lines: Lines, settings: LazySettings) -> None:
    settings.SLOW_QUERY_MS = 60_000
    User.objects.count()
    assert not lines.of("slow_query")


def test_production_writes_one_json_object_a_line() -> None:
    program = (
        "import logging.config, logging, structlog; from config.settings.logs import logging_for;"
        "logging.config.dictConfig(logging_for('json'));"
        "structlog.get_logger('a').warning('ours', job_id='1'); logging.getLogger('b').error('theirs %s', 2)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    ours, theirs = map(json.loads, ended.stderr.splitlines())
    assert (ours["event"], ours["level"], ours["job_id"]) == ("ours", "warning", "1")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("theirs 2", "error", "b")
    assert ours["timestamp"].endswith("Z")
