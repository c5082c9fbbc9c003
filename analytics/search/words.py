"""From text to words that are compared: folded, without endings; the same for what is indexed and for questions."""

from __future__ import annotations

import re
from functools import lru_cache

from .folding import folded

LONGEST_WORD = 40
_WORD = re.compile(r"[^\W_]+")
# 4.1.2, 45233000-9, EN 1992-1-1, 97.119(b)(2): what is joined by such signs and holds a digit is a word of its own too.
_JOINED = re.compile(r"(?=[^\s]*\d)[^\W_]+(?:(?:[.\-/]|\()[^\W_]+\)?)+")
_CHECK_DIGIT = re.compile(r"\b(\d{8})-\d\b")  # of a CPV code: says nothing that the eight before it don't
_JOINT = re.compile(r"[.\-/()]+")

# What questions are made of and answers are not: folded. Not "this", "no", "not", "all": programmers and lawyers ask
# for them.
STOPWORDS = frozenset(
    """a an and are as at be been being but by can could did do does for from had has have he her his how i if in into
    is it its me my of on or our shall she should so such than that the their them then there these they those to was
    we were what when where which while who whom whose why will with would you your
    der die das den dem des ein eine einer eines und oder von zu im mit ist sind was wie wer
    que el la los las un una de del en y o con por para es son cual como
    le les des du et ou est sont dans pour avec quel quelle
    je jsou na ve se ze za od do ke co jak ktery ktera ktere pri""".split()  # noqa: SIM905 - read as a list of words
)

# (ending, what stands in its place, letters that stay at least)
_ENDINGS = (
    ("ization", "iz", 3), ("ational", "ate", 3), ("iness", "y", 3), ("ingly", "", 3), ("ing", "", 4), ("edly", "", 4),
    ("ies", "y", 3), ("ied", "y", 3), ("sses", "ss", 3), ("ed", "", 4), ("es", "", 4), ("ly", "", 5), ("s", "", 3),
)  # fmt: skip
_DOUBLED = ("bb", "dd", "gg", "mm", "nn", "pp", "rr", "tt")


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """Of a folded word: without English endings; words of other languages lose few of theirs, always the same."""
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return word
    for ending, instead, least in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= least and not (ending == "s" and word[-2] in "su"):
            word = word[: -len(ending)] + instead
            if not instead and word[-2:] in _DOUBLED:
                word = word[:-1]
            break
    return word[:-1] if len(word) > 4 and word[-1] == "e" else word


def words_of(text: str) -> list[str]:
    """As they are indexed: stems in order, without stopwords; joined codes as one word besides their parts."""
    text = _CHECK_DIGIT.sub(r"\1", folded(text))
    found = [stem(word[:LONGEST_WORD]) for word in _WORD.findall(text) if word not in STOPWORDS]
    if any(letter.isdigit() for letter in text):
        found += [joined(match[0]) for match in _JOINED.finditer(text)]
    return found


def asked_words(text: str) -> list[str]:
    """Of a question, each once; of nothing but stopwords, those."""
    found = list(dict.fromkeys(words_of(text)))
    return found or list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(folded(text))))


def joined(code: str) -> str:
    """ "4.1.2" as a word that no parser takes apart: "4x1x2"."""
    return "x".join(part for part in _JOINT.split(code) if part)[:LONGEST_WORD]


def spans_of(text: str, stems: frozenset[str]) -> list[tuple[int, int]]:
    """Where in the text words of these stems stand: [start, end) of each, in order."""
    return [match.span() for match in _WORD.finditer(text) if stem(folded(match[0])[:LONGEST_WORD]) in stems]
