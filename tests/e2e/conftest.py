"""The site as it runs: uvicorn, a worker and the scheduler as processes on the test database, and a real browser.

Run apart from the other tests (`make e2e`): Playwright's synchronous API keeps a loop running in this thread, which
pytest-asyncio can't share and in which Django would refuse its ORM.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from accounts.models import Membership, Organisation, User
from projects.models import Project
from tests.browser import ARGUMENTS, chromium
from tests.factories.people import PASSWORD, make_organisation, make_user
from tests.factories.projects import make_project
from tests.standins import airtable_questions
from tests.standins.airtable import serving
from tests.standins.airtable_base import Airtable

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_MS = 30_000  # machines that run tests are loaded; only a failure waits this long
PROCESSES = (
    ("-m", "uvicorn", "config.asgi:application", "--log-level", "warning", "--timeout-graceful-shutdown", "1"),
    ("manage.py", "work", "high", "default", "low"),
    ("manage.py", "schedule"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with processes of their own come first: once the site runs, its worker takes every job there is."""
    items.sort(key=lambda item: "site" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    expect.set_options(timeout=PATIENCE_MS)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def airtable() -> Iterator[Airtable]:
    """What the site takes for Airtable. Tests put their own table and bucket into it."""
    with serving(airtable_questions.welding_base(0)) as standin:
        yield standin


@pytest.fixture(scope="session")
def processes_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site") / "processes.log"


@pytest.fixture(scope="session")
def site(django_db_setup: None, airtable: Airtable, processes_log: Path) -> Iterator[str]:
    """The site's address."""
    log = processes_log
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"MEDIA_ROOT": str(settings.MEDIA_ROOT), "WEB_THREADS": "4"}
    environment |= {"AIRTABLE_URL": airtable.url, "AIRTABLE_TOKEN": airtable.token, "AIRTABLE_REQUESTS_PER_S": "45"}
    with log.open("ab") as output:
        running = [
            subprocess.Popen(
                [sys.executable, *command, *(("--port", str(port)) if "uvicorn" in command else ())],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
            )
            for command in PROCESSES
        ]
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address + "/health", log)
        yield address
    finally:
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, log: Path) -> None:
    end = time.monotonic() + 400
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"The site did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def organisation(transactional_db: None) -> Organisation:
    return make_organisation()


@pytest.fixture
def owner(organisation: Organisation) -> User:
    return make_user("owner", organisation=organisation, role=Membership.Role.OWNER)


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


@pytest.fixture
def stranger(transactional_db: None) -> User:
    return make_user("stranger", organisation=make_organisation("Elsewhere"))


@pytest.fixture
def project(owner: User) -> Project:
    """Empty."""
    return make_project(owner, "Novostavba")


def is_trouble(said: ConsoleMessage) -> bool:
    """Errors, but not remarks that an answer was a refusal (a 409 is part of the conversation) or not waited for, or
    that a test has taken the connection away."""
    remarks = (
        "the server responded with a status of 4",
        "htmx:afterRequest",
        "htmx:sendAbort",
        "net::ERR_INTERNET_DISCONNECTED",
    )
    return said.type == "error" and not any(remark in said.text for remark in remarks)


@pytest.fixture
def signed_in(site: str, browser: Browser, processes_log: Path) -> Iterator[Callable[..., Page]]:
    """`signed_in(user)`: a page in a browser of its own; what goes wrong in its console fails the test."""
    contexts, trouble = [], []

    def open_page(user: User, **options: Any) -> Page:
        context = browser.new_context(base_url=site, **options)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: trouble.append(said.text) if is_trouble(said) else None)
        page.goto("/accounts/login/")
        page.fill("input[name=login]", user.email)
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url("**/projects/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == [], f"What the site's processes said:\n{processes_log.read_text('utf-8', 'replace')[-6000:]}"
