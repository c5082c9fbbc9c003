"""Questions with choices from what tables and lists say of them: texts, and which are right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from .item import Accepted, Choice, Item, Kind, Range
from .soundness import TRUTHS, BadQuestion, true_false
from .texts import equal_share, number_of

TRUE_WORDS = frozenset({"true", "t", "yes", "y", "1"})
FALSE_WORDS = frozenset({"false", "f", "no", "n", "0"})
_LETTERS = re.compile(r"\(?[A-Za-z]\)?(?:\s*[,;/|&+ ]\s*\(?[A-Za-z]\)?)*")


def choices_item(stem: str, texts: Sequence[str], right: Sequence[int], **more: Any) -> Item:
    """A question of the choices `texts`, of which those at the indexes `right` are right."""
    if tuple(text.strip().capitalize() for text in texts) == TRUTHS and len(right) == 1:
        return Item(Kind.TRUE_FALSE, stem, choices=true_false(right[0] == 0), **more)
    kind = Kind.SINGLE if len(right) == 1 else Kind.MULTIPLE
    share = equal_share(len(right)) if right else Decimal(0)
    choices = tuple(Choice(text, share if at in right else Decimal(0)) for at, text in enumerate(texts))
    return Item(kind, stem, choices=choices, **more)


def words_item(stem: str, answers: Sequence[str], **more: Any) -> Item:
    """A question without choices: true/false, a number, or words, as its answers look."""
    words = {answer.strip().lower() for answer in answers}
    if len(words) == 1 and words <= {"true", "false"}:
        return Item(Kind.TRUE_FALSE, stem, choices=true_false(words == {"true"}), **more)
    numbers = [number_of(answer) for answer in answers]
    if numbers and all(number is not None for number in numbers):
        return Item(Kind.NUMERIC, stem, ranges=tuple(Range(n, n) for n in numbers if n is not None), **more)
    return Item(Kind.SHORT, stem, accepted=tuple(Accepted(answer.strip()) for answer in answers if answer), **more)


def letters_at(text: str, count: int) -> list[int]:
    """The indexes that "B", "a, c" or "A;D" name among `count` choices. Raises BadQuestion for what names none."""
    text = text.strip()
    if not _LETTERS.fullmatch(text):
        raise BadQuestion("bad_answer", f"The right answer '{text[:80]}' is no letter of a choice.")
    found = sorted({ord(letter.upper()) - ord("A") for letter in re.findall(r"[A-Za-z]", text)})
    if found[-1] >= count:
        raise BadQuestion("answer_not_a_choice", f"The right answer '{text[:80]}' is beyond the {count} choices.")
    return found


def right_choices(value: str, texts: Sequence[str], *, first: int | None) -> list[int]:
    """The indexes of the right choices from a cell: a letter, a number counted from `first`, or the choice's text.

    What can be read in two ways that differ is refused, for a wrong key teaches something wrong.
    """
    value = value.strip()
    if not value:
        raise BadQuestion("no_correct_answer", "The right answer is not given.")
    readings: list[list[int]] = []
    same = [at for at, text in enumerate(texts) if text.strip().casefold() == value.casefold()]
    if same:
        readings.append(same[:1])
    if value.isdecimal() and len(value) < 4 and (first is not None or not same):
        readings.append([_numbered(int(value), len(texts), first)])
    elif _LETTERS.fullmatch(value) and (not same or _is_letter_of(value, len(texts))):
        readings.append(letters_at(value, len(texts)))
    if not readings:
        raise BadQuestion("answer_not_a_choice", f"The right answer '{value[:80]}' is none of the choices.")
    if any(reading != readings[0] for reading in readings):
        raise BadQuestion(
            "ambiguous_answer",
            f"The right answer '{value[:80]}' could mean one choice by its text and another by its place. "
            "Give the letter in a column named correct_letter.",
        )
    return readings[0]


def _is_letter_of(value: str, count: int) -> bool:
    return len(value) == 1 and ord(value.upper()) - ord("A") < count


def _numbered(number: int, count: int, first: int | None) -> int:
    if first is None:
        raise BadQuestion(
            "ambiguous_answer",
            "The right answer is a number, and nothing in the file tells whether choices are counted from 0 or from "
            "1. Give letters instead.",
        )
    if not 0 <= number - first < count:
        raise BadQuestion("answer_not_a_choice", f"The right answer {number} is beyond the {count} choices.")
    return number - first


def counted_from(values: Sequence[tuple[str, int]]) -> int | None:
    """Whether right answers are counted from 0 or from 1, from all (value, number of choices) of a file."""
    numbers = [(int(value), count) for value, count in values if value.strip().isdecimal() and len(value.strip()) < 4]
    if any(number == 0 for number, _ in numbers):
        return 0
    return 1 if any(number == count for number, count in numbers) else None
