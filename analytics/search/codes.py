"""Numbers and codes as people write them, brought to one spelling: "§ 4.1.2", "Clause 4.1.2." and "4.1.2" are one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .folding import folded

LONGEST = 120
MOST = 12  # readings of one question
_BEFORE = re.compile(r"(?:§+|\bclauses?|\bsections?|\bsec\.|\barticles?|\bart\.|\bparagraphs?|\bpar\.|\bno\.)\s*", re.I)
_CHECK_DIGIT = re.compile(r"\b(\d{8})-\d\b")  # of a CPV code: says nothing that the eight before it don't
_SPACES = re.compile(r"\s+")
_LAST_PARAGRAPH = re.compile(r"\([^()]*\)$")


def normal(code: str) -> str:
    """Folded, without what is written before a number, dots after it, and the check digit of a CPV code."""
    text = _CHECK_DIGIT.sub(r"\1", _BEFORE.sub(" ", folded(code)))
    return _SPACES.sub(" ", text).strip(" .,;:?!\"'")[:LONGEST]


def readings(question: str) -> list[str]:
    """Codes that a question may name, the most exact first: all of it, then its single words that hold a digit."""
    return list(dict.fromkeys(each for each in _readings(question) if each))[:MOST]


def _readings(question: str) -> Iterator[str]:
    whole = normal(question)
    yield whole
    parts = [part.strip(".,;:?!\"'") for part in whole.split(" ")]
    coded = [part for part in parts if any(letter.isdigit() for letter in part)]
    for part in coded:
        yield part
    for part in coded:
        around = _LAST_PARAGRAPH.sub("", part)
        while around and around != part:
            yield around
            part, around = around, _LAST_PARAGRAPH.sub("", around)  # noqa: PLW2901 - the paragraph around it
