"""The GIFT grammar: a file into questions as GIFT says them, before anything is judged.

Follows Moodle's question/format/gift and the conformance suite of GIFT-grammar-PEG.js where they agree; a blank line
always ends a question, as in Moodle, so that a brace left open can't swallow the rest of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from .soundness import BadQuestion
from .texts import BLANK, number_of

# Escaped characters stand as non-characters while the rest is cut up, so that no cut falls on one.
_ESCAPED = {"\\": "\ufdd0", "~": "\ufdd1", "=": "\ufdd2", "#": "\ufdd3", "{": "\ufdd4", "}": "\ufdd5", ":": "\ufdd6",
            "n": "\ufdd7"}  # fmt: skip
_MEANT = str.maketrans({mark: "\n" if letter == "n" else letter for letter, mark in _ESCAPED.items()})
_NONCHARACTERS = re.compile("[\ufdd0-\ufdef]")
_ESCAPE = re.compile(r"\\([\\~=#{}:n])")
_FORMAT = re.compile(r"\s*\[(html|markdown|plain|moodle)\]")
_WEIGHT = re.compile(r"\s*%(-?\d+(?:[.,]\d+)?)%")
_TITLE = re.compile(r"\s*::(.*?)::", re.DOTALL)
_CATEGORY = re.compile(r"\s*\$CATEGORY:[ \t]*(.*)")
_TRUTH = re.compile(r"(T|F|TRUE|FALSE|True|False|true|false)\s*(?:#(.*))?", re.DOTALL)
_MARK = re.compile(r"([~=])")
_ID = re.compile(r"\[id:([^\x00-\x1f\x7f]+?)(?<!\\)\]")
_TAG = re.compile(r"\[tag:([^\x00-\x1f\x7f]+?)(?<!\\)\]")


@dataclass(frozen=True, slots=True)
class Text:
    format: str  # "moodle" where none is stated
    text: str


@dataclass(frozen=True, slots=True)
class Number:
    """`kind` as written: "simple" (5), "range" (5:1, a tolerance) or "high-low" (4..6)."""

    kind: str
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_right`: marked with =; `weight` in percent, None where unstated; `number` in numerical questions only."""

    is_right: bool
    weight: Decimal | None
    text: Text
    feedback: Text | None = None
    number: Number | None = None


@dataclass(slots=True)
class Question:
    """`type` by the suite's names: MC, TF, Short, Numerical, Matching, Essay, Description.

    `answers` of a matching question: `text` left, `feedback` right.
    """

    type: str
    stem: Text = Text("moodle", "")
    title: str | None = None
    id: str | None = None
    tags: list[str] = field(default_factory=list)
    is_embedded: bool = False
    is_listed: bool = True  # numerical answers in a list with = marks, not one bare number
    answers: list[Answer] = field(default_factory=list)
    is_true: bool = False
    feedbacks: tuple[Text | None, Text | None] = (None, None)  # of true/false: the first and the second
    general: Text | None = None


def blocks(text: str) -> Iterator[str]:
    """The file's blocks between blank lines; two are joined where only together their braces close."""
    pending = ""
    for block in re.split(r"\n[ \t]*(?:\n[ \t]*)+", _NONCHARACTERS.sub("", text).strip("\ufeff\n")):
        if not block.strip():
            continue
        opened, closed = _braces(block)
        if pending and not opened and closed == 1:
            yield f"{pending}\n\n{block}"
            pending = ""
            continue
        if pending:
            yield pending
        pending = block if opened == closed + 1 else ""
        if not pending:
            yield block
    if pending:
        yield pending


def _braces(block: str) -> tuple[int, int]:
    bare = _ESCAPE.sub("", "\n".join(line for line in block.split("\n") if not line.lstrip().startswith("//")))
    return bare.count("{"), bare.count("}")


def categories_in(block: str) -> tuple[list[str], str]:
    """The $CATEGORY lines that a block begins with, and the rest of it."""
    titles: list[str] = []
    kept: list[str] = []
    lines = block.split("\n")
    for at, line in enumerate(lines):
        if match := _CATEGORY.fullmatch(line):
            titles.append(match[1].strip())
        elif line.lstrip().startswith("//"):
            kept.append(line)
        else:
            return titles, "\n".join(kept + lines[at:])
    return titles, "\n".join(kept)


def question_in(block: str) -> Question | None:
    """The block's question; None for comments alone. Raises BadQuestion."""
    lines = block.split("\n")
    said = "\n".join(line for line in lines if line.lstrip().startswith("//"))
    body = "\n".join(line for line in lines if not line.lstrip().startswith("//"))
    if not body.strip():
        return None
    question = _question(_ESCAPE.sub(lambda match: _ESCAPED[match[1]], body))
    found = _ID.search(said)
    question.id = found[1].strip().replace("\\]", "]") if found else None
    question.tags = [tag.strip().replace("\\]", "]") for tag in _TAG.findall(said)]
    return question


