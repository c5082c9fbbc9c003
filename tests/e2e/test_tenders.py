"""The tender pages in a browser: searching without reloading, by keyboard, on a phone; uploading; bidding."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import FilePayload, Page, expect

from accounts.models import Organisation, User
from projects.models import Project
from tenders.models import CompanyProfile, Decision
from tests.factories.notices import given_release, lines_of
from tests.factories.tenders import make_score, make_source, make_tender

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def tenders(organisation: Organisation) -> None:
    source = make_source()
    road = make_tender(source, title="Resurfacing of a road")
    make_score(road, organisation, 0.9)
    make_tender(source, title="A bridge over the river", cpv_main="45221100", country="SK")
    make_tender(source, title="Software for roads", cpv_main="72000000", deadline_at=timezone.now() - timedelta(days=5))


def titles(page: Page) -> list[str]:
    return page.locator(".tender-title").all_inner_texts()


def test_a_search_narrows_and_widens_without_reloading(
    signed_in: Callable[..., Page], member: User, tenders: None
) -> None:
    page = signed_in(member)
    page.get_by_role("link", name="Tenders").click()
    expect(page.locator(".tender-card")).to_have_count(3)
    page.evaluate("window.stayed = true")
    page.keyboard.press("/")
    page.keyboard.type("road")
    expect(page.locator(".tender-card")).to_have_count(2)
    expect(page).to_have_url(re.compile(r"\?q=road$"))
    page.get_by_role("checkbox", name="45 Construction work").check()
    expect(page.locator(".tender-card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=road&cpv=45$"))
    page.get_by_role("checkbox", name="45 Construction work").uncheck()
    expect(page.locator(".tender-card")).to_have_count(2)
    page.fill("#cpv-more", "72")
    page.locator("#cpv-more").blur()
    expect(page.locator(".tender-card")).to_have_count(1)
    expect(page.locator("#cpv-more")).to_have_value("")
    expect(page.get_by_role("checkbox", name="72 IT services")).to_be_checked()
    assert page.evaluate("window.stayed") is True
    page.go_back()
    expect(page.locator(".tender-card")).to_have_count(2)
    page.reload()
    expect(page.locator("#q")).to_have_value("road")
    expect(page.locator(".tender-card")).to_have_count(2)


def test_the_list_is_walked_by_keyboard(signed_in: Callable[..., Page], member: User, tenders: None) -> None:
    page = signed_in(member)
    page.goto("/tenders/")
    for key in "jjk":
        page.keyboard.press(key)
    first = titles(page)[0]
    expect(page.locator("a[data-tender]:focus")).to_have_text(first)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(first)
    page.keyboard.press("/")  # here is no search of the page's own
    expect(page.locator("#search-box")).to_be_visible()


def test_on_a_phone_the_facets_are_folded_and_nothing_scrolls_sideways(
    signed_in: Callable[..., Page], member: User, tenders: None
) -> None:
    page = signed_in(member, viewport={"width": 375, "height": 700}, has_touch=True)
    for address in ("/tenders/", "/tenders/profile/", "/tenders/imports/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, address
    page.goto("/tenders/")
    expect(page.locator("#facets")).to_be_hidden()
    page.get_by_text("Narrow down").click()
    page.get_by_role("checkbox", name="Slovakia").check()
    expect(page.locator(".tender-card")).to_have_count(1)
    expect(page.locator("#facets")).to_be_visible()
    page.get_by_text("A bridge over the river").click()
    expect(page.locator("h1")).to_have_text("A bridge over the river")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_from_a_tender_to_the_project_of_its_bid(signed_in: Callable[..., Page], member: User, tenders: None) -> None:
    page = signed_in(member)
    page.goto("/tenders/?order=relevance")
    page.get_by_role("link", name="Resurfacing of a road").click()
    expect(page.locator("#relevance")).to_contain_text("Roads are what you build.")
    page.get_by_text("No bid", exact=True).click()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Say why not")).to_be_visible()
    page.fill("#reason", "No crane free.")
    page.get_by_role("button", name="Decide").click()
    expect(page.locator("#decision .badge").first).to_contain_text("No bid")
    page.get_by_role("button", name="Bid on this").click()
    page.wait_for_url("**/projects/*/")
    expect(page.locator("h1")).to_contain_text("Resurfacing of a road")
    assert Project.objects.get().metadata["tender"]["title"] == "Resurfacing of a road"
    assert list(Decision.objects.order_by("at").values_list("choice", flat=True)) == ["no_bid", "bid"]


def test_the_profile_is_picked_and_kept(signed_in: Callable[..., Page], member: User) -> None:
    page = signed_in(member)
    page.goto("/tenders/profile/")
    page.get_by_text("Pick kinds of work").click()
    page.fill("#cpv-filter", "roads and")
    page.get_by_role("checkbox", name="45233 Roads and highways").check()
    expect(page.locator("[data-cpv-codes]")).to_have_value("45233")
    page.fill("[name=keywords]", "road\nmost")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Revision 1")).to_be_visible()
    profile = CompanyProfile.objects.get()
    assert (profile.cpv_codes, profile.keywords) == (["45233"], ["road", "most"])


def test_a_dropped_file_is_read_before_ones_eyes(signed_in: Callable[..., Page], member: User) -> None:
    page = signed_in(member)
    page.goto("/tenders/imports/")
    content = lines_of(*(given_release(number) for number in range(30))) + b"{broken\n"
    page.set_input_files("#id_notices", FilePayload(name="notices.jsonl", mimeType="application/json", buffer=content))
    page.wait_for_url("**/tenders/imports/*-*/")
    expect(page.locator("h1 + p .badge")).to_have_text("Completed")
    expect(page.get_by_text("Record 31")).to_be_visible()
    expect(page.locator(".stat", has_text="New tenders")).to_contain_text("30")
    page.get_by_role("link", name="Tenders of this source").click()
    expect(page.locator("[data-count]")).to_have_text("30 tenders")
    page.get_by_text("More tenders").click()
    expect(page.locator(".tender-card")).to_have_count(30)
