"""How common each word is among notices of one language: what makes a word telling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .subject import Subject
from .words import stems

MOST_WORDS = 20_000
MOST_OF_DIVISION = 400  # words kept of each CPV division
FEWEST_DOCUMENTS = 30  # below that, counting says little
TOO_COMMON = 0.4  # share of notices that have the word: then it is a stop word, whatever the list says
_UNKNOWN_IDF = 3.0


@dataclass(frozen=True, slots=True)
class Corpus:
    """`frequencies`: stem to notices that have it. `divisions`: CPV division to (notices, stem to notices)."""

    documents: int = 0
    average_length: float = 60.0  # stems of a notice
    frequencies: dict[str, int] = field(default_factory=dict)
    divisions: dict[str, tuple[int, dict[str, int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, subjects: Iterable[Subject], language: str) -> Corpus:
        count, length = 0, 0
        frequencies: Counter[str] = Counter()
        sizes: Counter[str] = Counter()
        divisions: dict[str, Counter[str]] = {}
        for subject in subjects:
            found = stems(subject.text, language)
            distinct = set(found)
            count += 1
            length += len(found)
            frequencies.update(distinct)
            if division := subject.cpv_main[:2]:
                sizes[division] += 1
                divisions.setdefault(division, Counter()).update(distinct)
        if not count:
            return cls()
        kept = dict(_most(frequencies, MOST_WORDS))
        by_division = {
            division: (sizes[division], dict(_most(words, MOST_OF_DIVISION))) for division, words in divisions.items()
        }
        return cls(count, max(1.0, length / count), kept, by_division)

    def idf(self, stem: str) -> float:
        """At least 0; 0 for what most notices say."""
        if self.documents < FEWEST_DOCUMENTS:
            return _UNKNOWN_IDF
        frequency = self.frequencies.get(stem, 0)
        if frequency > TOO_COMMON * self.documents:
            return 0.0
        return math.log(1 + (self.documents - frequency + 0.5) / (frequency + 0.5))

    def as_json(self) -> dict[str, Any]:
        return {
            "documents": self.documents,
            "average_length": self.average_length,
            "frequencies": self.frequencies,
            "divisions": self.divisions,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Corpus:
        divisions = {name: (int(size), dict(words)) for name, (size, words) in data["divisions"].items()}
        return cls(data["documents"], data["average_length"], data["frequencies"], divisions)


def _most(counter: Counter[str], limit: int) -> list[tuple[str, int]]:
    """The most common; of equals the first by letter: the same notices give the same corpus."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:limit]
