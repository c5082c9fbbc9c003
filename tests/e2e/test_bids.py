"""Two bids as an estimator lives them: two bills in two dialects are uploaded, audited before one's eyes, compared,
discussed, priced, written back into the client's own workbook, downloaded and opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from accounts.models import User
from projects.models import Project
from projects.parsers.registry import open_bill
from tests.factories.bills import GivenBill, GivenObject, GivenPosition, GivenSection, write_kros
from tests.factories.bills_cz import write_rts
from tests.factories.projects import make_project
from tests.workbook_sound import changes_besides_values, warnings_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
SignedIn = Callable[..., Page]
D = Decimal

DIG = GivenPosition("1", "Odkopávky v hornině třídy těžitelnosti I", "m3", D(100), D("29.10"), "121151113")
BED = GivenPosition("2", "Lože pod potrubí ze štěrkopísku tl. 100 mm", "m3", D(10), D(900), "451573111")
FILL = GivenPosition("3", "Zásyp jam a rýh se zhutněním", "m3", D(40), D(150), "174151101")
TRENCHES = tuple(
    replace(DIG, number=str(n), description=f"Hloubení rýhy, úsek {n}", code=f"1321512{n:02d}") for n in range(4, 64)
)


def bill(*positions: GivenPosition) -> GivenBill:
    return GivenBill((GivenObject("SO 1", "Stoka", (GivenSection("1", "Zemní práce", positions),)),), title="Stoka")


def uploaded(page: Page, project: Project, path: Path, positions: int) -> None:
    """Dropped, read and audited, all on one page that is never loaded anew."""
    page.goto(f"/projects/{project.pk}/")
    page.wait_for_function("() => document.documentElement.dataset.live === 'live'")
    page.evaluate("window.isTheSame = true")
    page.locator("form[data-upload] input[type=file]").first.set_input_files(path)
    expect(page.locator("#positions tbody tr")).to_have_count(positions)
    expect(page.locator("#positions tbody .cell-grade .grade")).to_have_count(positions)
    expect(page.locator("#live .live-bar")).to_have_count(0)
    assert page.evaluate("window.isTheSame")


def priced(page: Page, project: Project, text: str, price: str) -> None:
    page.goto(f"/projects/{project.pk}/")
    page.locator("#positions tr", has_text=text).get_by_role("link").first.click()
    page.locator("#position [data-edit]").click()
    page.locator("#edit-form input[name=unit_price]").fill(price)
    page.locator("#edit-form [name=reason]").fill("Offer of the subcontractor")
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.locator("#edit-form")).to_have_count(0)
    expect(page.locator("#position")).to_contain_text(price)


def ask(page: Page, text: str) -> None:
    page.locator("#chat-text").fill(text)
    page.get_by_role("button", name="Send").click()


def discussed(page: Page, project: Project) -> None:
    """A question answered with its source, and a change proposed, shown and applied."""
    page.goto(f"/projects/{project.pk}/chat/")
    ask(page, "What is the total?")
    answer = page.locator(".chat-assistant").first
    expect(answer.locator(".chat-sources a").first).to_be_visible()
    expect(answer).to_contain_text("Computed")
    ask(page, "set the price of 2 to 350")
    proposal = page.locator(".chat-proposal")
    expect(proposal.locator("del", has_text="900.00").first).to_be_visible()
    expect(proposal.locator("ins", has_text="350.00").first).to_be_visible()
    proposal.get_by_role("button", name="Apply").click()
    expect(page.locator(".chat-proposal .badge-good")).to_have_text("Applied")
    page.locator(".chat-proposal").get_by_role("link", name="Version 2").click()
    expect(page.locator("body")).to_contain_text("set the price of 2 to 350")


def written_back(page: Page, project: Project, target: Path) -> Path:
    page.goto(f"/projects/{project.pk}/exports/")
    page.locator("input[name=kind][value=priced]").check()
    page.get_by_role("button", name="Make the file").click()
    expect(page.locator("#exports .badge-good")).to_have_text("Ready")
    with page.expect_download() as download:
        page.locator("#exports").get_by_role("link", name="Download").click()
    download.value.save_as(target)
    return target


def test_two_tenders_are_audited_compared_discussed_priced_and_written_back(
    owner: User, signed_in: SignedIn, tmp_path: Path
) -> None:
    blank = replace(FILL, unit_price=None)
    given, other = tmp_path / "stoka.xlsx", tmp_path / "hala.xlsx"
    write_rts(given, bill(DIG, BED, blank, *TRENCHES))
    write_kros(other, bill(DIG, replace(BED, unit_price=D(950)), FILL, *TRENCHES))
    sewer, hall = make_project(owner, "Stoka", currency="CZK"), make_project(owner, "Hala", currency="CZK")
    page = signed_in(owner, accept_downloads=True)
    uploaded(page, sewer, given, 63)
    uploaded(page, hall, other, 63)

    # Are the two the same budget?
    page.goto(f"/projects/{sewer.pk}/documents/compare/")
    page.locator("select[name=right]").select_option(label="Hala: hala.xlsx")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="These are not the same budget")).to_be_visible()
    expect(page.locator(".change", has_text="Lože pod potrubí")).to_contain_text("950")

    discussed(page, sewer)
    priced(page, sewer, "Zásyp jam", "160.5")

    # What the versions differ by
    page.goto(f"/projects/{sewer.pk}/versions/compare/?old=1&new=3")
    expect(page.locator("#tab-content")).to_contain_text("What made the difference")
    expect(page.locator("#tab-content")).to_contain_text("160.5")

    target = written_back(page, sewer, tmp_path / "priced.xlsx")
    assert warnings_of(target) == []
    assert changes_besides_values(given, target) == []
    read = {p.number: p.unit_price for p in open_bill(target).positions}
    assert (read["1"], read["2"], read["3"]) == (D("29.10"), D(350), D("160.5"))
    cells = load_workbook(target, data_only=True)["SO 1 01 Pol"]
    rows = {row[0]: row for row in cells.iter_rows(min_row=8, max_col=7, values_only=True) if row[0] in (1, 2, 3)}
    assert [(rows[n][5], rows[n][6]) for n in (1, 2, 3)] == [(29.1, 2910), (350, 3500), (160.5, 6420)]
    seen = CalamineWorkbook.from_path(str(target)).get_sheet_by_name("SO 1 01 Pol").to_python()
    assert [row[6] for row in seen if row[0] in (1, 2, 3)] == [2910, 3500, 6420]
    page.goto(f"/projects/{sewer.pk}/history/")
    expect(page.locator("#history")).to_contain_text("Offer of the subcontractor")
