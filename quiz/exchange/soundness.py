"""Whether a question that was read can be asked: every reader hands its items through here."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from .item import Accepted, Choice, Item, Kind, Markup, Pair, Rejected
from .pictures import MOST as MOST_PICTURES
from .pictures import digests_in, texts_of, with_pictures
from .texts import clean, one_line

LONGEST_RAW = 4000
LONGEST_TEXT = 100_000
MOST_PARTS = 500
# Thirds in seven places add up to 0.9999999, Moodle's 33.333 to 0.99999.
NEARLY = Decimal("0.001")
TRUTHS = ("True", "False")
_ONE_LINE = frozenset({"external_id", "title"})


class BadQuestion(Exception):
    """One question can't be read; the reader makes a Rejected of it and goes on."""

    def __init__(self, code: str, reason: str, *, is_unsupported: bool = False) -> None:
        super().__init__(reason)
        self.code, self.reason, self.is_unsupported = code, reason, is_unsupported

    def rejected(self, position: int, raw: str) -> Rejected:
        return Rejected(position, self.code, self.reason, clean(raw)[:LONGEST_RAW], self.is_unsupported)


def unsupported(code: str, reason: str = "") -> BadQuestion:
    return BadQuestion(code, reason or f"Questions of the kind '{code}' have no place here.", is_unsupported=True)


def sound(item: Item, *, position: int, raw: str) -> Item | Rejected:
    """The item with its texts cleaned and the pictures within them taken, or why it can't be asked."""
    try:
        item = _pictured(_cleaned(item))
        _require_texts(item)
        _REQUIREMENTS[item.kind](item)
    except BadQuestion as bad:
        return bad.rejected(position, raw)
    return item


def true_false(right: bool, *, if_true: str = "", if_false: str = "") -> tuple[Choice, ...]:
    """The two choices of a true/false question; `if_true` is the feedback for choosing True."""
    return (
        Choice(TRUTHS[0], Decimal(int(right)), if_true),
        Choice(TRUTHS[1], Decimal(int(not right)), if_false),
    )


def _pictured(item: Item) -> Item:
    """Of its pictures those that its texts name, in one order."""
    if item.markup is Markup.PLAIN:
        return item if not item.pictures else replace(item, pictures=())
    if any("data:image" in text for text in texts_of(item)):
        item = with_pictures(item)
    if not item.pictures:
        return item
    named = digests_in(item)[:MOST_PICTURES]
    return replace(
        item, pictures=tuple(sorted((p for p in item.pictures if p.digest in named), key=lambda p: p.digest))
    )


def _cleaned(item: Item) -> Item:
    changes: dict[str, Any] = {}
    for field in fields(item):
        if field.name == "pictures":
            continue
        value = getattr(item, field.name)
        if isinstance(value, str) and field.name not in ("kind", "markup"):
            changes[field.name] = one_line(value) if field.name in _ONE_LINE else clean(value)
        elif isinstance(value, tuple):
            changes[field.name] = tuple(_clean_part(part) for part in value)
    for name in ("category", "references", "tags"):
        changes[name] = tuple(dict.fromkeys(part for part in map(one_line, changes[name]) if part))
    changes["category"] = tuple(part for part in map(one_line, item.category) if part)
    return replace(item, **changes)


def _clean_part(part: Any) -> Any:
    if isinstance(part, str):
        return clean(part)
    if isinstance(part, Pair):
        return Pair(clean(part.left), clean(part.right))
    if isinstance(part, Choice | Accepted):
        return type(part)(clean(part.text), part.share, clean(part.feedback))
    return replace(part, feedback=clean(part.feedback))


def _require_texts(item: Item) -> None:
    if not item.stem:
        raise BadQuestion("no_question", "There is no question text.")
    parts = (item.choices, item.accepted, item.ranges, item.pairs, item.sequence)
    if sum(map(len, parts)) > MOST_PARTS:
        raise BadQuestion("too_many_answers", f"The question has more than {MOST_PARTS} answers.")
    if max(len(item.stem), len(item.explanation)) > LONGEST_TEXT:
        raise BadQuestion("too_long", f"The question or its explanation is longer than {LONGEST_TEXT:,} characters.")
    if item.difficulty is not None and not 0 <= item.difficulty <= 1:
        raise BadQuestion("bad_difficulty", "The difficulty is not between 0 (easy) and 1 (hard).")


def _single(item: Item) -> None:
    _choices(item)
    if not any(choice.share == 1 for choice in item.choices):
        raise BadQuestion("no_correct_answer", "No choice is marked as the right one.")


def _multiple(item: Item) -> None:
    _choices(item)
    total = sum(choice.share for choice in item.choices if choice.share > 0)
    if not total:
        raise BadQuestion("no_correct_answer", "No choice is marked as right.")
    if abs(total - 1) > NEARLY:
        raise BadQuestion("bad_shares", f"The shares of the right choices add up to {total:.2f}, not to 1.")


def _choices(item: Item) -> None:
    if len(item.choices) < 2:
        raise BadQuestion("too_few_choices", "There are fewer than two choices.")
    if any(not choice.text for choice in item.choices):
        raise BadQuestion("empty_choice", "A choice has no text.")
    if any(not -1 <= choice.share <= 1 for choice in item.choices):
        raise BadQuestion("bad_shares", "The share of a choice is not between -1 and 1.")


def _true_false(item: Item) -> None:
    if tuple(choice.text for choice in item.choices) != TRUTHS:
        raise BadQuestion("bad_choices", "A true/false question has the two choices True and False.")
    if sorted(choice.share for choice in item.choices) != [0, 1]:
        raise BadQuestion("no_correct_answer", "Neither True nor False, or both, are marked as right.")


def _short(item: Item) -> None:
    if not any(accepted.text and accepted.share == 1 for accepted in item.accepted):
        raise BadQuestion("no_correct_answer", "No answer in words gets the full mark.")
    if any(not accepted.text or not -1 <= accepted.share <= 1 for accepted in item.accepted):
        raise BadQuestion("bad_answer", "An accepted answer is empty, or its share is not between -1 and 1.")


def _numeric(item: Item) -> None:
    if not any(taken.share == 1 for taken in item.ranges):
        raise BadQuestion("no_correct_answer", "No number gets the full mark.")
    if any(taken.low > taken.high or not -1 <= taken.share <= 1 for taken in item.ranges):
        raise BadQuestion("bad_range", "A range ends before it begins, or its share is not between -1 and 1.")


def _matching(item: Item) -> None:
    if sum(bool(pair.left) for pair in item.pairs) < 2:
        raise BadQuestion("too_few_pairs", "There are fewer than two pairs to match.")
    if any(not pair.right for pair in item.pairs):
        raise BadQuestion("empty_choice", "A pair has nothing on its right side.")
    lefts = [pair.left for pair in item.pairs if pair.left]
    if len(set(lefts)) < len(lefts):
        raise BadQuestion("contradictory_answer", "One left side belongs to several right ones.")


def _ordering(item: Item) -> None:
    if len(item.sequence) < 2 or any(not text for text in item.sequence):
        raise BadQuestion("too_few_choices", "There are fewer than two things to put in order, or one is empty.")


_REQUIREMENTS = {
    Kind.SINGLE: _single,
    Kind.MULTIPLE: _multiple,
    Kind.TRUE_FALSE: _true_false,
    Kind.SHORT: _short,
    Kind.NUMERIC: _numeric,
    Kind.MATCHING: _matching,
    Kind.ORDERING: _ordering,
}
