"""The jobs pages and the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Organisation, User
from jobs.models import Job
from jobs.services import enqueue, enqueue_batch
from tests.factories.people import make_user

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


def test_staff_who_only_look_on_have_no_actions(job: Job, drain) -> None:
    drain()
    looker = make_user("looker")
    User.objects.filter(pk=looker.pk).update(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_job"))
    browser = browser_of(looker)
    page = browser.get("/admin/jobs/job/").content.decode()
    assert "Bug" in page
    assert "retry_jobs" not in page
    browser.post("/admin/jobs/job/", {"action": "retry_jobs", "_selected_action": [str(job.pk)]})
    job.refresh_from_db()
    assert job.status == "failed"


def test_admin_leads_from_a_batch_to_its_jobs(admin: Client, owner: User, drain) -> None:
    batch = enqueue_batch(kind="tests.refuse", params=[{}] * 2, actor=owner)
    enqueue(kind="tests.echo", params={}, actor=owner)
    drain()
    page = admin.get(f"/admin/jobs/job/{batch.pk}/change/").content.decode()
    assert "Failed: 2</a>" in page
    assert f"/admin/jobs/job/?batch__id__exact={batch.pk}&amp;status__exact=failed" in page
    listed = admin.get("/admin/jobs/job/", {"batch__id__exact": str(batch.pk), "status__exact": "failed"})
    assert listed.context["cl"].result_count == 2


def batch_in_every_state(owner: User) -> Job:
    batch = enqueue_batch(kind="tests.echo", params=[{}] * 6, actor=owner)
    ids = Job.objects.filter(batch=batch).values_list("pk", flat=True)
    for child_id, status in zip(ids, Job.Status.values, strict=True):
        Job.objects.filter(pk=child_id).update(status=status)
    failed = Job.objects.filter(batch=batch, status="failed")
    failed.update(error={"message": "The file is empty.", "code": "empty_file"})
    Job.objects.filter(pk=batch.pk).update(
        detail=dict.fromkeys(Job.Status.values, 1), done=3, progress=50, eta_s=75.2, current_step="Tenders of today"
    )
    return Job.objects.get(pk=batch.pk)


def test_batch_page_tells_counts_time_left_and_why_jobs_failed(owner: User) -> None:
    batch = batch_in_every_state(owner)
    page = browser_of(owner).get(f"/jobs/{batch.pk}/").content.decode()
    for status in Job.Status.values:
        assert f'data-children="{status}">1<' in page
    assert "3 of 6" in page
    assert "about 1\u00a0min 15\u00a0s left" in page
    assert "The file is empty." in page
    assert "Retry 1 failed" in page


def test_batch_page_narrows_its_jobs_by_state_and_reason(owner: User) -> None:
    batch = batch_in_every_state(owner)
    browser = browser_of(owner)

    def rows(query: str) -> int:
        return browser.get(f"/jobs/{batch.pk}/?{query}").content.decode().count("<tr data-job=")

    assert (rows(""), rows("state=failed"), rows("state=failed&code=empty_file"), rows("code=other")) == (6, 1, 1, 0)
    assert rows("state=dancing") == 6
    assert "No job of this batch" in browser.get(f"/jobs/{batch.pk}/?code=other").content.decode()


def test_only_the_failed_ones_are_retried_from_the_batch_page(owner: User) -> None:
    batch = batch_in_every_state(owner)
    answer = browser_of(owner).post(f"/jobs/{batch.pk}/retry/", {"only_failed": "1"}, follow=True)
    assert "Queued again." in answer.content.decode()
    counts = {s: Job.objects.filter(batch=batch, status=s).count() for s in ("queued", "failed", "cancelled")}
    assert counts == {"queued": 2, "failed": 0, "cancelled": 1}


def test_whoever_retries_while_redis_is_away_is_told_what_happens(
    job: Job, owner: User, drain, redis_is_down: None
) -> None:
    drain()
    page = browser_of(owner).post(f"/jobs/{job.pk}/retry/", follow=True).content.decode()
    assert "starts all the same" in page


def test_admin_neither_adds_nor_deletes(admin: Client, job: Job) -> None:
    assert admin.get("/admin/jobs/job/add/").status_code == 403
    assert admin.post(f"/admin/jobs/job/{job.pk}/delete/", {"post": "yes"}).status_code == 403
