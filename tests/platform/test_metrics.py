"""/metrics: who may read it, what it tells, that its labels stay few; and the ledger behind `manage.py slowest`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config.metrics.ledger import BOUNDS_MS, MOST_NAMES, OTHERS, Ledger, Sums, ledger, read
from jobs.connections import breaker_of, events_redis, events_url
from jobs.events import publish
from jobs.models import Job
from jobs.registry import register
from jobs.run import Run
from jobs.services.overview import reading, timings
from jobs.services.processes import arrive
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-prometheus"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@register("tests.measured")
def measured(run: Run, params: dict[str, object]) -> None:
    """Only its name is used."""


@pytest.fixture(autouse=True)
def _read_anew(settings: LazySettings) -> Iterator[None]:
    settings.METRICS_TOKEN = TOKEN
    events_redis().flushdb()
    breaker_of(events_url()).worked()
    reading.forget()
    timings.forget()
    yield
    reading.forget()
    timings.forget()


def scrape(client: Client) -> Samples:
    """(name, labels) → number, parsed as Prometheus would."""
    response = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200, response.content
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[(name, frozenset(labels.items()))]


def test_only_with_the_token(client: Client) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": TOKEN}).status_code == 401
    client.force_login(make_user("anybody"))
    assert client.get("/metrics").status_code == 401


def test_not_there_in_production_while_no_token_is_set(client: Client, settings: LazySettings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


def test_requests_are_counted_by_route_method_and_status(client: Client) -> None:
    labels = {"route": "/jobs/<uuid:job_id>/", "method": "GET"}
    before = scrape(client)
    for number in range(3):
        client.get(f"/jobs/00000000-0000-0000-0000-00000000000{number}/")
    after = scrape(client)
    name = "plumbline_requests_total"
    known_before = before.get((name, frozenset({**labels, "status": "302"}.items())), 0)
    assert value(after, name, **labels, status="302") - known_before == 3
    duration = "plumbline_request_duration_seconds_count"
    assert value(after, duration, **labels) - before.get((duration, frozenset(labels.items())), 0) == 3


def test_addresses_that_nobody_answers_share_one_label(client: Client) -> None:
    for number in range(5):
        client.get(f"/no/such/page/{number}")
    client.generic("BREW", "/coffee")
    routes = {dict(labels)["route"] for name, labels in scrape(client) if name == "plumbline_requests_total"}
    methods = {dict(labels)["method"] for name, labels in scrape(client) if name == "plumbline_requests_total"}
    assert "none" in routes and not any("such" in route for route in routes)
    assert "BREW" not in methods


def test_a_request_that_is_refused_unread_is_counted_too(client: Client) -> None:
    client.generic("POST", "/accounts/login/", b"x", content_type="text/plain; charset=bz2")
    statuses = {dict(labels)["status"] for name, labels in scrape(client) if name == "plumbline_requests_total"}
    assert "415" in statuses


def test_jobs_tell_their_waits_durations_retries_and_failures(client: Client) -> None:
    now = timezone.now()
    for seconds in (1, 2, 3):
        Job.objects.create(
            kind="tests.measured",
            status="completed",
            attempt=1,
            created_at=now - timedelta(seconds=60),
            started_at=now - timedelta(seconds=50),
            finished_at=now - timedelta(seconds=50 - seconds),
        )
    Job.objects.create(
        kind="tests.measured",
        status="failed",
        attempt=3,
        error={"code": "too_bad"},
        finished_at=now - timedelta(seconds=5),
    )
    Job.objects.create(kind="tests.measured", queue="high", created_at=now - timedelta(seconds=90))
    arrive(kind="worker", queues=["high"])
    told = scrape(client)
    of = {"kind": "tests.measured"}
    assert value(told, "plumbline_job_duration_seconds", **of, quantile="0.5") == pytest.approx(2)
    assert value(told, "plumbline_job_wait_seconds", **of, quantile="0.5") == pytest.approx(10)
    assert value(told, "plumbline_jobs_completed_recent", **of) == 3
    assert value(told, "plumbline_jobs_failed_recent", **of, code="too_bad") == 1
    assert value(told, "plumbline_job_retries_recent", **of) == 2
    assert value(told, "plumbline_queue_depth", queue="high") == 1
    assert value(told, "plumbline_queue_oldest_seconds", queue="high") > 80
    assert value(told, "plumbline_processes_alive", kind="worker") == 1


def test_events_of_all_processes_are_counted(client: Client) -> None:
    publish("job:counted", "notification", {"level": "info", "text": "x"})
    assert value(scrape(client), "plumbline_events_published_total") >= 1


def test_what_cannot_be_read_is_missing_not_zero(client: Client, settings: LazySettings) -> None:
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    told = scrape(client)
    assert value(told, "plumbline_readable", part="redis") == 0
    assert value(told, "plumbline_readable", part="work") == 1
    assert not [name for name, _ in told if name in ("plumbline_redis_bytes", "plumbline_events_published_total")]


COUNT_IN_TWO_PROCESSES = """
import os
import django
django.setup()
for _ in range(2):
    child = os.fork()
    if not child:
        from config.metrics.middleware import REQUESTS
        REQUESTS.labels("/x", "GET", "200").inc(2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
from prometheus_client import generate_latest
from config.metrics.views import counted
print(generate_latest(counted()).decode())
"""


def test_several_processes_on_one_port_answer_as_one(tmp_path: Path) -> None:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", COUNT_IN_TWO_PROCESSES], env=environment, check=True, capture_output=True, text=True
    )
    assert 'plumbline_requests_total{method="GET",route="/x",status="200"} 4.0' in told.stdout


def test_the_ledger_adds_up_over_processes() -> None:
    for _ in range(2):
        process = Ledger()
        for took_s in (0.004, 0.004, 0.2):
            process.note("route", "GET /slow", took_s)
        process.hand_over()
    sums = read("route")["GET /slow"]
    assert sums.count == 6 and sums.total_ms == pytest.approx(416)
    assert (sums.quantile_ms(0.5), sums.quantile_ms(0.95)) == (5, 250)


def test_the_ledger_stays_small_and_needs_no_redis(settings: LazySettings) -> None:
    process = Ledger()
    for number in range(3 * MOST_NAMES):
        process.note("query", f"SELECT {number}", 0.3)
    process.hand_over()
    names = read("query")
    assert len(names) == MOST_NAMES + 1 and names[OTHERS].count == 2 * MOST_NAMES
    settings.REDIS_EVENTS_URL = "redis://127.0.0.1:1/0"
    process.note("query", "SELECT 1", 0.3)
    process.hand_over()


def test_quantiles_are_upper_bounds() -> None:
    sums = Sums()
    for took_ms in (1, 3, 99, 100_000):
        sums.add(took_ms)
    assert sums.quantile_ms(0.25) == 1 and sums.quantile_ms(0.5) == 5 and sums.quantile_ms(0.75) == 100
    assert sums.quantile_ms(1.0) == float("inf") and len(sums.buckets) == len(BOUNDS_MS) + 1


def test_slowest_prints_routes_and_statements_and_says_where_they_come_from(settings: LazySettings) -> None:
    ledger.hand_over()
    events_redis().flushdb()
    settings.SLOW_QUERY_MS = 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [0.01])
    ledger.note("route", "GET /projects/", 0.12)
    ledger.hand_over()
    out = StringIO()
    call_command("slowest", "--json", stdout=out)
    report = json.loads(out.getvalue())
    assert [row["name"] for row in report["routes"]] == ["GET /projects/"]
    assert report["statements"][0]["name"] == "SELECT pg_sleep(%s)" and report["statements"][0]["calls"] == 1
    assert "pg_stat_statements is not installed" in report["statements_from"]
    call_command("slowest", stdout=(text := StringIO()))
    assert "GET /projects/" in text.getvalue() and "SELECT pg_sleep(%s)" in text.getvalue()
