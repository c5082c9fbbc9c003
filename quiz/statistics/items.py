"""One question: facility, discrimination, corrected item-total correlation, and who took which choice.

Sources: Ebel & Frisbie, Essentials of Educational Measurement (5th ed. 1991), ch. 13; for the 27 % Kelley, The
selection of upper and lower groups for the validation of test items (J. Educ. Psychol. 30, 1939).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import NamedTuple

FEWEST = 30  # people, under which nothing is said
FEWEST_OTHERS = 5  # other answers of a person: fewer do not rank anybody
GROUP = 0.27
LOWER, MIDDLE, UPPER = range(3)


class Taking(NamedTuple):
    """The first answer of one person to the question. `share` of the mark, 0 to 1; `rest`, the mean share of the
    person's other first answers of the same category, None where there are too few of them; `choices`, ids taken."""

    share: float
    rest: float | None
    choices: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """`answers` is the n of `facility` and `median_seconds`, `ranked` that of all else. What has too small an n, or
    can't be told (everybody had the same), is None. `distractors`: by choice, takers of the lower, middle and upper
    group; {} for other kinds of questions and under FEWEST."""

    answers: int
    ranked: int
    facility: float | None = None
    discrimination: float | None = None
    item_total: float | None = None
    median_seconds: float | None = None
    distractors: dict[str, list[int]] = field(default_factory=dict)


def analyse_item(takings: Iterable[Taking], *, choices: Sequence[str] = (), fewest: int = FEWEST) -> ItemFigures:
    """Figures of one question; `choices` are the ids of all of them, also of those that nobody took.

    Ties in `rest` are broken by the order in which the takings come: let that order have nothing to do with the answer.
    """
    everybody = list(takings)
    ranked = [each for each in everybody if each.rest is not None]
    answers = len(everybody)
    if answers < fewest:
        return ItemFigures(answers, len(ranked))
    timed = [each.seconds for each in everybody if each.seconds is not None]
    figures = ItemFigures(
        answers,
        len(ranked),
        facility=math.fsum(each.share for each in everybody) / answers,
        median_seconds=median(timed) if len(timed) >= fewest else None,
    )
    if len(ranked) < fewest:
        return figures
    groups = groups_of(ranked)
    return replace(
        figures,
        discrimination=_mean(groups[UPPER]) - _mean(groups[LOWER]),
        item_total=correlation([each.share for each in ranked], [each.rest or 0.0 for each in ranked]),
        distractors={one: [_takers(group, one) for group in groups] for one in choices},
    )


def group_size(ranked: int) -> int:
    """Of the upper and of the lower group, each: 27 % of those ranked, rounded half up."""
    return math.floor(GROUP * ranked + 0.5)


def groups_of(ranked: Sequence[Taking]) -> tuple[list[Taking], list[Taking], list[Taking]]:
    """Lower, middle and upper, by the rest of what each person answered."""
    order = sorted(ranked, key=lambda each: each.rest or 0.0)
    size = group_size(len(order))
    return order[:size], order[size : len(order) - size], order[len(order) - size :]


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's r; with 0 and 1 on one side that is the point-biserial one. None where one side does not vary."""
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    xx = math.fsum((x - mean_x) ** 2 for x in xs)
    yy = math.fsum((y - mean_y) ** 2 for y in ys)
    if xx <= 1e-12 or yy <= 1e-12:
        return None
    xy = math.fsum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))


def _mean(group: Sequence[Taking]) -> float:
    return math.fsum(each.share for each in group) / len(group)


def _takers(group: Sequence[Taking], choice: str) -> int:
    return sum(choice in each.choices for each in group)
