"""What is written is read again as the same questions, but for what the writer itself says is lost."""

from __future__ import annotations

import io
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.exchange import (
    WRITTEN,
    Accepted,
    Choice,
    Format,
    Item,
    Kind,
    Loss,
    Markup,
    NotReadable,
    Pair,
    Range,
    Rejected,
    content_hash,
    read,
    write,
)
from quiz.exchange.soundness import sound, true_false
from quiz.exchange.texts import equal_share

# Control characters, surrogates and non-characters are cleaned away by every reader.
LETTERS = st.characters(exclude_categories=("Cs", "Cc", "Cn"))
MARKS = st.sampled_from([
    *"~=#{}:\\%[]<>&;|,\"'/*$^-_.@", "->", "####", "//", "::", "\\n", "[html]", "<b>", "&amp;", "]]>", "%50%",
    "$CATEGORY:", "ANSWER: A", "\n", "  ", "_____", "#Q", "True", "\u2028", "\xa0",
])  # fmt: skip
WILD = st.lists(MARKS | st.text(LETTERS, min_size=1, max_size=6), min_size=1, max_size=6).map("".join)
TAME = st.text("abcdefghij ÄÖüčř 漢字 ,.?!()'", min_size=1, max_size=40)
SHARES = st.sampled_from(["0.5", "0.25", "-0.5", "0.3333333", "0", "-1", "0.1"]).map(Decimal)
NUMBERS = st.decimals(-10_000, 10_000, places=3)


