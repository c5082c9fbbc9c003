"""What people are told when a page fails: with a database that is really away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def signed_in(db: None) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.create_superuser("root@example.com", "a long password"))
    return client


@pytest.fixture
def database_is_away(signed_in: Client) -> Iterator[None]:
    """Nobody listens on that port."""
    there = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict |= {"HOST": "127.0.0.1", "PORT": "1"}
    yield
    connection.close()
    connection.settings_dict.update(there)


@pytest.mark.parametrize("path", ["/projects/", "/jobs/", "/tenders/", "/admin/", "/accounts/login/"])
@pytest.mark.usefixtures("database_is_away")
def test_pages_say_that_the_database_is_away_and_when_to_come_again(signed_in: Client, path: str) -> None:
    answer = signed_in.get(path)
    assert answer.status_code == 503 and answer["Retry-After"] == "5"
    assert "The database is away" in answer.content.decode()


@pytest.mark.usefixtures("database_is_away")
def test_what_was_sent_meanwhile_is_answered_the_same(signed_in: Client) -> None:
    assert signed_in.post("/projects/new/", {"name": "Valcha"}).status_code == 503


@pytest.mark.usefixtures("database_is_away")
def test_what_asks_no_database_is_answered(signed_in: Client) -> None:
    assert signed_in.get("/health").status_code == 200


def test_a_fault_of_ours_is_no_absence(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.views.render", lambda *args, **kwargs: 1 / 0)
    answer = signed_in.get("/jobs/")
    assert answer.status_code == 500 and "Retry-After" not in answer
    assert "That went wrong" in answer.content.decode()
