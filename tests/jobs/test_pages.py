"""The jobs pages and the admin."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from jobs.models import Job
from jobs.services import enqueue, enqueue_batch

pytestmark = pytest.mark.django_db(transaction=True)


def browser_of(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.fixture
def job(owner: User, organisation: Organisation) -> Job:
    return enqueue(kind="tests.bug", params={"file": "<b>.xlsx"}, actor=owner, organisation=organisation)


def test_empty_list_says_what_to_do(owner: User) -> None:
    assert "No jobs yet" in browser_of(owner).get("/jobs/").content.decode()


def test_list_shows_jobs_in_every_state(owner: User) -> None:
    for status in Job.Status.values:
        Job.objects.create(
            kind="tests.echo", actor=owner, status=status, total=4, done=1, current_step=f"Step of {status}"
        )
    page = browser_of(owner).get("/jobs/").content.decode()
    for status in Job.Status.values:
        assert f"badge-{status}" in page
    assert page.count("<progress") == 1
    only_failed = browser_of(owner).get("/jobs/?status=failed").content.decode()
    assert "badge-failed" in only_failed
    assert "badge-completed" not in only_failed


def test_children_of_a_batch_are_on_its_page_not_in_the_list(owner: User) -> None:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 3, actor=owner)
    browser = browser_of(owner)
    assert browser.get("/jobs/").content.decode().count("data-job=") == 1
    page = browser.get(f"/jobs/{batch.pk}/").content.decode()
    assert page.count("<tr data-job=") == 3
    assert f'data-channel="batch:{batch.pk}"' in page


def test_failed_job_tells_people_why_and_only_staff_the_traceback(job: Job, owner: User, staff: User, drain) -> None:
    drain()
    page = browser_of(owner).get(f"/jobs/{job.pk}/").content.decode()
    assert "Something went wrong on our side" in page
    assert "Traceback" not in page
    Job.objects.filter(pk=job.pk).update(actor=staff, organisation=None)
    page = browser_of(staff).get(f"/jobs/{job.pk}/").content.decode()
    assert "Traceback (most recent call last)" in page
    assert "&lt;b&gt;.xlsx" in page


def test_page_has_no_inline_script_or_style(job: Job, owner: User) -> None:
    for address in ("/jobs/", f"/jobs/{job.pk}/"):
        page = browser_of(owner).get(address).content.decode()
        assert "style=" not in page
        assert "<script>" not in page


def test_stranger_finds_nothing(job: Job, stranger: User) -> None:
    browser = browser_of(stranger)
    assert browser.get(f"/jobs/{job.pk}/").status_code == 404
    assert browser.post(f"/jobs/{job.pk}/cancel/").status_code == 404
    assert browser.post(f"/jobs/{job.pk}/retry/").status_code == 404
    assert str(job.pk) not in browser.get("/jobs/").content.decode()


def test_nobody_is_sent_to_sign_in(job: Job) -> None:
    for address in ("/jobs/", f"/jobs/{job.pk}/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_viewer_sees_no_buttons_and_is_refused(job: Job, viewer: User) -> None:
    browser = browser_of(viewer)
    assert f"/jobs/{job.pk}/cancel/" not in browser.get("/jobs/").content.decode()
    answer = browser.post(f"/jobs/{job.pk}/cancel/", follow=True)
    assert "not change it" in answer.content.decode()
    job.refresh_from_db()
    assert job.status == "queued"


def test_cancel_then_retry_by_button(job: Job, owner: User) -> None:
    browser = browser_of(owner)
    answer = browser.post(f"/jobs/{job.pk}/cancel/", {"next": "/jobs/?status=active"})
    assert answer["Location"] == "/jobs/?status=active"
    job.refresh_from_db()
    assert job.status == "cancelled"
    answer = browser.post(f"/jobs/{job.pk}/retry/", {"next": "https://evil.example/"})
    assert answer["Location"] == f"/jobs/{job.pk}/"
    job.refresh_from_db()
    assert job.status == "queued"


def test_buttons_answer_posts_only(job: Job, owner: User) -> None:
    assert browser_of(owner).get(f"/jobs/{job.pk}/cancel/").status_code == 405


@pytest.fixture
def admin(staff: User) -> Client:
    return browser_of(staff)


def test_admin_lists_searches_and_shows(admin: Client, job: Job, drain) -> None:
    drain()
    assert "Bug" in admin.get("/admin/jobs/job/", {"q": str(job.pk)}).content.decode()
    assert admin.get("/admin/jobs/job/", {"status__exact": "failed"}).status_code == 200
    page = admin.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    assert "Traceback (most recent call last)" in page


def test_admin_retries_and_cancels(admin: Client, job: Job, drain) -> None:
    drain()

    def act(name: str) -> str:
        data = {"action": name, "_selected_action": [str(job.pk)]}
        return admin.post("/admin/jobs/job/", data, follow=True).content.decode()

    assert "1 job queued again" in act("retry_jobs")
    assert "1 job cancelled" in act("cancel_jobs")
    job.refresh_from_db()
    assert job.status == "cancelled"
    Job.objects.filter(pk=job.pk).update(status="completed")
    assert "can be retried" in act("retry_jobs")


def test_admin_neither_adds_nor_deletes(admin: Client, job: Job) -> None:
    assert admin.get("/admin/jobs/job/add/").status_code == 403
    assert admin.post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
