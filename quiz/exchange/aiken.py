"""Aiken: a line of question, lines "A. choice" or "A) choice", a line "ANSWER: B"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .answers import choices_item, letters_at
from .item import Item, Rejected
from .soundness import BadQuestion, sound

_CHOICE = re.compile(r"\s*([A-Z])\s*[.)]\s+(.*)")
_ANSWER = re.compile(r"\s*ANSWER\s*:\s*(.*?)\s*", re.IGNORECASE)
_FEEDBACK = re.compile(r"\s*FEEDBACK\s*:\s*(.*?)\s*", re.IGNORECASE)


def is_aiken(text: str) -> bool:
    lines = text.split("\n", 20_000)[:20_000]
    return any(map(_CHOICE.fullmatch, lines)) and any(map(_ANSWER.fullmatch, lines))


def read_aiken(text: str) -> Iterator[Item | Rejected]:
    for position, block in enumerate(_blocks(text), 1):
        raw = "\n".join(block)
        try:
            item = _item(block)
        except BadQuestion as bad:
            yield bad.rejected(position, raw)
        else:
            yield sound(item, position=position, raw=raw)


def _blocks(text: str) -> Iterator[list[str]]:
    """A question ends after its ANSWER line, and after a FEEDBACK line if one follows that."""
    block: list[str] = []
    is_answered = False
    for line in text.split("\n"):
        if not line.strip():
            continue
        if is_answered:
            is_feedback = bool(_FEEDBACK.fullmatch(line))
            yield [*block, line] if is_feedback else block
            block, is_answered = [] if is_feedback else [line], False
            continue
        block.append(line)
        is_answered = bool(_ANSWER.fullmatch(line))
    if block:
        yield block


def _item(block: list[str]) -> Item:
    stem: list[str] = []
    choices: list[str] = []
    answer = explanation = ""
    for line in block:
        if match := _ANSWER.fullmatch(line):
            answer = match[1]
        elif match := _FEEDBACK.fullmatch(line):
            explanation = match[1]
        elif (match := _CHOICE.fullmatch(line)) and ord(match[1]) - ord("A") == len(choices):
            choices.append(match[2].strip())
        elif choices:
            raise BadQuestion("bad_choice", f"The line '{line.strip()[:80]}' is neither a choice nor the answer.")
        else:
            stem.append(line.strip())
    if not answer:
        raise BadQuestion("no_correct_answer", "There is no ANSWER line.")
    return choices_item("\n".join(stem), choices, letters_at(answer, len(choices)), explanation=explanation)
