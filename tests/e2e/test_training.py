"""Training calls as a new coach meets them: a template is made and assigned, a voice service reports the call, the
learner's page follows it without being loaded again, the coach says what they think, and the figures move."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import Membership, Organisation, User
from quiz.models import Assignment, SessionGrade, TrainingSession, TrainingTemplate
from quiz.services.training import reviewing
from tests.factories.people import make_user
from tests.factories.training import LEARNER, make_grade, make_session, make_template
from tests.factories.voice import report
from tests.jobs.processes import wait_until

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
SignedIn = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SAID = [
    ("bot", "Hello, Marta Hollins speaking."),
    ("user", "Good morning. Which edition of the welding code do you want us to price?"),
    ("bot", "The current one. The drawings still name the old one."),
    ("user", "Then I send you that as a written question."),
]
SAID_LATER = [*SAID, ("user", "As the next step I send you the list by Friday."), ("bot", "Agreed, by Friday.")]


@pytest.fixture
def coach(organisation: Organisation) -> User:
    return make_user("coach", organisation=organisation, role=Membership.Role.COACH)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def posted(site: str, connection_path: str, secret: str, body: Any) -> int:
    """What `curl -H "Authorization: Bearer …" -d @report.json` does."""
    request = urllib.request.Request(
        site + connection_path,
        data=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        status: int = answer.status
        return status


def make_template_by_keyboard(page: Page) -> None:
    page.goto("/training/templates/")
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Name", exact=True).fill("Bid clarification")
    page.get_by_label("Scenario").fill("The documents disagree. Find out what to price.")
    page.get_by_role("button", name="Behaviour", exact=True).press("Enter")
    expect(page.locator(".training-row")).to_have_count(1)
    page.keyboard.type("Agrees a next step")  # the new row's name has the focus
    page.locator("#rubric select").select_option(label="Next step agreed")
    expect(page.get_by_text("50 where a next step is named")).to_be_visible()
    page.get_by_role("button", name="Quality", exact=True).press("Enter")
    expect(page.locator(".training-row")).to_have_count(2)
    page.keyboard.type("Explains clearly")
    for place, (score, name) in enumerate((("0", "Confusing"), ("50", "Partly"), ("100", "Clear")), 1):
        page.get_by_label(f"Score of level {place}").fill(score)
        page.get_by_label(f"Name of level {place}").fill(name)
    page.get_by_role("button", name="Move criterion 2 up").press("Enter")
    expect(page.locator(".training-row input[name$='-name']").first).to_have_value("Explains clearly")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Bid clarification")
    expect(page.get_by_text("Rubric version 1 of 1")).to_be_visible()


def assign(page: Page, person: str) -> None:
    page.get_by_role("link", name="Assign", exact=True).click()
    page.get_by_role("checkbox", name=person).check()
    due = timezone.now() + timedelta(days=2)
    page.get_by_label("Due, UTC").first.fill(f"{due:%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="Assign").click()
    expect(page.get_by_text("Assigned to 1 person.")).to_be_visible()


def connect(page: Page) -> tuple[str, str]:
    """Path and secret, as the page shows them once."""
    page.goto("/training/connections/")
    page.get_by_label("Name", exact=True).fill("Voice service")
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("The secret is shown this once.")).to_be_visible()
    address = page.locator("#once-address").input_value()
    return address[address.index("/api/") :], page.locator("#once-secret").input_value()


def see_assignment(page: Page) -> None:
    page.goto("/training/")
    expect(page.get_by_role("heading", name="To practise")).to_be_visible()
    expect(page.locator("#main")).to_contain_text("Bid clarification")


def test_a_new_coach_from_a_template_to_figures_that_move(
    site: str, signed_in: SignedIn, owner: User, coach: User, member: User
) -> None:
    path, secret = connect(signed_in(owner))
    teaching = signed_in(coach)
    make_template_by_keyboard(teaching)
    assign(teaching, "Member")

    learning = signed_in(member)
    see_assignment(learning)
    assignment = Assignment.objects.get()
    metadata = {"assignment_id": str(assignment.pk)}
    assert posted(site, path, secret, report("call-1", SAID, metadata=metadata)) == 200
    wait_until(lambda: TrainingSession.objects.filter(status="done").exists(), "the call is graded")
    session = TrainingSession.objects.get()
    assert session.assignment == assignment and session.user == member

    learning.goto(f"/training/sessions/{session.pk}/")
    follow(learning, lambda: posted(site, path, secret, report("call-1", SAID_LATER, metadata=metadata)))
    assert learning.evaluate("window.stayed") is True
    learning.get_by_role("button", name="Submit for review").click()
    expect(learning.get_by_text("A coach will look at it.")).to_be_visible()
    learning.evaluate("window.stayed = true")

    teaching.goto("/training/organisation/?period=7d")
    expect(teaching.locator(".stat", has_text="Average score")).to_contain_text("–")
    review(teaching, session)

    # It stands on the learner's page, which nobody has loaded anew.
    expect(learning.locator("#turn-1")).to_contain_text("Well asked: the first thing to know.")
    expect(learning.locator(".training-criterion", has_text="Explains clearly")).to_contain_text("Named the document.")
    expect(learning.get_by_text("finished the review")).to_be_visible()
    assert learning.evaluate("window.stayed") is True
    assignment.refresh_from_db()
    assert assignment.completed_at is not None and SessionGrade.objects.filter(grader="human").count() == 1

    teaching.goto("/training/organisation/?period=7d")
    expect(teaching.locator(".stat", has_text="Closed")).to_contain_text("100\u00a0%")
    expect(teaching.locator(".stat", has_text="Average score")).not_to_contain_text("–")
    expect(teaching.locator("canvas[data-chart]")).to_have_count(2)


def follow(page: Page, report_again: Callable[[], int]) -> None:
    """The learner looks on while the call, reported again in other words, is worked on anew; a quote leads to its
    turn."""
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    page.evaluate("window.stayed = true")
    row = page.locator(".training-criterion", has_text="Agrees a next step")
    before = row.locator("progress").get_attribute("value")
    assert report_again() == 200
    expect(page.locator("#transcript")).to_contain_text("the list by Friday")
    expect(row.locator("progress")).not_to_have_attribute("value", before or "")
    expect(page.locator("[data-working]")).to_have_count(0)
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(r"#turn-\d"))


def review(page: Page, session: TrainingSession) -> None:
    """A coach finds it in the queue, writes about a turn, grades, closes."""
    page.get_by_role("link", name="To review").click()
    page.get_by_role("link", name="Bid clarification").first.click()
    page.get_by_role("link", name="Write about turn 2").click()
    expect(page.get_by_label("About turn 2", exact=True)).to_be_focused()
    page.keyboard.type("Well asked: the first thing to know.")
    page.locator("#turn-1").get_by_role("button", name="Keep the note").click()
    expect(page.locator("#turn-1 .training-note")).to_contain_text("Well asked")
    page.get_by_text("Grade it yourself").click()
    page.get_by_label("Score of Explains clearly, 0 to 100").fill("80")
    page.get_by_label("Reason for Explains clearly").fill("Named the document.")
    page.get_by_role("button", name="Keep my grade").click()
    expect(page.get_by_text("Your grade counts from now on.")).to_be_visible()
    page.get_by_role("button", name="Close the review").click()
    expect(page.get_by_text("finished the review")).to_be_visible()


def test_what_is_being_written_is_not_taken_away(signed_in: SignedIn, coach: User, member: User) -> None:
    template = make_template(coach.memberships.get().organisation)
    session = make_session(user=member, template=template)
    page = signed_in(member, **PHONE)
    page.goto(f"/training/sessions/{session.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    assert fits(page)
    page.get_by_label("Write a note").fill("Half a thought")

    reviewing.add_note(session_id=session.pk, text="Said meanwhile", actor=coach)
    expect(page.get_by_text("This call has changed while you write.")).to_be_visible()
    expect(page.get_by_label("Write a note")).to_have_value("Half a thought")
    page.locator("#notes").get_by_role("button", name="Keep the note").click()
    expect(page.locator("#notes")).to_contain_text("Said meanwhile")
    expect(page.locator("#notes")).to_contain_text("Half a thought")
    assert fits(page)


def test_every_page_fits_a_phone(signed_in: SignedIn, organisation: Organisation, owner: User, member: User) -> None:
    template: TrainingTemplate = make_template(
        organisation, "A template whose name is longer than what a phone is wide"
    )
    session = make_session(user=member, template=template, turns=[("Client", "w" * 120), (LEARNER, "Yes. " * 80)])
    make_grade(session, "model", scores={"clarity": 40, "talk-share": 90}, overall="52.5")
    page = signed_in(owner, **PHONE)
    places = [
        "",
        "sessions/",
        "review/",
        "assignments/",
        "templates/",
        "templates/new/",
        "organisation/",
        "connections/",
    ]
    places += [f"sessions/{session.pk}/", f"templates/{template.pk}/", f"templates/{template.pk}/edit/"]
    for place in places:
        page.goto(f"/training/{place}")
        expect(page.locator("h1")).to_be_visible()
        assert fits(page), place
