"""Words, sentences and phrases of what was said, each with its place: what is quoted is found there letter for letter.

Words are compared folded: without case, accents and kinds of apostrophes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

LONGEST_QUOTE = 240
_WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?？！。؟…]+[\"'”’»)\]]*(?=\s|$)|[？！。]")
_QUESTION_END = re.compile(r"[?？؟][.!?？！؟…\"'”’»)\]]*$")
# After which a full stop ends no sentence.
_ABBREVIATIONS = frozenset(
    {"mr", "mrs", "ms", "dr", "st", "no", "nr", "inc", "ltd", "co", "e.g", "i.e", "z.b", "bzw", "ca", "vs", "sr", "sra"}
)


@dataclass(frozen=True, slots=True)
class Word:
    """`folded`: as it is compared. `start` and `end`: where it stands in its text."""

    folded: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    text: str
    start: int
    is_question: bool


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold().replace("’", "'").replace("ʼ", "'"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def wordlist(text: str) -> frozenset[str]:
    """Folded words, between spaces."""
    return frozenset(fold(word) for word in text.split())


def words_in(text: str) -> list[Word]:
    return [Word(fold(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def count_words(text: str) -> int:
    return sum(1 for _ in _WORD.finditer(text))


def sentences_in(text: str) -> Iterator[Sentence]:
    """In their order. "Really?!" and "Why?)" are questions; "Mr." ends none."""
    start = 0
    for found in _SENTENCE_END.finditer(text):
        if found[0] == "." and _is_abbreviated(text, start, found.start()):
            continue
        yield from _sentence(text, start, found.end())
        start = found.end()
    yield from _sentence(text, start, len(text))


def quoted(text: str, start: int, end: int) -> str:
    """The sentence around a place, cut at words where it is long; always a piece of `text`."""
    for sentence in sentences_in(text):
        sentence_end = sentence.start + len(sentence.text)
        if sentence.start <= start < sentence_end:
            return _cut(text, sentence.start, max(end, sentence_end), start, end)
    return _cut(text, start, end, start, end)


def beginning(text: str) -> str:
    """As much of a text as is quoted of it."""
    return _cut(text, 0, len(text), 0, 0)


def phrase_of(told: str) -> tuple[str, ...]:
    """The folded words of a phrase; empty: there are none in it."""
    return tuple(word.folded for word in words_in(told))


def find_phrase(words: list[Word], phrase: tuple[str, ...]) -> tuple[int, int] | None:
    """Where the phrase's words stand first, one after the other, whatever is between them; None: nowhere."""
    length = len(phrase)
    for at in range(len(words) - length + 1):
        if all(words[at + step].folded == phrase[step] for step in range(length)):
            return words[at].start, words[at + length - 1].end
    return None


def _sentence(text: str, start: int, end: int) -> Iterator[Sentence]:
    piece = text[start:end]
    told = piece.strip()
    if told:
        yield Sentence(told, start + len(piece) - len(piece.lstrip()), _QUESTION_END.search(told[-8:]) is not None)


def _is_abbreviated(text: str, start: int, stop: int) -> bool:
    word = text[max(start, stop - 8) : stop].rsplit(None, 1)[-1:]
    return bool(word) and word[0].casefold().lstrip("(\"'“„") in _ABBREVIATIONS


def _cut(text: str, start: int, end: int, first: int, last: int) -> str:
    """`text[start:end]` in at most LONGEST_QUOTE characters, with `text[first:last]` in it if that is possible."""
    if end - start > LONGEST_QUOTE:
        spare = max(0, LONGEST_QUOTE - (last - first)) // 2
        low = max(start, min(first - spare, end - LONGEST_QUOTE))
        high = min(end, low + LONGEST_QUOTE)
        if low > start and (space := text.find(" ", low, max(low, first))) >= 0:
            low = space + 1
        if high < end and (space := text.rfind(" ", max(last, low), high)) >= 0:
            high = space
        start, end = low, high
    return text[start:end].strip()
