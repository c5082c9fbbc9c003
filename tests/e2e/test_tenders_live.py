"""Pages of tenders that move by themselves: a file as it is read, a firm's tenders as they are assessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import Organisation, User
from tenders.models import CompanyProfile, Score
from tests.factories.notices import given_release, lines_of
from tests.factories.tenders import make_source, make_tender

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
TENDERS = 12


@contextmanager
def nobody_writes(table: str) -> Iterator[None]:
    """Whoever wants to write to it waits until the end; reading goes on."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


def test_a_file_is_seen_being_read(signed_in: Callable[..., Page], member: User) -> None:
    page = signed_in(member)
    page.goto("/tenders/imports/")
    content = lines_of(*(given_release(number) for number in range(40)))
    with nobody_writes("tenders_tender"):
        page.set_input_files(
            "#id_notices", FilePayload(name="notices.jsonl", mimeType="application/json", buffer=content)
        )
        page.wait_for_url("**/tenders/imports/*-*/")
        expect(page.locator("h1 + p .badge")).to_have_text("Running")
        expect(page.get_by_role("region", name="Progress")).to_be_visible()
        page.evaluate("window.isTheSamePage = true")
    expect(page.locator("h1 + p .badge")).to_have_text("Completed")
    expect(page.locator(".stat", has_text="New tenders")).to_contain_text("40")
    expect(page.get_by_role("region", name="Progress")).to_have_count(0)
    assert page.evaluate("window.isTheSamePage")
    page.get_by_role("link", name="Assess them").click()
    expect(page.locator("h1")).to_contain_text("Assessing tenders")


def test_a_run_is_seen_assessing_and_its_bar_grows(
    signed_in: Callable[..., Page], member: User, organisation: Organisation
) -> None:
    CompanyProfile.objects.create(organisation=organisation, cpv_codes=["45233"], keywords=["road", "resurfacing"])
    source = make_source()
    for number in range(TENDERS):
        cpv, title = ("45233220", f"Resurfacing of road {number}") if number % 3 else ("72000000", f"Software {number}")
        make_tender(source, title=title, cpv_main=cpv, cpv_codes=[cpv])
    page = signed_in(member)
    page.goto("/tenders/enrichment/")
    expect(page.locator("#grades-bar")).to_have_attribute("aria-label", "0 high, 0 medium, 0 low")
    with nobody_writes("tenders_score"):
        page.get_by_role("button", name="Read them").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("data-live", "live")
        page.evaluate("window.isTheSamePage = true")
    expect(page.locator("#job")).to_have_attribute("data-status", "completed")
    expect(page.get_by_text(f"0 of {TENDERS} are unread")).to_be_visible()
    assert page.evaluate("window.isTheSamePage")
    for grade in ("high", "medium", "low"):
        number = Score.objects.filter(relevance=grade).count()
        expect(page.locator(f"[data-grade={grade}]")).to_have_text(str(number))
        width = page.locator(f"#grades-{grade}").get_attribute("width")
        assert width == f"{100 * number / TENDERS:.3f}%"
    assert 0 < Score.objects.filter(relevance="low").count() < TENDERS
