"""A record of Airtable as a question: each field by itself, so that all that is wrong with it is told at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar

from ..exchange.answers import choices_item, right_choices, words_item
from ..exchange.item import Accepted, Choice, Item, Kind, Markup, Pair, Range, Rejected
from ..exchange.soundness import BadQuestion, sound, true_false
from ..exchange.texts import equal_share, number_of, references_of
from . import cells
from .attachments import shown_in
from .cells import BadCell
from .client import Record
from .mapping import Mapped

T = TypeVar("T")
LONGEST_CATEGORY = 120
KINDS = {
    "": None,
    **dict.fromkeys(("single", "single choice", "multiple choice", "choice", "mcq"), "choice"),
    **dict.fromkeys(("multiple", "multiple answer", "multiple answers", "multiple response", "select all"), "multiple"),
    **dict.fromkeys(("true/false", "true or false", "true_false", "t/f", "yes/no", "boolean"), "true_false"),
    **dict.fromkeys(("short", "short answer", "text", "fill in", "fill in the blank"), "short"),
    **dict.fromkeys(("numeric", "number", "numerical", "calculation"), "numeric"),
    **dict.fromkeys(("matching", "match"), "matching"),
    **dict.fromkeys(("ordering", "order", "sequence"), "ordering"),
}
LEVELS = {
    "easy": "0.25", "beginner": "0.25", "medium": "0.5", "intermediate": "0.5", "hard": "0.75", "advanced": "0.75",
    "expert": "1",
}  # fmt: skip
ACTIVE = {"true", "yes", "active", "live", "published", "approved", "1"}
NOT_ACTIVE = {"false", "no", "inactive", "retired", "draft", "archived", "0", ""}
_LABEL = re.compile(r"^\(?([A-Za-z])[).:]\s+")
_RANGE = re.compile(r"\s*(\S+)\s*(?:±|\+/-|\+-)\s*(\S+)\s*|\s*(\S+)\s*(?:\.\.+|…| to )\s*(\S+)\s*")
_PAIR = re.compile(r"\s*(?:=>|->|→|=)\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """`field`: Airtable's name of it."""

    field: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Normal:
    """A question that can be asked. `category`: "" where the record has none."""

    item: Item
    category: str
    is_active: bool


def normalise(
    record: Record, mapped: Mapped, pictures: Mapping[str, str] = MappingProxyType({})
) -> Normal | list[Problem]:
    """`pictures`: digests by ids of attachments, of those that are held."""
    return _Reading(record, mapped, pictures).run()


