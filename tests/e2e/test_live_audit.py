"""The main job in a browser: drop a bill, watch it being audited, decide on a finding, edit a price, see version 2."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, Route, expect

from accounts.models import User
from projects.models import Project
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_kros
from tests.factories.imports import given_bill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
SignedIn = Callable[..., Page]

DIG = GivenPosition("1", "Odkopávky v hornině třídy těžitelnosti I", "m3", Decimal(100), Decimal("29.10"), "121151113")
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku tl. 100 mm", "", Decimal(10), Decimal(900), "451573111")

# Remembers what the page is told of the audit, and whether its bar was ever to be seen.
RECORD = """
window.told = [];
window.shown = false;
document.addEventListener('live:progress', event => {
  const said = (event.detail.data.message || '').match(/Auditing position [^:]*/);
  if (said) window.told.push(said[0]);
});
new MutationObserver(() => {
  if (document.querySelector('#live .live-bar progress')) window.shown = true;
}).observe(document, {subtree: true, childList: true});
"""


def drop(page: Page, path: Path) -> None:
    page.locator("form[data-upload] input[type=file]").first.set_input_files(path)


def test_a_bill_is_dropped_audited_decided_on_and_edited(
    project: Project, owner: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, BED))
    page = signed_in(owner)
    page.get_by_role("link", name="Novostavba").first.click()
    page.evaluate("window.isTheSamePage = true")
    drop(page, tmp_path / "bill.xlsx")

    # The page fills by itself, without being loaded again
    row = page.locator("#positions tr", has_text="Lože pod potrubí")
    expect(row.locator(".grade-red")).to_be_visible()
    summary = page.locator("body")
    expect(summary).to_contain_text("11,910.00")
    expect(page.get_by_role("button", name="Audit", exact=True)).to_be_enabled()
    assert page.evaluate("window.isTheSamePage")

    # The finding, and an override with a reason
    row.get_by_role("link").first.click()
    panel = page.locator("#position")
    finding = panel.locator(".finding-item", has_text="V02")
    expect(finding).to_be_visible()
    finding.locator("summary", has_text="Decide").click()
    finding.locator("input[value=overridden]").check()
    finding.locator("textarea").fill("The unit is in the text")
    finding.get_by_role("button", name="Decide").click()
    expect(panel.locator(".decision", has_text="The unit is in the text")).to_be_visible()
    expect(page.locator("#positions tr", has_text="Lože pod potrubí").locator(".grade-red")).to_have_count(0)

    # An edit makes version 2, with its delta
    panel.locator("[data-edit]").click()
    price = panel.locator("#edit-form input[name=unit_price]")
    price.fill("950")
    panel.get_by_role("button", name="Save as a new version").click()
    expect(page.locator("body")).to_contain_text("12,410.00")
    page.get_by_role("link", name="Versions").click()
    expect(page.locator("#versions")).to_contain_text("Version 2")
    expect(page.locator("#versions tr", has_text="Version 2")).to_contain_text("500.00")


def test_by_keyboard_one_gets_into_a_position_and_back(
    project: Project, owner: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, BED))
    page = signed_in(owner, viewport={"width": 1100, "height": 800})
    page.goto(f"/projects/{project.pk}/")
    drop(page, tmp_path / "bill.xlsx")
    row = page.locator("#positions tbody tr").first
    expect(row.locator(".cell-grade .grade")).to_be_visible()
    expect(page.locator("#live .live-bar")).to_have_count(0)
    page.keyboard.press("j")
    expect(row).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#position")).to_be_visible()
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(row).to_be_focused()
    box = page.locator("#positions-scroll")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), "the money is beyond a laptop's screen"


def test_two_browsers_on_one_project_see_the_same_progress(
    project: Project, owner: User, member: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    positions = tuple(
        replace(DIG, number=str(n), description=f"Odkopávky úsek {n}", quantity=Decimal(n)) for n in range(1, 4001)
    )
    objects = (GivenObject("SO 1", "Dům", (GivenSection("1", "Zemní práce", positions),)),)
    write_kros(tmp_path / "bill.xlsx", GivenBill(objects))
    pages = [signed_in(owner), signed_in(member)]
    for page in pages:
        page.add_init_script(RECORD)
        page.goto(f"/projects/{project.pk}/")
        page.wait_for_function("() => document.documentElement.dataset.live === 'live'")
    drop(pages[0], tmp_path / "bill.xlsx")
    for page in pages:
        page.wait_for_function("() => window.told.includes('Auditing position 4000/4000')")
        expect(page.locator("#positions tbody tr")).to_have_count(100)
    mine, theirs = (page.evaluate("window.told") for page in pages)
    assert mine == theirs
    numbers = [int(re.search(r"position (\d+)/4000", said).group(1)) for said in mine]  # type: ignore[union-attr]
    assert numbers == sorted(numbers)
    assert all(page.evaluate("window.shown") for page in pages)


def test_a_file_that_is_no_bill_says_why_on_the_page(
    project: Project, owner: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    (tmp_path / "letter.xlsx").write_text("Dear Sir or Madam")
    page = signed_in(owner)
    page.goto(f"/projects/{project.pk}/")
    drop(page, tmp_path / "letter.xlsx")
    expect(page.locator("body")).to_contain_text("not a bill of quantities")
    page.get_by_role("link", name="Documents").click()
    expect(page.locator("main")).to_contain_text("letter.xlsx")


def test_an_edit_that_comes_second_shows_both_values(
    project: Project, owner: User, member: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    first, second = signed_in(owner), signed_in(member)
    first.goto(f"/projects/{project.pk}/")
    drop(first, tmp_path / "bill.xlsx")
    expect(first.locator("#positions tr", has_text="Odkopávky").locator(".cell-grade .grade")).to_be_visible()
    second.goto(f"/projects/{project.pk}/")
    for page, price in ((first, "31"), (second, "32")):
        page.locator("#positions tr", has_text="Odkopávky").get_by_role("link").first.click()
        page.locator("#position [data-edit]").click()
        page.locator("#edit-form input[name=unit_price]").fill(price)
    first.get_by_role("button", name="Save as a new version").click()
    expect(first.locator("body")).to_contain_text("3,100.00")
    second.get_by_role("button", name="Save as a new version").click()
    conflict = second.locator(".conflict-form")
    expect(conflict).to_contain_text("31")
    expect(conflict).to_contain_text("32")
    conflict.locator("input[value=mine]").check()
    conflict.get_by_role("button", name="Save what is chosen").click()
    expect(second.locator("body")).to_contain_text("3,200.00")


def test_a_form_that_opens_while_the_position_is_refreshed_stays(
    project: Project, owner: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG))
    page = signed_in(owner)
    page.goto(f"/projects/{project.pk}/")
    drop(page, tmp_path / "bill.xlsx")
    row = page.locator("#positions tr", has_text="Odkopávky")
    expect(row.locator(".cell-grade .grade")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(page.locator("#position [data-edit]")).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:  # a plain append has no place for what Playwright notes on a handler
        held.append(route)

    page.route(re.compile(r"/positions/[0-9a-f-]+/$"), hold)
    page.evaluate("() => htmx.trigger('#position', 'refresh-position')")
    page.wait_for_function("() => document.querySelector('#position').matches('.htmx-request')")
    page.locator("#position [data-edit]").click()
    expect(page.locator("#edit-form")).to_be_visible()
    page.unroute_all()
    for route in held:
        with contextlib.suppress(Error):  # given up by the page, as it should be
            route.continue_()
    page.evaluate("() => fetch(location.href).then(answer => answer.text())")
    expect(page.locator("#edit-form input[name=unit_price]")).to_be_editable()


def test_a_stranger_finds_neither_page_nor_channel(
    project: Project, stranger: User, signed_in: SignedIn, site: str
) -> None:
    page = signed_in(stranger)
    answer = page.request.get(f"{site}/projects/{project.pk}/")
    assert answer.status == 404
    said = page.evaluate(
        """channel => new Promise(resolve => {
          const socket = new WebSocket(`ws://${location.host}/ws/`);
          socket.onopen = () => socket.send(JSON.stringify({action: 'join', channel}));
          socket.onmessage = event => {
            const said = JSON.parse(event.data);
            if (said.channel === channel) resolve(said);
          };
          socket.onclose = event => resolve({type: 'closed', code: event.code});
        })""",
        f"project:{project.pk}",
    )
    assert said.get("code") in (4404, "4404", "not_found") or said["type"] == "error", said


@pytest.mark.parametrize("colour_scheme", ["light", "dark"])
def test_the_pages_fit_a_phone(
    project: Project, owner: User, signed_in: SignedIn, tmp_path: Path, colour_scheme: str
) -> None:
    write_kros(tmp_path / "bill.xlsx", given_bill(DIG, BED))
    page = signed_in(
        owner, viewport={"width": 390, "height": 844}, color_scheme=colour_scheme, has_touch=True, is_mobile=True
    )
    page.goto(f"/projects/{project.pk}/")
    drop(page, tmp_path / "bill.xlsx")
    expect(page.locator("#positions .grade-red").first).to_be_visible()
    for path in ("", "audit/", "documents/", "versions/", "charts/"):
        page.goto(f"/projects/{project.pk}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
    for path in ("/projects/", "/jobs/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
