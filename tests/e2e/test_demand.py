"""Demand that moves under the reader's eyes: a question in one browser, its figures in another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Organisation, User
from analytics.models import Entity, EntityDemand
from analytics.services import refreshing, signals
from analytics.services.delivery import GROUP
from jobs.connections import events_redis
from jobs.models import Job
from projects.models import Project
from tests.analytics.search_cast import index, make_clauses
from tests.factories.projects import make_project

from .conftest import PATIENCE_MS, ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
PREHEAT = "To what temperature is A572 preheated?"


@pytest.fixture
def consumer(site: str, tmp_path: Path) -> Iterator[None]:
    """Counts what the site's pages publish. Without the streams that tests before have left."""
    streams = signals.streams()
    events_redis().delete(*streams)
    log = tmp_path / "consumer.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "consume_signals"], cwd=ROOT, env=os.environ, stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + 200
        while not all(_has_group(stream) for stream in streams):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _has_group(stream: str) -> bool:
    if not events_redis().exists(stream):
        return False
    return any(group["name"] == GROUP.encode() for group in events_redis().xinfo_groups(stream))


@pytest.fixture
def findable(owner: User) -> Project:
    """Five clauses that everybody may see, and a project of the organisation."""
    make_clauses()
    project = make_project(owner, "Zvolen viaduct", description="A viaduct of prestressed beams near Zvolen.")
    index()
    return project


def live(page: Page, address: str = "/analytics/") -> Page:
    """Open, and hearing what happens."""
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    page.evaluate("window.isTheSamePage = true")
    return page


def test_a_question_moves_the_figures_of_another_browser(
    consumer: None, findable: Project, signed_in: Callable[..., Page], owner: User, member: User, stranger: User
) -> None:
    watcher, outsider = live(signed_in(owner)), live(signed_in(stranger))
    expect(watcher.get_by_text("Nothing has been asked yet")).to_be_visible()

    asker = signed_in(member)
    asker.goto(f"/search/?q={PREHEAT}")
    expect(asker.locator("#answer")).to_contain_text("65 °C")
    for page in (watcher, outsider):  # a clause is for everybody
        expect(page.locator("#total_queries")).to_have_text("1")
        expect(page.get_by_role("region", name="Most wanted", exact=True)).to_contain_text("Preheating")

    asker.goto("/search/?q=Zvolen viaduct")
    expect(asker.locator("#answer")).to_contain_text("viaduct")
    expect(watcher.locator("#total_queries")).to_have_text("2")
    expect(watcher.get_by_role("region", name="Most wanted", exact=True)).to_contain_text("Zvolen viaduct")

    asker.goto("/search/?q=zebra crossing colours?")
    expect(asker.locator("#answer")).to_contain_text("No answer")
    expect(watcher.get_by_role("region", name="Asked and not found", exact=True)).to_contain_text(
        "zebra crossing colours?"
    )

    # Whatever the stranger's page would have been told is told by now: what is shared moves once more, and only that.
    asker.goto("/search/?q=7.3")
    expect(outsider.locator("#total_queries")).to_have_text("2")
    expect(outsider.locator("#demand")).not_to_contain_text("Zvolen")
    expect(outsider.locator("#demand")).not_to_contain_text("zebra")
    assert watcher.evaluate("window.isTheSamePage") and outsider.evaluate("window.isTheSamePage")


def test_an_entity_is_followed_question_by_question(
    consumer: None, findable: Project, signed_in: Callable[..., Page], owner: User, member: User
) -> None:
    entity = Entity.objects.get(source="quiz.clause", code="4.1.2")
    watcher = live(signed_in(owner), f"/analytics/entities/{entity.pk}/")
    expect(watcher.get_by_text("Nobody has asked for it yet")).to_be_visible()
    asker = signed_in(member)
    for asked in ("1", "2"):
        asker.goto("/search/?q=4.1.2")
        expect(watcher.locator("#query_count")).to_have_text(asked)
    expect(watcher.get_by_role("img", name="Signals in each hour")).to_be_visible()
    drawn = "Chart.getChart(document.querySelector('#chart-hours canvas')).data.datasets[0].data.at(-1)"
    last_two = f"({drawn}) + Chart.getChart(document.querySelector('#chart-hours canvas')).data.datasets[0].data.at(-2)"
    watcher.wait_for_function(f"{last_two} === 2")
    expect(watcher.locator("section", has_text="Questions that led here").last).to_contain_text("2 times")
    assert watcher.evaluate("window.isTheSamePage")


def test_an_old_entity_is_refreshed_and_leaves_the_list(
    consumer: None, findable: Project, signed_in: Callable[..., Page], owner: User, member: User
) -> None:
    asker = signed_in(member)
    asker.goto("/search/?q=4.1.2")
    page = live(signed_in(owner))
    expect(page.locator("#total_queries")).to_have_text("1")
    long_ago = timezone.now() - timedelta(days=60)
    Entity.objects.update(updated_at=long_ago)
    EntityDemand.objects.update(refreshed_at=long_ago)

    live(page, "/analytics/?least=0.1")
    stale = page.locator("#stale")
    entity = Entity.objects.get(source="quiz.clause", code="4.1.2")
    stale.locator(f"#refresh-{entity.pk}").click()
    expect(stale.locator("[data-job]")).to_have_attribute("data-status", "completed")
    expect(stale.get_by_text("Whatever is wanted so much is up to date.")).to_be_visible()
    expect(page.locator("#needs_update")).to_have_text("0")
    assert page.evaluate("window.isTheSamePage")
    assert Job.objects.get(kind=refreshing.NAMED).status == Job.Status.COMPLETED


def test_who_only_looks_on_sees_no_buttons(
    consumer: None, findable: Project, signed_in: Callable[..., Page], organisation: Organisation, owner: User
) -> None:
    owner.memberships.update(role="viewer")
    page = signed_in(owner)
    page.goto("/search/?q=4.1.2")
    live(page)
    expect(page.locator("#total_queries")).to_have_text("1")
    expect(page.get_by_role("button", name="Refresh")).to_have_count(0)
