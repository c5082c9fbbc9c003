"""The schedule in the admin: staff see what ran, run tasks now, pause and resume them; others stay out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from jobs.models import Job, ScheduledRun, ScheduledTask
from jobs.schedule import Task
from jobs.services import scheduling
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db

TASKS = tuple(Task(name, "10 1 * * *", "tests.echo", f"Does {name}") for name in ("alpha", "beta", "gamma"))
LIST = "/admin/jobs/scheduledtask/"


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.JOBS_SCHEDULE = f"{__name__}.TASKS"
    scheduling.sync_schedule()


@pytest.fixture
def as_staff(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


def page(name: str, what: str = "change") -> str:
    return reverse(f"admin:jobs_scheduledtask_{what}", args=[name])


def select(client: Client, action: str, *names: str) -> str:
    answer = client.post(LIST, {"action": action, "_selected_action": names}, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def ended(name: str, status: str, seconds: float) -> Job:
    now = timezone.now()
    job = Job.objects.create(
        kind="tests.echo", status=status, started_at=now - timedelta(seconds=seconds), finished_at=now
    )
    ScheduledRun.objects.create(task_id=name, job=job)
    return job


def test_the_list_says_when_each_task_is_due_and_what_became_of_it(as_staff: Client) -> None:
    failed = ended("alpha", "failed", 12.5)
    ScheduledRun.objects.create(task_id="beta", note="Skipped: the run before was not done yet.")
    text = as_staff.get(LIST).content.decode()
    assert "every day at 01:10 UTC" in text and "01:10:00 UTC" in text
    assert "Failed" in text and "12.5" in text and f"/admin/jobs/job/{failed.pk}/change/" in text
    assert "Not started" in text and "Never" in text


def test_the_page_of_a_task_shows_its_latest_runs(as_staff: Client, staff: User) -> None:
    assert "It has not run yet" in as_staff.get(page("alpha")).content.decode()
    for number in range(30):
        ended("alpha", "completed", number)
    run = scheduling.run_now(name="alpha", actor=staff)
    text = as_staff.get(page("alpha")).content.decode()
    assert len(re.findall("/admin/jobs/job/[0-9a-f-]{36}/change/", text)) == 25
    assert str(run.job_id) in text and "staff@example.com" in text and "Clock" in text
    Job.objects.all().delete()
    text = as_staff.get(page("alpha")).content.decode()
    assert "Ended, job removed" in text


def test_staff_run_tasks_now_and_are_told_when_one_is_active(as_staff: Client, staff: User) -> None:
    assert "alpha is started" in select(as_staff, "run_now", "alpha", "beta")
    assert set(ScheduledRun.objects.values_list("task_id", "started_by", "is_by_hand")) == {
        ("alpha", staff.pk, True),
        ("beta", staff.pk, True),
    }
    text = select(as_staff, "run_now", "alpha", "gamma")
    assert "not done yet" in text and "gamma is started" in text
    assert Job.objects.count() == 3


def test_staff_pause_and_resume_tasks(as_staff: Client) -> None:
    assert "2 paused" in select(as_staff, "pause", "alpha", "beta")
    assert set(ScheduledTask.objects.filter(is_paused=True).values_list("name", flat=True)) == {"alpha", "beta"}
    assert "Paused" in as_staff.get(LIST).content.decode()
    assert "1 resumed" in select(as_staff, "resume", "alpha", "gamma")
    row = ScheduledTask.objects.get(pk="alpha")
    assert not row.is_paused and row.next_due_at is not None


def test_buttons_of_the_page_ask_first(as_staff: Client) -> None:
    for what, label in (("run_this_now", "Run now"), ("pause_this", "Pause"), ("resume_this", "Resume")):
        asked = as_staff.get(page("alpha", what)).content.decode()
        assert f"{label}: alpha?" in asked and re.search(rf"<button[^>]*>\s*{label}\s*</button>", asked)
    assert not Job.objects.exists() and not ScheduledTask.objects.filter(is_paused=True).exists()
    assert as_staff.post(page("alpha", "run_this_now")).headers["location"] == page("alpha")
    assert as_staff.post(page("alpha", "pause_this")).status_code == 302
    assert Job.objects.count() == 1 and ScheduledTask.objects.get(pk="alpha").is_paused
    as_staff.post(page("alpha", "resume_this"))
    assert not ScheduledTask.objects.get(pk="alpha").is_paused
    assert as_staff.post(page("nothing", "run_this_now")).headers["location"] == LIST


def test_a_task_that_left_the_file_is_shown_and_can_not_be_run(as_staff: Client) -> None:
    scheduling.sync_schedule(tasks=TASKS[:2])
    assert "No longer listed" in as_staff.get(LIST).content.decode()
    ScheduledTask.objects.create(name="older", cron="0 0 * * *", kind="gone.kind", is_listed=False)
    assert "no task" in select(as_staff, "run_now", "older")
    assert not Job.objects.exists()


def test_nobody_adds_edits_or_deletes_tasks_here(as_staff: Client) -> None:
    assert as_staff.get(LIST + "add/").status_code == 403
    assert as_staff.post(page("alpha"), {"cron": "* * * * *"}).status_code == 403
    assert as_staff.post(page("alpha", "delete"), {"post": "yes"}).status_code == 403
    assert ScheduledTask.objects.get(pk="alpha").cron == "10 1 * * *"


@pytest.mark.parametrize("permission", [None, "view_scheduledtask", "change_scheduledtask"])
def test_what_staff_may_do_depends_on_their_permission(permission: str | None) -> None:
    user = make_user("clerk", is_staff=True)
    if permission:
        user.user_permissions.add(Permission.objects.get(codename=permission))
    client = Client()
    client.force_login(user)
    may_see, may_run = permission is not None, permission == "change_scheduledtask"
    assert client.get(LIST).status_code == (200 if may_see else 403)
    assert client.get(page("alpha")).status_code == (200 if may_see else 403)
    client.post(LIST, {"action": "run_now", "_selected_action": "alpha"})
    assert Job.objects.exists() == may_run
    client.post(page("beta", "pause_this"))
    assert ScheduledTask.objects.get(pk="beta").is_paused == may_run


def test_strangers_do_not_get_in(member: User) -> None:
    client = Client()
    assert client.get(LIST).status_code == 302
    client.force_login(member)
    assert client.get(LIST).status_code in (302, 403)
    client.post(page("alpha", "run_this_now"))
    assert not Job.objects.exists()


def test_the_list_asks_as_many_queries_for_50_tasks_as_for_3(as_staff: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_staff.get(LIST).status_code == 200
        return len(captured)

    ended("alpha", "completed", 1)
    queries()  # content types are cached by the first
    few = queries()
    for number in range(47):
        ScheduledTask.objects.create(name=f"task{number}", cron="0 0 * * *", kind="tests.echo")
        for _ in range(3):
            ended(f"task{number}", "completed", 1)
    assert queries() == few
