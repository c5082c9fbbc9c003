"""Finds the nearest of many texts: candidates by their rarest common words, then compared one by one.

    index = TextIndex([("274313611", "Základové pasy z betonu tř. C 16/20", "m3"), …])
    index.nearest("Základ. pasy z betonu C16/20", "m3")  →  Match(number=0, score=95)

Comparing each position with each item would be 100,000 × 100,000; sharing a rare word leaves some fifty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from .words import figures_of, folded

LEAST_SCORE = 82.0  # of 100; below, people found half of the matches wrong on real bills [judgement]
CANDIDATES = 60  # compared for a text
ENOUGH = 4 * CANDIDATES  # share a rarer word: commoner ones would only add to what is not compared
RAREST = 5  # words of a text that are looked up
COMMON = 4_000  # items with a word: one in more than so many tells nothing


@dataclass(frozen=True, slots=True)
class Match:
    """`number`: place in the list given; `score` 0-100, rapidfuzz's mean of token sort and token set ratio."""

    number: int
    score: float


class TextIndex:
    """Of (text, canonical unit); a unit of "" fits every unit."""

    def __init__(self, items: Sequence[tuple[str, str]]) -> None:
        self._texts = [folded(text) for text, _ in items]
        self._units = [unit for _, unit in items]
        self._figures = [figures_of(text) for text in self._texts]
        self._with: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self._texts):
            for word in set(text.split()):
                self._with[word].append(number)

    def __len__(self) -> int:
        return len(self._texts)

    def nearest(self, text: str, unit: str, *, least: float = LEAST_SCORE) -> Match | None:
        """The best of those in the same unit whose figures do not contradict; None: none is near enough. Of equals the
        first."""
        wanted = folded(text)
        if not wanted:
            return None
        figures = figures_of(wanted)
        numbers = [
            number
            for number in self._candidates(wanted)
            if self._units[number] in ("", unit) and _agree(figures, self._figures[number])
        ]
        best: Match | None = None
        for number in numbers[:CANDIDATES]:
            score = _likeness(wanted, self._texts[number])
            if score >= least and (best is None or score > best.score):
                best = Match(number, round(score, 1))
        return best

    def _candidates(self, wanted: str) -> list[int]:
        """Those that share most of the text's rarest words, then in order."""
        known = sorted((len(self._with[word]), word) for word in set(wanted.split()) if word in self._with)
        shared: dict[int, float] = defaultdict(float)
        for count, word in known[:RAREST]:
            if len(shared) >= ENOUGH or (shared and count > COMMON):
                break
            for number in self._with[word][:COMMON]:
                shared[number] += 1 + 1 / count
        return sorted(shared, key=lambda number: (-shared[number], number))


def _likeness(first: str, second: str) -> float:
    """Token set alone calls "beton" and "beton C25/30 bednění" the same; token sort alone punishes a long remark."""
    return (fuzz.token_sort_ratio(first, second) + fuzz.token_set_ratio(first, second)) / 2


def _agree(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Neither names a figure that the other's figures leave out, where both name any."""
    return not mine or not theirs or mine <= theirs or theirs <= mine
