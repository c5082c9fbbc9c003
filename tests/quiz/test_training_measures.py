"""What is counted in a call, by what; and the rules that score behaviours by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quiz.calls.agreement import DECILES, agreement
from quiz.calls.cleaning import clean
from quiz.calls.extract import extract
from quiz.calls.measuring import measure
from quiz.calls.rules import RULES, check_rule, judge
from quiz.calls.turns import Transcript, Turn
from quiz.calls.words import LONGEST_QUOTE, quoted, sentences_in

FEW = settings(max_examples=80, deadline=None)
TIMED = (
    Turn("Client", "Good morning, you wanted to ask about the tender documents?", 0.0, 4.0),
    Turn("Jane", "Good morning. Yes, and which edition of the welding code do you want us to price?", 4.5, 10.5),
    Turn("Client", "Um, the current one. Uh, the drawings still name the old one, but that is", 11.0, 17.0),
    Turn("Jane", "Is it the edition of 2025? I ask for the preheat changes.", 16.0, 20.0),
    Turn("Client", "Yes, it is.", 20.5, 21.5),
    Turn(
        "Jane", "So to sum up: we price the edition of 2025, um, and I will send you a question by Friday.", 22.0, 29.0
    ),
    Turn("Client", "Great, thank you.", 29.5, 31.0),
)
UNTIMED = tuple(Turn(turn.speaker, turn.text) for turn in TIMED)


def measured(turns: tuple[Turn, ...], learner: str = "Jane") -> dict[str, Any]:
    told = measure(turns, learner=learner).to_json()
    return {name: (each["value"], each["basis"]) for name, each in told.items() if isinstance(each, dict)}


def test_a_timed_call_is_measured_by_seconds() -> None:
    told = measured(TIMED)
    assert told["talk_share"] == (round(17 / 29.5, 4), "by seconds")
    assert told["longest_monologue"] == (7.0, "by seconds")
    assert told["questions_per_minute"] == (round(2 * 60 / 31, 2), "by seconds")
    assert told["interruptions"] == (1.0, "by seconds")
    assert told["overlap"] == (1.0, "by seconds")
    assert told["pace"] == (round(48 * 60 / 17, 1), "by seconds")
    whole = measure(TIMED, learner="jane:").to_json()
    assert (whole["duration_s"], whole["turns"], whole["learner"], whole["language"]) == (31.0, 7, "Jane", "en")


def test_a_call_without_times_is_measured_by_words_or_not_at_all() -> None:
    told = measure(UNTIMED, learner="Jane").to_json()
    assert told["talk_share"]["basis"] == "by words"
    assert told["talk_share"]["value"] == round(48 / told["words"], 4)
    assert (told["longest_monologue"]["value"], told["longest_monologue"]["unit"]) == (20.0, "words")
    for name in ("pace", "interruptions", "overlap", "questions_per_minute"):
        assert (told[name]["value"], told[name]["basis"]) == (None, None)
        assert told[name]["why"] == "The transcript has no times."
    assert told["duration_s"] is None


def test_one_turn_without_times_makes_it_by_words_and_says_so() -> None:
    told = measure((*TIMED, Turn("Jane", "Bye.")), learner="Jane").to_json()["talk_share"]
    assert (told["basis"], told["why"]) == ("by words", "1 turn has no times.")


def test_questions_are_told_from_each_other_and_quoted_where_they_stand() -> None:
    told = measure(UNTIMED, learner="Jane").to_json()
    assert (told["questions"]["value"], told["open_questions"]["value"]) == (2.0, 1.0)
    assert [each["turn"] for each in told["questions"]["evidence"]] == [1, 3]
    assert told["open_questions"]["evidence"][0]["quote"].startswith("Yes, and which edition")
    assert measured((Turn("Jane", "hello what is it"), Turn("Client", "it is a beam and the code")))["questions"] == (
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Wie soll das gehen? Und was ist mit dem Termin? Ist das so?", 2),
        ("¿Qué es lo que quiere? ¿Es para usted? ¿Y cuándo lo necesita?", 2),
        ("Comment est-ce que vous faites? Est-ce que vous avez le plan? Et pourquoi pas?", 2),
        ("What's that?! Really?? Is it Mr. Smith? How so?", 2),
    ],
    ids=["de", "es", "fr", "en"],
)
def test_open_questions_are_known_in_four_languages(text: str, count: int) -> None:
    assert measured((Turn("Jane", text),))["open_questions"] == (count, "by words")


def test_of_other_languages_less_is_said() -> None:
    told = measure((Turn("Jan", "Kolik to bude stát? Kdy můžete začít?"),), learner="Jan").to_json()
    assert (told["language"], told["questions"]["value"]) == ("", 2.0)
    assert told["open_questions"]["value"] is told["fillers"]["value"] is None
    assert "language is not known" in told["open_questions"]["why"]


def test_fillers_are_counted_only_where_they_are_written_down() -> None:
    assert measure(TIMED, learner="Jane").to_json()["fillers"]["detail"] == {"um": 1}
    tidy = tuple(
        Turn(turn.speaker, turn.text.replace("um, ", "").replace("Um, ", "").replace("Uh, ", "")) for turn in TIMED
    )
    told = measure(tidy, learner="Jane").to_json()["fillers"]
    assert (told["value"], told["why"]) == (
        None, "The transcript is not verbatim: no hesitations of anybody are written down.",
    )  # fmt: skip
    german = (Turn("Jan", "Ich fahre um acht, und er kommt mit dem Wagen. Äh, das ist, ähm, gut für die Leute."),)
    assert measure(german, learner="Jan").to_json()["fillers"]["detail"] == {"ah": 1, "ahm": 1}


def test_without_knowing_the_learner_only_the_whole_is_measured() -> None:
    told = measure(TIMED, learner="Somebody").to_json()
    assert told["talk_share"]["value"] is None
    assert told["talk_share"]["why"] == "It is not known who the learner is: Client, Jane."
    assert {each["speaker"]: each["turns"] for each in told["speakers"]} == {"Client": 4, "Jane": 3}
    assert not any(each["is_learner"] for each in told["speakers"])


WORDS = st.lists(st.sampled_from(["the", "beam", "um", "is", "why", "¿", "?", "steel.", "ok!"]), min_size=1, max_size=8)
SOME_TURNS = st.lists(
    st.builds(
        lambda who, words, at, lasts: Turn(who, " ".join(words), at / 10, (at + lasts) / 10),
        st.sampled_from(["A", "B", "C"]), WORDS, st.integers(0, 5000), st.integers(0, 400),
    ),
    min_size=1, max_size=15,
)  # fmt: skip


@FEW
@given(SOME_TURNS)
def test_shares_add_up_and_nobody_talks_longer_than_the_call(turns: list[Turn]) -> None:
    for kept in (turns, [Turn(turn.speaker, turn.text) for turn in turns]):
        try:
            cleaned = clean(Transcript(tuple(kept), "json")).turns
        except Exception as error:
            assert "Nobody says anything" in str(error)
            return
        told = measure(cleaned, learner="A").to_json()
        shares = [each["share"] for each in told["speakers"] if each["share"] is not None]
        assert not shares or sum(shares) == pytest.approx(1, abs=0.001)
        assert sum(each["turns"] for each in told["speakers"]) == told["turns"] == len(cleaned)
        assert sum(each["words"] for each in told["speakers"]) == told["words"]
        for each in told["speakers"]:
            assert each["seconds"] is None or each["seconds"] <= (told["duration_s"] or 0) + 0.01
        for each in told.values():
            for found in each.get("evidence", []) if isinstance(each, dict) else []:
                assert found["quote"] in cleaned[found["turn"]].text
        assert measure(cleaned, learner="A").to_json() == told


@FEW
@given(
    st.text(st.sampled_from("ab .?!,'’ é…") | st.characters(), max_size=700), st.integers(0, 700), st.integers(0, 60)
)
def test_a_quote_is_a_piece_of_the_text_and_holds_what_it_is_about(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    quote = quoted(text, start, end)
    assert quote in text and len(quote) <= LONGEST_QUOTE
    assert text[start:end].strip() in quote
    assert all(text[each.start : each.start + len(each.text)] == each.text for each in sentences_in(text))


def scored(rule: dict[str, Any], turns: tuple[Turn, ...] = TIMED, learner: str = "Jane") -> int | None:
    assert check_rule(rule) == []
    return judge({"it": rule}, turns, learner=learner)["it"].score


@pytest.mark.parametrize(
    ("rule", "score"),
    [
        ({"measure": "talk_share", "low": 0.4, "high": 0.6}, 100),
        ({"measure": "talk_share", "high": 0.4762711864}, 50),  # a tenth above: half of the usual fall
        ({"measure": "talk_share", "high": 0.2}, 0),
        ({"measure": "questions", "low": 4}, 50),
        ({"measure": "questions", "high": 1, "fall": 4}, 75),
        ({"measure": "open_questions", "low": 1}, 100),
        ({"measure": "longest_monologue", "high": 7}, 100),
        ({"measure": "longest_monologue", "high": 5}, 60),
        ({"measure": "pace", "low": 100, "high": 170}, 100),
        ({"measure": "interruptions", "high": 0}, 67),
        ({"phrases": ["edition of 2025", "preheat"]}, 100),
        ({"phrases": ["EDITION, of 2025", "pre heat", "préheat|nothing"]}, 67),
        ({"phrases": ["preheat", "nothing", "never"], "at_least": 1}, 100),
        ({"phrases": ["drawings"]}, 0),
        ({"phrases": ["drawings"], "by": "other"}, 100),
        ({"phrases": ["drawings"], "by": "anyone"}, 100),
        ({"phrases": ["good morning"], "where": "closing", "by": "other"}, 0),
        ({"phrases": ["heat"]}, 0),  # whole words
        ({"measure": "avoid", "phrases": ["cheap"]}, 100),
        ({"measure": "avoid", "phrases": ["cheap", "um"]}, 0),
        ({"measure": "greeting"}, 100),
        ({"measure": "summary"}, 100),
        ({"measure": "next_step"}, 100),
    ],
    ids=str,
)
def test_rules_score_by_what_was_measured_or_said(rule: dict[str, Any], score: int) -> None:
    assert scored(rule) == score


def test_what_could_not_be_measured_has_no_score_and_says_why() -> None:
    rules: dict[str, dict[str, Any]] = {
        "pace": {"measure": "pace", "high": 170},
        "monologue": {"measure": "longest_monologue", "high": 60},
        "broken": {"measure": "of the moon"},
    }
    told = judge(rules, UNTIMED, learner="Jane")
    assert {key: each.score for key, each in told.items()} == {"pace": None, "monologue": None, "broken": None}
    assert told["pace"].reason == "Not measured: The transcript has no times."
    assert scored({"measure": "longest_monologue", "high": 60, "high_words": 16}, UNTIMED) == 75
    assert judge({"a": {"phrases": ["x"]}}, TIMED, learner="")["a"].reason.startswith(
        "Not measured: It is not known who"
    )


@pytest.mark.parametrize(
    ("last", "score"),
    [
        (("Jane", "Goodbye then."), 0),
        (("Jane", "I will send you the plan."), 50),
        (("Jane", "I will send you the plan by Tuesday."), 75),
        (("Jane", "Ich melde mich bei Ihnen am Dienstag, und das ist gut für die Sache."), 75),
    ],
    ids=["none", "named", "with a day", "german"],
)
def test_a_next_step_is_worth_more_with_a_day_and_an_answer(last: tuple[str, str], score: int) -> None:
    turns = (Turn("Client", "It is what we have, and the drawings are with you."), Turn(*last))
    if last[1].startswith("Ich"):
        turns = (Turn("Client", "Das ist es, und die Pläne haben Sie auch."), Turn(*last))
    assert scored({"measure": "next_step"}, turns) == score
    answered = (*turns, Turn("Client", "Ja, gerne." if last[1].startswith("Ich") else "Okay, thanks."))
    assert scored({"measure": "next_step"}, answered) == (score + 25 if score else 0)


def test_every_score_of_a_phrase_comes_with_its_words_and_turn() -> None:
    told = judge({"it": {"phrases": ["welding code", "question by friday", "never"]}}, TIMED, learner="Jane")["it"]
    assert told.reason == "2 of 3 said. Not said: “never”."
    assert [each.turn for each in told.evidence] == [1, 5]
    assert all(each.quote in TIMED[each.turn].text for each in told.evidence)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("talk_share", "is an object"),
        ({}, "Say what is measured"),
        ({"measure": ["x"]}, "Say what is measured"),
        ({"measure": "talk_share"}, "needs “low” or “high”"),
        ({"measure": "talk_share", "low": 0.6, "high": 0.4}, "more than “high”"),
        ({"measure": "talk_share", "low": 40}, "from 0 to 1 (share)"),
        ({"measure": "pace", "low": "fast"}, "is a number"),
        ({"measure": "pace", "low": True}, "is a number"),
        ({"measure": "pace", "low": float("nan")}, "is a number"),
        ({"measure": "pace", "low": 10**400}, "from 0 to 1000"),
        ({"measure": "greeting", "low": 1}, "takes no “low”"),
        ({"measure": "avoid"}, "“phrases” is missing"),
        ({"phrases": "next step"}, "is a list"),
        ({"phrases": []}, "is a list"),
        ({"phrases": ["a"] * 31}, "is a list"),
        ({"phrases": ["a |"]}, "no words in the phrase"),
        ({"phrases": ["x" * 101]}, "at most 100"),
        ({"phrases": ["a"], "by": "me"}, "is one of learner"),
        ({"phrases": ["a"], "at_least": 2}, "more than there are"),
        ({"phrases": ["a"], "at_least": 0.5}, "whole number"),
    ],
    ids=lambda told: str(told)[:40],
)
def test_a_rule_that_is_none_is_told_from_one(rule: Any, said: str) -> None:
    assert any(said in problem for problem in check_rule(rule))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["measure", "phrases", "low", "high", "fall", "by", "where", "at_least", "high_words", "else"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, JSON | st.sampled_from(sorted(RULES)) | st.floats(0, 1), max_size=5))
def test_any_rule_is_checked_and_whatever_passes_scores(rule: dict[str, Any]) -> None:
    problems = check_rule(rule)
    told = judge({"it": rule}, TIMED, learner="Jane")["it"]
    assert told.reason and (told.score is None or 0 <= told.score <= 100)
    assert not problems or told.score is None


def test_rules_tell_editors_what_they_take() -> None:
    for name, kind in RULES.items():
        told = kind.to_json()
        assert told["name"] == name and told["label"] and told["description"]
        assert {each["kind"] for each in told["parameters"]} <= {"number", "whole", "phrases", "choice"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=10, max_size=60))
def test_kappa_is_that_of_a_reference(pairs: list[tuple[int, int]]) -> None:
    """Weighted kappa by its definition (Cohen 1968), with the whole matrices written out."""
    size = len(DECILES)
    levels = [(min(first // 10, 9), min(second // 10, 9)) for first, second in pairs]
    weight: Callable[[int, int], float] = lambda i, j: (i - j) ** 2 / (size - 1) ** 2  # noqa: E731
    rows, columns = Counter(first for first, _ in levels), Counter(second for _, second in levels)
    observed = sum(weight(*pair) for pair in levels) / len(levels)
    expected = sum(weight(i, j) * rows[i] * columns[j] for i in range(size) for j in range(size)) / len(levels) ** 2
    told = agreement(Counter(pairs))
    assert told.n == len(pairs)
    if expected == 0:
        assert told.kappa is None and "same level" in told.reason
    else:
        assert told.kappa == pytest.approx(1 - observed / expected, abs=1e-4)


def test_agreement_says_when_it_cannot_tell() -> None:
    assert agreement(Counter()).to_json() == {
        "n": 0, "kappa": None, "reason": "No call has a score of both.", "same": None, "apart": None,
    }  # fmt: skip
    few = agreement(Counter({(50, 60): 9}))
    assert (few.n, few.kappa, few.same, few.apart) == (9, None, 0.0, 10.0)
    assert few.reason == "Too few to tell: 9 of at least 10."
    assert agreement(Counter({(0, 0): 5, (50, 50): 5, (100, 100): 5}), levels=[0, 50, 100]).kappa == 1.0
    assert agreement(Counter({(0, 100): 5, (100, 0): 5}), levels=[0, 50, 100]).kappa == -1.0
    assert agreement(Counter({(40, 10): 10, (90, 100): 10}), levels=[0, 50, 100]).same == 0.5  # by the level it reaches


def test_an_extract_is_in_the_calls_own_words() -> None:
    told = extract(TIMED, learner="Jane")
    assert told.text.startswith("Extract, in the call's own words:\n")
    assert told.next_step == TIMED[5].text
    assert all(each.quote in TIMED[each.turn].text for each in told.evidence)
    assert extract((Turn("A", "Hm."),), learner="A").next_step == ""
