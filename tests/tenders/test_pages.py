"""The tender pages: searching, reading a tender, and who may see what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organisation, User
from tenders.models import SavedSearch, Tender
from tenders.services.decisions import decide
from tenders.services.saved_searches import save_search
from tests.factories.tenders import make_release, make_score, make_source, make_tender
from tests.projects.pages import HTMX, signed_in

pytestmark = pytest.mark.django_db
PART = HTMX | {"HX-Target": "results"}


def url(name: str, *args: object) -> str:
    return reverse(f"tenders:{name}", args=args)


def page_of(user: User, address: str, **options: Any) -> str:
    return signed_in(user).get(address, **options).content.decode()


def found(user: User, query: str) -> set[str]:
    page = page_of(user, f"{url('search')}?{query}")
    return {title for title in Tender.objects.values_list("title", flat=True) if f">{title}</a>" in page}


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_nobody_searches_without_signing_in() -> None:
    assert Client().get(url("search")).status_code == 302


def test_a_card_says_what_buyer_where_until_when_and_how_much(member: User) -> None:
    make_tender()
    page = page_of(member, url("search"))
    for words in ("Resurfacing of road II/385", "County of Vysočina", "Czechia", "closes in 10 days"):
        assert words in page
    assert "1,250,000.50\xa0CZK" in page
    assert "Road surfaces" in page
    assert 'aria-current="page"' in page  # the navigation knows where one is


def test_past_deadlines_are_marked(member: User) -> None:
    make_tender(deadline_at=timezone.now() - timedelta(days=2, hours=1))
    page = page_of(member, url("search"))
    assert "deadline-past" in page
    assert "closed 2 days ago" in page


def test_words_and_facets_narrow_and_can_be_taken_back(member: User) -> None:
    make_tender(title="Road one")
    make_tender(title="Bridge two", cpv_main="45221100", country="SK")
    make_tender(title="Software", cpv_main="72000000", country="")
    assert found(member, "") == {"Road one", "Bridge two", "Software"}
    assert found(member, "q=bridg") == {"Bridge two"}
    assert found(member, "country=SK") == {"Bridge two"}
    assert found(member, "cpv=45") == {"Road one", "Bridge two"}
    assert found(member, "cpv=45&country=CZ") == {"Road one"}
    page = page_of(member, f"{url('search')}?cpv=45&country=CZ")
    assert f'href="{url("search")}?cpv=45"' in page
    assert f'href="{url("search")}?country=CZ"' in page
    assert 'value="45" checked' in page


def test_a_choice_without_hits_can_still_be_taken_back(member: User) -> None:
    make_tender()
    page = page_of(member, f"{url('search')}?country=FR")
    assert "No tender matches" in page
    assert 'value="FR" checked' in page


def test_counts_are_those_of_what_is_found(member: User) -> None:
    for country in ("CZ", "CZ", "SK"):
        make_tender(country=country)
    page = page_of(member, url("search"))
    assert "3 tenders" in page
    option = page.split('name="country" value="CZ"')[1].split("</label>")[0]
    assert ">2<" in option


def test_htmx_gets_the_hits_with_their_facets_and_the_address_without_what_is_empty(member: User) -> None:
    make_tender()
    answer = signed_in(member).get(f"{url('search')}?q=road&cpv=&order=published&country=CZ", headers=PART)
    page = answer.content.decode()
    assert "<html" not in page
    assert 'id="facets"' in page
    assert "hx-swap-oob" in page
    assert answer["HX-Push-Url"] == f"{url('search')}?q=road&country=CZ"
    whole = page_of(member, f"{url('search')}?q=road")
    assert "hx-swap-oob" not in whole


def test_going_back_in_the_browser_gets_the_whole_page(member: User) -> None:
    headers = PART | {"HX-History-Restore-Request": "true"}
    assert "<html" in page_of(member, url("search"), headers=headers)


def test_pages_go_on_with_a_cursor_and_skip_nothing(member: User) -> None:
    source = make_source()
    for number in range(27):
        make_tender(source, title=f"Tender number {number:02}")
    page = page_of(member, url("search"))
    more = page.split('id="more"')[1].split('href="')[1].split('"')[0].replace("&amp;", "&")
    rest = page_of(member, more, headers=HTMX | {"HX-Target": "more"})
    assert "<html" not in rest
    assert "facets" not in rest
    titles = [f"Tender number {number:02}" for number in range(27)]
    assert sum(f">{title}</a>" in page for title in titles) == 25
    assert sum(f">{title}</a>" in rest for title in titles) == 2
    assert 'id="more"' not in rest


def test_the_most_relevant_come_first_with_the_reason(member: User, organisation: Organisation) -> None:
    for title, score in (("Poor", 0.2), ("Good", 0.9)):
        make_score(make_tender(title=title), organisation, score)
    page = page_of(member, f"{url('search')}?order=relevance")
    assert page.index(">Good</a>") < page.index(">Poor</a>")
    assert "Highly relevant" in page
    assert "Roads are what you build." in page


def test_relevance_is_the_firms_own(member: User, stranger: User, organisation: Organisation) -> None:
    tender = make_tender()
    make_score(tender, organisation)
    decide(tender_id=tender.pk, actor=member, choice="watch")
    for address in (url("search"), url("detail", tender.pk)):
        page = page_of(stranger, address)
        assert "Highly relevant" not in page
        assert "Roads are what you build." not in page
        assert "Watching" not in page
        assert "Highly relevant" in page_of(member, address)
        assert "Watching" in page_of(member, address)


@pytest.mark.parametrize(
    "query",
    ["cpv=abc", "country=Germany", "value_min=much", "order=sideways", "cursor=xyz", "deadline_after=soon",
     "relevance=perhaps", "source=1", "q=" + "x" * 400, "buyer=%00%22", "q=%27%29%3B--", "q=%22", "q=-"],
)  # fmt: skip
def test_what_makes_no_sense_is_said_in_words(member: User, query: str) -> None:
    make_tender()
    answer = signed_in(member).get(f"{url('search')}?{query}")
    assert answer.status_code in (200, 400)
    assert b"Tenders" in answer.content
    if answer.status_code == 400:
        assert "This can&#x27;t be searched for" in answer.content.decode().replace("can't", "can&#x27;t")


def test_the_number_of_queries_does_not_grow(member: User, organisation: Organisation) -> None:
    source = make_source()
    client = signed_in(member)
    make_score(make_tender(source), organisation)
    one = queries(client, url("search"))
    for _ in range(24):
        make_score(make_tender(source), organisation)
    assert queries(client, url("search")) <= one
    assert one < 30


def test_empty_states_say_what_to_do(member: User) -> None:
    assert "No tenders yet" in page_of(member, url("search"))
    make_tender()
    page = page_of(member, url("search"))
    assert "Describe it" in page  # nobody has said what the firm looks for
    assert "No tender matches" in page_of(member, f"{url('search')}?q=nothing")


# --- who may see what ---
def test_tenders_of_another_firms_source_are_not_there(
    member: User, stranger: User, organisation: Organisation
) -> None:
    tender = make_tender(make_source(organisation), title="Only ours")
    assert found(member, "") == {"Only ours"}
    assert "Only ours" not in page_of(stranger, url("search"))
    assert "Only ours" not in page_of(stranger, f"{url('search')}?q=only+ours&source={tender.source_id}")
    client = signed_in(stranger)
    assert client.get(url("detail", tender.pk)).status_code == 404
    for name, data in (("decision", {"choice": "watch"}), ("bid", {}), ("useful", {"useful": "yes"})):
        assert client.post(url(name, tender.pk), data).status_code == 404, name
    assert signed_in(member).get(url("detail", tender.pk)).status_code == 200


def test_similar_tenders_are_only_those_that_one_may_see(
    member: User, stranger: User, organisation: Organisation
) -> None:
    shared = make_tender(title="Resurfacing of road 1")
    make_tender(make_source(organisation), title="Resurfacing of road 2")
    make_tender(title="Resurfacing of software", cpv_main="72000000")
    assert "Resurfacing of road 2" in page_of(member, url("detail", shared.pk))
    assert "Resurfacing of road 2" not in page_of(stranger, url("detail", shared.pk))
    assert "Resurfacing of software" not in page_of(member, url("detail", shared.pk))


# --- a tender ---
def test_a_tender_shows_each_publication_with_what_it_changed(member: User) -> None:
    first = {"tender": {"title": "A road", "tenderPeriod": {"endDate": "2026-12-01T10:00:00Z"}}}
    second = {"tender": {"title": "A road and a bridge", "tenderPeriod": {"endDate": "2026-12-15T10:00:00Z"}}}
    tender = make_tender(releases=[first, second], releases_count=2)
    page = page_of(member, url("detail", tender.pk))
    assert "<del>A road</del>" in page
    assert "<ins>A road and a bridge</ins>" in page
    assert "<del>1 Dec 2026, 10:00 UTC</del>" in page
    assert "<ins>15 Dec 2026, 10:00 UTC</ins>" in page
    assert "The first publication that we have." in page


def test_a_publication_that_contradicts_the_others_is_told_and_stops_nothing(member: User) -> None:
    tender = make_tender(releases=[{"tender": {"title": "A road"}}])
    make_release(tender, {"tender": ["not", "an object"]}, 1)
    make_release(tender, {"tender": {"title": "Another road"}}, 2)
    page = page_of(member, url("detail", tender.pk))
    assert "Another road" in page


def test_links_that_run_something_are_not_links(member: User) -> None:
    documents = [
        {"title": "Bill", "url": "javascript:alert(1)", "format": "", "document_type": ""},
        {"title": "Plan", "url": "https://example.com/plan.pdf", "format": "application/pdf", "document_type": ""},
        {"title": "<b>x</b>", "url": " JavaScript:alert(2)", "format": "", "document_type": ""},
    ]
    tender = make_tender(documents=documents, url="data:text/html,<script>alert(3)</script>")
    page = page_of(member, url("detail", tender.pk))
    assert "javascript:" not in page.lower()
    assert "data:text/html" not in page
    assert "<b>x</b>" not in page
    assert 'href="https://example.com/plan.pdf" target="_blank" rel="noopener noreferrer"' in page


def test_flags_are_told_in_words(member: User) -> None:
    tender = make_tender(flags=["deadline_suspicious", "test_notice"])
    page = page_of(member, url("detail", tender.pk))
    assert "more than five years after the publication" in page
    assert "test notice" in page


def test_arabic_is_shown_from_right_to_left(member: User) -> None:
    tender = make_tender(title="صيانة الطرق في جدة", language="ar", country="SA")
    for address in (url("search"), url("detail", tender.pk)):
        assert 'dir="rtl" lang="ar"' in page_of(member, address)
    assert "صيانة الطرق في جدة" in page_of(member, f"{url('search')}?q={quote('الطرق')}")


def test_an_assessment_is_explained_factor_by_factor(member: User, organisation: Organisation) -> None:
    tender = make_tender()
    factors = [
        {"name": "cpv", "weight": 0.4, "value": 1, "contribution": 0.4, "why": "You build roads.", "quote": "Milling"},
        {"name": "negative_terms", "weight": -0.3, "value": 0.5, "contribution": -0.15, "why": "It says asbestos."},
    ]
    make_score(
        tender, organisation, 0.7, factors=factors,
        key_dates=[{"what": "Site visit", "on": "2026-11-20", "quote": "visit on 20 November"}],
        risks=[{"text": "A penalty of 0.5 % a day", "quote": "0.5 % a day"}],
    )  # fmt: skip
    page = page_of(member, url("detail", tender.pk))
    for words in (
        "You build roads.",
        "+0.40",
        "−0.15",
        "Milling",
        "Site visit",
        "A penalty of 0.5 % a day",
        "By rules",
    ):
        assert words in page
    assert "70\xa0%" in page


def test_thumbs_are_kept_and_taken_back(member: User, viewer: User, organisation: Organisation) -> None:
    score = make_score(make_tender(), organisation)
    for said, kept in (("yes", True), ("no", False), ("", None)):
        signed_in(member).post(url("useful", score.tender_id), {"useful": said})
        score.refresh_from_db()
        assert score.is_useful is kept
    assert signed_in(viewer).post(url("useful", score.tender_id), {"useful": "yes"}).status_code == 403


def test_a_tender_with_everything_missing_has_a_page(member: User) -> None:
    tender = Tender.objects.create(source=make_source(), key="bare", title="Bare", content_hash="0" * 32)
    page = page_of(member, url("detail", tender.pk))
    assert "not stated" in page
    assert "no deadline stated" in page


# --- saved searches ---
def test_the_present_search_is_saved_and_found_again(member: User) -> None:
    make_tender()
    make_tender(title="Elsewhere", country="SK")
    page = page_of(member, f"{url('search')}?q=road&country=CZ&order=deadline")
    save = page.split('">Save this search')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert save == f"{url('search-new')}?q=road&country=CZ"
    client = signed_in(member)
    assert "Czechia" in client.get(save).content.decode()
    assert client.post(save, {"name": "Czech roads", "is_alerting": "on"})["Location"] == url("searches")
    assert client.post(save, {"name": "Czech roads"}).status_code == 422
    search = SavedSearch.objects.get()
    assert search.query == {"q": "road", "country": ["CZ"]}
    assert client.get(url("saved-search", search.pk))["Location"] == f"{url('search')}?q=road&country=CZ"
    assert "Save this search" not in page_of(member, url("search"))  # nothing is narrowed


def test_the_list_counts_what_is_new_until_one_looks(member: User) -> None:
    search = save_search(actor=member, name="All", query={})
    SavedSearch.objects.filter(pk=search.pk).update(seen_until=timezone.now() - timedelta(hours=1))
    make_tender(created_at=timezone.now() - timedelta(minutes=30))
    assert "1 new" in page_of(member, url("searches"))
    signed_in(member).get(url("saved-search", search.pk))
    assert "Nothing new" in page_of(member, url("searches"))


def test_saved_searches_are_ones_own(member: User, owner: User, stranger: User) -> None:
    search = save_search(actor=member, name="Ours alone", query={})
    for other in (owner, stranger):
        assert "Ours alone" not in page_of(other, url("searches"))
        client = signed_in(other)
        assert client.get(url("saved-search", search.pk)).status_code == 404
        assert client.post(url("search-delete", search.pk)).status_code == 404
        assert client.post(url("search-alerts", search.pk), {"alerts": "none"}).status_code == 404
    client = signed_in(member)
    assert client.post(url("search-alerts", search.pk), {"alerts": "loud"}).status_code == 400
    client.post(url("search-alerts", search.pk), {"alerts": "email"})
    search.refresh_from_db()
    assert (search.is_alerting, search.by_email) == (True, True)
    client.post(url("search-delete", search.pk))
    assert not SavedSearch.objects.exists()
