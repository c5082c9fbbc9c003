"""Two people in one project: each sees the other, an edit arrives without reload, and nobody's work is overwritten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership, Organisation, User
from projects.models import Project
from tests.factories.people import make_user
from tests.factories.projects import make_positions

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]


@pytest.fixture
def colleague(organisation: Organisation) -> User:
    return make_user("colleague", organisation=organisation, role=Membership.Role.MEMBER)


def test_two_people_change_one_position(
    signed_in: Callable[..., Page], owner: User, colleague: User, project: Project
) -> None:
    first = make_positions(project, 2)[0]
    mine, theirs = signed_in(owner), signed_in(colleague)
    address = f"/projects/{project.pk}/positions/{first.lineage}/"
    mine.goto(f"{address}edit/")
    theirs.goto(f"{address}edit/")
    expect(mine.locator("#edit-form [name=unit_price]")).to_be_visible()

    theirs.fill("#edit-form [name=unit_price]", "77")
    theirs.fill("#edit-form [name=reason]", "New offer")
    theirs.click("#edit-form button[type=submit]")
    expect(theirs.locator("#position")).to_contain_text("77.00")

    mine.fill("#edit-form [name=unit_price]", "88")
    mine.click("#edit-form button[type=submit]")
    expect(mine.get_by_role("alert").first).to_contain_text("Someone changed this position")
    mine.get_by_label("Yours: 88").check()
    mine.get_by_role("button", name="Save what is chosen").click()
    expect(mine.locator("#position")).to_contain_text("88.00")

    theirs.goto(f"/projects/{project.pk}/history/")
    expect(theirs.locator("#history")).to_contain_text("New offer")
    theirs.goto(f"/projects/{project.pk}/versions/compare/")
    expect(theirs.locator("#tab-content")).to_contain_text("What made the difference")


def test_each_sees_the_other_and_what_they_are_at(
    signed_in: Callable[..., Page], owner: User, colleague: User, project: Project
) -> None:
    first = make_positions(project, 2)[0]
    mine, theirs = signed_in(owner), signed_in(colleague)
    mine.goto(f"/projects/{project.pk}/")
    expect(mine.locator("html")).to_have_attribute("data-live", "live")
    expect(mine.locator(".here-person")).to_have_count(0)
    theirs.goto(f"/projects/{project.pk}/positions/{first.lineage}/edit/")
    theirs.goto(f"/projects/{project.pk}/")
    expect(mine.locator(".here-person")).to_have_count(1)
    expect(theirs.locator(".here-person")).to_have_count(1)
    theirs.goto("/projects/")
    expect(mine.locator(".here-person")).to_have_count(0)
