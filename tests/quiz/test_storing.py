"""How questions get into the tables: once, whole, and never over a wording that people were asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from quiz.exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from quiz.models import Bank, Citation, Clause, Edition, Question, QuestionVersion, Standard
from quiz.services import storing
from quiz.services.bodies import item_of
from quiz.services.storing import Counts, Incoming, store
from tests.factories.people import make_organisation

pytestmark = pytest.mark.django_db

CHOICES = (Choice("Preheat", Decimal(1), "Right:\tby the table"), Choice("Peen"), Choice("Grind"))
EVERY_KIND = (
    Item(Kind.SINGLE, "What\ncomes \\first?", choices=CHOICES, explanation="See §4", tags=("a", "b\\c")),
    Item(
        Kind.MULTIPLE, "Which?", markup=Markup.HTML,
        choices=(Choice("A", Decimal("0.5")), Choice("B", Decimal("0.5")), Choice("C", Decimal("-0.25"))),
    ),
    Item(Kind.TRUE_FALSE, "Steel rusts.", choices=(Choice("True", Decimal(1)), Choice("False"))),
    Item(Kind.SHORT, "Name it.", accepted=(Accepted("E70*"), Accepted("e7", Decimal("0.5"))), is_case_sensitive=True),
    Item(Kind.NUMERIC, "How hot?", ranges=(Range(Decimal("9.5"), Decimal("10.5")),), difficulty=Decimal("0.25")),
    Item(Kind.MATCHING, "Match.", pairs=(Pair("a", "1"), Pair("b", "2"), Pair("", "3"))),
    Item(Kind.ORDERING, "Order.", sequence=("tack", "weld", "tack"), references=("4.1", "9.9")),
)  # fmt: skip


@pytest.fixture
def bank() -> Bank:
    return Bank.objects.create(name="Pool")


def arriving(bank: Bank, items: dict[str, Item], category: str = "Welding", **more: Any) -> list[Incoming]:
    category_id = storing.categories_named(names=[category], organisation_id=bank.organisation_id)[category]
    return [Incoming(name, item, category_id, **more) for name, item in items.items()]


def versions_of(external_id: str) -> list[QuestionVersion]:
    return list(QuestionVersion.objects.filter(question__external_id=external_id).order_by("number"))


def writes(queries: CaptureQueriesContext) -> list[str]:
    verbs = ("INSERT", "UPDATE", "DELETE", "COPY")
    return [query["sql"] for query in queries.captured_queries if query["sql"].startswith(verbs)]


def test_every_kind_of_question_comes_back_as_it_was_stored(bank: Bank) -> None:
    items = {f"Q{number}": item for number, item in enumerate(EVERY_KIND)}
    assert store(bank=bank, incoming=arriving(bank, items)) == Counts(created=len(items))
    for question in Question.objects.select_related("current"):
        assert question.current is not None
        assert item_of(question.current) == items[question.external_id]


def test_a_second_time_nothing_is_written(bank: Bank) -> None:
    items = {f"Q{number}": item for number, item in enumerate(EVERY_KIND)}
    incoming = arriving(bank, items)
    store(bank=bank, incoming=incoming)
    with CaptureQueriesContext(connection) as queries:
        assert store(bank=bank, incoming=incoming) == Counts(unchanged=len(items))
    assert writes(queries) == []


def test_a_changed_wording_is_a_new_version_and_the_old_one_stays(bank: Bank) -> None:
    first = EVERY_KIND[0]
    store(bank=bank, incoming=arriving(bank, {"Q1": first, "Q2": first}))
    changed = replace(first, stem="What comes last?")
    assert store(bank=bank, incoming=arriving(bank, {"Q1": changed, "Q2": first})) == Counts(updated=1, unchanged=1)
    old, new = versions_of("Q1")
    question = Question.objects.get(external_id="Q1")
    assert (old.stem, new.stem) == (first.stem, "What comes last?")
    assert question.current_id == new.pk
    assert question.updated_at > question.created_at
    assert len(versions_of("Q2")) == 1


def test_another_category_moves_the_question_and_keeps_its_wording(bank: Bank) -> None:
    items = {"Q1": EVERY_KIND[0]}
    store(bank=bank, incoming=arriving(bank, items))
    assert store(bank=bank, incoming=arriving(bank, items, "Inspection")) == Counts(updated=1)
    assert Question.objects.get().category.name == "Inspection"
    assert len(versions_of("Q1")) == 1


def test_ids_of_choices_do_not_tell_which_is_right_and_survive_another_order(bank: Bank) -> None:
    item = EVERY_KIND[0]
    turned = replace(item, choices=tuple(reversed(item.choices)))
    store(bank=bank, incoming=arriving(bank, {"Q1": item, "Q2": turned}))
    one, other = ({each["text"]: each["id"] for each in versions_of(name)[0].body["choices"]} for name in ("Q1", "Q2"))
    assert one == other
    assert len(set(one.values())) == 3
    store(bank=bank, incoming=arriving(bank, {"Q3": EVERY_KIND[6]}))
    assert len({each["id"] for each in versions_of("Q3")[0].body["sequence"]}) == 3


def test_editions_keep_questions_of_one_id_apart(bank: Bank) -> None:
    item = EVERY_KIND[2]
    store(bank=bank, incoming=arriving(bank, {"Q1": item}), edition="2022")
    assert store(bank=bank, incoming=arriving(bank, {"Q1": item}), edition="2026") == Counts(created=1)
    assert set(Question.objects.values_list("edition", "external_id")) == {("2022", "Q1"), ("2026", "Q1")}


def test_what_its_keeper_deactivates_comes_back_and_what_people_here_retired_does_not(bank: Bank) -> None:
    items = {"Q1": EVERY_KIND[0], "Q2": EVERY_KIND[2]}
    store(bank=bank, incoming=arriving(bank, items))
    second = Question.objects.get(external_id="Q2")
    assert storing.retire(question_ids=[second.pk], reason="Misleading") == 1
    assert store(bank=bank, incoming=arriving(bank, items, is_active=False)).updated == 2
    assert not Question.objects.live().exists()
    assert store(bank=bank, incoming=arriving(bank, items)).updated == 2
    assert Question.objects.live().get().external_id == "Q1"
    second.refresh_from_db()
    assert second.retired_reason == "Misleading"
    assert storing.restore(question_ids=[second.pk]) == 1
    assert Question.objects.live().count() == 2


def make_clauses(code: str, *numbers: str, name: str = "2025", is_current: bool = True) -> dict[str, UUID]:
    standard, _ = Standard.objects.get_or_create(code=code)
    edition = Edition.objects.create(standard=standard, name=name, is_current=is_current)
    return {
        number: Clause.objects.create(edition=edition, number=number, position=place).pk
        for place, number in enumerate(numbers, 1)
    }


def test_references_are_found_among_the_clauses_of_current_editions(bank: Bank) -> None:
    make_clauses("AWS D1.1", "4.1", "9.9", name="2020", is_current=False)
    welding = make_clauses("AWS D1.1", "4.1", "4.2")
    rules = make_clauses("47 CFR", "4.1", "97.119", "97.119(b)")
    references = ("AWS D1.1, clause 4.1", "47 CFR § 4.1", "97.119(b)(2)", "97.119(c)", "4.1", "9.9", "")
    item = replace(EVERY_KIND[0], references=references)
    store(bank=bank, incoming=arriving(bank, {"Q1": item}))
    found = dict(Citation.objects.values_list("as_written", "clause_id"))
    assert found == {
        "AWS D1.1, clause 4.1": welding["4.1"],
        "47 CFR § 4.1": rules["4.1"],
        "97.119(b)(2)": rules["97.119(b)"],
        "97.119(c)": rules["97.119"],
    }, "4.1 alone could be either standard's; 9.9 is in an old edition only"
    store(bank=bank, incoming=arriving(bank, {"Q1": replace(item, references=("4.2",))}))
    assert Citation.objects.get().clause_id == welding["4.2"]


def test_another_organisations_clauses_are_not_found(bank: Bank) -> None:
    standard = Standard.objects.create(code="House rules", organisation=make_organisation())
    edition = Edition.objects.create(standard=standard, name="1")
    Clause.objects.create(edition=edition, number="4.1", position=1)
    store(bank=bank, incoming=arriving(bank, {"Q1": replace(EVERY_KIND[0], references=("4.1",))}))
    assert not Citation.objects.exists()


def test_nothing_of_a_batch_stays_when_its_transaction_does_not(bank: Bank) -> None:
    items = {"Q1": EVERY_KIND[0]}
    with pytest.raises(RuntimeError), transaction.atomic():
        store(bank=bank, incoming=arriving(bank, items))
        raise RuntimeError
    assert not Question.objects.exists()
    assert not QuestionVersion.objects.exists()


def test_a_batch_costs_the_same_statements_whatever_its_size(bank: Bank) -> None:
    make_clauses("AWS D1.1", "4.1")
    item = replace(EVERY_KIND[0], references=("4.1",))
    counts = []
    for size in (1, 50):
        incoming = arriving(bank, {f"{size}-{number}": item for number in range(size)})
        with CaptureQueriesContext(connection) as queries:
            store(bank=bank, incoming=incoming)
        counts.append(len(queries))
    assert counts[0] == counts[1]
