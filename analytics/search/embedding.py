"""Places of texts in a space of meaning: hashed TF-IDF, brought down by a truncated SVD. numpy at most, at query time.

Words and pairs of neighbouring words are hashed into buckets; buckets are weighed by how rare they are in the corpus
that the model was fitted on (`fitting`), and its main directions are the coordinates. Words that were not in that
corpus say nothing: they would share the bucket, and so the meaning, of words that were.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import Any, Protocol

import numpy as np

from .words import words_of

BUCKETS = 1 << 15
PAIR = 0.3  # a pair of neighbours against a word
LONGEST = 20_000  # characters of a text that count
Floats = np.ndarray[Any, np.dtype[np.float32]]
Numbers = np.ndarray[Any, np.dtype[np.uint32]]


class Embedder(Protocol):
    """`version` tells whose vectors can be compared; `encode` gives a row of length 1 (0: nothing known) a text."""

    @property
    def version(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> Floats: ...


def spoken(text: str) -> list[str]:
    """The words of a text that count."""
    return words_of(text[:LONGEST])


def number_of(word: str) -> int:
    """Of 32 bits: two words of a corpus share one about once in a hundred thousand."""
    return zlib.crc32(word.encode())


def features(words: Sequence[str]) -> dict[int, float]:
    """Bucket to weight, before rarity."""
    counts: dict[int, float] = {}
    for word in words:
        bucket = number_of(word) % BUCKETS
        counts[bucket] = counts.get(bucket, 0.0) + 1
    for one, next_ in pairwise(words):
        bucket = number_of(f"{one} {next_}") % BUCKETS
        counts[bucket] = counts.get(bucket, 0.0) + PAIR
    return {bucket: 1 + log(count) if count >= 1 else count for bucket, count in counts.items()}


@dataclass(frozen=True, slots=True)
class HashedSvd:
    """`rarity`: of each bucket; `axes`: buckets × dimensions; `words`: numbers of those it was fitted on, ascending."""

    version: str
    rarity: Floats
    axes: Floats
    words: Numbers

    def encode(self, texts: Sequence[str]) -> Floats:
        rows = np.zeros((len(texts), self.axes.shape[1]), np.float32)
        for at, text in enumerate(texts):
            told = features(self._known(spoken(text)))
            if not told:
                continue
            buckets = np.fromiter(told, np.int64, len(told))
            weights = np.fromiter(told.values(), np.float32, len(told)) * self.rarity[buckets]
            row = weights @ self.axes[buckets].astype(np.float32)
            length = float(np.linalg.norm(row))
            if length > 1e-6 * float(np.linalg.norm(weights)):
                rows[at] = row / length
        return rows

    def _known(self, words: list[str]) -> list[str]:
        numbers = np.fromiter(map(number_of, words), np.uint32, len(words))
        places = np.searchsorted(self.words, numbers)
        places[places == len(self.words)] = 0
        held = self.words[places] == numbers if len(self.words) else np.zeros(len(words), bool)
        return [word for word, is_held in zip(words, held.tolist(), strict=True) if is_held]

    def to_bytes(self) -> bytes:
        """Half precision: a third of a per mille at most, and half the size."""
        file = io.BytesIO()
        np.savez_compressed(
            file, rarity=self.rarity.astype(np.float32), axes=self.axes.astype(np.float16), words=self.words
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes, version: str) -> HashedSvd:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return cls(version, stored["rarity"], stored["axes"], stored["words"])
