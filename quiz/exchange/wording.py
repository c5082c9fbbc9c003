"""Two wordings side by side, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from .item import Item
from .texts import percent, plain_number

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
MOST_WORDS = 4000  # compared word by word; the time for longer texts would grow with their square


@dataclass(frozen=True, slots=True)
class Piece:
    """`change`: "same", "gone" (in the old one alone) or "new" (in the new one alone)."""

    change: str
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a question: the stem, a choice, …"""

    name: str
    pieces: tuple[Piece, ...]

    @property
    def is_same(self) -> bool:
        return all(piece.change == "same" for piece in self.pieces)


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """The texts as one, what is gone before what came instead."""
    if old == new:
        return (Piece("same", old),) if old else ()
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > MOST_WORDS:
        return tuple(piece for piece in (Piece("gone", old), Piece("new", new)) if piece.text)
    found: list[Piece] = []
    for tag, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(before[i:j])))
            continue
        found += [Piece(*each) for each in (("gone", "".join(before[i:j])), ("new", "".join(after[k:m]))) if each[1]]
    return tuple(found)


def item_diff(old: Item | None, new: Item) -> list[Part]:
    """All parts of a question in their order, also those that are the same; of the first wording everything is new."""
    before = dict(_parts(old)) if old else {}
    after = dict(_parts(new))
    names = [*after, *(name for name in before if name not in after)]
    return [Part(name, word_diff(before.get(name, ""), after.get(name, ""))) for name in names]


def _parts(item: Item) -> Iterator[tuple[str, str]]:
    """By name, texts that are not empty. Choices are numbered, for they are compared by place."""
    yield "Question", item.stem
    for at, choice in enumerate(item.choices, 1):
        yield f"Choice {at}", f"{choice.text} ({percent(choice.share)} %)"
        if choice.feedback:
            yield f"Choice {at}, told", choice.feedback
    for at, accepted in enumerate(item.accepted, 1):
        yield f"Answer {at}", f"{accepted.text} ({percent(accepted.share)} %)"
        if accepted.feedback:
            yield f"Answer {at}, told", accepted.feedback
    for at, taken in enumerate(item.ranges, 1):
        yield f"Number {at}", f"{plain_number(taken.low)} to {plain_number(taken.high)} ({percent(taken.share)} %)"
        if taken.feedback:
            yield f"Number {at}, told", taken.feedback
    for at, pair in enumerate(item.pairs, 1):
        yield f"Pair {at}", f"{pair.left or '(none)'} → {pair.right}"
    for at, text in enumerate(item.sequence, 1):
        yield f"Step {at}", text
    if item.is_case_sensitive:
        yield "Capitals", "count"
    facts = {
        "Explanation": item.explanation,
        "Kind": str(item.kind).replace("_", " "),
        "Markup": str(item.markup),
        "References": "; ".join(item.references),
        "Tags": ", ".join(item.tags),
        "Difficulty": plain_number(item.difficulty) if item.difficulty is not None else "",
    }
    yield from ((name, text) for name, text in facts.items() if text)
