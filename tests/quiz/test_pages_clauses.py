"""Clauses: found as one types, looked up, practised; and who sees which."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import Organisation, User
from config.redis_access import ask
from quiz.exceptions import BadQuiz, ClauseMissing, NothingToAsk
from quiz.models import Attempt, Category, Clause, Edition
from quiz.services import attempts, searching
from tests.factories.quiz import cite, make_category, make_clause, make_question, make_questions
from tests.quiz.test_pages import page_of, signed_in, url

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    ask(lambda client: client.flushdb())


@pytest.fixture
def category(db: None) -> Category:
    return make_category("Structural Welding")


def found(user: User, q: str, **headers: str) -> str:
    answer = signed_in(user).get(url("clauses"), {"q": q}, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def queries(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_without_words_there_is_what_is_asked_for_most_what_one_met_and_what_is_held(
    owner: User, category: Category
) -> None:
    assert "No clauses yet" in page_of(owner, url("clauses"))
    make_clause("7.7", "Bolts", popularity=9)
    met = make_clause("4.1.2", "Preheating")
    cite(make_question(category), met)
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    page = page_of(owner, url("clauses"))
    assert "Asked for most" in page and "Bolts" in page and "In your latest questions" not in page
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"choice": "1"})
    page = page_of(owner, url("clauses"))
    assert "In your latest questions" in page and "Preheating" in page and "2 clauses" in page


def test_words_find_and_htmx_gets_what_is_found_alone(owner: User) -> None:
    make_clause("4.1.2", "Preheating", text="Welds shall be <b>preheated</b>.")
    page = found(owner, "preheat")
    assert "1 for “preheat”" in page and "&lt;b&gt;preheated" in page and "<h1>Clauses</h1>" in page
    part = found(owner, "4.1", **{"HX-Request": "true"})
    assert "Preheating" in part and "<h1>" not in part
    again = found(owner, "4.1", **{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<h1>Clauses</h1>" in again
    assert "Nothing is found for “zebra”" in found(owner, "zebra")
    assert "at most 100 characters" in found(owner, "x" * 101)
    assert found(owner, "\x00 ") and "No clauses" not in found(owner, " ")


def test_typing_counts_for_nothing_and_opening_does(owner: User) -> None:
    clause = make_clause("4.1.2")
    for typed in ("4", "4.1", "4.1.2"):
        found(owner, typed)
    assert searching.count_popularity() == 0
    page_of(owner, url("clause", clause.pk))
    assert searching.count_popularity() == 1
    clause.refresh_from_db()
    assert clause.popularity == 1


def test_a_clause_stands_between_what_is_above_and_under_it(owner: User, category: Category) -> None:
    top = make_clause("4", "Design")
    middle = make_clause("4.1", "Welds", parent=top, text="Welds are measured\nby their throat.")
    low = make_clause("4.1.2", "Preheating", parent=middle)
    cite(make_question(category), low)
    page = page_of(owner, url("clause", middle.pk))
    assert (
        "by their throat" in page and str(top.pk) in page and "1 question<" in page and "No question cites it" in page
    )
    page = page_of(owner, url("clause", low.pk))
    assert "1 question cites it" in page and "Its text is not held here" in page
    assert page.index(str(top.pk)) < page.index(str(middle.pk)), "the highest first"
    assert "not the current edition" not in page
    Edition.objects.update(is_current=False)
    assert "not the current edition" in page_of(owner, url("clause", low.pk))


def test_an_edition_lists_what_stands_under_nothing(owner: User) -> None:
    top = make_clause("4", "Design")
    make_clause("4.1", "Welds", parent=top)
    page = page_of(owner, f"{url('clauses')}?edition={top.edition_id}")
    assert "Design" in page and "Welds" not in page
    for wrong in (str(uuid4()), "nonsense"):
        assert signed_in(owner).get(f"{url('clauses')}?edition={wrong}").status_code == 404


def test_a_clause_is_practised_from_its_page_and_its_result_leads_back(owner: User, category: Category) -> None:
    clause = make_clause("4.1.2", "Preheating")
    wanted = {cite(question, clause).question_id for question in make_questions(category, 3)}
    make_questions(category, 5)
    client = signed_in(owner)
    started = client.post(url("start"), {"mode": "practice", "clause": str(clause.pk), "count": "10"})
    attempt = Attempt.objects.get()
    assert started["Location"] == url("attempt", attempt.pk) and attempt.clause == clause and attempt.category is None
    assert set(attempt.answers.values_list("version__question", flat=True)) == wanted
    assert "4.1.2 Preheating" in page_of(owner, url("attempt", attempt.pk))
    attempts.submit(actor=owner, attempt_id=attempt.pk)
    result = page_of(owner, url("attempt", attempt.pk))
    assert url("clause", clause.pk) in result and f'name="clause" value="{clause.pk}"' in result
    assert "4.1.2 Preheating" in page_of(owner, url("overview"))
    Clause.objects.all().delete()
    assert "Practise more" not in page_of(owner, url("attempt", attempt.pk)), "what it was of is gone"


def test_a_weak_clause_leads_to_its_page_and_its_practice(owner: User, category: Category) -> None:
    clause = make_clause("4.1.2", "Preheating")
    for question in make_questions(category, 3):
        cite(question, clause)
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    for row in attempt.answers.all():
        wrong = {"choice": str(row.shown.index("k1") + 1)}
        attempts.answer(actor=owner, attempt_id=attempt.pk, position=row.position, given=wrong)
    page = page_of(owner, url("overview"))
    assert "Clauses you know least" in page and url("clause", clause.pk) in page
    assert f'name="clause" value="{clause.pk}"' in page
    assert "earned 0\u00a0% of the marks in 3 answers" in page_of(owner, url("clause", clause.pk))


def test_what_no_question_cites_can_not_be_practised_and_exams_are_not_of_clauses(
    owner: User, category: Category
) -> None:
    clause = make_clause()
    with pytest.raises(NothingToAsk, match="No question cites"):
        attempts.start(actor=owner, mode="practice", clause_id=clause.pk)
    for mode in ("exam", "review"):
        with pytest.raises(BadQuiz, match="practised only"):
            attempts.start(actor=owner, mode=mode, category_id=category.pk, clause_id=clause.pk)
    with pytest.raises(ClauseMissing):
        attempts.start(actor=owner, mode="practice", clause_id=uuid4())
    assert signed_in(owner).post(url("start"), {"mode": "practice", "clause": "x"}).status_code == 400


def test_clauses_of_an_organisation_are_for_its_people(
    owner: User, stranger: User, organisation: Organisation, category: Category
) -> None:
    own = make_clause("9.9", "House rule", organisation=organisation)
    cite(make_question(category), own)
    assert "House rule" in page_of(owner, url("clause", own.pk)) and "House rule" in found(owner, "9.9")
    assert "House rule" not in found(stranger, "9.9")
    client = signed_in(stranger)
    assert client.get(url("clause", own.pk)).status_code == 404
    assert client.get(f"{url('clauses')}?edition={own.edition_id}").status_code == 404
    assert client.post(url("start"), {"mode": "practice", "clause": str(own.pk)}).status_code == 404
    for name, arguments in (("clauses", ()), ("clause", (own.pk,)), ("progress", ())):
        assert Client().get(url(name, *arguments)).status_code == 302


def test_the_api_practises_a_clause(
    owner: User, stranger: User, organisation: Organisation, category: Category
) -> None:
    clause = make_clause(organisation=organisation)
    cite(make_question(category), clause)
    client = APIClient()
    client.force_authenticate(owner)
    told = client.post("/api/quiz/attempts", {"mode": "practice", "clause": str(clause.pk)})
    assert told.status_code == 201 and told.json()["clause"]["number"] == "4.1.2" and told.json()["category"] is None
    assert client.get("/api/quiz/attempts").json()["results"][0]["clause"]["id"] == str(clause.pk)
    client.force_authenticate(stranger)
    refused = client.post("/api/quiz/attempts", {"mode": "practice", "clause": str(clause.pk)})
    assert refused.status_code == 404 and refused.json()["code"] == "clause_not_found"


def test_pages_of_clauses_ask_as_often_with_fifty_rows_as_with_one(owner: User, category: Category) -> None:
    top = make_clause("4", "Design")
    question = make_question(category)
    cite(question, make_clause("4.1", parent=top, popularity=1))
    attempt, _ = attempts.start(actor=owner, mode="practice", category_id=category.pk)
    attempts.answer(actor=owner, attempt_id=attempt.pk, position=1, given={"choice": "1"})
    client = signed_in(owner)
    addresses = [url("clauses"), f"{url('clauses')}?edition={top.edition_id}", url("clause", top.pk)]
    one = [queries(client, address) for address in addresses]
    for number in range(2, 52):
        cite(question, make_clause(f"4.{number}", parent=top, popularity=number))
        make_clause(str(100 + number))
    assert [queries(client, address) for address in addresses] == one
