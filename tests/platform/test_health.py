"""Health, as a supervisor, a load balancer or a monitor asks for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from config import health
from jobs.models import Job, Process
from jobs.services.overview import Kept, reading
from jobs.services.processes import arrive
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-monitor"


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    health.forget()
    reading.forget()
    yield
    health.forget()
    reading.forget()


@pytest.fixture
def worker() -> None:
    arrive(kind="worker", queues=["high", "default", "low"])


@pytest.fixture
def scheduler() -> None:
    arrive(kind="scheduler")


@pytest.fixture
def staff() -> User:
    return User.objects.create_superuser("staff@example.com", "a long password")


def test_the_process_is_alive_without_a_question_to_the_database(
    client: Client, django_assert_num_queries: object, staff: User
) -> None:
    client.force_login(staff)  # a browser's cookie must not make it ask who that is
    with django_assert_num_queries(0):  # type: ignore[operator]
        response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_when_database_redis_migrations_and_a_worker_are(client: Client, worker: None) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200, response.content
    assert set(response.json()["parts"]) == {"database", "redis", "migrations", "workers"}


def test_not_ready_without_a_worker_and_it_says_which_part(client: Client) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 503
    failing = {name for name, part in response.json()["parts"].items() if not part["ok"]}
    assert failing == {"workers"}


def test_a_worker_that_has_gone_silent_does_not_count(client: Client, worker: None) -> None:
    Process.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert client.get("/health/ready").status_code == 503


def test_a_balancer_may_leave_workers_out_of_the_verdict(client: Client) -> None:
    response = client.get("/health/ready?exclude=workers")
    assert response.status_code == 200
    assert not response.json()["parts"]["workers"]["ok"]


def test_not_ready_without_redis_and_no_address_is_told(client: Client, settings: LazySettings, worker: None) -> None:
    settings.REDIS_EVENTS_URL = "redis://:secret@127.0.0.1:1/0"
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["parts"]["database"]["ok"]
    assert not response.json()["parts"]["redis"]["ok"]
    assert b"secret" not in response.content and b"127.0.0.1" not in response.content


def test_not_ready_while_a_migration_waits(client: Client, worker: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert "run manage.py migrate" in response.json()["parts"]["migrations"]["detail"]


def test_asking_again_and_again_costs_one_reading(
    client: Client, django_assert_max_num_queries: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_ready", Kept(health._checks, for_s=3600))
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        for _ in range(20):
            client.get("/health/ready")


def test_of_many_who_ask_at_once_one_reads() -> None:
    readings: list[int] = []
    begun = threading.Event()

    def read() -> int:
        readings.append(1)
        begun.wait(30)
        return len(readings)

    kept = Kept(read, for_s=3600)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(kept.get) for _ in range(8)]
        begun.set()
    assert [answer.result() for answer in answers] == [1] * 8


def test_an_error_is_not_kept() -> None:
    outcomes = iter([OSError("away"), "there"])

    def read() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    kept = Kept(read, for_s=3600)
    with pytest.raises(OSError):
        kept.get()
    assert kept.get() == "there"


def test_jobs_tell_depth_age_and_who_is_there(client: Client, worker: None, scheduler: None) -> None:
    now = timezone.now()
    Job.objects.create(kind="tests.waits", created_at=now - timedelta(minutes=3))
    Job.objects.create(kind="tests.later", queue="low", scheduled_for=now + timedelta(hours=1))
    Job.objects.create(kind="tests.failed", status="failed", finished_at=now - timedelta(minutes=5))
    Job.objects.create(kind="tests.failed", status="failed", finished_at=now - timedelta(hours=5))
    Job.objects.create(
        kind="tests.lost", status="running", attempt=1, started_at=now, lease_until=now - timedelta(minutes=1)
    )
    Job.objects.create(kind="tests.retrying", status="retrying", next_retry_at=now + timedelta(minutes=1))
    response = client.get("/health/jobs")
    told = response.json()
    assert (response.status_code, told["status"]) == (200, "ok")
    assert told["queues"]["default"]["depth"] == 1
    assert 175 < told["queues"]["default"]["oldest_s"] < 1000
    assert told["queues"]["low"]["depth"] == 0 and told["queues"]["low"]["later"] == 1
    assert (told["running"], told["retrying"], told["overdue_leases"]) == (1, 1, 1)
    assert (told["failed_last_hour"], told["failed_last_day"]) == (1, 2)
    assert (told["workers"], told["scheduler_alive"]) == (1, True)


def test_jobs_fail_without_a_scheduler(client: Client, worker: None) -> None:
    response = client.get("/health/jobs")
    assert response.status_code == 503 and not response.json()["scheduler_alive"]


def test_a_job_asked_for_again_does_not_look_as_if_it_had_waited_since_it_was_made(client: Client) -> None:
    long_ago = timezone.now() - timedelta(days=8)
    Job.objects.create(kind="tests.again", attempt=4, attempts_before=4, created_at=long_ago, heartbeat_at=long_ago)
    queue = client.get("/health/jobs").json()["queues"]["default"]
    assert queue["depth"] == 1 and queue["oldest_s"] == 0


def test_the_cache_is_described_also_while_redis_is_away(client: Client, settings: LazySettings) -> None:
    told = client.get("/health/cache").json()
    assert {"enabled", "ok", "hit_rate", "keyspace_hits", "memory_bytes"} <= set(told)
    assert told["ok"] and told["memory_bytes"] > 0


@pytest.mark.parametrize("address", ["/health/jobs", "/health/cache"])
def test_details_are_for_the_monitor_and_for_operators_where_a_token_is_set(
    client: Client, settings: LazySettings, staff: User, worker: None, scheduler: None, address: str
) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get(address).status_code == 401
    assert client.get(address, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get(address, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    client.force_login(make_user("anybody"))
    assert client.get(address).status_code == 401
    client.force_login(make_user("clerk", is_staff=True))  # staff, but not of those who see jobs
    assert client.get(address).status_code == 401
    client.force_login(staff)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", ["/health", "/health/ready"])
def test_the_plain_ones_stay_open(client: Client, settings: LazySettings, worker: None, address: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert client.get(address).status_code == 200
