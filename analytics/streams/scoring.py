"""How demand decays: each signal weighs half as much a half-life later, and nobody has to touch a row for that.

A *rank* is log2 of the sum over an entity's signals of 2^((t - ORIGIN) / half-life). Every sum grows by the same factor
as time goes by, so ranks order by decayed score at any moment, and their logarithm never overflows. A signal counts at
the start of its hour: ranks can be made anew from the hours alone, exactly. 0 stands for no signal: whatever was asked
since ORIGIN has a rank above it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import log2

ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
ORIGIN_S = int(ORIGIN.timestamp())
HOUR_S = 3600
DAY_S = 86400

# The same in SQL, for rows: what two ranks are together.
ADD_RANKS = (
    "CASE WHEN {a} = 0 THEN {b} WHEN {b} = 0 THEN {a} "
    "ELSE greatest({a}, {b}) + ln(1 + power(2::float8, -least(abs({a} - {b}), 1000))) / ln(2::float8) END"
)


def half_lives(at_s: float, half_life_days: float) -> float:
    """From ORIGIN to `at_s` (seconds since 1970)."""
    return (at_s - ORIGIN_S) / (half_life_days * DAY_S)


def rank_of(hours: Iterable[tuple[int, int]], half_life_days: float) -> float:
    """Of (hour since 1970, signals); 0: none."""
    weighed = [(half_lives(hour * HOUR_S, half_life_days), count) for hour, count in hours if count]
    if not weighed:
        return 0.0
    top = max(weight for weight, _ in weighed)
    return float(top + log2(sum(count * 2.0 ** max(weight - top, -1000.0) for weight, count in weighed)))


def score_at(rank: float, at: datetime, half_life_days: float) -> float:
    """Signals, each weighed by its age: 1.0 is one just asked."""
    if not rank:
        return 0.0
    return float(2.0 ** max(min(rank - half_lives(at.timestamp(), half_life_days), 1000.0), -1000.0))


def rank_at(score: float, at: datetime, half_life_days: float) -> float:
    """The rank whose score at that moment it is; for bounds."""
    return half_lives(at.timestamp(), half_life_days) + log2(score) if score > 0 else 0.0
