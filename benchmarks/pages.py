"""The positions list of a budget of 100,000 positions, as a page and from the API, on a real server."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from benchmarks.bulk import POSITIONS, BigProject
from benchmarks.ground import web
from benchmarks.report import Report

TIMES = 40
P95_MS = 100.0


def measure(big: BigProject) -> Iterator[Report]:
    from django.conf import settings
    from django.db import connection

    from accounts.models import User
    from projects.models import Position

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # what autovacuum does within a minute of an import
    user = User.objects.get(pk=big.owner_id)
    client = _signed_in(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    some = Position.objects.filter(project_id=big.id).order_by("ordinal")[POSITIONS // 2]
    with web() as port:
        server = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        reference = _times(server, "/api/auth/me", cookie)
        for name, path, kinds in (
            ("Positions list, page", f"/projects/{big.id}/positions/", _asked(some, page="q")),
            ("Positions list, API", f"/api/projects/{big.id}/positions/", _asked(some, page="search")),
        ):
            report = Report(f"{name} at 100,000 positions, {TIMES} requests each, one at a time")
            for label, query in kinds:
                address = f"{path}?{urlencode(query)}"
                taken = _times(server, address, cookie)
                told = f"median {statistics.median(taken):.1f} ms, {_queries(client, address)} queries"
                report.claim(f"p95 {label}", _p95(taken), "ms", P95_MS, reference=told)
            report.figure(
                "a view of one row", f"p95 {_p95(reference):.1f} ms, median {statistics.median(reference):.1f} ms"
            )
            yield report
        report = Report("The project's page at 100,000 positions")
        address = f"/projects/{big.id}/"
        taken = _times(server, address, cookie)
        report.figure("p95", f"{_p95(taken):.1f} ms, {_queries(client, address)} queries")
        yield report


def _asked(some: Any, *, page: str) -> list[tuple[str, dict[str, str]]]:
    """What people ask for; `page` is the name of the text filter. The section's own name, its object left open."""
    section = some.section
    return [
        ("by money at stake", {"sort": "money"}),
        ("in the order of the bill", {"sort": "ordinal"}),
        ("by money, a page in the middle", {"sort": "money", "page": str(POSITIONS // 200)}),
        ("red ones by money", {"grade": "red", "sort": "money"}),
        ("green ones by money", {"grade": "green", "sort": "money"}),
        ("flagged by the validator", {"role": "validator", "sort": "money"}),
        ("flagged by cost (few)", {"role": "cost", "sort": "money"}),
        ("of one section", {"section": section, "sort": "ordinal"}),
        ("with two words in the text", {page: "zdivo cihel", "sort": "money"}),
        ("with a word that none has", {page: "neexistuje", "sort": "money"}),
    ]


def _signed_in(user: Any) -> Any:
    from django.test import Client

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _times(server: http.client.HTTPConnection, address: str, cookie: str) -> list[float]:
    """Milliseconds of each request, the first two (caches, plans) left out."""
    taken = []
    for _ in range(TIMES + 2):
        began = time.perf_counter()
        server.request("GET", address, headers={"Cookie": cookie, "Accept": "text/html,application/json"})
        response = server.getresponse()
        body = response.read()
        taken.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise RuntimeError(f"GET {address}: {response.status} {body[:300]!r}")
    return taken[2:]


def _queries(client: Any, address: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code == 200, address
    return len(captured)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
