"""Sentences of a text, as they stand in it: what is quoted must be found there again, letter for letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_QUOTE = 240
_END = re.compile(r"(?<=[.!?؟;])(?<!\b\w\.)\s+(?=[^a-z\s])|(?<=[.!?:])(?:rn)+(?=[A-Z(])|\s*\n+\s*|\s*[•▪●]\s*")
_SPACE = re.compile(r"\s+")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """(start, sentence), without blanks around it."""
    at = 0
    for gap in [*((found.start(), found.end()) for found in _END.finditer(text)), (len(text), len(text))]:
        part = text[at : gap[0]]
        if part.strip():
            yield at + len(part) - len(part.lstrip()), part.strip()
        at = gap[1]


def quote_around(sentence: str, start: int, end: int) -> str:
    """The sentence; of a long one the part around [start, end), cut between words."""
    if len(sentence) <= LONGEST_QUOTE:
        return sentence
    room = max(0, LONGEST_QUOTE - (end - start)) // 2
    first, last = max(0, start - room), min(len(sentence), end + room)
    if first and (blank := sentence.find(" ", first, start)) >= 0:
        first = blank + 1
    if last < len(sentence) and (blank := sentence.rfind(" ", end, last)) > 0:
        last = blank
    return sentence[first:last].strip()


def one_line(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
