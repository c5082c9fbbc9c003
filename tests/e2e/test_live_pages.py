"""Open pages tell the truth in the end, whatever was late or lost on its way to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from jobs.announce import say_state
from jobs.models import Job
from projects.models import Project

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def running(owner: User, project: Project) -> Job:
    """A job that no worker touches: claimed, and its lease lasts."""
    return Job.objects.create(
        kind="projects.audit",
        status=Job.Status.RUNNING,
        actor=owner,
        organisation=project.organisation,
        subject_type="project",
        subject_id=project.pk,
        current_step="Reading row 7",
        attempt=1,
        started_at=timezone.now(),
        lease_until=timezone.now() + timedelta(hours=1),
    )


def end(job: Job) -> Job:
    job.status, job.finished_at, job.result = Job.Status.COMPLETED, timezone.now(), {}
    job.save()
    return job


def no_clockwork(page: Page) -> None:
    """What pages ask by themselves from time to time would mend later what is under test."""
    page.add_init_script("window.setInterval = () => 0")


def count_calls(page: Page, name: str) -> None:
    """In <body data-calls>."""
    page.evaluate(
        "name => document.body.addEventListener(name, () => {"
        " document.body.dataset.calls = Number(document.body.dataset.calls || 0) + 1; })",
        name,
    )


def test_news_that_come_while_the_page_is_fetched_are_fetched_too(
    signed_in: Callable[..., Page], owner: User, running: Job
) -> None:
    page = signed_in(owner)
    no_clockwork(page)
    page.goto(f"/jobs/{running.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    count_calls(page, "jobs-changed")
    held: list[Route] = []
    page.route(f"**/jobs/{running.pk}/", lambda route: held.append(route) if not held else route.continue_())

    # The page asks, and is answered with the state of now; the job ends before the answer arrives
    page.evaluate("Plumbline.regions.call('jobs-changed')")
    expect(page.locator("#job.htmx-request")).to_be_visible()
    _delivered(page, held)
    answer = held[0].fetch()
    say_state(end(running))
    expect(page.locator("body")).to_have_attribute("data-calls", "2")
    held[0].fulfill(response=answer)
    expect(page.locator("#job .page-title .badge-completed")).to_be_visible()


def test_the_same_with_a_project_whose_job_ends_meanwhile(
    signed_in: Callable[..., Page], owner: User, project: Project, running: Job
) -> None:
    page = signed_in(owner)
    no_clockwork(page)
    page.goto(f"/projects/{project.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    bar = page.locator(f"[data-job='{running.pk}']")
    expect(bar).to_be_visible()
    count_calls(page, "project-changed")
    held: list[Route] = []
    page.route(f"**/projects/{project.pk}/live/**", lambda route: held.append(route) if not held else route.continue_())
    page.evaluate("Plumbline.regions.call('project-jobs')")
    expect(page.locator("#live.htmx-request")).to_be_visible()
    _delivered(page, held)
    answer = held[0].fetch()
    say_state(end(running))
    expect(page.locator("body")).to_have_attribute("data-calls", "1")
    held[0].fulfill(response=answer)
    expect(bar).to_have_count(0)


def _delivered(page: Page, held: list[Route]) -> None:
    """The page shows that it asks before Playwright hands the request over."""
    for _ in range(PATIENCE_MS // 20):
        if held:
            return
        page.wait_for_timeout(20)


def test_an_end_that_nobody_told_of_is_seen_all_the_same(
    signed_in: Callable[..., Page], owner: User, project: Project, running: Job
) -> None:
    """On every page that shows a job, beside each other: each finds out by itself, after twenty seconds of silence."""
    first = signed_in(owner)
    addresses = ["/jobs/", f"/jobs/{running.pk}/", f"/projects/{project.pk}/", "/projects/"]
    pages = [first, *(first.context.new_page() for _ in addresses[1:])]
    for page, address in zip(pages, addresses, strict=True):
        page.goto(address)
        expect(page.locator("html")).to_have_attribute("data-live", "live")
        expect(page.locator(f"[data-job='{running.pk}'] progress")).to_be_visible()
        page.evaluate("window.isTheSamePage = true")
    end(running)
    for page in pages:
        page.bring_to_front()
        expect(page.locator(f"[data-job='{running.pk}'] progress")).to_have_count(0)
        assert page.evaluate("window.isTheSamePage")
