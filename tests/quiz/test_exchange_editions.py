"""Clauses from files, and two editions of clauses and of questions side by side."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from quiz.exchange import (
    Choice,
    Clause,
    Item,
    Kind,
    NotReadable,
    Rejected,
    compare_clauses,
    compare_items,
    read_clauses,
)


def node(
    label: str, *children: dict[str, Any], text: str = "", title: str = "", kind: str = "regtext"
) -> dict[str, Any]:
    return {"label": label.split(), "text": text, "title": title, "children": list(children), "node_type": kind}


TREE = node(
    "12",
    node("12 1", node("12 1 a", node("12 1 a 2", text="Deep."), text="(a) First."), title="§ 12.1 Scope"),
    node("12 A", kind="appendix", title="Forms"),
    node("12 Interp", node("12 1 a Interp 3", text="Comment.", kind="interp"), kind="interp"),
)


def clauses(content: str) -> list[Clause | Rejected]:
    return list(read_clauses(io.BytesIO(content.encode())))


def test_a_tree_becomes_clauses_numbered_as_they_are_cited() -> None:
    found = [clause for clause in clauses(json.dumps(TREE)) if isinstance(clause, Clause)]
    assert [(clause.number, clause.parent) for clause in found] == [
        ("12", ""),
        ("12.1", "12"),
        ("12.1(a)", "12.1"),
        ("12.1(a)(2)", "12.1(a)"),
        ("12-A", "12"),
        ("12-Interp", "12"),
        ("12.1(a)-Interp-3", "12-Interp"),
    ]
    assert (found[1].title, found[2].text) == ("§ 12.1 Scope", "(a) First.")


def test_a_damaged_node_and_a_number_that_comes_twice_cost_themselves_only() -> None:
    tree = node("12", node("12 1"), {"label": "none"}, node("12 1"), node("12 2"))
    found = clauses(json.dumps(tree))
    assert [getattr(each, "number", getattr(each, "code", "")) for each in found] == [
        "12", "12.1", "bad_shape", "duplicate", "12.2",
    ]  # fmt: skip


def test_a_table_of_clauses_finds_what_each_stands_under() -> None:
    content = (
        "Number;Title;Text\n4;Welding;\n4.1;Preheat;Heat it.\n4.1.2;;More.\n4.1.2(a);;Most.\n97;;Other\n;;no number\n"
    )
    found = clauses(content)
    assert [(each.number, each.parent) for each in found if isinstance(each, Clause)] == [
        ("4", ""), ("4.1", "4"), ("4.1.2", "4.1"), ("4.1.2(a)", "4.1.2"), ("97", ""),
    ]  # fmt: skip
    assert [each.code for each in found if isinstance(each, Rejected)] == ["no_number"]


@pytest.mark.parametrize("content", ["", "{}", '{"label": 5}', "[1]", "colour,size\nred,5\n", "{" * 100_000])
def test_what_holds_no_clauses_is_refused(content: str) -> None:
    with pytest.raises(NotReadable):
        clauses(content)


def test_a_clause_is_changed_by_its_own_words_and_not_by_what_is_under_it() -> None:
    old = [
        Clause("1", "Scope", "All  work."),
        Clause("1.1", "", "Steel only.", "1"),
        Clause("2", "", "Gone, but its words live on in another place."),
        Clause("3", "", "Gone for good."),
    ]
    new = [
        Clause("1", "Scope", "All work."),
        Clause("1.1", "", "Steel and zinc.", "1"),
        Clause("1.2", "", "Gone, but its words live on in another place!", "1"),
    ]
    found = compare_clauses(old, new)
    assert found.identical == ("1",)
    assert [(change.key, change.fields) for change in found.changed] == [("1.1", ("text",))]
    assert found.added == ("1.2",)
    assert [gone.key for gone in found.removed] == ["2", "3"]
    (successor,) = found.removed[0].successors
    assert successor.key == "1.2"
    assert 0.9 < successor.score < 1
    assert found.removed[1].successors == ()


def question(key: str, stem: str, *choices: str, **more: Any) -> Item:
    """The first choice is the right one."""
    return Item(
        Kind.SINGLE,
        stem,
        external_id=key,
        choices=tuple(Choice(text, Decimal(int(at == 0))) for at, text in enumerate(choices)),
        **more,
    )


FT8 = question("T8", "What is FT8?", "A digital mode", "A plug")


def test_a_question_is_identical_where_it_asks_the_same() -> None:
    same = replace(FT8, references=("97.1",), explanation="Because.", stem="What  is FT8?")
    assert compare_items([FT8], [same]).identical == ("T8",)
    for other in (
        replace(FT8, choices=FT8.choices[::-1]),
        replace(FT8, choices=(Choice("A digital mode"), Choice("A plug", Decimal(1)))),
        replace(FT8, kind=Kind.MULTIPLE),
        replace(FT8, stem="What is FT4?"),
    ):
        (change,) = compare_items([FT8], [other]).changed
        assert change.fields


def test_a_question_that_lives_on_under_another_key_is_proposed() -> None:
    old = [FT8, question("T9", "Which connector is used above 400 MHz?", "Type N", "PL-259")]
    new = [
        question("T8", "How is the deviation of a transmitter measured?", "With a meter", "By ear"),
        replace(FT8, external_id="T12"),
        question("T13", "Which connector is best used above 400 MHz?", "Type N", "BNC"),
    ]
    found = compare_items(old, new)
    (change,) = found.changed
    assert [(each.key, each.score) for each in change.successors] == [("T12", 1.0)]
    assert [(gone.key, gone.successors[0].key) for gone in found.removed] == [("T9", "T13")]


def test_the_same_right_answer_alone_makes_no_successor() -> None:
    old = [question("A", "What should you do before calling?", "All of these", "x")]
    new = [question("B", "What does gain mean in amplifiers?", "All of these", "y")]
    assert compare_items(old, new).removed[0].successors == ()


def test_questions_without_a_key_are_left_out() -> None:
    found = compare_items([replace(FT8, external_id="")], [FT8])
    assert (found.added, found.removed, found.identical) == (("T8",), (), ())
