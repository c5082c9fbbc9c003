"""What the application ahead of Django answers is counted with what Django answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client, override_settings
from prometheus_client.parser import text_string_to_metric_families

from config.metrics.ledger import ledger, read
from config.redis_access import ask
from jobs.connections import events_redis
from quiz.front import QuizFront
from quiz.services import pool_store
from tests.factories.quiz import make_category, make_question
from tests.quiz.test_pool import until

pytestmark = pytest.mark.django_db(transaction=True)
ROUTE = "/api/quiz/?$"


def counted(client: Client, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    samples = (sample for family in families for sample in family.samples)
    wanted = {"route": ROUTE, "method": "GET", **labels}
    return sum(sample.value for sample in samples if sample.name == name and sample.labels == wanted)


async def hits(front: QuizFront, number: int) -> list[int]:
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http", "method": "GET", "path": "/api/quiz", "scheme": "http", "query_string": b"count=1",
        "client": ("198.51.100.7", 1234), "headers": [(b"host", b"testserver")],
    }  # fmt: skip
    for _ in range(number):
        await front(scope, None, send)
    return statuses


@pytest.fixture
def pool() -> None:
    ask(lambda client: client.flushdb())
    events_redis().flushdb()
    make_question(make_category("Structural Welding"))
    keys = pool_store.keys_of("", "")
    assert pool_store.keep(keys, pool_store.draw(keys, 1), [b'{"id":"one"}'])


def test_hits_and_refusals_count_with_djangos_answers(pool: None, client: Client, settings: LazySettings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = True, ""  # open, as in development
    assert client.get("/api/quiz").status_code == 200
    before = counted(client, "plumbline_requests_total", status="200")
    refused = counted(client, "plumbline_requests_total", status="429")
    took = counted(client, "plumbline_request_duration_seconds_count")
    assert before >= 1, "Django's own answers have this route"
    front = QuizFront(None)
    with override_settings(THROTTLES_ENABLED=True, THROTTLES={"quiz": "3/minute"}):
        assert sorted(asyncio.run(hits(front, 5))) == [200, 200, 200, 429, 429]
    front.counted.hand_over()
    assert counted(client, "plumbline_requests_total", status="200") == before + 3
    assert counted(client, "plumbline_requests_total", status="429") == refused + 2
    assert counted(client, "plumbline_request_duration_seconds_count") == took + 5
    assert counted(client, "plumbline_request_duration_seconds_bucket", le="+Inf") == took + 5
    ledger.hand_over()
    assert read("route")[f"GET {ROUTE}"].count >= 5


def test_counts_are_handed_over_by_themselves(pool: None, client: Client, settings: LazySettings) -> None:
    settings.DEBUG, settings.METRICS_TOKEN = True, ""
    before = counted(client, "plumbline_requests_total", status="200")

    async def site() -> None:
        front = QuizFront(None)
        assert await hits(front, 2) == [200, 200]
        for _ in range(300):
            if await asyncio.to_thread(counted, client, "plumbline_requests_total", status="200") == before + 2:
                return
            await asyncio.sleep(0.1)

    asyncio.run(site())
    until(lambda: counted(client, "plumbline_requests_total", status="200") == before + 2)
