"""When more is more than chance: growth of one window over the one before, and spikes within a series of hours."""

from __future__ import annotations

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
