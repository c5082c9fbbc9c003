"""Answers: bound to their sources, honest where nothing fits, counted as demand."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from analytics.models import Entity
from analytics.services import answering, signals
from analytics.services.answering_model import ModelAnswer, Quote, SourceOf, cited_sources
from analytics.services.searching import search
from jobs.connections import breaker_of, events_redis, events_url
from tests.factories.people import make_organisation, make_user
from tests.factories.quiz import make_clause
from tests.factories.tenders import make_source, make_tender

from .search_cast import forget, index, make_clauses

pytestmark = pytest.mark.django_db
PREHEAT = "which clause sets the preheat for A572?"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget()
    events_redis().delete(*signals.streams())


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


def answered(user: User, question: str) -> dict[str, Any]:
    client = APIClient()
    client.force_authenticate(user)
    answer = client.post("/api/answer", {"question": question})
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def published() -> list[dict[str, Any]]:
    import orjson

    entries: Any = events_redis().xrange(signals.queries_stream())
    return [orjson.loads(fields[b"signal"]) for _, fields in entries]


def test_an_answer_is_the_best_passage_with_its_source_and_says_that_it_is_an_extract(member: User) -> None:
    clauses = make_clauses()
    index()
    told = answered(member, PREHEAT)
    assert told["is_extract"] and told["is_found"]
    assert (told["answered_by"], told["model"], told["remark"]) == ("extract", "", "")
    assert "preheated to 65 °C" in told["answer"]
    assert told["sources"][0]["url"] == f"/quiz/clauses/{clauses[0].pk}/"
    assert told["sources"][0]["passage"] == told["answer"]
    assert told["entities"][0]["name"] == "AWS D1.1 4.1.2 Preheating"
    assert told["retrieval"] == "words + meaning" and told["took_ms"] > 0


@pytest.mark.parametrize(
    "question", ["what is the capital of France", "who won the football match yesterday", "qwxzv", "😀 😀"]
)
def test_what_nothing_answers_is_not_answered_and_counted_as_such(member: User, question: str) -> None:
    make_clauses()
    index()
    told = answered(member, question)
    assert not told["is_found"] and told["sources"] == [] and told["entities"] == []
    assert told["answer"] == answering.NOTHING
    (signal,) = published()
    assert signal["entity_id"] is None and not signal["found"] and signal["query"] == question


def test_each_entity_that_is_shown_counts_once_and_candidates_do_not(member: User, organisation: Organisation) -> None:
    make_clauses()
    index()
    told = answered(member, PREHEAT)
    sent = published()
    assert [each["entity_id"] for each in sent] == [each["id"] for each in told["entities"]]
    assert {each["organisation_id"] for each in sent} == {str(organisation.pk)}
    assert [each["asked"] for each in sent].count(True) == 1
    assert len(sent) < Entity.objects.count()


def test_searching_counts_for_nothing(member: User) -> None:
    make_clauses()
    index()
    search(user=member, q=PREHEAT)
    assert published() == []


def test_an_answer_draws_on_nothing_that_others_own(member: User, organisation: Organisation) -> None:
    make_clause("5.5", "Frobnication", organisation, text="Frobnication takes place at 90 degrees.")
    make_tender(make_source(organisation), title="Frobnication of a bridge")
    make_clauses()
    index()
    assert answered(member, "frobnication at which degrees")["is_found"]
    stranger = make_user("stranger", organisation=make_organisation("Rival"))
    told = answered(stranger, "frobnication at which degrees")
    assert not told["is_found"] and "90" not in str(told)


def test_only_people_who_are_signed_in_are_answered() -> None:
    assert APIClient().post("/api/answer", {"question": "preheat"}).status_code == 401


@pytest.mark.parametrize("question", ["", "  ", "x" * 10_001, "a\x00b", 7, None, ["a"]])
def test_what_is_no_question_is_refused(member: User, question: Any) -> None:
    client = APIClient()
    client.force_authenticate(member)
    answer = client.post("/api/answer", {"question": question})
    assert answer.status_code == 400 and answer.json()["code"] == "invalid_question"


def test_a_long_question_is_answered_by_what_it_begins_with(member: User) -> None:
    make_clauses()
    index()
    assert answered(member, "preheat A572 " + "and so on " * 990)["is_found"]
    assert answered(member, "ما هي درجة التسخين")["took_ms"] > 0


def sources_of(member: User) -> list[SourceOf]:
    make_clauses()
    index()
    found = search(user=member, q="A572 base metal preheated before welding, interpass")
    return answering._sources(found.hits[:2], found.asked)


@pytest.mark.parametrize(
    ("text", "quotes", "is_kept"),
    [
        ("Preheat to 65 °C [1].", [(1, "preheated to 65 °C")], True),
        ("Preheat to 90 °C [1].", [(1, "preheated to 90 °C")], False),
        ("Preheat to 65 °C [2].", [(1, "preheated to 65 °C")], False),
        ("Preheat to 65 °C.", [], False),
        ("Preheat to 65 °C.", [(1, "preheated to 65 °C")], False),
        ("Preheat to 65 °C [1].", [(1, "preheated to 65 °C"), (5, "anything")], False),
        ("Preheat to 65 °C [1].", [(1, " ")], False),
    ],
)
def test_a_models_answer_counts_only_with_quotes_that_stand_in_their_passages(
    member: User, text: str, quotes: list[tuple[int, str]], is_kept: bool
) -> None:
    sources = sources_of(member)
    assert "65" in sources[0].passage
    told = ModelAnswer(
        is_answered=True, answer=text, quotes=[Quote(source=number, words=words) for number, words in quotes]
    )
    assert bool(cited_sources(told, "which preheat?", sources)) is is_kept


def test_the_page_shows_the_answer_and_everything_found(member: User) -> None:
    make_clauses()
    index()
    client = Client()
    client.force_login(member)
    body = client.get("/search/", {"q": PREHEAT}).content.decode()
    assert "<mark>preheated</mark> to 65 °C" in body and "Answered by an extract" in body
    assert len(published()) >= 1
    assert "No answer" in client.get("/search/", {"q": "capital of France"}).content.decode()
    assert client.get("/search/", {"q": "welds", "type": "tender"}).status_code == 200
    assert "What are you looking for?" in client.get("/search/").content.decode()
    for odd in ("x" * 10_001, "a\x00b", "<script>alert(1)</script>"):
        shown = client.get("/search/", {"q": odd})
        assert shown.status_code == 200 and "<script>alert" not in shown.content.decode()


def test_the_page_is_for_people_who_are_signed_in() -> None:
    assert Client().get("/search/", {"q": "x"}).status_code == 302
    assert Client().post("/search/answer/", {"q": "x"}).status_code == 302


def test_every_page_has_the_search_box(member: User) -> None:
    client = Client()
    client.force_login(member)
    assert 'id="search-box"' in client.get("/projects/").content.decode()


def test_without_redis_both_work_and_what_could_not_be_counted_is_known(member: User, settings: LazySettings) -> None:
    make_clauses()
    index()
    here, lost_before = settings.REDIS_EVENTS_URL, signals.losses()
    settings.REDIS_EVENTS_URL = settings.REDIS_CACHE_URL = "redis://127.0.0.1:1/0"
    try:
        told = answered(member, PREHEAT)
        assert search(user=member, q="preheat").hits
    finally:
        breaker_of(events_url()).worked()
        settings.REDIS_EVENTS_URL = here
    assert told["is_found"]
    assert signals.losses() == lost_before + len(told["entities"])