class _Reading:
    def __init__(self, record: Record, mapped: Mapped, pictures: Mapping[str, str]) -> None:
        self._cells, self._mapped, self._pictures = record.fields, mapped, pictures
        self._problems: list[Problem] = []

    def run(self) -> Normal | list[Problem]:
        stem = self._read("stem", cells.text, "")
        if not stem and not self._problems:
            self._reject("stem", "no_question", "There is no question text.")
        none: tuple[str, ...] = ()
        common: dict[str, Any] = {
            "markup": Markup.MARKDOWN if self._type("stem") == "richText" else Markup.PLAIN,
            "explanation": self._read("explanation", cells.text, ""),
            "difficulty": self._read("difficulty", self._difficulty, None),
            "references": self._read("references", _references, none),
            "tags": self._read("tags", _tags, none),
        }
        category = self._read("category", self._category, "")
        is_active = self._read("active", self._is_active, True)
        kind = self._read("kind", _kind, None)
        attachments: list[cells.Attachment] = self._read("pictures", cells.attachments, [])
        if self._problems:
            return self._problems
        try:
            item = shown_in(replace(self._item(kind, stem), **common), attachments, self._pictures)
        except BadCell as error:
            self._reject("choices", error.code, f"It {error}")
        except BadQuestion as error:
            self._reject("correct", error.code, error.reason)
        else:
            checked = sound(item, position=0, raw="")
            if not isinstance(checked, Rejected):
                return Normal(checked, category, is_active)
            self._reject("stem", checked.code, checked.reason)
        return self._problems

    def _read(self, ours: str, read: Callable[[Any], T], default: T) -> T:
        """What the field says; the default where it is not mapped, or after a problem has been noted."""
        field_id = self._mapped.ids.get(ours)
        if field_id is None:
            return default
        try:
            return read(self._cells.get(field_id))
        except BadCell as error:
            reason = str(error)
            self._reject(ours, error.code, reason if reason[:1] in "“T" else f"It {reason}")
            return default

    def _reject(self, ours: str, code: str, reason: str) -> None:
        self._problems.append(Problem(self._mapped.name(ours)[:60], code, reason))

    def _type(self, ours: str) -> str:
        field = self._mapped.field(ours)
        return field.type if field else ""

    def _cell(self, ours: str) -> Any:
        return self._cells.get(self._mapped.ids.get(ours, ""))

    # --- fields with a sense of their own ---

    def _difficulty(self, value: Any) -> Decimal | None:
        written = cells.text(value)
        if written.casefold() in LEVELS:
            return Decimal(LEVELS[written.casefold()])
        number = cells.number(value)
        field = self._mapped.field("difficulty")
        if number is not None and field is not None and field.type == "rating":
            most = field.options.get("max")
            number = (number - 1) / (most - 1) if isinstance(most, int) and most > 1 else Decimal("0.5")
        if number is not None and not 0 <= number <= 1:
            raise BadCell("bad_difficulty", f"“{written[:40]}” is no level, and not from 0 (easy) to 1 (hard).")
        return None if number is None else number.quantize(Decimal("0.001"))

    def _category(self, value: Any) -> str:
        if self._type("category") == cells.LINKED:
            raise BadCell("linked_record", "links to another table; add a lookup field with its name, and map that.")
        name = " ".join(cells.text(value).split())
        if len(name) > LONGEST_CATEGORY:
            raise BadCell("too_long", f"is longer than {LONGEST_CATEGORY} characters.")
        return name

    def _is_active(self, value: Any) -> bool:
        """A checkbox that is not ticked is no cell at all; an empty cell of another type says nothing against it."""
        if value is None:
            return self._type("active") != "checkbox"
        word = cells.text(value).casefold()
        if word in ACTIVE:
            return True
        if word in NOT_ACTIVE:
            return False
        raise BadCell("bad_active", f"“{word[:40]}” says neither that it is active nor that it is not.")

    # --- the answer ---

    def _item(self, kind: str | None, stem: str) -> Item:
        texts, starred = self._choices()
        right = self._cell("correct")
        if right is None and self._type("correct") == "checkbox":
            right = False
        if kind is None:
            kind = "choice" if texts else "words"
        match kind:
            case "choice" | "multiple":
                return self._choice_item(stem, texts, starred, right, is_multiple=kind == "multiple")
            case "true_false":
                return Item(Kind.TRUE_FALSE, stem, choices=true_false(_truth(right)))
            case "short":
                return Item(Kind.SHORT, stem, accepted=tuple(Accepted(each) for each in _answers(right)))
            case "numeric":
                ranges = tuple(_range(each, cells.number(self._cell("tolerance"))) for each in _answers(right))
                return Item(Kind.NUMERIC, stem, ranges=ranges)
            case "matching":
                return Item(Kind.MATCHING, stem, pairs=tuple(_pair(line) for line in texts))
            case "ordering":
                return Item(Kind.ORDERING, stem, sequence=tuple(texts))
        return words_item(stem, _answers(right))

    def _choices(self) -> tuple[list[str], list[int]]:
        """The choices without labels and stars, and the indexes of those that had a star."""
        found = cells.lines(self._cell("choices"))
        if found and all((m := _LABEL.match(line)) and m[1].upper() == chr(65 + at) for at, line in enumerate(found)):
            found = [_LABEL.sub("", line) for line in found]
        found += [each for letter in "abcdef" if (each := cells.text(self._cell(f"choice_{letter}")))]
        starred = [at for at, line in enumerate(found) if line.startswith("*")]
        if "correct" not in self._mapped.ids:
            found = [line.removeprefix("*").strip() for line in found]
        return found, starred

    def _choice_item(self, stem: str, texts: list[str], starred: list[int], right: Any, *, is_multiple: bool) -> Item:
        if "correct" in self._mapped.ids:
            named = cells.lines(right)
            indexes = sorted({at for each in named for at in right_choices(each, texts, first=None)})
        else:
            indexes = starred
        item = choices_item(stem, texts, indexes)
        if is_multiple and item.kind is not Kind.MULTIPLE:
            share = equal_share(len(indexes)) if indexes else Decimal(0)
            choices = tuple(Choice(each, share if at in indexes else Decimal(0)) for at, each in enumerate(texts))
            return Item(Kind.MULTIPLE, stem, choices=choices)
        return item


def _kind(value: Any) -> str | None:
    word = cells.text(value).casefold()
    if word not in KINDS:
        raise BadCell("unsupported_kind", f"“{word[:40]}” is no kind of question that is known here.")
    return KINDS[word]


def _references(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for line in cells.lines(value) for each in references_of(line)))


def _tags(value: Any) -> tuple[str, ...]:
    found = cells.texts(value) if isinstance(value, list) else cells.text(value).split(",")
    return tuple(dict.fromkeys(each.strip() for each in found if each.strip()))


def _answers(right: Any) -> list[str]:
    found = [part.strip() for line in cells.lines(right) for part in line.split("|")]
    if not any(found):
        raise BadQuestion("no_correct_answer", "The right answer is not given.")
    return [each for each in found if each]


def _truth(right: Any) -> bool:
    word = cells.text(right).casefold()
    if word in ("true", "t", "yes", "y", "1"):
        return True
    if word in ("false", "f", "no", "n", "0"):
        return False
    raise BadQuestion("no_correct_answer", f"“{word[:40]}” is neither True nor False.")


def _range(written: str, tolerance: Decimal | None) -> Range:
    """ "4.5", "4.5 ± 0.1", "4..5"; with the field's tolerance where the answer states none."""
    found = _RANGE.fullmatch(written)
    parts = [number_of(part) for part in (found.groups() if found else (written,)) if part is not None]
    numbers = [part for part in parts if part is not None]
    if len(numbers) != len(parts) or (tolerance or 0) < 0:
        raise BadQuestion("not_a_number", f"“{written[:80]}” is neither a number nor a range of numbers.")
    if found and found[3] is not None:
        return Range(numbers[0], numbers[1])
    around = numbers[1] if len(numbers) == 2 else (tolerance or Decimal(0))
    return Range(numbers[0] - around, numbers[0] + around)


def _pair(line: str) -> Pair:
    left, *right = _PAIR.split(line, maxsplit=1)
    if not right:
        raise BadQuestion("bad_pair", f"“{line[:80]}” is no pair: write “left = right”, a line each.")
    return Pair(left, right[0])
