"""The engine of practising: marks, orders, memory, clean texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quiz.practice.asking import BadAnswer, asked, given_of, order_of, places_of
from quiz.practice.marking import mark, matches, number_of
from quiz.practice.markup import bare_text, safe_html
from quiz.practice.memory import Memory, rating_of, recall_at, reviewed
from tests.factories.quiz import BODIES

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
RIGHT: dict[str, dict[str, Any]] = {
    "single": {"choice": "k2"},
    "true_false": {"choice": "t"},
    "multiple": {"choices": ["m1", "m3"]},
    "short": {"text": "  Open   ROOT "},
    "numeric": {"text": "3,2"},
    "matching": {"pairs": {"p1": "p1", "p2": "p2"}},
    "ordering": {"sequence": ["s1", "s2", "s3"]},
}
WRONG: dict[str, dict[str, Any]] = {
    "single": {"choice": "k1"},
    "true_false": {"choice": "f"},
    "multiple": {"choices": ["m2"]},
    "short": {"text": "closed gap"},
    "numeric": {"text": "3.6"},
    "matching": {"pairs": {"p1": "p2", "p2": "p3"}},
    "ordering": {"sequence": ["s3", "s2", "s1"]},
}


@pytest.mark.parametrize("kind", RIGHT)
def test_right_earns_all_wrong_and_nothing_earn_nothing(kind: str) -> None:
    assert mark(kind, BODIES[kind], RIGHT[kind]).share == 1  # type: ignore[arg-type]
    assert mark(kind, BODIES[kind], WRONG[kind]).share == 0  # type: ignore[arg-type]
    assert mark(kind, BODIES[kind], None).share == 0


@pytest.mark.parametrize("kind", RIGHT)
def test_an_answer_by_places_comes_back_as_it_was_given(kind: str) -> None:
    body = BODIES[kind]
    shown = order_of(kind, body, "seed")
    places = places_of(kind, body, shown, RIGHT[kind])  # type: ignore[arg-type]
    again = given_of(kind, body, shown, places)
    assert mark(kind, body, again).is_right


def test_part_of_several_earns_part_and_ticking_all_nothing() -> None:
    body = BODIES["multiple"]
    assert mark("multiple", body, {"choices": ["m1"]}).share == Decimal("0.5")
    assert mark("multiple", body, {"choices": ["m1", "m3", "m2"]}).share == Decimal("0.5")
    assert mark("multiple", body, {"choices": ["m1", "m2", "m3", "m4"]}).share == 0


def test_shares_below_nothing_take_away_but_never_below_nothing() -> None:
    choices = [{"id": "a", "text": "A", "share": "1"}, {"id": "b", "text": "B", "share": "-0.5"}]
    assert mark("multiple", {"choices": choices}, {"choices": ["a", "b"]}).share == Decimal("0.5")  # type: ignore[typeddict-item]
    assert mark("multiple", {"choices": choices}, {"choices": ["b"]}).share == 0  # type: ignore[typeddict-item]


def test_thirds_that_add_up_are_all_of_it() -> None:
    choices = [{"id": str(number), "text": "x", "share": "0.33333"} for number in range(3)]
    assert mark("multiple", {"choices": choices}, {"choices": ["0", "1", "2"]}).is_right  # type: ignore[typeddict-item]


def test_one_part_at_a_wrong_place_costs_one_step() -> None:
    body = {"sequence": [{"id": str(number), "text": f"step {number}"} for number in range(5)]}
    assert mark("ordering", body, {"sequence": ["4", "0", "1", "2", "3"]}).share == Decimal("0.75")  # type: ignore[arg-type]


def test_half_of_the_pairs_earn_half_and_rights_that_read_alike_are_one() -> None:
    body = {
        "pairs": [
            {"id": "1", "left": "fillet", "right": "weld"},
            {"id": "2", "left": "groove", "right": "weld"},
            {"id": "3", "left": "", "right": "bolt"},
        ]
    }
    shown = order_of("matching", body, "x")  # type: ignore[arg-type]
    assert shown in (["1", "3"], ["3", "1"])
    assert mark("matching", body, {"pairs": {"1": "1", "2": "1"}}).share == 1  # type: ignore[arg-type]
    assert mark("matching", body, {"pairs": {"1": "1", "2": "3"}}).share == Decimal("0.5")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3,14", "3.14"), ("3.14", "3.14"), ("-2", "-2"), ("−2", "-2"), ("1 234,5", "1234.5"), ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"), ("1.234.567", "1234567"), ("1'234", "1234"), (".5", "0.5"), ("2e3", "2000"),
    ],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text: str, number: str) -> None:
    assert number_of(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "three", "3 mm", "10²", "NaN", "inf", "0x10", "--3", "1e9999"])
def test_what_is_no_number_is_told(text: str) -> None:
    with pytest.raises(BadAnswer):
        number_of(text)


def test_words_are_compared_without_case_and_spaces_unless_case_counts() -> None:
    assert matches("Carbon  dioxide", " carbon dioxide ")
    assert matches("STRASSE", "straße")
    assert not matches("pH", "PH", is_case_sensitive=True)
    assert matches("pH", " pH ", is_case_sensitive=True)


def test_a_star_stands_for_anything() -> None:
    assert matches("*root*", "the root pass")
    assert matches("weld*", "weld")
    assert not matches("a*a", "a")
    assert not matches("*root", "the root pass")
    assert matches(r"5 \* 3", "5 * 3") and not matches(r"5 \* 3", "5 x 3")
    assert not matches("a*" * 200 + "b", "a" * 500)


@given(st.text(alphabet="ab *", max_size=12), st.text(alphabet="ab ", max_size=12))
def test_stars_match_as_regular_expressions_would(pattern: str, text: str) -> None:
    import re

    told = " ".join(text.split())
    folded = re.sub(r"\s+", " ", pattern).strip()
    expected = re.fullmatch(".*".join(re.escape(part) for part in folded.split("*")), told, re.DOTALL)
    assert matches(pattern, text) == bool(expected)


@given(st.text(min_size=1, max_size=20))
def test_the_same_seed_gives_the_same_order_and_each_order_holds_all(seed: str) -> None:
    for kind in ("single", "multiple", "ordering", "matching"):
        order = order_of(kind, BODIES[kind], seed)
        assert order == order_of(kind, BODIES[kind], seed)
        assert len(order) == len(set(order)) == len(next(iter(BODIES[kind].values())))  # type: ignore[arg-type]


def test_orders_differ_by_seed() -> None:
    assert len({tuple(order_of("single", BODIES["single"], str(seed))) for seed in range(40)}) > 5


def test_true_and_false_and_choices_that_name_letters_stay() -> None:
    assert order_of("true_false", BODIES["true_false"], "x") == ["t", "f"]
    texts = ["Arc length", "Current", "Both A and B", "Gas"]
    body = {"choices": [{"id": str(at), "text": text, "share": "0"} for at, text in enumerate(texts)]}
    assert all(order_of("single", body, str(seed)) == ["0", "1", "2", "3"] for seed in range(20))  # type: ignore[arg-type]


def test_all_of_the_above_stays_at_the_end() -> None:
    texts = ["All of the above", "Current", "Speed", "Gas"]
    body = {"choices": [{"id": str(at), "text": text, "share": "0"} for at, text in enumerate(texts)]}
    assert all(order_of("single", body, str(seed))[-1] == "0" for seed in range(20))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", BODIES)
def test_what_is_asked_tells_nothing_of_the_answer(kind: str) -> None:
    body = BODIES[kind]
    out = asked(kind, body, order_of(kind, body, "x"))
    assert set(out) <= {"choices", "lefts", "rights", "parts"}
    for places in out.values():
        assert [each["id"] for each in places] == [str(place) for place in range(1, len(places) + 1)]
        assert all(set(each) == {"id", "text"} for each in places)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("single", None), ("single", "1"), ("single", {"choice": "9"}), ("single", {"choice": "k2"}),
        ("single", {"choice": True}), ("multiple", {"choices": "1"}), ("multiple", {"choices": [["1"]]}),
        ("short", {"text": " "}), ("short", {"text": "x" * 501}), ("short", {"text": ["x"]}), ("numeric", {}),
        ("matching", {"pairs": {"9": "1"}}), ("matching", {"pairs": ["1"]}), ("ordering", {"sequence": ["1", "2"]}),
        ("ordering", {"sequence": ["1", "1", "2"]}), ("short", {"text": "a\x00b"}),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_told(kind: str, answer: Any) -> None:
    if answer == {"choice": True}:
        answer = {"choice": "True"}
    with pytest.raises(BadAnswer):
        given_of(kind, BODIES[kind], order_of(kind, BODIES[kind], "x"), answer)


def test_wrong_is_again_unsure_or_slow_is_hard_and_right_is_good() -> None:
    assert rating_of(Decimal("0.5")) == 1
    assert rating_of(Decimal(1), is_unsure=True) == 2
    assert rating_of(Decimal(1), seconds=90, words=20) == 2
    assert rating_of(Decimal(1), seconds=90, words=400) == 3
    assert rating_of(Decimal(1)) == 3


def test_who_knows_it_twice_sees_it_days_later_and_who_forgets_within_minutes() -> None:
    memory = reviewed(Memory(due=NOW), 3, NOW)
    assert timedelta(0) < memory.due - NOW < timedelta(hours=1)
    memory = reviewed(memory, 3, memory.due)
    assert memory.state == 2 and memory.due - NOW >= timedelta(days=2)
    lapsed = reviewed(memory, 1, memory.due)
    assert lapsed.state == 3 and lapsed.due - memory.due <= timedelta(minutes=10)
    assert lapsed.stability is not None and memory.stability is not None and lapsed.stability < memory.stability


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 400)), min_size=1, max_size=12))
def test_memory_holds_what_fsrs_promises(history: list[tuple[int, float]]) -> None:
    memory, at = Memory(due=NOW), NOW
    for rating, days in history:
        at += timedelta(days=days)
        memory = reviewed(memory, rating, at)
        assert memory.due > at and memory.stability is not None and memory.difficulty is not None
        assert memory.stability > 0 and 1 <= memory.difficulty <= 10
        assert recall_at(memory, at) == 1
        later = [recall_at(memory, at + timedelta(days=days)) for days in (1, 10, 100)]
        assert sorted(later, reverse=True) == later
        if memory.state == 2:  # due when recall has fallen to 90 %, to a day
            assert recall_at(memory, memory.due - timedelta(days=1)) >= 0.9 - 0.02 or memory.due - at <= timedelta(
                days=1
            )


def test_a_clock_that_runs_behind_does_no_harm() -> None:
    memory = reviewed(Memory(due=NOW), 3, NOW)
    assert reviewed(memory, 3, NOW - timedelta(seconds=5)).last_review == NOW


def test_html_is_left_with_what_formats_text() -> None:
    hostile = (
        '<p onclick="x()">Steel<script>alert(1)</script> <b>rusts</b><img src="//e.example/x.png" alt=\'a "bead"\'>'
    )
    clean = safe_html(hostile + '<a href="javascript:x()">here</a><style>p{}</style>', "html")
    assert "<b>rusts</b>" in clean and "[picture: a" in clean and "here" in clean
    for bad in ("script", "onclick", "<img", "href", "style", "alert"):
        assert bad not in clean


def test_markdown_shows_code_and_emphasis_and_nothing_raw() -> None:
    text = 'What does `a < b` say?\n\n```javascript\nif (a < b) { x("<script>"); }\n```\n\n- **one**\n- two_three_four'
    clean = safe_html(text, "markdown")
    assert "<code>a &lt; b</code>" in clean
    assert "<pre><code>if (a &lt; b) { x(&quot;&lt;script&gt;&quot;); }</code></pre>" in clean
    assert "<li><strong>one</strong></li><li>two_three_four</li>" in clean


@given(st.text(max_size=200), st.sampled_from(["plain", "markdown"]))
def test_no_text_of_others_makes_a_tag_of_its_own(text: str, markup: str) -> None:
    import nh3

    clean = safe_html(text, markup)
    allowed = {"p", "br", "strong", "em", "code", "pre", "ul", "li"}
    assert nh3.is_html(clean) is False or set(_tags(clean)) <= allowed


def _tags(text: str) -> list[str]:
    import re

    return re.findall(r"<\s*([a-zA-Z0-9]+)", text)


def test_bare_text_has_no_tags() -> None:
    assert bare_text("<p>Steel</p><p>a &lt; b</p>", "html") == "Steel a < b"
    assert bare_text("  two   words ", "plain") == "two words"