def kept(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts as items hold them: no blanks at the ends, never empty."""
    return texts.map(lambda text: "\n".join(text.split("\n")).strip()).filter(bool)


def one_line(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return texts.map(lambda text: " ".join(text.split()))


@st.composite
def items(draw: st.DrawFn, texts: st.SearchStrategy[str], *, with_feedback: bool = True) -> Item:
    """Sound questions of every kind."""
    text = kept(texts)
    kind = draw(st.sampled_from(list(Kind)))
    names = st.lists(one_line(texts).filter(bool), max_size=2, unique=True).map(tuple)
    item = Item(
        kind=kind,
        stem=draw(text),
        external_id=draw(one_line(texts)),
        title=draw(one_line(texts)),
        markup=draw(st.sampled_from([Markup.PLAIN, Markup.MARKDOWN])),
        explanation=draw(st.just("") | text),
        category=draw(names),
        references=draw(names),
        tags=draw(names),
        difficulty=draw(st.none() | st.decimals(0, 1, places=2)),
        **draw(chosen(kind, text, with_feedback) if kind in CHOSEN else given_freely(kind, text, with_feedback)),
    )
    whole = sound(item, position=1, raw="")
    assert isinstance(whole, Item)
    return whole


CHOSEN = (Kind.TRUE_FALSE, Kind.SINGLE, Kind.MULTIPLE)


@st.composite
def chosen(draw: st.DrawFn, kind: Kind, text: st.SearchStrategy[str], with_feedback: bool) -> dict[str, Any]:
    feedback = st.just("") | text if with_feedback else st.just("")
    if kind is Kind.TRUE_FALSE:
        return {"choices": true_false(draw(st.booleans()), if_true=draw(feedback), if_false=draw(feedback))}
    count = draw(st.integers(1, 3)) if kind is Kind.MULTIPLE else 1
    wrong = SHARES.filter(lambda share: kind is Kind.SINGLE or share <= 0) if with_feedback else st.just(Decimal(0))
    right = [Choice(draw(text), equal_share(count), draw(feedback)) for _ in range(count)]
    others = draw(st.lists(st.builds(Choice, text, wrong, feedback), min_size=1, max_size=4))
    return {"choices": tuple(draw(st.permutations(right + others)))}


@st.composite
def given_freely(draw: st.DrawFn, kind: Kind, text: st.SearchStrategy[str], with_feedback: bool) -> dict[str, Any]:
    feedback = st.just("") | text if with_feedback else st.just("")
    share = SHARES if with_feedback else st.just(Decimal(1))
    if kind is Kind.SHORT:
        more = draw(st.lists(st.builds(Accepted, text, share, feedback), max_size=3))
        first = Accepted(draw(text), Decimal(1), draw(feedback))
        return {"accepted": (first, *more), "is_case_sensitive": draw(st.booleans())}
    if kind is Kind.NUMERIC:
        bounds = draw(st.lists(st.tuples(NUMBERS, NUMBERS).map(sorted), min_size=1, max_size=3))
        shares = [Decimal(1), *(draw(share) for _ in bounds[1:])]
        pairs = zip(bounds, shares, strict=True)
        return {"ranges": tuple(Range(low, high, share, draw(feedback)) for (low, high), share in pairs)}
    if kind is Kind.ORDERING:
        return {"sequence": tuple(draw(st.lists(text, min_size=2, max_size=4)))}
    lefts = draw(st.lists(text, min_size=2, max_size=4, unique=True))
    matched = [Pair(left, draw(text)) for left in lefts]
    used = {pair.right for pair in matched}
    spare = draw(st.lists(text.filter(lambda right: right not in used), max_size=2, unique=True))
    return {"pairs": (*matched, *(Pair("", right) for right in spare))}


def written(format: Format, questions: list[Item]) -> tuple[list[Loss], list[Item | Rejected]]:
    stream = io.BytesIO()
    losses = write(questions, format, stream)
    stream.seek(0)
    reader = Format.PACKAGE if format is Format.QTI2 else format
    return losses, list(read(stream, format=reader)) if len(questions) > len(left_out(losses)) else []


def left_out(losses: list[Loss]) -> set[int]:
    return {loss.position for loss in losses if loss.field == "item"}


def assert_same(format: Format, questions: list[Item]) -> list[Loss]:
    """Reads back what was written of them; gives what was lost."""
    losses, back = written(format, questions)
    expected = [(at, item) for at, item in enumerate(questions, 1) if at not in left_out(losses)]
    assert len(back) == len(expected), (losses, back)
    for (at, item), found in zip(expected, back, strict=True):
        assert isinstance(found, Item), found
        told = {loss.field for loss in losses if loss.position == at}
        for field in fields(Item):
            if field.name not in told:
                assert getattr(found, field.name) == getattr(item, field.name), field.name
    return losses


# What a format may lose of a question that somebody set out to break it with.
MAY_LOSE: dict[Format, set[str]] = {
    Format.JSON: set(),
    Format.MOODLE: {"category"},
    Format.QTI2: {"accepted"},
    Format.GIFT: {"item", "is_case_sensitive", "external_id", "references", "tags", "category", "pairs"},
    Format.CSV: {"item", "choices", "accepted", "ranges", "references", "tags", "category", "pairs"},
}


@pytest.mark.parametrize("format", WRITTEN)
@settings(max_examples=25, deadline=None)
@given(questions=st.lists(items(WILD), min_size=1, max_size=3))
def test_any_question_comes_back_but_for_what_is_named_as_lost(format: Format, questions: list[Item]) -> None:
    losses = assert_same(format, questions)
    assert {loss.field for loss in losses} <= MAY_LOSE[format]
    assert all(loss.reason and questions[loss.position - 1].external_id == loss.external_id for loss in losses)


@pytest.mark.parametrize("format", [Format.JSON, Format.MOODLE, Format.QTI2])
@settings(max_examples=20, deadline=None)
@given(questions=st.lists(items(TAME), min_size=1, max_size=3))
def test_questions_of_plain_words_come_back_whole(format: Format, questions: list[Item]) -> None:
    for item in questions:
        if format is Format.QTI2 and len({one.text for one in item.accepted}) < len(item.accepted):
            return  # the same answer twice
    assert assert_same(format, questions) == []


@pytest.mark.parametrize("format", [Format.CSV, Format.GIFT])
@settings(max_examples=20, deadline=None)
@given(questions=st.lists(items(TAME, with_feedback=False), min_size=1, max_size=3))
def test_questions_without_feedback_come_back_whole_from_simpler_formats(format: Format, questions: list[Item]) -> None:
    told = {(loss.field, questions[loss.position - 1].kind) for loss in assert_same(format, questions)}
    unknown_to_gift = {("item", Kind.ORDERING), ("is_case_sensitive", Kind.SHORT)}
    assert told <= (unknown_to_gift if format is Format.GIFT else set())


@settings(max_examples=25, deadline=None)
@given(item=items(WILD))
def test_the_digest_is_of_what_is_said_and_not_of_how(item: Item) -> None:
    stream = io.BytesIO()
    write([item], "json", stream)
    stream.seek(0)
    (back,) = read(stream)
    assert isinstance(back, Item)
    assert content_hash(back) == content_hash(item) == content_hash(replace(item, external_id="another"))
    assert content_hash(replace(item, tags=item.tags[::-1], references=item.references[::-1])) == content_hash(item)
    assert content_hash(replace(item, stem=f"{item.stem}!")) != content_hash(item)


SIMPLE = Item(Kind.SINGLE, "Which?", choices=(Choice("this", Decimal(1)), Choice("that")))


def test_the_digest_counts_the_order_of_choices_and_compares_numbers_by_value() -> None:
    turned = replace(SIMPLE, choices=SIMPLE.choices[::-1])
    assert content_hash(turned) != content_hash(SIMPLE)
    spelled = replace(SIMPLE, choices=(Choice("this", Decimal("1.00")), Choice("that", Decimal("0.0"))))
    assert content_hash(spelled) == content_hash(SIMPLE)


def test_the_digest_stays_as_it_is_for_it_is_kept_in_databases() -> None:
    assert content_hash(SIMPLE) == "c41874f6261138bd6d9d97ce33c1b1688abef6d8c02805bfff79c091bc0ea316"


@pytest.mark.parametrize("format", [Format.CSV, Format.JSON, Format.GIFT, Format.MOODLE])
def test_html_comes_back_letter_by_letter(format: Format) -> None:
    assert assert_same(format, [html_question("<p>How <em>much</em>?<br>R&amp;D &nbsp; <img src='a.png'></p>")]) == []


def test_html_of_qti_comes_back_if_it_is_well_formed_and_else_is_named() -> None:
    assert assert_same(Format.QTI2, [html_question('<p>How <em class="x">much</em>?<br>R&amp;D</p>')]) == []
    losses = assert_same(Format.QTI2, [html_question("<p>Never closed <b>bold")])
    assert [loss.field for loss in losses] == ["stem"]
    assert "XHTML" in losses[0].reason


def html_question(stem: str) -> Item:
    return replace(SIMPLE, stem=stem, markup=Markup.HTML)


def test_answers_with_part_of_the_mark_do_not_become_right_in_csv() -> None:
    item = Item(Kind.SHORT, "Capital?", accepted=(Accepted("Vienna"), Accepted("Graz", Decimal(0), "No, the second")))
    losses, (back,) = written(Format.CSV, [item])
    assert isinstance(back, Item)
    assert back.accepted == (Accepted("Vienna"),)
    assert [loss.field for loss in losses] == ["accepted"]


def test_what_can_not_be_asked_is_left_out_and_said() -> None:
    unasked = replace(SIMPLE, choices=(Choice("this"), Choice("that")), external_id="Q2")
    losses, back = written(Format.JSON, [SIMPLE, unasked, SIMPLE])
    assert back == [SIMPLE, SIMPLE]
    assert [(loss.external_id, loss.field, loss.position) for loss in losses] == [("Q2", "item", 2)]


def test_a_package_is_the_same_bytes_each_time() -> None:
    first, second = io.BytesIO(), io.BytesIO()
    write([SIMPLE], "qti2", first)
    write([SIMPLE], "qti2", second)
    assert first.getvalue() == second.getvalue()


@pytest.mark.parametrize("format", WRITTEN)
def test_no_questions_make_a_file_without_questions(format: Format) -> None:
    stream = io.BytesIO()
    assert write([], format, stream) == []
    assert stream.getvalue() or format is Format.GIFT


def test_a_format_that_is_only_read_is_refused() -> None:
    with pytest.raises(NotReadable, match="not written") as refusal:
        write([SIMPLE], "aiken", io.BytesIO())
    assert refusal.value.code == "unknown_format"
