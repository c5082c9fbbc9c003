"""The profile's words in a notice, weighed by BM25: rare words tell more, and a word said twice does not tell twice."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .corpus import Corpus
from .factors import NEGATIVE, TERMS
from .schema import Factor
from .sentences import one_line, quote_around, sentences
from .subject import Profile, Subject
from .words import Word, stems, words_of

_K1, _B = 1.2, 0.75
_TITLE_COUNTS = 3
_SATURATION = 5.0  # the sum at which 63 % is reached
_CAPABILITY = 0.35  # a word of the firm's own description counts so much of a keyword
_PARTIAL = 0.35  # some words of a phrase, not together
_MOST_CAPABILITIES = 40
_NAMED = 4  # terms that a reason names


@dataclass(frozen=True, slots=True)
class Hit:
    term: str
    weight: float
    in_title: bool
    start: int = -1  # in the text; -1: the words are there, not together
    end: int = -1


class Reading:
    """A notice's words, read once for all terms."""

    def __init__(self, subject: Subject, language: str, corpus: Corpus) -> None:
        self.subject, self.language, self.corpus = subject, language, corpus
        self.text = subject.text
        self.words: list[Word] = [word for word in words_of(self.text, language) if word.stem]
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            self._places.setdefault(word.stem, []).append(place)
        length = len(self.words) / corpus.average_length
        self._norm = _K1 * (1 - _B + _B * min(length, 4.0))

    def find(self, term: str) -> Hit | None:
        """The term as a phrase of stems; with some of its words missing, or apart, it counts less."""
        wanted = stems(term, self.language)
        if not wanted:
            return self._literal(term)
        places = [place for place in self._places.get(wanted[0], ()) if self._is_phrase(place, wanted)]
        idf = max((self.corpus.idf(stem) for stem in wanted), default=0.0)
        if places:
            first, last = self.words[places[0]], self.words[places[0] + len(wanted) - 1]
            titled = sum(self.words[place].end <= len(self.subject.title) for place in places)
            count = len(places) + titled * (_TITLE_COUNTS - 1)
            return Hit(term, idf * self.tf(count), titled > 0, first.start, last.end)
        present = sum(stem in self._places for stem in wanted) / len(wanted)
        if len(wanted) > 1 and present > 0.5:
            return Hit(term, idf * self.tf(1) * present * _PARTIAL, False)
        return None

    def _is_phrase(self, place: int, wanted: Sequence[str]) -> bool:
        found = self.words[place : place + len(wanted)]
        return [word.stem for word in found] == list(wanted)

    def _literal(self, term: str) -> Hit | None:
        """Of terms that are all stop words ("works"): as written, and nearly without weight."""
        match = (
            re.search(rf"(?<!\w){re.escape(term.strip())}(?!\w)", self.text, re.IGNORECASE) if term.strip() else None
        )
        if match is None:
            return None
        return Hit(term, 0.2, match.end() <= len(self.subject.title), match.start(), match.end())

    def tf(self, count: int) -> float:
        return count / (count + self._norm) * (_K1 + 1) / 1.5

    def quote(self, hit: Hit) -> str:
        if hit.start < 0:
            return ""
        for start, sentence in sentences(self.text):
            if start <= hit.start < start + len(sentence):
                end = min(len(sentence), hit.end - start)
                return one_line(quote_around(sentence, hit.start - start, end))
        return ""


def terms(reading: Reading, profile: Profile) -> Factor | None:
    """None: the profile names no words."""
    if not profile.keywords and not profile.capabilities.strip():
        return None
    hits = [hit for term in profile.keywords if (hit := reading.find(term))]
    total = sum(hit.weight for hit in hits) + _CAPABILITY * _described(reading, profile.capabilities)
    value = 1 - math.exp(-total / _SATURATION)
    hits.sort(key=lambda hit: (-hit.weight, hit.term))
    if hits:
        named = ", ".join(f"“{hit.term}”" + (" (title)" if hit.in_title else "") for hit in hits[:_NAMED])
        why = f"The notice speaks of {named}."
    elif total:
        why = "It shares words with what the firm says of itself, and none of its keywords."
    else:
        why = "None of the profile's words are in the notice."
    return _factor("terms", TERMS, value, why, reading.quote(hits[0]) if hits else "")


def _described(reading: Reading, capabilities: str) -> float:
    """Each word once; the most telling ones of a long description."""
    found = {word.stem for word in reading.words}
    shared = sorted(set(stems(capabilities, reading.language)[:400]) & found)
    weights = sorted((reading.corpus.idf(stem) * reading.tf(1) for stem in shared), reverse=True)
    return sum(weights[:_MOST_CAPABILITIES])


def against(reading: Reading, profile: Profile) -> Factor | None:
    """None: none of the words that the firm does not want."""
    hits = [hit for term in profile.negative_keywords if (hit := reading.find(term)) and hit.start >= 0]
    if not hits:
        return None
    hits.sort(key=lambda hit: (not hit.in_title, hit.term))
    value = 1.0 if hits[0].in_title else min(1.0, 0.5 + 0.25 * (len(hits) - 1))
    named = ", ".join(f"“{hit.term}”" for hit in hits[:_NAMED])
    return _factor("negative_terms", NEGATIVE, value, f"The firm does not want {named}.", reading.quote(hits[0]))


def _factor(name: str, weight: float, held: float, why: str, quote: str) -> Factor:
    held = round(min(1.0, held), 4)
    return Factor(name=name, weight=weight, value=held, contribution=round(weight * held, 4), why=why, quote=quote)
