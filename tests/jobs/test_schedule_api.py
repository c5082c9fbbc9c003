"""POST /api/cron/{task}: for whoever has the secret, and nobody else; the secret is in no log."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
import structlog
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.services import tokens_for
from config.api.cron_secret import CronSecretMiddleware
from jobs.models import Job, ScheduledRun
from jobs.schedule import Task

pytestmark = pytest.mark.django_db

TASKS = (Task("nightly", "0 3 * * *", "tests.echo", "At night"),)


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.JOBS_SCHEDULE = f"{__name__}.TASKS"
    settings.CRON_SECRET = "a-secret-that-is-long-enough"
    settings.THROTTLES_ENABLED = False


def path(task: str = "nightly") -> str:
    return reverse("cron", args=[task])


def call(secret: str | None = None, task: str = "nightly", **extra: Any) -> Any:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return Client().post(path(task), headers=headers, **extra)


def test_the_secret_starts_a_task() -> None:
    answer = call("a-secret-that-is-long-enough")
    job = Job.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"job_id": str(job.pk), "status": "queued"})
    assert ScheduledRun.objects.get(job=job).started_by is None
    again = call("a-secret-that-is-long-enough")
    assert (again.status_code, again.json()["job_id"]) == (202, str(job.pk))


def test_the_secret_may_come_in_the_address_with_and_without_a_slash() -> None:
    assert Client().post(path() + "?secret=a-secret-that-is-long-enough").status_code == 202
    assert Client().post(path().rstrip("/") + "/?x=1&secret=a-secret-that-is-long-enough").status_code == 202
    assert Job.objects.count() == 1


@pytest.mark.parametrize("secret", [None, "", "wrong", "a-secret-that-is-long-enoug", "ěščř", "x" * 5000])
def test_strangers_are_refused_and_learn_nothing_of_the_tasks(secret: str | None) -> None:
    for task in ("nightly", "unknown"):
        answer = call(secret, task)
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_secret")
    assert Client().post(path(), {"secret": "a-secret-that-is-long-enough"}).status_code == 401
    assert Client().post(path() + "?secret=wrong").status_code == 401
    assert Job.objects.count() == 0


def test_users_and_staff_need_the_secret_too(staff: User) -> None:
    signed_in = Client()
    signed_in.force_login(staff)
    assert signed_in.post(path()).status_code == 401
    assert call(tokens_for(user=staff).access).status_code == 401
    assert Job.objects.count() == 0


@pytest.mark.parametrize("secret", [None, "", "a-secret-that-is-long-enough"])
def test_without_a_secret_on_the_server_there_is_no_endpoint(settings: Any, secret: str | None) -> None:
    settings.CRON_SECRET = ""
    assert call(secret).status_code == 404
    assert Job.objects.count() == 0


def test_an_unknown_task_is_404_and_a_link_starts_nothing() -> None:
    answer = call("a-secret-that-is-long-enough", "unknown")
    assert (answer.status_code, answer.json()["code"]) == (404, "task_not_found")
    assert Client().get(path() + "?secret=a-secret-that-is-long-enough").status_code == 405
    assert Job.objects.count() == 0


def test_a_secret_in_the_address_is_in_no_log_and_no_address(settings: Any) -> None:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    root, before = logging.getLogger(), logging.getLogger("django_structlog").level
    root.addHandler(handler)
    logging.getLogger("django_structlog").setLevel(logging.INFO)
    try:
        Client().post(path() + "?secret=a-secret-that-is-long-enough&n=1")
        Client().post(path() + "?secret=a-secret-that-is-wrong")
        structlog.get_logger("django_structlog").info("last", line=1)
    finally:
        root.removeHandler(handler)
        logging.getLogger("django_structlog").setLevel(before)
    assert "/api/cron/nightly" in lines.getvalue() and "last" in lines.getvalue()
    assert "a-secret" not in lines.getvalue()


def test_the_address_that_the_rest_of_the_program_sees_has_no_secret() -> None:
    seen = []
    middleware = CronSecretMiddleware(seen.append)  # type: ignore[arg-type,func-returns-value]
    requests = RequestFactory()
    middleware(requests.post("/api/cron/nightly?a=1&secret=abc&b="))
    assert (seen[0].get_full_path(), seen[0].GET.dict()) == ("/api/cron/nightly?a=1&b=", {"a": "1", "b": ""})
    assert seen[0].headers["Authorization"] == "Bearer abc"
    middleware(requests.post("/api/cron/nightly?secret=abc", headers={"Authorization": "Bearer header"}))
    assert seen[1].headers["Authorization"] == "Bearer header"
    middleware(requests.get("/api/jobs?secret=abc"))
    assert seen[2].GET.dict() == {"secret": "abc"} and "Authorization" not in seen[2].headers
