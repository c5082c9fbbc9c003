"""How far two graders agree: Cohen's kappa with quadratic weights (Cohen 1968), which counts a miss by two levels four
times a miss by one, and what luck would bring is no agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LEAST: Final = 10  # calls; below, a kappa swings with each of them
DECILES: Final = tuple(range(0, 100, 10))  # 0-9, 10-19, … 90-100


@dataclass(frozen=True, slots=True)
class Agreement:
    """n: pairs of scores. kappa: -1 to 1; None: `reason` says why. same: share of pairs on one level, 0 to 1.
    apart: mean difference of the scores, in points."""

    n: int
    kappa: float | None
    reason: str = ""
    same: float | None = None
    apart: float | None = None

    def to_json(self) -> dict[str, Any]:
        return {"n": self.n, "kappa": self.kappa, "reason": self.reason, "same": self.same, "apart": self.apart}


def agreement(pairs: Mapping[tuple[int, int], int], *, levels: Sequence[int] = DECILES) -> Agreement:
    """Of scores (0 to 100) that two graders gave, with how often each pair was given.

    levels: from which score on a level is reached, ascending; of one level or none, deciles.
    """
    steps = levels if len(levels) > 1 else DECILES
    n = sum(pairs.values())
    if not n:
        return Agreement(0, None, "No call has a score of both.")
    reached: Counter[tuple[int, int]] = Counter()
    for (first, second), count in pairs.items():
        reached[_level(first, steps), _level(second, steps)] += count
    same = round(sum(count for (first, second), count in reached.items() if first == second) / n, 4)
    apart = round(sum(abs(first - second) * count for (first, second), count in pairs.items()) / n, 2)
    if n < LEAST:
        return Agreement(n, None, f"Too few to tell: {n} of at least {LEAST}.", same, apart)
    kappa = _kappa(reached, n)
    reason = "" if kappa is not None else "Both gave the same level to all: agreement cannot be told from luck."
    return Agreement(n, kappa, reason, same, apart)


def _level(score: int, levels: Sequence[int]) -> int:
    """The highest that the score reaches; below all of them, the lowest."""
    return max((index for index, least in enumerate(levels) if score >= least), default=0)


def _kappa(reached: Mapping[tuple[int, int], int], n: int) -> float | None:
    """1 - observed / expected disagreement. The weights' scale cancels out."""
    firsts: Counter[int] = Counter()
    seconds: Counter[int] = Counter()
    for (first, second), count in reached.items():
        firsts[first] += count
        seconds[second] += count
    observed = sum((first - second) ** 2 * count for (first, second), count in reached.items()) * n
    expected = sum((first - second) ** 2 * firsts[first] * seconds[second] for first in firsts for second in seconds)
    return round(1 - observed / expected, 4) if expected else None
