"""A whole exam: Kuder-Richardson 20, where there is a fixed form to speak of.

Source: Kuder & Richardson, The theory of the estimation of test reliability (Psychometrika 2, 1937), formula 20. The
variance of the totals is that of all who took the form (divided by n), as p and q are shares of the same people.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .items import FEWEST

NOBODY = "Nobody has handed in an exam yet."
NO_FORM = "No two exams asked the same questions: each is drawn anew, and KR-20 is for one fixed form."
FEW = "Fewer than {fewest} people took the same questions: exams are drawn anew, and KR-20 is for one fixed form."
ONE = "KR-20 needs at least two questions."
PARTS = "Some questions gave part of a mark: KR-20 is for right and wrong only."
ALIKE = "Everybody had the same number of marks: there is nothing to explain."


@dataclass(frozen=True, slots=True)
class Form:
    """Exams that asked the same questions. `marks`: for each person, the share earned by question, always in the same
    order; what was left out is 0."""

    marks: Iterable[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Reliability:
    """`kr20` at most 1, and below 0 where questions contradict each other; None, and `why_none` says why."""

    people: int
    questions: int
    mean: float | None = None
    deviation: float | None = None
    kr20: float | None = None
    why_none: str = ""


def reliability_of(form: Form, *, fewest: int = FEWEST) -> Reliability:
    """One pass; memory for one person's marks and a sum for each question."""
    people, totals, squares = 0, 0.0, 0.0
    right: list[float] = []
    is_whole = True
    for marks in form.marks:
        right = right or [0.0] * len(marks)
        total = math.fsum(marks)
        people, totals, squares = people + 1, totals + total, squares + total * total
        for at, mark in enumerate(marks):
            right[at] += mark
        is_whole = is_whole and all(mark in (0.0, 1.0) for mark in marks)
    questions = len(right)
    if people < fewest:
        return Reliability(people, questions, why_none=FEW.format(fewest=fewest) if people > 1 else NO_FORM)
    mean = totals / people
    variance = max(0.0, squares / people - mean * mean)
    why_none = ONE if questions < 2 else ALIKE if variance < 1e-9 else "" if is_whole else PARTS
    kr20 = None
    if not why_none:
        spread = math.fsum(each / people * (1 - each / people) for each in right)
        kr20 = questions / (questions - 1) * (1 - spread / variance)
    return Reliability(people, questions, mean, math.sqrt(variance), kr20, why_none)
