"""Health, as a supervisor or a load balancer asks for it."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client


def test_the_process_is_alive_without_a_database(client: Client) -> None:
    response = client.get("/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_ready_when_database_redis_and_migrations_are(client: Client) -> None:
    response = client.get("/health/ready")
    assert response.status_code == 200, response.content
    assert set(response.json()["parts"]) == {"database", "redis", "migrations"}


@pytest.mark.django_db
def test_not_ready_without_redis_and_no_address_is_told(client: Client, settings: LazySettings) -> None:
    settings.REDIS_EVENTS_URL = "redis://:secret@127.0.0.1:1/0"
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["parts"]["database"]["ok"]
    assert not response.json()["parts"]["redis"]["ok"]
    assert b"secret" not in response.content and b"127.0.0.1" not in response.content


@pytest.mark.django_db
def test_not_ready_while_a_migration_waits(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    response = client.get("/health/ready")
    assert response.status_code == 503
    assert "run manage.py migrate" in response.json()["parts"]["migrations"]["detail"]