def _question(body: str) -> Question:
    title = _TITLE.match(body)
    rest = body[title.end() :] if title else body
    stated = _FORMAT.match(rest)
    form = stated[1] if stated else "moodle"
    rest = rest[stated.end() :] if stated else rest
    before, opened, inner = rest.partition("{")
    answers, closed, after = inner.partition("}")
    if opened and not closed:
        raise BadQuestion("unclosed_brace", "The answers begin with { but do not end with }.")
    if not opened and "}" in before:
        raise BadQuestion("unopened_brace", "There is a } without a {.")
    if "{" in after:
        raise BadQuestion("cloze", "A question with several blanks has no place here.", is_unsupported=True)
    if "{" in answers:
        raise BadQuestion("unclosed_brace", "There is a { inside the answers: write it as \\{.")
    question = _answered(answers, form) if opened else Question("Description")
    question.title = _meant(title[1].strip(), "moodle") if title else None
    question.is_embedded = bool(opened and after.strip())
    parts = [before.strip(), BLANK, after.strip()] if question.is_embedded else [before.strip()]
    question.stem = Text(form, _meant(" ".join(part for part in parts if part), form))
    return question


def _meant(text: str, form: str) -> str:
    """What is written: lines are joined where a line end is no content, escapes are resolved."""
    if form in ("moodle", "plain"):
        text = re.sub(r"\s*\n\s*", " ", text)
    return text.strip().translate(_MEANT)


def _text(written: str, form: str) -> Text:
    stated = _FORMAT.match(written)
    if stated:
        form, written = stated[1], written[stated.end() :]
    return Text(form, _meant(written, form))


def _feedback(written: str, form: str) -> Text | None:
    text = _text(written, form)
    return text if text.text else None


def _answered(body: str, form: str) -> Question:
    body, found, general = body.partition("####")
    body = body.strip()
    question = _of_answers(body, form)
    question.general = _feedback(general, form) if found else None
    return question


def _of_answers(body: str, form: str) -> Question:
    if not body:
        return Question("Essay")
    if body.startswith("#"):
        return _numerical(body[1:].strip(), form)
    if truth := _TRUTH.fullmatch(body):
        first, _, second = (truth[2] or "").partition("#")
        is_true = truth[1][0] in "Tt"
        return Question("TF", is_true=is_true, feedbacks=(_feedback(first, form), _feedback(second, form)))
    entries = _entries(body)
    if all(mark == "=" for mark, _ in entries):
        if all("->" in entry for _, entry in entries):
            return Question("Matching", answers=[_pair(entry, form) for _, entry in entries])
        return Question("Short", answers=[_answer("=", entry, form) for _, entry in entries])
    return Question("MC", answers=[_answer(mark, entry, form) for mark, entry in entries])


def _entries(body: str) -> list[tuple[str, str]]:
    """(mark, text) of each answer; what stands before the first mark is a right answer."""
    first, *rest = _MARK.split(body)
    entries = [("=", first)] if first.strip() else []
    return entries + list(zip(rest[::2], rest[1::2], strict=True))


def _answer(mark: str, entry: str, form: str) -> Answer:
    weight = _WEIGHT.match(entry)
    written, _, feedback = (entry[weight.end() :] if weight else entry).partition("#")
    return Answer(mark == "=", _percent(weight), _text(written, form), _feedback(feedback, form))


def _percent(weight: re.Match[str] | None) -> Decimal | None:
    return number_of(weight[1]) if weight else None


def _pair(entry: str, form: str) -> Answer:
    left, _, right = entry.partition("->")
    return Answer(True, None, _text(left, form), Text(form, _meant(right, "moodle")))


def _numerical(body: str, form: str) -> Question:
    entries = _entries(body)
    is_listed = bool(_MARK.match(body)) or len(entries) > 1
    question = Question("Numerical", is_listed=is_listed)
    for mark, entry in entries:
        weight = _WEIGHT.match(entry)
        written, _, feedback = (entry[weight.end() :] if weight else entry).partition("#")
        written = _meant(written, "moodle")
        number = _number(written) if written not in ("", "*") else None
        text = Text(form, written or "*")
        question.answers.append(Answer(mark == "=", _percent(weight), text, _feedback(feedback, form), number))
    return question


def _number(written: str) -> Number:
    for kind, mark in (("high-low", ".."), ("range", ":")):
        first, found, second = written.partition(mark)
        if found:
            one, two = number_of(first), number_of(second)
            if one is not None and two is not None:
                return Number(kind, one, two) if kind == "high-low" else Number(kind, one - two, one + two)
    number = number_of(written)
    if number is None:
        raise BadQuestion("bad_number", f"'{written[:80]}' is no number, no range a..b and no number:tolerance.")
    return Number("simple", number, number)
