"""Quizzes in a browser: by thumb and by keyboard, through reloads, lost connections and the end of an exam's time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from accounts.models import User
from quiz.models import Answer, Attempt, Category, ReviewCard
from quiz.services import attempts
from tests.factories.quiz import cite, make_category, make_clause, make_question, make_questions
from tests.jobs.processes import wait_until

from .conftest import PATIENCE_MS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.e2e]
expect.set_options(timeout=PATIENCE_MS)
SignedIn = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def category(transactional_db: None) -> Category:
    found = make_category("Structural Welding", exam_questions=2, exam_minutes=30)
    clause = make_clause("4.1.2", "Preheating", text="Welds shall be preheated.")
    for question in make_questions(found, 12):
        cite(question, clause)
    return found


def choice(page: Page, text: str) -> Locator:
    return page.locator(".quiz-choice", has_text=text)


def key_of(page: Page, text: str) -> str:
    """The digit that chooses it: its place on the page."""
    texts = page.locator(".quiz-choice .grow").all_inner_texts()
    return str(texts.index(text) + 1)


def button(page: Page, name: str) -> Locator:
    return page.locator("[data-main]", has_text=name)


def answered(attempt: Attempt) -> int:
    return Answer.objects.filter(attempt=attempt, answered_at__isnull=False).count()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_by_thumb_from_a_category_to_the_reason_and_its_clause(
    signed_in: SignedIn, member: User, category: Category
) -> None:
    page = signed_in(member, **PHONE)
    page.goto("/quiz/")
    card = page.get_by_role("article", name="Structural Welding")
    card.get_by_label("Questions").select_option("10")
    assert fits(page)
    card.get_by_role("button", name="Practise").tap()
    for number in range(1, 11):
        expect(page.locator("[data-count]")).to_contain_text(f"Question {number} of 10")
        choice(page, "Porosity" if number == 1 else "Undercut").tap()
        button(page, "Check").tap()
        verdict = page.locator(".quiz-verdict")
        expect(verdict).to_contain_text("Wrong" if number == 1 else "Right")
        expect(verdict).to_contain_text("A groove melted into the base metal")
        assert fits(page)
        button(page, "Next" if number < 10 else "See the result").tap()
    expect(page.locator("h1")).to_have_text("90\u00a0%")
    expect(page.get_by_text("9 of 10 right.")).to_be_visible()
    assert fits(page)
    wrong = page.locator("#q1")
    expect(wrong).to_contain_text("A groove melted into the base metal")
    wrong.locator(".quiz-clause summary").tap()
    wrong.get_by_role("link", name="Look it up").tap()
    expect(page.locator("h1")).to_have_text("4.1.2 Preheating")
    expect(page.get_by_text("Welds shall be preheated.")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Practise").tap()
    expect(page.locator(".quiz-title")).to_contain_text("4.1.2 Preheating")


def press(page: Page, text: str, then: str) -> None:
    """By keyboard: the choice, Enter, and Enter again once the button says so."""
    page.keyboard.press(key_of(page, text))
    page.keyboard.press("Enter")
    expect(button(page, then)).to_be_enabled()
    page.keyboard.press("Enter")


def test_by_keyboard_nobody_waits_and_a_reload_goes_on(signed_in: SignedIn, member: User, category: Category) -> None:
    page = signed_in(member)
    attempt, _ = attempts.start(actor=member, mode="practice", category_id=category.pk, count=2)
    page.goto(f"/quiz/attempts/{attempt.pk}/")

    # The server is slow: the next question is there all the same
    held: list[Route] = []
    page.route("**/answers", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks what it is given
    page.keyboard.press(key_of(page, "Undercut"))
    expect(choice(page, "Undercut").locator("input")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Being checked.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_contain_text("Question 2 of 2")
    assert len(held) == 1 and answered(attempt) == 0
    held[0].continue_()
    wait_until(lambda: answered(attempt) == 1, "the answer has arrived")
    page.unroute("**/answers")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".quiz-verdict")).to_contain_text("Right")

    # A reload goes on where it was
    page.reload()
    expect(page.locator("[data-count]")).to_have_text("Question 2 of 2, 1 answered")
    press(page, "Undercut", "See the result")
    expect(page.get_by_text("2 of 2 right.")).to_be_visible()


def test_what_is_answered_without_a_connection_is_kept(signed_in: SignedIn, member: User, category: Category) -> None:
    page = signed_in(member)
    attempt, _ = attempts.start(actor=member, mode="practice", category_id=category.pk, count=4)
    address = f"/quiz/attempts/{attempt.pk}/"
    page.goto(address)

    # Without a connection, and then without the page: what was answered arrives with the next page
    page.context.set_offline(True)
    for number in (1, 2):
        expect(page.locator("[data-count]")).to_contain_text(f"Question {number} of 4")
        press(page, "Undercut", "Next")
    expect(page.get_by_text("No connection. Your answers are kept here")).to_be_visible()
    context = page.context
    page.close()
    context.set_offline(False)
    assert answered(attempt) == 0
    page = context.new_page()
    page.goto(address)
    expect(page.locator("[data-count]")).to_have_text("Question 3 of 4, 2 answered")
    wait_until(lambda: answered(attempt) == 2, "the answers have arrived")

    # The connection comes back under the page
    context.set_offline(True)
    page.keyboard.press(key_of(page, "Undercut"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("No connection. Your answers are kept here")).to_be_visible()
    context.set_offline(False)
    expect(page.locator(".quiz-verdict")).to_contain_text("Right")
    expect(page.get_by_text("No connection. Your answers are kept here")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_contain_text("Question 4 of 4")
    press(page, "Undercut", "See the result")
    expect(page.get_by_text("4 of 4 right.")).to_be_visible()


def test_tomorrow_what_is_due_comes_back(signed_in: SignedIn, member: User, category: Category) -> None:
    attempt, _ = attempts.start(actor=member, mode="practice", category_id=category.pk, count=1)
    place = attempt.answers.get().shown.index("k2") + 1
    attempts.answer(actor=member, attempt_id=attempt.pk, position=1, given={"choice": str(place)})
    page = signed_in(member)
    page.goto("/quiz/")
    expect(page.get_by_text("Nothing is due.")).to_be_visible()
    ReviewCard.objects.update(due=timezone.now() - timedelta(hours=1))
    page.reload()
    expect(page.get_by_role("heading", name="1 question due")).to_be_visible()
    page.get_by_role("button", name="Review now").click()
    choice(page, "Undercut").click()
    button(page, "Check").click()
    button(page, "See the result").click()
    expect(page.get_by_text("1 of 1 right.")).to_be_visible()
    page.goto("/quiz/")
    expect(page.get_by_text("Nothing is due.")).to_be_visible()
    page.get_by_role("link", name="Progress", exact=True).click()
    expect(page.locator("canvas[data-chart]")).to_be_visible()
    page.get_by_text("As a table").click()
    expect(page.locator("tbody tr").first).to_contain_text("2")


def test_an_exam_ends_with_its_time_by_itself(signed_in: SignedIn, member: User, category: Category) -> None:
    page = signed_in(member)
    page.goto("/quiz/")
    page.get_by_role("button", name="Exam").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[data-clock]")).to_contain_text("29:")
    choice(page, "Undercut").click()
    button(page, "Keep, next").click()
    expect(page.locator("[data-count]")).to_contain_text("Question 2 of 2, 1 answered")
    expect(page.locator(".quiz-verdict")).to_have_count(0)
    exam = Attempt.objects.get()
    wait_until(lambda: answered(exam) == 1, "the answer is kept")
    Attempt.objects.update(deadline_at=timezone.now() + timedelta(seconds=5))
    page.reload()
    expect(page.locator("h1")).to_contain_text("50\u00a0%")
    expect(page.locator("h1")).to_contain_text("Not passed")
    exam.refresh_from_db()
    assert exam.submitted_at is not None and exam.submitted_at <= exam.deadline_at  # type: ignore[operator]


def test_an_exam_handed_in_elsewhere_ends_here_too(signed_in: SignedIn, member: User, category: Category) -> None:
    exam, _ = attempts.start(actor=member, mode="exam", category_id=category.pk)
    page = signed_in(member, **PHONE)
    page.goto(f"/quiz/attempts/{exam.pk}/")
    expect(page.locator("html")).to_have_attribute("data-live", "live")
    attempts.submit(actor=member, attempt_id=exam.pk)
    expect(page.locator("h1")).to_contain_text("0\u00a0%")
    expect(page.get_by_text("0 of 2 right.")).to_be_visible()


def test_clauses_are_found_as_one_types(signed_in: SignedIn, member: User, category: Category) -> None:
    make_clause("4.10", "Backing")
    make_question(category)
    page = signed_in(member)
    page.goto("/quiz/clauses/")
    page.evaluate("window.stayed = true")
    page.locator("#q").press_sequentially("4.1")
    expect(page.locator("#found li")).to_have_count(2)
    page.locator("#q").press_sequentially(".2")
    expect(page.locator("#found li")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 for “4.1.2”")).to_be_visible()
    assert page.evaluate("window.stayed") is True
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("4.1.2 Preheating")
    page.go_back()
    expect(page.locator("#q")).to_have_value("4.1.2")
    expect(page.locator("#found li")).to_have_count(1)
