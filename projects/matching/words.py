"""A description as words that can be compared: without case, accents, punctuation; figures and classes kept whole."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[a-z]*\d+(?:[.,/x]\d+)*[a-z0-9]*|[a-z]+")
_MOST_WORDS = 40  # of a long text: what it is stands at its beginning


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """ "Základové pasy z betonu tř. C 16/20" → "zakladove pasy z betonu tr c16/20"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"\b(c|xc|xf|xa|xd|xs|dn|m)\s+(?=\d)", r"\1", plain)
    return " ".join(_WORD.findall(plain)[:_MOST_WORDS])


def figures_of(text: str) -> frozenset[str]:
    """Words of a folded text with a digit: C25/30 and C30/37 are different things, however alike the rest reads."""
    return frozenset(word for word in text.split() if any(sign.isdigit() for sign in word))
