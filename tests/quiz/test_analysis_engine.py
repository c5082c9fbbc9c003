"""Item analysis by hand: small tables whose figures were worked out on paper, or by another formula."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from quiz.statistics import Form, Taking, analyse_item, flags_of, group_size, reliability_of


def takings(*rows: tuple[float, float | None, str]) -> list[Taking]:
    return [Taking(share, rest, (choice,), seconds=float(at)) for at, (share, rest, choice) in enumerate(rows, 1)]


# Ten people by the rest of what they answered; "b" is right. 27 % of 10 are 3.
TEN = takings(
    (0, 0.1, "a"), (0, 0.2, "a"), (1, 0.3, "b"),
    (0, 0.4, "c"), (1, 0.5, "b"), (1, 0.5, "b"), (0, 0.6, "c"),
    (1, 0.7, "b"), (1, 0.8, "b"), (0, 0.9, "d"),
)  # fmt: skip


def test_a_worked_example() -> None:
    found = analyse_item(TEN, choices=["a", "b", "c", "d"], fewest=10)
    assert (found.answers, found.ranked) == (10, 10)
    assert found.facility == 0.5
    # Upper three: 2 of 3 right; lower three: 1 of 3.
    assert found.discrimination == pytest.approx(1 / 3)
    assert found.distractors == {"a": [2, 0, 0], "b": [1, 2, 2], "c": [0, 2, 0], "d": [0, 0, 1]}
    assert found.median_seconds == 5.5
    # Point-biserial by its own formula: (M1 - M0) / s * sqrt(pq), M1 = 0.56, M0 = 0.44, s² = 0.06.
    assert found.item_total == pytest.approx((0.56 - 0.44) / math.sqrt(0.06) * 0.5)
    assert found.item_total == pytest.approx(statistics.correlation([t.share for t in TEN], [t.rest or 0 for t in TEN]))


def test_the_order_of_answers_changes_nothing_but_ties() -> None:
    draw = random.Random(7)
    people = [Taking(float(draw.random() < at / 60), at / 60, ("b",)) for at in range(60)]
    shuffled = draw.sample(people, len(people))
    one, other = analyse_item(people, choices=["b"]), analyse_item(shuffled, choices=["b"])
    assert one == other
    assert one.item_total == pytest.approx(statistics.correlation([t.share for t in people], [t.rest for t in people]))


@pytest.mark.parametrize(("ranked", "size"), [(30, 8), (33, 9), (50, 14), (100, 27), (370, 100)])
def test_groups_are_27_percent(ranked: int, size: int) -> None:
    assert group_size(ranked) == size


def test_part_marks_count_in_part() -> None:
    people = takings((0.5, 0.0, "a"), (0.25, 0.5, "a"), (1.0, 1.0, "b"), (0.25, 0.25, "c"))
    found = analyse_item(people, fewest=4)
    assert found.facility == 0.5
    assert found.discrimination == 0.5  # a group of one: 1.0 less 0.5
    assert found.distractors == {}


def test_nothing_is_said_of_too_few_people() -> None:
    thirty = [Taking(1.0, 0.5 + at / 100) for at in range(30)]
    few = analyse_item(thirty[:29])
    assert (few.answers, few.facility, few.discrimination, few.distractors) == (29, None, None, {})
    assert analyse_item(thirty).facility == 1.0
    unranked = analyse_item([*thirty[:29], Taking(0.0, None)])
    assert (unranked.answers, unranked.ranked) == (30, 29)
    assert unranked.facility is not None and unranked.discrimination is None and unranked.distractors == {}


def test_where_everybody_is_alike_there_is_no_correlation() -> None:
    found = analyse_item([Taking(1.0, at / 30) for at in range(30)])
    assert (found.discrimination, found.item_total) == (0.0, None)


def population(right_from: int, upper: str = "key", lower: str = "x", spare: str = "") -> list[Taking]:
    """100 people: the best from `right_from` on take "key"; of the 27 best and 27 worst as told."""
    found = []
    for at in range(100):
        choice = lower if at < 27 else upper if at >= 73 else "key" if at >= right_from else "x"
        found.append(Taking(float(choice == "key"), at / 100, (choice,)))
    return found


@pytest.mark.parametrize(
    ("people", "choices", "expected"),
    [
        (population(50), ["key", "x"], []),
        (population(50), ["key", "x", "y"], ["idle_choice"]),
        (population(50, upper="x", lower="key"), ["key", "x"], ["wrong_key"]),
        (population(0, upper="y", lower="x"), ["key", "x", "y"], ["wrong_key", "weak"]),
        (population(0, lower="key"), ["key", "x"], ["too_easy"]),
        (population(100, upper="x"), ["key", "x"], ["too_hard", "weak"]),
    ],
    ids=["sound", "idle", "reversed", "drawn-to-another", "easy", "hard"],
)
def test_what_looks_odd_is_flagged(people: list[Taking], choices: list[str], expected: list[str]) -> None:
    assert flags_of(analyse_item(people, choices=choices), right=["key"]) == expected


def test_a_choice_taken_by_chance_is_no_wrong_key() -> None:
    people = [each._replace(choices=("y",), share=0.0) if at == 99 else each for at, each in enumerate(population(50))]
    assert flags_of(analyse_item(people, choices=["key", "x", "y"]), right=["key"]) == []


def test_nothing_is_flagged_without_figures() -> None:
    assert flags_of(analyse_item([Taking(0.0, 0.5)] * 29, choices=["key", "x"]), right=["key"]) == []


def test_kr20_of_a_worked_example() -> None:
    # Four people, three questions. p = 3/4, 2/4, 1/4, so the sum of pq is 0.1875 + 0.25 + 0.1875 = 0.625; totals 3, 2,
    # 1, 0 have the variance 1.25. KR-20 = 3/2 * (1 - 0.625/1.25) = 0.75.
    guttman = [(1.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)]
    found = reliability_of(Form(guttman), fewest=4)
    assert (found.people, found.questions, found.mean) == (4, 3, 1.5)
    assert found.kr20 == pytest.approx(0.75)
    assert found.deviation == pytest.approx(statistics.pstdev([3, 2, 1, 0]))


def test_kr20_is_cronbachs_alpha_of_right_and_wrong() -> None:
    draw = random.Random(3)
    marks = [tuple(float(draw.random() < at / 80 + 0.1 * item) for item in range(6)) for at in range(40)]
    items = sum(statistics.pvariance(column) for column in zip(*marks, strict=True))
    alpha = 6 / 5 * (1 - items / statistics.pvariance([sum(row) for row in marks]))
    assert reliability_of(Form(iter(marks))).kr20 == pytest.approx(alpha)


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ([], "drawn anew"),
        ([(1.0, 0.0)] * 29, "Fewer than 30"),
        ([(1.0, 0.5)] * 15 + [(0.0, 0.0)] * 15, "part of a mark"),
        ([(1.0, 0.0)] * 30, "same number of marks"),
        ([(1.0,)] * 15 + [(0.0,)] * 15, "two questions"),
    ],
    ids=["none", "few", "parts", "alike", "one"],
)
def test_where_there_is_no_kr20_it_is_said_why(marks: list[tuple[float, ...]], words: str) -> None:
    found = reliability_of(Form(marks))
    assert found.kr20 is None
    assert words in found.why_none
