"""What is asked: grouped, page by page, and only one's own."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from analytics.models import AskedQuestion

from .pages_cast import empty_streams, figure, page_of, url

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["empty_streams"]


def ask(organisation: Organisation | None, text: str, asked: int = 1, unanswered: int = 0, days_ago: int = 0) -> None:
    day = timezone.now().date() - timedelta(days=days_ago)
    AskedQuestion.objects.create(
        organisation=organisation, folded=text.casefold(), text=text, day=day, asked=asked, unanswered=unanswered
    )


def test_questions_are_grouped_and_only_ones_own(owner: User, stranger: User, organisation: Organisation) -> None:
    ask(organisation, "Preheat?", 3)
    ask(organisation, "Preheat?", 2, 2, days_ago=3)
    ask(organisation, "Old one?", 9, days_ago=40)
    page = page_of(owner, url("questions"))
    assert (figure(page, "questions"), figure(page, "asked"), figure(page, "unanswered")) == ("1", "5", "2")
    assert page.count("Preheat?</th>") == 1 and "Old one?" not in page
    assert f"{reverse('search-page')}?q=Preheat%3F" in page
    assert "Old one?" in page_of(owner, url("questions") + "?days=90")
    theirs = page_of(stranger, url("questions"))
    assert "Preheat?" not in theirs and "Nothing was asked in these days" in theirs


def test_what_found_nothing_stands_alone_most_often_first(owner: User, organisation: Organisation) -> None:
    ask(organisation, "Found", 9)
    ask(organisation, "Twice in vain", 2, 2)
    ask(organisation, "Thrice in vain", 4, 3)
    page = page_of(owner, url("questions") + "?show=unanswered")
    assert re.findall(r'dir="auto">([^<]*)</th>', page) == ["Thrice in vain", "Twice in vain"]


@pytest.mark.parametrize("show", ["", "unanswered"])
def test_pages_of_questions_hold_each_once(show: str, owner: User, organisation: Organisation) -> None:
    for number in range(60):
        ask(organisation, f"question {number:02}", number % 7 + 1, number % 7 + 1)
    address, seen = f"{url('questions')}?show={show}", []
    while address:
        page = page_of(owner, address)
        seen.append(re.findall(r'dir="auto">([^<]*)</th>', page))
        ask(organisation, f"came meanwhile {len(seen)}", 99, 99)  # shifts nothing
        links = re.findall(r'rel="next" href="([^"]*)"', page)
        address = url("questions") + links[0].replace("&amp;", "&") if links else ""
    assert [len(each) for each in seen] == [25, 25, 10]
    assert len({each for page in seen for each in page}) == 60


@pytest.mark.parametrize("after", ["x", "W10", "!!!!", "WyJhIiwiYiJd", "Wy0xLCJhIl0"])
def test_a_page_that_is_not_there_is_refused_in_words(owner: User, after: str) -> None:
    assert "begin with the first one" in page_of(owner, f"{url('questions')}?after={after}", status=400)
