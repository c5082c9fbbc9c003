"""A question as a row of a table or a plain JSON object gives it: fields by many names, choices side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .answers import FALSE_WORDS, TRUE_WORDS, choices_item, letters_at, right_choices, words_item
from .item import Accepted, Choice, Item, Kind, Markup, Pair, Range
from .soundness import TRUTHS, BadQuestion, true_false
from .texts import equal_share, number_of, references_of

# Field: the headings it goes by, small letters and digits only.
NAMES: dict[str, tuple[str, ...]] = {
    "external_id": ("id", "externalid", "questionid", "identifier", "number", "no", "nr", "key", "code", "qid"),
    "kind": ("kind", "type", "questiontype", "qtype"),
    "stem": ("question", "stem", "questiontext", "prompt", "text", "questionstem"),
    "title": ("title", "name", "questionname", "questiontitle"),
    "letter": ("correctletter", "answerletter", "rightletter"),
    "right": ("correct", "correctanswer", "answer", "rightanswer", "correctchoice", "correctoption", "solution",
              "correctanswers", "answerkey", "rightchoice"),
    "explanation": ("explanation", "rationale", "generalfeedback", "feedback", "comment", "justification", "reason"),
    "category": ("category", "topic", "section", "subject", "chapter", "subelement", "group"),
    "references": ("references", "reference", "refs", "ref", "clause", "clauses", "citation", "source"),
    "tags": ("tags", "tag", "keywords", "labels"),
    "difficulty": ("difficulty", "level"),
    "figure": ("figure", "image", "picture", "diagram"),
    "markup": ("markup", "format", "textformat"),
    "is_case_sensitive": ("iscasesensitive", "casesensitive", "usecase"),
}  # fmt: skip
FIELDS = {name: key for key, names in NAMES.items() for name in names}
_CHOICE = re.compile(r"(?:(?:choice|option|answer|opt|distractor|response)?(?P<letter>[a-z])|"
                     r"(?:choice|option|answer|opt|distractor|response)(?P<number>\d{1,2}))")  # fmt: skip
KINDS = {
    "multiplechoice": "", "mcq": "", "mc": "", "choice": "",  # how many are right decides
    "single": Kind.SINGLE, "singlechoice": Kind.SINGLE, "singleanswer": Kind.SINGLE,
    "multiple": Kind.MULTIPLE, "multipleanswer": Kind.MULTIPLE, "multipleanswers": Kind.MULTIPLE,
    "truefalse": Kind.TRUE_FALSE, "tf": Kind.TRUE_FALSE, "boolean": Kind.TRUE_FALSE, "yesno": Kind.TRUE_FALSE,
    "short": Kind.SHORT, "shortanswer": Kind.SHORT, "fillintheblank": Kind.SHORT,
    "numeric": Kind.NUMERIC, "numerical": Kind.NUMERIC, "number": Kind.NUMERIC,
    "matching": Kind.MATCHING, "match": Kind.MATCHING,
    "ordering": Kind.ORDERING, "order": Kind.ORDERING, "sequence": Kind.ORDERING,
}  # fmt: skip
ARROW = " -> "


@dataclass(slots=True)
class Row:
    values: dict[str, str] = field(default_factory=dict)
    choices: list[str] = field(default_factory=list)
    right: list[int] = field(default_factory=list)  # where the file marks the choices themselves


def plain_name(heading: str) -> str:
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def choice_place(heading: str) -> int | None:
    """Which choice a column holds, from 0: of "A", "Choice B", "option_3", "Answer 4"."""
    match = _CHOICE.fullmatch(plain_name(heading))
    if match is None:
        return None
    return ord(match["letter"]) - ord("a") if match["letter"] else int(match["number"])


def item_of(row: Row, *, first: int | None) -> Item:
    """Raises BadQuestion. `first`: whether right answers given as numbers are counted from 0 or 1, if known."""
    stem = row.values.get("stem", "")
    word = plain_name(row.values.get("kind", ""))
    if word and word not in KINDS:
        raise BadQuestion(word, f"Questions of the kind '{word}' have no place here.", is_unsupported=True)
    more = _more(row)
    kind = KINDS.get(word, "")
    cells = _FROM_CELLS.get(Kind(kind)) if kind else None
    if cells is not None:
        return Item(Kind(kind), stem, **cells(row), **more)
    if not row.choices:
        answer = row.values.get("right", "")
        if not answer:
            raise BadQuestion("no_correct_answer", "There are neither choices nor an answer.")
        return words_item(stem, [answer], **more)
    right = row.right or _right(row, first=first)
    item = choices_item(stem, row.choices, right, **more)
    if kind == Kind.MULTIPLE or (kind == Kind.SINGLE and (len(right) > 1 or item.kind is Kind.TRUE_FALSE)):
        share = equal_share(len(right)) if kind == Kind.MULTIPLE else Decimal(1)
        choices = tuple(Choice(text, share * (at in right)) for at, text in enumerate(row.choices))
        return Item(Kind(kind), stem, choices=choices, **more)
    return item


def _right(row: Row, *, first: int | None) -> list[int]:
    letters, value = row.values.get("letter", ""), row.values.get("right", "")
    if not letters:
        return right_choices(value, row.choices, first=first)
    found = letters_at(letters, len(row.choices))
    if value.strip().isdecimal() and first is not None and found != [int(value) - first]:
        raise BadQuestion(
            "contradictory_answer", f"The right answer is {letters} by its letter, but {value} by number."
        )
    return found


def _more(row: Row) -> dict[str, Any]:
    values = row.values
    figure = values.get("figure", "").strip()
    tags = _listed(values.get("tags", ""))
    level = values.get("difficulty", "")
    difficulty = number_of(level) if level else None
    if level and difficulty is None:
        tags.append(f"difficulty {level.strip()}")
    markup = values.get("markup", "").strip().lower()
    return {
        "external_id": values.get("external_id", ""),
        "title": values.get("title", ""),
        "explanation": values.get("explanation", ""),
        "category": tuple(part for part in re.split(r"\s+/\s+", values.get("category", "").strip()) if part),
        "references": references_of(values.get("references", "")),
        "tags": tuple(tags + ([f"figure:{figure}"] if figure else [])),
        "difficulty": difficulty,
        "markup": Markup(markup) if markup in set(Markup) else Markup.PLAIN,
    }


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def _true_false(row: Row) -> dict[str, Any]:
    word = (row.values.get("letter") or row.values.get("right") or "").strip().lower()
    if row.choices and word in ("a", "b"):
        word = row.choices[0 if word == "a" else 1].strip().lower()
    if word not in TRUE_WORDS | FALSE_WORDS:
        raise BadQuestion("no_correct_answer", f"The right answer is neither {TRUTHS[0]} nor {TRUTHS[1]}.")
    return {"choices": true_false(word in TRUE_WORDS)}


def _short(row: Row) -> dict[str, Any]:
    answers = row.choices or [row.values.get("right", "")]
    is_exact = row.values.get("is_case_sensitive", "").strip().lower() in TRUE_WORDS
    return {"accepted": tuple(Accepted(answer) for answer in answers), "is_case_sensitive": is_exact}


def _numeric(row: Row) -> dict[str, Any]:
    return {"ranges": tuple(map(_range, row.choices or [row.values.get("right", "")]))}


def _range(text: str) -> Range:
    """ "4", "3.14..3.15" or "3.14:0.01" (a tolerance)."""
    for mark in ("..", ":", "±"):
        first, found, second = text.partition(mark)
        low, high = number_of(first), number_of(second)
        if found and low is not None and high is not None:
            return Range(low, high) if mark == ".." else Range(low - high, low + high)
    number = number_of(text)
    if number is None:
        raise BadQuestion("bad_number", f"'{text[:80]}' is no number, no range a..b and no number:tolerance.")
    return Range(number, number)


def _matching(row: Row) -> dict[str, Any]:
    return {"pairs": tuple(map(_pair, row.choices))}


def _pair(text: str) -> Pair:
    left, found, right = f" {text}".partition(ARROW)
    if not found:
        raise BadQuestion("bad_pair", f"'{text[:80]}' is no pair: write it as left{ARROW}right.")
    return Pair(left, right)


_FROM_CELLS: dict[Kind, Callable[[Row], dict[str, Any]]] = {
    Kind.TRUE_FALSE: _true_false,
    Kind.SHORT: _short,
    Kind.NUMERIC: _numeric,
    Kind.MATCHING: _matching,
    Kind.ORDERING: lambda row: {"sequence": tuple(row.choices)},
}


def placed(choices: Iterable[tuple[int, str]]) -> list[str]:
    """Choices by their places, those left empty at the end taken away."""
    texts = [text for _, text in sorted(choices)]
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def joined(parts: Sequence[str]) -> str:
    return "; ".join(parts)
