"""A text as words to count: folded as the search folds them, without stop words, lightly stemmed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..services.wording import folded
from .stopwords import STOP_WORDS

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\W\d_]+\d+|\d+[^\W\d_]+")
_LOST_BREAK = re.compile(r"(?:rn)+(?=[A-Z])")  # line breaks whose backslashes a publisher has lost
_SHORTEST_STEM = 4
# Endings of case and number, of words as folded; the longest that leaves four letters is cut.
_ENDINGS = {
    "en": ("ings", "ing", "ments", "ies", "ed", "es", "s"),
    "de": ("ungen", "ung", "ern", "en", "em", "er", "es", "e", "n", "s"),
    "cs": ("ovani", "ach", "ami", "ech", "eho", "emi", "emu", "ich", "imi", "ove", "ovi", "ych", "ymi", "am", "em",
    "ho",
           "im", "mi", "ou", "um", "ym", "y", "i", "a", "e", "u", "o"),
    "sk": ("ovanie", "ovania", "och", "ach", "ami", "ego", "emi", "emu", "eho", "ich", "imi", "ove", "ovi", "ych",
    "ymi",
           "am", "em", "ho", "im", "mi", "ou", "om", "ym", "y", "i", "a", "e", "u", "o"),
    "pl": ("owania", "owanie", "ach", "ami", "ego", "emu", "ich", "imi", "owi", "ych", "ymi", "ej", "em", "ie", "im",
    "om",
           "ow", "ym", "y", "i", "a", "e", "u", "o"),
    "es": ("ciones", "cion", "es", "as", "os", "s", "a", "o", "e"),
    "pt": ("coes", "cao", "es", "as", "os", "s", "a", "o", "e"),
    "fr": ("ations", "ation", "es", "s", "e"),
    "it": ("azioni", "azione", "i", "e", "a", "o"),
    "ar": ("يه", "ات", "ون", "ين", "ها", "ه", "ي"),
}  # fmt: skip
_ARABIC_PREFIXES = ("وال", "بال", "كال", "فال", "ال", "لل")


@dataclass(frozen=True, slots=True)
class Word:
    """`stem` is "" for stop words: they count for nothing, and part phrases. `start`, `end`: in the text."""

    surface: str
    stem: str
    start: int
    end: int


def words_of(text: str, language: str) -> Iterator[Word]:
    stop = STOP_WORDS.get(language, frozenset())
    for found in _WORD.finditer(text):
        lost = _LOST_BREAK.match(found.group())
        start = found.start() + (lost.end() if lost else 0)
        surface = text[start : found.end()]
        plain = folded(surface)
        is_empty = plain in stop or (len(plain) < 2)
        yield Word(surface, "" if is_empty else stem(plain, language), start, found.end())


def stems(text: str, language: str) -> list[str]:
    """In the order of the text, without stop words."""
    return [word.stem for word in words_of(text, language) if word.stem]


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """Of a folded word. Light: "roads" and "road" meet, not "road" and "roadworks"."""
    if language == "ar":
        for prefix in _ARABIC_PREFIXES:
            if word.startswith(prefix) and len(word) - len(prefix) >= 3:
                word = word[len(prefix) :]
                break
    shortest = 3 if language == "ar" else _SHORTEST_STEM
    for ending in _ENDINGS.get(language, ()):
        if word.endswith(ending) and len(word) - len(ending) >= shortest:
            word = word[: -len(ending)]
            break
    if language == "en" and len(word) > _SHORTEST_STEM and word[-1] in "ey":
        word = word[:-1]  # resurface, resurfacing; quality, qualities
    return word
