"""What is found, in which order, and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from analytics.models import EmbeddingModel, Entity
from analytics.services import embeddings, searching
from analytics.services.candidates import MOST_COMMON
from tests.factories.people import make_organisation, make_user
from tests.factories.projects import make_document, make_project
from tests.factories.quiz import make_clause
from tests.factories.tenders import make_source, make_tender

from .search_cast import forget, index, make_clauses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    forget()


@pytest.fixture
def organisation() -> Organisation:
    return make_organisation()


@pytest.fixture
def member(organisation: Organisation) -> User:
    return make_user("member", organisation=organisation)


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def told(user: User | None, q: str, **params: Any) -> dict[str, Any]:
    answer = client_of(user).get("/api/search", {"q": q, **params})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def codes(user: User | None, q: str, **params: Any) -> list[str]:
    return [each["code"] for each in told(user, q, **params)["results"]]


@pytest.mark.parametrize("q", ["4.1.2", "§ 4.1.2", "clause 4.1.2.", "AWS D1.1 4.1.2", "what does 4.1.2 say?"])
def test_a_code_is_found_first_however_it_is_written(member: User, q: str) -> None:
    make_clauses()
    make_clause("14.1", "See 4.1.2", text="Clause 4.1.2 holds. 4.1.2 4.1.2 4.1.2")
    index()
    found = told(member, q)
    assert found["results"][0]["code"] == "4.1.2" and found["results"][0]["is_exact"]
    assert "code" in found["retrieval"]


def test_of_one_code_in_two_standards_the_one_that_is_named_comes_first(member: User) -> None:
    make_clause("4.1.2", standard="AWS D1.1")
    make_clause("4.1.2", standard="EN 1090")
    index()
    for standard in ("AWS D1.1", "EN 1090"):
        assert told(member, f"{standard} 4.1.2")["results"][0]["name"].startswith(standard)


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("which clause sets the preheat for A572?", "4.1.2"),
        ("PREHEATED", "4.1.2"),
        ("tightening bolts", "7.3"),
        ("who inspects welds before they are painted", "8.2"),
        ("foundation reinforcement", "9.1"),
    ],
)
def test_a_question_in_words_finds_what_holds_most_of_it(member: User, q: str, code: str) -> None:
    make_clauses()
    index()
    assert codes(member, q)[0] == code


@pytest.mark.parametrize(("q", "code"), [("prehaeting", "4.1.2"), ("reinforcment", "9.1"), ("inspekcion", "8.2")])
def test_a_slip_of_the_keyboard_is_forgiven(member: User, q: str, code: str) -> None:
    make_clauses()
    index()
    assert codes(member, q)[0] == code


def test_a_word_that_is_half_typed_finds_what_goes_on_like_it(member: User) -> None:
    make_clauses()
    index()
    assert codes(member, "reinf", typing=1) == ["9.1"]
    assert codes(member, "concrete cov", typing=1)[0] == "9.1"


def test_accents_and_scripts_are_no_hurdle(member: User) -> None:
    make_tender(title="Oprava železničního mostu")
    make_tender(title="صيانة الطرق السريعة")
    make_tender(title="Straßenbau in Köln")
    index()

    def first(q: str) -> str:
        return str(told(member, q)["results"][0]["name"])

    assert first("zeleznicniho mostu") == first("ŽELEZNIČNÍHO") == "Oprava železničního mostu"
    assert first("الطرق") == "صيانة الطرق السريعة"
    assert first("koln") == "Straßenbau in Köln"


def test_a_cpv_code_is_found_with_its_check_digit_and_without(member: User) -> None:
    make_tender(title="Road", cpv_main="45233000", cpv_codes=["45233000"])
    make_tender(title="Bridge", cpv_main="45221100", cpv_codes=["45221100"])
    index()
    assert [told(member, q)["results"][0]["name"] for q in ("45233000", "45233000-9")] == ["Road", "Road"]


def test_what_is_asked_for_is_marked_as_it_stands_there(member: User) -> None:
    make_clauses()
    index()
    assert told(member, "preheat welds")["results"][0]["highlights"] == ["Preheating", "preheated", "welding"]


def test_a_type_narrows_it_down(member: User, organisation: Organisation) -> None:
    make_clauses()
    make_tender(make_source(organisation), title="Welds of a bridge")
    index()
    assert {each["entity_type"] for each in told(member, "welds")["results"]} >= {"clause", "tender"}
    assert {each["entity_type"] for each in told(member, "welds", type="tender")["results"]} == {"tender"}
    assert told(member, "welds", type="nothing")["results"] == []


def test_nobody_finds_what_others_own(member: User, organisation: Organisation) -> None:
    stranger = make_user("stranger", organisation=make_organisation("Rival"))
    project = make_project(member, name="Secret stadium", organisation=organisation)
    make_document(project, name="stadium.pdf", indexed_content="Frobnicators of the stadium")
    make_tender(make_source(organisation), title="Stadium frobnicator", key="ocds-stadium-1")
    make_clauses()
    index()
    for q in ("stadium", "frobnicator", "frobnicatr", "Secret stadium", "ocds-stadium-1"):
        assert told(member, q)["results"], q
        assert not [each for each in told(stranger, q)["results"] if "stadium" in str(each).lower()], q
        assert not [each for each in told(None, q)["results"] if "stadium" in str(each).lower()], q


def test_callers_who_are_not_signed_in_find_shared_clauses_alone(organisation: Organisation) -> None:
    make_clauses()
    make_clause("9.9", "Welds of ours", organisation)
    make_tender(title="Welds of a bridge")
    index()
    found = told(None, "welds")["results"]
    assert found and {each["entity_type"] for each in found} == {"clause"}
    assert "9.9" not in {each["code"] for each in found}


def test_of_a_word_that_is_everywhere_those_asked_for_most_are_looked_at(member: User) -> None:
    rows = [
        Entity(
            entity_type="note", source="test.note", source_id=str(number), name=f"Beam {number}", demand_score=number
        )
        for number in range(2600)
    ]
    Entity.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE analytics_entity SET search = to_tsvector('simple', lower(name))")
    from analytics.services.reindexing import count_words

    count_words()
    forget()
    found = told(member, "beam")
    assert found["is_capped"] and len(found["results"]) == 20
    numbers = {int(each["name"].split()[1]) for each in found["results"]}
    assert min(numbers) >= 2600 - MOST_COMMON
    assert told(member, "beam 17")["results"][0]["name"] == "Beam 17"


@pytest.mark.parametrize("q", ["xyzzy plugh", "qwertz", "zzz 12345"])
def test_words_that_no_text_holds_mean_nothing(member: User, q: str) -> None:
    make_clauses()
    index()
    answer = told(member, q)
    assert (answer["results"], answer["retrieval"]) == ([], "nothing")


def test_unknown_words_lend_a_question_no_other_meaning(member: User) -> None:
    make_clauses()
    index()
    model = embeddings.current_embedder()
    assert model is not None
    plain, strange, nothing = model.encode(["preheating of metal", "frobnicated preheating of metal", "plugh"])
    assert plain.any() and (plain == strange).all()
    assert not nothing.any()


def test_without_a_model_of_meaning_words_serve_alone(member: User) -> None:
    make_clauses()
    index()
    assert told(member, "preheat")["retrieval"] == "words + meaning"
    EmbeddingModel.objects.all().delete()
    forget()
    assert told(member, "preheat")["retrieval"] == "words"


@pytest.mark.parametrize("q", ["", "   ", "x" * 301, "a\x00b"])
def test_what_is_no_question_is_refused_with_the_reason(member: User, q: str) -> None:
    answer = client_of(member).get("/api/search", {"q": q})
    assert answer.status_code == 400 and answer.json()["code"] == "invalid_question"


@pytest.mark.parametrize("q", ["😀", "'", "' | !", "a & b | (c", "\\", "%_%", ":*", "the of and", "١٢٣", "§", "\ud83d"])
def test_odd_signs_are_searched_for_like_any_other(member: User, q: str) -> None:
    make_clauses()
    index()
    assert isinstance(searching.search(user=member, q=q).hits, list)


@pytest.mark.parametrize("limit", ["0", "51", "-1", "ten", "", "²"])
def test_a_limit_out_of_bounds_is_refused(member: User, limit: str) -> None:
    assert client_of(member).get("/api/search", {"q": "x", "limit": limit}).status_code == 400


def test_a_search_asks_the_database_as_often_for_one_hit_as_for_fifty(member: User) -> None:
    def queries(q: str) -> int:
        told(member, q)
        with CaptureQueriesContext(connection) as captured:
            told(member, q, limit=50)
        return len(captured)

    make_clauses()
    index()
    one = queries("tightening")
    for number in range(50):
        make_clause(f"30.{number}", "Tightening", text="Tightening of anchors.")
    index()
    assert queries("tightening") <= one
