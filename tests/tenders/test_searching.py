"""The search of tenders: words, filters, order, pages by key, facets; and that it shows only what one may see."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from tenders.exceptions import BadFilter
from tenders.models import CompanyProfile, Decision, Enrichment, Score, Source, Tender
from tenders.services import facets, paging, sources
from tenders.services.searchfields import TenderFilters, as_query, filters_from
from tenders.services.searching import search_for, search_tenders
from tests.factories.notices import given_release, lines_of
from tests.factories.people import make_organisation, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def user(transactional_db: None) -> User:
    return make_user("searcher", organisation=make_organisation())


def bring(*releases: Any, source: Source | None = None) -> None:
    where = source or sources.source_named(name="Shared")
    sources.import_file(source=where, stream=io.BytesIO(lines_of(*releases)), filename="notices.jsonl")


def titled(number: int, title: str, **more: Any) -> dict[str, Any]:
    return given_release(number, tender={"title": title, **more})


def found(user: User, **fields: Any) -> list[str]:
    rows = search_tenders(user=user, filters=filters_from(fields))
    return sorted(row.title for row in rows)


def assess(user: User, number: int, score: float, grade: str = "high") -> None:
    organisation = user.memberships.get().organisation
    CompanyProfile.objects.get_or_create(organisation=organisation)
    tender = Tender.objects.get(key=f"ocds-test-{number}")
    common = {"tender": tender, "organisation": organisation, "content_hash": "", "profile_revision": 1}
    said = Enrichment.objects.create(method="rules", analyser="rules 1", result={}, confidence=1, **common)
    Score.objects.create(
        enrichment=said, relevance=grade, relevance_score=score, summary=f"Of {number}", keywords=["road"], **common
    )


@pytest.mark.parametrize(
    ("q", "titles"),
    [
        ("bridge", ["Bridge over the Jihlava"]),
        ("BRID jihl", ["Bridge over the Jihlava"]),
        ("bridge school", []),
        ("jihlava -bridge", ["Škola Jihlava"]),
        ('"over the jihlava"', ["Bridge over the Jihlava"]),
        ('"the over"', []),
        ("skola", ["Škola Jihlava"]),
        ("مدرسه", ["بناء مدرسة"]),
        ("ii/7", ["Road II/7"]),
        ("ocds-test-4", ["Road II/7"]),
        ("' & | ! <-> :* \\", ["Bridge over the Jihlava", "Road II/7", "Škola Jihlava", "بناء مدرسة"]),
        ("o'neill", []),
    ],
)
def test_words_are_found_by_their_beginnings_whatever_their_marks(user: User, q: str, titles: list[str]) -> None:
    bring(
        titled(1, "Bridge over the Jihlava"),
        titled(2, "Škola Jihlava"),
        titled(3, "بناء مدرسة"),
        titled(4, "Road II/7"),
    )
    assert found(user, q=q) == titles


@pytest.mark.parametrize(
    ("fields", "titles"),
    [
        ({"cpv": "45"}, ["Bridge", "Road"]),
        ({"cpv": "45233"}, ["Road"]),
        ({"cpv": ["4522", "33"]}, ["Bridge", "Drugs"]),
        ({"cpv": "45233220-7"}, ["Road"]),
        ({"country": "cz"}, ["Bridge", "Drugs", "Road"]),
        ({"country": "DE"}, []),
        ({"value_min": "1000000", "value_max": "2000000"}, ["Road"]),
        ({"value_min": "1", "currency": "EUR"}, ["Bridge"]),
        ({"band": "none"}, ["Drugs"]),
        ({"band": "10m-,1m-10m"}, ["Bridge", "Road"]),
        ({"buyer": "vysoc"}, ["Drugs", "Road"]),
        ({"buyer": "road"}, []),
        ({"buyer": '"City"'}, ["Bridge"]),
        ({"buyer": '"Cit"'}, []),
        ({"status": "planned"}, ["Drugs"]),
        ({"published_after": "2026-11-02"}, ["Drugs"]),
        ({"published_before": "2026-11-01"}, ["Bridge", "Road"]),
        ({"deadline_after": "2026-12-01", "deadline_before": "2026-12-01"}, ["Drugs", "Road"]),
        ({"deadline": "none"}, ["Bridge"]),
        ({"relevance": "high"}, []),
        ({"decision": "none", "q": "road"}, ["Road"]),
    ],
)
def test_each_filter_narrows(user: User, fields: dict[str, Any], titles: list[str]) -> None:
    bridge = {"classification": {"scheme": "CPV", "id": "45221100"}, "value": {"amount": 2e7, "currency": "EUR"}}
    drugs = {"classification": {"scheme": "CPV", "id": "33600000"}, "value": None, "status": "planned"}
    bring(
        titled(1, "Road"),
        titled(2, "Bridge", tenderPeriod={}, **bridge) | {"buyer": {"name": "City"}, "parties": [
            {"id": "C", "name": "City", "roles": ["buyer"], "address": {"countryName": "Czechia"}}
        ]},
        titled(3, "Drugs", **drugs) | {"date": "2026-11-05T00:00:00Z"},
    )  # fmt: skip
    assert found(user, **fields) == titles


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cpv", "road"), ("country", "CZE"), ("currency", "koruna"), ("value_min", "much"), ("value_max", "NaN"),
        ("value_min", "-1"), ("deadline", "soon"), ("deadline_after", "tomorrow"), ("published_before", "2026-13-45"),
        ("relevance", "top"), ("decision", "maybe"), ("source", "uk"), ("band", "x"), ("q", "x" * 301),
    ],
)  # fmt: skip
def test_a_field_that_can_not_be_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadFilter) as refused:
        filters_from({name: value})
    assert list(refused.value.extra["errors"]) == [name]


def test_filters_survive_being_saved() -> None:
    given = {"q": "road", "cpv": ["45", "71"], "value_min": "1.50", "deadline_after": "2026-11-30", "decision": "watch"}
    filters = filters_from(given)
    assert filters_from(as_query(filters)) == filters
    assert filters != TenderFilters() and as_query(TenderFilters()) == {}


def test_a_stranger_finds_nothing_of_an_organisations_own_source(user: User) -> None:
    organisation = user.memberships.get().organisation
    own = sources.source_named(name="Own", organisation=organisation)
    bring(titled(1, "Ours"), source=own)
    bring(titled(2, "Everybody's"))
    stranger = make_user("stranger", organisation=make_organisation("Elsewhere"))
    assert found(user) == ["Everybody's", "Ours"]
    assert found(stranger) == ["Everybody's"]
    assert found(stranger, source=str(own.pk)) == []
    with pytest.raises(BadFilter):
        search_tenders(user=stranger, filters=TenderFilters(), organisation_id=organisation.pk)


def test_assessments_and_decisions_are_those_of_the_own_organisation(user: User) -> None:
    bring(titled(1, "Road"), titled(2, "Bridge"))
    assess(user, 1, 0.9)
    Decision.objects.create(
        tender=Tender.objects.get(key="ocds-test-2"), organisation=user.memberships.get().organisation, choice="watch"
    )
    rows = {row.title: row for row in search_tenders(user=user, filters=TenderFilters())}
    assert (rows["Road"].relevance, rows["Road"].relevance_score, rows["Road"].summary) == ("high", 0.9, "Of 1")
    assert (rows["Bridge"].relevance, rows["Bridge"].decision) == (None, "watch")
    assert found(user, relevance="high") == ["Road"]
    assert found(user, relevance="none") == found(user, decision="watch") == ["Bridge"]
    assert found(user, decision="watch,none") == ["Bridge", "Road"]
    stranger = make_user("stranger", organisation=make_organisation("Elsewhere"))
    assert {row.relevance for row in search_tenders(user=stranger, filters=TenderFilters())} == {None}
    assert {row.decision for row in search_tenders(user=stranger, filters=TenderFilters())} == {None}


@pytest.mark.parametrize("order", paging.ORDERS)
@pytest.mark.parametrize("size", [1, 3, 50])
def test_pages_by_key_hold_every_row_once_and_in_order(user: User, order: str, size: int) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    for number in range(10):
        # Ties, and some without the value.
        moment = (start + timedelta(days=number // 2)).isoformat() if number < 7 else ""
        bring(titled(number, f"T{number}", tenderPeriod={"endDate": moment}) | {"date": moment})
        if number != 4:
            assess(user, number, (number // 2) / 10)
    rows = search_for(user=user, filters=TenderFilters())
    seen: list[Tender] = []
    cursor = ""
    while True:
        page = paging.page_of(rows, order=order, size=size, cursor=cursor)
        assert len(page.rows) <= size
        seen += page.rows
        cursor = page.next
        if not cursor:
            break
    assert [row.pk for row in seen] == [row.pk for row in paging.page_of(rows, order=order, size=100).rows]
    assert len({row.pk for row in seen}) == len(seen) == (9 if order == "relevance" else 10)
    if order == "published":
        dates = [row.published_at for row in seen if row.published_at]
        assert dates == sorted(dates, reverse=True) and seen[-1].published_at is None
    elif order == "deadline":
        ends = [row.deadline_at for row in seen if row.deadline_at]
        assert ends == sorted(ends) and seen[-1].deadline_at is None
    else:
        scores = [row.relevance_score for row in seen]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("cursor", ["x", "////", "W10", "eyJhIjoxfQ", "bnVsbA", "\x00"])
def test_a_damaged_cursor_is_refused(user: User, cursor: str) -> None:
    with pytest.raises(BadFilter):
        paging.page_of(search_for(user=user, filters=TenderFilters()), cursor=cursor)


def test_facets_count_the_hits(user: User) -> None:
    soon = (timezone.now() + timedelta(days=3)).isoformat()
    bring(titled(1, "Road", tenderPeriod={"endDate": soon}), titled(2, "Bridge"), titled(3, "School", value=None))
    assess(user, 1, 0.9)
    told = facets.facets_of(search_for(user=user, filters=TenderFilters()))
    assert (told.count, told.is_exact) == (3, True)
    assert [(each.value, each.count) for each in told.country] == [("CZ", 3)]
    assert [(each.value, each.count) for each in told.cpv] == [("45", 3)]
    assert [(each.value, each.count) for each in told.relevance] == [("high", 1), ("none", 2)]
    assert [(each.value, each.count) for each in told.band] == [("1m-10m", 2), ("none", 1)]
    assert ("week", 1) in [(each.value, each.count) for each in told.deadline]
    assert [(each.value, each.count) for each in told.buyer] == [('"County of Vysočina"', 3)]
    assert facets.facets_of(search_for(user=user, filters=TenderFilters(q="nothing"))).count == 0


def test_each_facet_leads_to_as_many_hits_as_it_says(user: User) -> None:
    bring(*(titled(n, f"T{n}", value={"amount": 10**n, "currency": "CZK"}) for n in range(3, 9)))
    told = facets.facets_of(search_for(user=user, filters=TenderFilters()))
    for name in ("country", "cpv", "relevance", "decision", "buyer", "status", "deadline", "band"):
        for value in getattr(told, name):
            assert len(found(user, **{name: value.value})) == value.count, (name, value)


def test_beyond_a_bound_facets_are_told_from_a_sample(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(*(titled(n, f"T{n}") for n in range(400)))
    monkeypatch.setattr(facets, "EXACT_UP_TO", 50)
    told = facets.facets_of(search_for(user=user, filters=TenderFilters()))
    assert (told.count, told.is_exact) == (400, False)  # the sample is of all: the table is small
    assert [(each.value, each.count) for each in told.country] == [("CZ", 400)]
    narrow = facets.facets_of(search_for(user=user, filters=filters_from({"q": "t1"})))
    assert not narrow.is_exact and narrow.count == 110
    assert facets.facets_of(search_for(user=user, filters=filters_from({"q": "t39"}))).is_exact
