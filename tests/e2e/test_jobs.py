"""The jobs pages in a browser: a batch as it runs, and Redis going away and coming back under an open page."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from config.embedded.client import make_root
from config.embedded.layout import Layout
from config.embedded.redis import Redis
from jobs.models import Job
from jobs.services import enqueue, enqueue_batch
from tests.factories.people import PASSWORD
from tests.jobs import kinds  # noqa: F401
from tests.jobs.processes import command, wait_until

from .conftest import PATIENCE_MS, ROOT, _wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
# uvicorn that knows the tests' kinds of jobs: a job of an unknown kind can't be retried.
WEB = """
import sys
import django
django.setup()
import tests.jobs.kinds
import uvicorn
uvicorn.main(sys.argv[1:])
"""


@pytest.fixture
def private_redis(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A server of this test alone, so that it can be killed."""
    folder = Path(tempfile.mkdtemp(prefix="plumbline-redis-"))
    folder.chmod(0o711)
    layout = Layout(folder / "var")
    make_root(layout, testing=True)
    server = Redis(layout)
    server.start()
    for name in ("REDIS_URL", "REDIS_QUEUE_URL", "REDIS_EVENTS_URL"):
        setattr(settings, name, server.url)
        monkeypatch.setenv(name, server.url)
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": server.url}}
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def lonely_site(private_redis: Redis, django_db_setup: None, tmp_path: Path) -> Iterator[str]:
    """A web process on that Redis, without workers; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "web.log"
    uvicorn = ("-c", WEB, "config.asgi:application", "--log-level", "warning", "--timeout-graceful-shutdown", "1")
    with log.open("ab") as output:
        web = subprocess.Popen(
            [sys.executable, *uvicorn, "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"WEB_THREADS": "4", "JOBS_WHEN_REDIS_IS_DOWN": "hold"},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        web.kill()
        web.wait()


@pytest.fixture
def page(lonely_site: str, browser: Browser) -> Iterator[Page]:
    """Not signed in yet. What fails in a script fails the test."""
    context = browser.new_context(base_url=lonely_site)
    context.set_default_timeout(PATIENCE_MS)
    page, trouble = context.new_page(), []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    yield page
    context.close()
    assert trouble == []


def sign_in(page: Page, user: User) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", user.email)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url("**/projects/")


def test_without_redis_people_sign_in_and_pages_say_so_and_follow_by_themselves(
    page: Page, private_redis: Redis, owner: User, tmp_path: Path
) -> None:
    may_end = tmp_path / "may-end"
    assert private_redis.process is not None
    private_redis.process.send_signal(signal.SIGKILL)
    private_redis.process.wait()

    # Signing in needs no Redis, nor does asking for work; the page says what it can't do
    sign_in(page, owner)
    page.goto("/jobs/")
    expect(page.locator("#live-notice")).to_contain_text("Live updates are paused")
    expect(page.locator("html")).to_have_attribute("data-live", "paused")

    # A job appears, runs and moves on without a reload and without an event
    page.evaluate("window.isTheSamePage = true")
    job = enqueue(kind="tests.until_told", params={"may_end": str(may_end)}, actor=owner)
    row = page.locator(f"tr[data-job='{job.pk}']")
    expect(row).to_contain_text("Waiting for a worker")
    with command("work", "default"):
        expect(row.locator("[data-progress-step]")).to_contain_text("Step")

        # Redis is back: live again, and what follows is heard
        private_redis.start()
        expect(page.locator("html")).to_have_attribute("data-live", "live")
        expect(page.locator("#live-notice")).to_have_count(0)
        page.evaluate("document.addEventListener('live:progress', () => { document.body.dataset.heard = 'yes'; })")
        expect(page.locator("body")).to_have_attribute("data-heard", "yes")
        may_end.touch()
        expect(row.locator(".badge-completed")).to_be_visible()
    assert page.evaluate("window.isTheSamePage")


def test_job_that_ends_while_redis_is_away_is_shown_as_ended_when_it_is_back(
    page: Page, private_redis: Redis, owner: User, tmp_path: Path
) -> None:
    may_end = tmp_path / "may-end"
    job = enqueue(kind="tests.until_told", params={"may_end": str(may_end)}, actor=owner)
    sign_in(page, owner)
    page.goto(f"/jobs/{job.pk}/")
    with command("work", "default"):
        expect(page.locator("[data-progress-step]")).to_contain_text("Step")
        assert private_redis.process is not None
        private_redis.process.send_signal(signal.SIGKILL)
        private_redis.process.wait()
        expect(page.locator("html")).to_have_attribute("data-live", "paused")
        may_end.touch()
        wait_until(lambda: Job.objects.filter(pk=job.pk, status="completed").exists(), "the job has ended")
        private_redis.start()
        expect(page.locator("html")).to_have_attribute("data-live", "live")
        expect(page.locator("#job .page-title .badge-completed")).to_be_visible()


def test_batch_is_followed_to_its_end_and_its_failed_jobs_are_retried(page: Page, owner: User) -> None:
    params = [{"good": n % 5 != 0, "n": n} for n in range(100)]
    batch = enqueue_batch(kind="tests.echo_or_refuse", params=params, actor=owner, message="A hundred at once")
    sign_in(page, owner)
    page.goto(f"/jobs/{batch.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    expect(page.locator("#job")).to_contain_text("0 of 100")
    page.evaluate("window.isTheSamePage = true")
    with command("work", "default"):
        expect(page.locator("#job .page-title .badge-failed")).to_be_visible(timeout=4 * PATIENCE_MS)
        expect(page.locator("[data-children=completed]")).to_have_text("80")
        expect(page.locator("[data-children=failed]")).to_have_text("20")
        reasons = page.get_by_role("region", name="Why jobs failed")
        expect(reasons).to_contain_text("20 jobs")
        expect(reasons).to_contain_text("The file is empty")
        assert page.evaluate("window.isTheSamePage")

        # The failed ones, narrowed and then run again
        reasons.get_by_role("link").click()
        expect(page.locator("tr[data-job] .badge-failed")).to_have_count(20)
        page.get_by_role("button", name="Retry 20 failed").click()
        wait_until(
            lambda: Job.objects.filter(batch=batch, status="failed", attempt=2).count() == 20, "they have run again"
        )
        assert Job.objects.filter(batch=batch, status="completed", attempt=1).count() == 80
        expect(page.locator("[data-children=failed]")).to_have_text("20")


def test_running_job_is_cancelled_and_started_again_from_its_page(page: Page, owner: User, tmp_path: Path) -> None:
    job = enqueue(kind="tests.until_told", params={"may_end": str(tmp_path / "never")}, actor=owner)
    sign_in(page, owner)
    page.goto(f"/jobs/{job.pk}/")
    with command("work", "default"):
        expect(page.locator("[data-progress-step]")).to_contain_text("Step")
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Cancel the job").click()
        expect(page.locator("#job .page-title .badge-cancelled")).to_be_visible()
        page.get_by_role("button", name="Retry").click()
        expect(page.locator("#job .page-title .badge-running")).to_be_visible()
