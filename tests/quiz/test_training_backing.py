"""What a model claims was said: found in the transcript letter for letter, also where names were taken out before."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai.redaction import redact
from quiz.calls.backing import LEAST_WORDS, backed
from quiz.calls.evidence import Evidence
from quiz.calls.judgement import Judgement, QualityScore, Quote, kept, script_of
from quiz.calls.turns import Turn

# What personal data is made of, so that placeholders come to stand anywhere.
PIECES = st.sampled_from(
    ["contact", "Contact:", "tel", "phone", "fax", "mobile", "030", "0211", "99", "88", "77", "+44", "20", "7946",
     "0958", "John", "Smith", "Mr", "Dr.", "Frau", "attn", "a@b.example", ".", ",", "-", "/", "(", ")", "[", "]", "[0]",
     "1", "(555)", "555-1234", "00", "49", "is", "the", "plan", "“ready”", "don’t"]
)  # fmt: skip
SPOKEN = st.lists(
    st.builds(Turn, st.sampled_from(["Ann", "Bob", "Cy"]), st.lists(PIECES, min_size=1, max_size=9).map(" ".join)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(SPOKEN)
def test_what_is_quoted_from_the_redacted_transcript_is_found_in_the_whole_one(turns: list[Turn]) -> None:
    script = script_of(turns, "Ann")
    redacted = redact(script)[0].split("\n")
    assert len(redacted) == len(turns)
    for number, (line, whole) in enumerate(zip(redacted, script.split("\n"), strict=True)):
        head, _, said = line.partition(": ")
        assert whole.startswith(f"{head}: ")  # who says it and the turn's number are never taken for anything else
        if len(re.sub(r"\[[a-z-]+\]", " ", said).strip(string.punctuation + " “”…").split()) >= LEAST_WORDS + 2:
            found = backed(turns, turn=number, quote=said)
            assert found is not None and found.turn == number and found.quote in turns[number].text


@settings(max_examples=200, deadline=None)
@given(SPOKEN, st.integers(-3, 9), st.text(max_size=60) | st.lists(PIECES, max_size=9).map(" ".join))
def test_whatever_is_found_stands_there(turns: list[Turn], turn: int, quote: str) -> None:
    found = backed(turns, turn=turn, quote=quote)
    assert found is None or (found.quote and found.quote in turns[found.turn].text)


def test_hostile_quotes_take_no_time() -> None:
    turns = [Turn("Ann", "a b " * 20_000)]
    assert backed(turns, turn=0, quote="[name] a ".join(["a b "] * 50)) is None
    assert backed(turns, turn=0, quote="(a+)+$ " * 80) is None


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("don't know it", "don’t know it"),
        ("[2] OTHER 2: “We don’t know it", "We don’t know it"),
        ("We … know", None),
        ("WE DON'T KNOW IT", None),
        ("Yes", "Yes"),  # all of a turn
        ("We", None),
    ],
)
def test_marks_and_numbers_make_no_difference_words_do(quote: str, found: str | None) -> None:
    turns = [Turn("Ann", "What is it?"), Turn("Bob", "We don’t know it."), Turn("Bob", "Yes.")]
    told = backed(turns, turn=0, quote=quote)
    assert (told.quote if told else None) == found


def test_the_first_of_two_judgements_counts_and_unknown_criteria_do_not() -> None:
    quotes = [Quote(turn=0, quote="What is it?"), Quote(turn=7, quote="What is it")]
    scores = [
        QualityScore(key=" tone ", score=40, why="Short.", quotes=quotes),
        QualityScore(key="tone", score=90, why="Fine.", quotes=quotes),
        QualityScore(key="other", score=90, why="Fine.", quotes=quotes),
    ]
    told = kept(Judgement(scores=scores, feedback=""), [Turn("Ann", "What is it?")], keys=["tone", "pace"])
    assert (told["tone"].score, told["pace"].score, set(told)) == (40, None, {"tone", "pace"})
    assert told["tone"].evidence[0] == Evidence(0, "What is it?")


def test_people_are_shown_by_their_parts() -> None:
    turns = [Turn("Jane Doe", "Hello."), Turn("Ms Novák", "Yes?"), Turn("Mr Smith", "Who is it?")]
    assert script_of(turns, "Jane Doe").split("\n") == [
        "[0] LEARNER: Hello.",
        "[1] OTHER 1: Yes?",
        "[2] OTHER 2: Who is it?",
    ]
    assert script_of(turns[:2], "Jane Doe").split("\n")[1] == "[1] OTHER: Yes?"
