"""What to show of a text: the stretch of it that says most of what was asked, and which words to mark."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .words import spans_of, words_of

PASSAGE = 420  # characters
MOST_SENTENCES = 400
_SENTENCE = re.compile(r".+?(?:[.!?…。؟](?=\s|$)|\n|$)", re.S)
Piece = tuple[str, bool]  # text, is it to be marked


def best_passage(text: str, weights: Mapping[str, float], *, length: int = PASSAGE) -> str:
    """The sentences in a row, together at most `length` characters, whose words weigh most: each word counts once, and
    what comes first wins ties."""
    spans = _sentences(text, length)
    if not spans:
        return ""
    found = [{word for word in words_of(text[start:end]) if word in weights} for start, end in spans]
    best, best_score, reach = (0, 0), -1.0, length
    for first in range(len(spans)):
        seen: set[str] = set()
        for last in range(first, len(spans)):
            if last > first and spans[last][1] - spans[first][0] > reach:
                break
            seen |= found[last]
            score = sum(weights[word] for word in seen) - 0.01 * (last - first)
            if score > best_score:
                best, best_score = (first, last), score
    return text[spans[best[0]][0] : spans[best[1]][1]].strip()[:length]


def marked(text: str, stems: frozenset[str]) -> list[Piece]:
    """The text in pieces, in order, with the asked words told apart: for templates, which escape each."""
    pieces: list[Piece] = []
    at = 0
    for start, end in spans_of(text, stems):
        if start > at:
            pieces.append((text[at:start], False))
        pieces.append((text[start:end], True))
        at = end
    if at < len(text):
        pieces.append((text[at:], False))
    return pieces


def _sentences(text: str, length: int) -> list[tuple[int, int]]:
    """[start, end) of the first 400; what is longer than a passage is cut."""
    spans: list[tuple[int, int]] = []
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        if not match[0].strip():
            continue
        spans.extend((at, min(at + length, end)) for at in range(start, end, length))
        if len(spans) >= MOST_SENTENCES:
            break
    return spans
