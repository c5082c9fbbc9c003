"""Several rankings made one: reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TypeVar

K = 60  # Cormack, Clarke, Büttcher: Reciprocal Rank Fusion, SIGIR 2009
Key = TypeVar("Key", bound=Hashable)


def fused(rankings: Iterable[Sequence[Key]], *, first: Sequence[Key] = ()) -> list[tuple[Key, float]]:
    """Keys with their scores, best first: the sum of 1 / (60 + place) over the rankings, places from 1. `first` stand
    before all others, in their order. Ties: as they were met."""
    scores: dict[Key, float] = {}
    for ranking in rankings:
        for place, key in enumerate(ranking, 1):
            scores[key] = scores.get(key, 0.0) + 1 / (K + place)
    for place, key in enumerate(reversed(first), 1):
        scores[key] = scores.get(key, 0.0) + place
    return sorted(scores.items(), key=lambda item: -item[1])
