"""The words of a corpus and how common they are: what tells rare words from common ones, and typos from words."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Mapping
from functools import cached_property
from math import log

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

MOST_WORDS = 200_000
MOST_NEAR = 3
MOST_ENDINGS = 8
SHORTEST_TYPO = 4  # letters: shorter words differ by too little


class Vocabulary:
    """`counts`: documents that hold each word, of `documents` altogether."""

    def __init__(self, counts: Mapping[str, int], documents: int) -> None:
        self.counts = counts
        self.documents = documents

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.counts)

    @cached_property
    def _by_shape(self) -> dict[tuple[str, int], list[str]]:
        """By first letter and length: a typo keeps the first and hardly changes the second."""
        shapes: dict[tuple[str, int], list[str]] = {}
        for word in self.counts:
            if len(word) >= SHORTEST_TYPO - 1 and word.isalpha():
                shapes.setdefault((word[0], len(word)), []).append(word)
        return shapes

    def weight(self, word: str) -> float:
        """Inverse document frequency; the highest for a word that is not known."""
        return log(1 + (self.documents + 1) / (self.counts.get(word, 0) + 0.5))

    def near(self, word: str) -> list[str]:
        """Words that it may be a typo of, the nearest and then the most common first: one slip up to seven letters,
        two beyond."""
        if len(word) < SHORTEST_TYPO or not word.isalpha():
            return []
        slips = 1 if len(word) < 8 else 2
        near: list[tuple[int, int, str]] = []
        for length in range(len(word) - slips, len(word) + slips + 1):
            for known, distance, _ in process.extract(
                word,
                self._by_shape.get((word[0], length), []),
                scorer=DamerauLevenshtein.distance,
                score_cutoff=slips,
                limit=MOST_NEAR,
            ):
                near.append((int(distance), -self.counts[known], known))
        return [known for _, _, known in sorted(near)[:MOST_NEAR]]

    def beginning_with(self, beginning: str) -> list[str]:
        """The most common words that begin so, without the word itself."""
        words, found = self._sorted, []
        for at in range(bisect_left(words, beginning), len(words)):
            if not words[at].startswith(beginning):
                break
            found.append(words[at])
        return sorted((word for word in found if word != beginning), key=lambda word: -self.counts[word])[:MOST_ENDINGS]


def merged(vocabularies: list[Vocabulary]) -> Vocabulary:
    """One of several corpora."""
    if len(vocabularies) == 1:
        return vocabularies[0]
    counts: dict[str, int] = {}
    for vocabulary in vocabularies:
        for word, count in vocabulary.counts.items():
            counts[word] = counts.get(word, 0) + count
    return Vocabulary(counts, sum(vocabulary.documents for vocabulary in vocabularies))


def packed(counts: Mapping[str, int]) -> bytes:
    """The most common 200,000 words, as stored."""
    kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_WORDS]
    return zlib.compress("\n".join(f"{word}\t{count}" for word, count in kept).encode(), 6)


def unpacked(data: bytes) -> dict[str, int]:
    lines = zlib.decompress(data).decode().splitlines()
    return {word: int(count) for word, _, count in (line.partition("\t") for line in lines)}
