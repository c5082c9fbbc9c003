"""Is it in the transcript? What somebody claims was said is believed only where it stands there, letter for letter.

White space and the kinds of quotation marks are no difference. A placeholder ([name], [e-mail], [phone]) stands for
what was taken out before the transcript left the house: it fits whatever is there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .evidence import Evidence
from .turns import Turn

LEAST_WORDS = 3  # fewer are in any call, unless they are all of a turn
LONGEST = 600
_PLACE = re.compile(r"\[(?:name|e-mail|phone)\]", re.IGNORECASE)
_LONGEST_HIDDEN = 120
_FOLDED = str.maketrans("’‘ʼ“”„«»", "'''" + '"' * 5)  # one for one: places stay
_NUMBERED = re.compile(r"\[\d+\] ?(?:[A-Z]+(?: \d+)?: ?)?")
_AROUND = " \"'…"


def backed(turns: Sequence[Turn], *, turn: int, quote: str) -> Evidence | None:
    """The quote as the transcript has it, in the turn it names, else in the first that holds it. None: nowhere, or it
    is too short to say anything. Of cleaned turns."""
    parts = _parts(quote)
    if not parts:
        return None
    is_short = sum(len(part.split()) for part in parts) < LEAST_WORDS
    for index in _order(turn, len(turns)):
        text = turns[index].text
        found = _find(text.translate(_FOLDED), parts)
        if found and not (is_short and found[1] - found[0] < len(text.strip(_AROUND + ".!?"))):
            return Evidence(index, text[slice(*found)])
    return None


def _parts(quote: str) -> list[str]:
    """What has to stand in the text, one after the other; a placeholder may be between two."""
    if len(quote) > LONGEST:
        return []
    told = " ".join(quote.split()).translate(_FOLDED).strip(_AROUND)
    numbered = _NUMBERED.match(told)
    told = told[numbered.end() if numbered else 0 :].strip(_AROUND).removesuffix("...").strip(_AROUND)
    parts = [part for part in _PLACE.split(told) if part.strip()]
    return parts if any(letter.isalnum() for part in parts for letter in part) else []


def _order(turn: int, count: int) -> list[int]:
    rest = [index for index in range(count) if index != turn]
    return [turn, *rest] if 0 <= turn < count else rest


def _find(text: str, parts: list[str]) -> tuple[int, int] | None:
    """From where to where; each part is looked for as near behind the one before as it can be."""
    start = text.find(parts[0])
    while start >= 0:
        end: int | None = start + len(parts[0])
        for part in parts[1:]:
            at = text.find(part, end, (end or 0) + _LONGEST_HIDDEN + len(part))
            end = at + len(part) if at >= 0 else None
            if end is None:
                break
        if end is not None:
            return start, end
        start = text.find(parts[0], start + 1)
    return None
