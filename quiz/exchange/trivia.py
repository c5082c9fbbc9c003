"""OpenTrivia's text: `#Q` question, `^` right answer, `A` to `Z` choices, questions apart by empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .answers import choices_item
from .item import Item, Rejected
from .soundness import BadQuestion, sound

_START = re.compile(r"^#Q[ \t]+", re.MULTILINE)
_RIGHT = re.compile(r"^\^[ \t]*(.*)$", re.MULTILINE)
_CHOICE = re.compile(r"^([A-Z])[ \t]+", re.MULTILINE)


def is_trivia(text: str) -> bool:
    return bool(_START.search(text) and _RIGHT.search(text))


def read_trivia(text: str) -> Iterator[Item | Rejected]:
    for position, raw in enumerate(_START.split(text)[1:], 1):
        try:
            item = _item(raw)
        except BadQuestion as bad:
            yield bad.rejected(position, raw)
        else:
            yield sound(item, position=position, raw=raw)


def _item(raw: str) -> Item:
    right = _RIGHT.search(raw)
    if right is None:
        raise BadQuestion("no_correct_answer", "No line begins with ^, which marks the right answer.")
    choices = [text.strip() for text in _CHOICE.split(raw[right.end() :])[2::2]]
    answer = right[1].strip()
    matches = [at for at, choice in enumerate(choices) if choice == answer]
    if not matches:
        raise BadQuestion("answer_not_a_choice", f"The right answer '{answer[:80]}' is not among the choices.")
    return choices_item(raw[: right.start()].strip(), choices, matches[:1])
