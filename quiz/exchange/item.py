"""A question as files carry it, whatever their format: what readers yield and writers take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .pictures import Picture


class Kind(StrEnum):
    SINGLE = "single"
    MULTIPLE = "multiple"
    TRUE_FALSE = "true_false"
    SHORT = "short"
    NUMERIC = "numeric"
    MATCHING = "matching"
    ORDERING = "ordering"


class Markup(StrEnum):
    """How stem, choices, explanation and feedback are written. Html is cleaned when it is shown, not here."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Choice:
    """One to be chosen. `share` of the mark, from -1 to 1: single has one or more choices at 1; the right choices of
    multiple add up to 1. true_false has the two choices "True" and "False"."""

    text: str
    share: Decimal = Decimal(0)
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An answer in words that is taken (short); `*` stands for anything."""

    text: str
    share: Decimal = Decimal(1)
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that are taken (numeric), both ends included; a tolerance is half its width."""

    low: Decimal
    high: Decimal
    share: Decimal = Decimal(1)
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """`left` belongs to `right` (matching). An empty left is a distractor among the rights."""

    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Item:
    """A question with its answer. Of `choices`, `accepted`, `ranges`, `pairs` and `sequence` only the one of its kind
    is filled; `sequence` (ordering) is in the right order.

    `external_id` is the publisher's, "" where the format has none; `category` a path from the broadest; `references`
    what it cites, one clause each, as written ("97.119(b)(2)"); `difficulty` from 0 (easy) to 1, None where unstated.
    Texts name `pictures` by their digests (`exchange.pictures`); one that the question needs and that was not read is
    named by a tag "figure:t-1.png".
    """

    kind: Kind
    stem: str
    external_id: str = ""
    title: str = ""
    markup: Markup = Markup.PLAIN
    choices: tuple[Choice, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    is_case_sensitive: bool = False
    ranges: tuple[Range, ...] = ()
    pairs: tuple[Pair, ...] = ()
    sequence: tuple[str, ...] = ()
    explanation: str = ""
    category: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    difficulty: Decimal | None = None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """What could not be read. `is_unsupported`: nothing is wrong with it, but it is of a kind that has no place here
    ("essay", "hotspot"), which `code` names; else `code` says what is wrong ("no_correct_answer").

    `position` counts the file's questions from 1; `raw` is its text, at most 4,000 characters.
    """

    position: int
    code: str
    reason: str
    raw: str = ""
    is_unsupported: bool = False


@dataclass(frozen=True, slots=True)
class Loss:
    """What a written file can't say of an item: told beside the file, never silently dropped.

    `field` "item": the whole question is not in the file. `position` counts the items that were to be written from 1.
    """

    external_id: str
    field: str
    reason: str
    position: int = 0
