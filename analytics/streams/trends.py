"""When more is more than chance: growth of one window over the one before, and spikes within a series of hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

SPANS = ("1d", "7d", "30d")
HOURS_OF = {"1d": 24, "7d": 7 * 24, "30d": 30 * 24}
# Counts of independent people vary by their square root: at 2 one window in forty looks like a trend by chance.
TREND_Z = 2.0
TREND_LEAST = 5  # signals in the window; 1 -> 3 is no trend


def growth(current: int, previous: int) -> float:
    """The difference of two Poisson counts in standard deviations; + 1 so that nothing at all is 0."""
    return (current - previous) / sqrt(current + previous + 1)


def is_trend(current: int, previous: int) -> bool:
    return current >= TREND_LEAST and growth(current, previous) >= TREND_Z


# Spikes. Round values: a day's half-life follows a rhythm of days, 4 standard deviations are the design's; on hourly
# counts of tweets about AAPL (NAB) half-lives of 24 to 96 hours do about as well.
SPIKE_Z = 4.0
HALF_LIFE_H = 24.0
WARM_UP_H = 48
# The square root of a Poisson count varies by 1/4, however large the count is: never taken to vary less.
LEAST_VARIANCE = 0.25


@dataclass(frozen=True, slots=True)
class Spike:
    """`index` of the hour in the series; `expected` signals as of the hours before; `z` standard deviations above."""

    index: int
    count: int
    expected: float
    z: float


def spikes(
    counts: Sequence[int], *, z: float = SPIKE_Z, half_life_h: float = HALF_LIFE_H, warm_up_h: int = WARM_UP_H
) -> list[Spike]:
    """Hours whose square root is more than `z` standard deviations above its moving average, of consecutive hours.

    Average and variance are exponentially weighted and know only hours before. An hour moves them by what lies within
    `z` deviations, so that one spike does not hide the next.
    """
    alpha = 1 - 0.5 ** (1 / half_life_h)
    found: list[Spike] = []
    mean, variance = sqrt(counts[0]) if counts else 0.0, LEAST_VARIANCE
    for index, count in enumerate(counts):
        deviation = sqrt(max(variance, LEAST_VARIANCE))
        score = (sqrt(count) - mean) / deviation
        if index >= warm_up_h and score > z:
            found.append(Spike(index, count, mean * mean, score))
        step = min(max(score, -z), z) * deviation
        mean += alpha * step
        variance = (1 - alpha) * (variance + alpha * step * step)
    return found
