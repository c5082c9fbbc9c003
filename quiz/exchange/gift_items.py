"""GIFT's questions as ours, and ours as GIFT."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from .gift_parsing import Answer, Question, Text, blocks, categories_in, question_in
from .item import Accepted, Choice, Item, Kind, Markup, Pair, Range, Rejected
from .soundness import BadQuestion, sound, true_false, unsupported
from .texts import (
    Marked,
    as_markup,
    clean,
    in_one_markup,
    looks_like_html,
    parted_tags,
    path_of,
    path_text,
    percent,
    plain_number,
    share_of,
    tags_with,
)

_SIGNS = re.compile(r"^\s*(?:::|\$CATEGORY:|//\s*\[(?:id|tag):|\[(?:html|markdown|plain|moodle)\])", re.MULTILINE)
_FORMS = {Markup.PLAIN: "[plain]", Markup.MARKDOWN: "[markdown]", Markup.HTML: "[html]"}
_ANSWERS = re.compile(r"(?<!\\)\{[^{}]*\}")
_FORMAT = re.compile(r"\[(?:html|markdown|plain|moodle)\]")
_CONTROL = re.compile(r"[\\~=#{}:]")


def is_gift(text: str) -> bool:
    start = text[:1_000_000]
    return bool(_SIGNS.search(start) or _ANSWERS.search(start))


def read_gift(text: str) -> Iterator[Item | Rejected]:
    category: tuple[str, ...] = ()
    position = 0
    for block in blocks(text):
        titles, rest = categories_in(block)
        category = path_of(titles[-1]) if titles else category
        found = _read(rest, category, position + 1)
        if found is not None:
            position += 1
            yield found


def _read(block: str, category: tuple[str, ...], position: int) -> Item | Rejected | None:
    try:
        question = question_in(block)
        return sound(_item(question, category), position=position, raw=block) if question else None
    except BadQuestion as bad:
        return bad.rejected(position, block)


def _item(question: Question, category: tuple[str, ...]) -> Item:
    if question.type not in _ANSWERED:
        raise unsupported(question.type.lower())
    said = [question.stem, question.general, *question.feedbacks]
    said += [answer.feedback for answer in question.answers]
    if question.type != "Short":  # what is typed in is compared as it stands
        said += [answer.text for answer in question.answers]
    markup = in_one_markup(_marked(text) for text in said if text is not None)

    def written(text: Text | None) -> str:
        return as_markup(_marked(text), markup) if text is not None else ""

    tags, references, difficulty = parted_tags(question.tags)
    kind, answers = _ANSWERED[question.type](question, written)
    return Item(
        kind=kind,
        stem=written(question.stem),
        external_id=question.id or "",
        title=question.title or "",
        markup=markup,
        explanation=written(question.general),
        category=category,
        references=references,
        tags=tags,
        difficulty=difficulty,
        **answers,
    )


def _marked(text: Text) -> Marked:
    """Unmarked text and [moodle] may hold tags, as Moodle shows them; [plain] is what it is."""
    markup = {"html": Markup.HTML, "markdown": Markup.MARKDOWN}.get(text.format, Markup.PLAIN)
    if text.format == "moodle" and looks_like_html(text.text):
        markup = Markup.HTML
    return Marked(clean(text.text), markup)


_Write = Callable[[Text | None], str]


def _share(answer: Answer) -> Decimal:
    if answer.weight is None:
        return Decimal(int(answer.is_right))
    share = share_of(str(answer.weight))
    if share is None:
        raise BadQuestion("bad_shares", f"The weight {answer.weight} is not between -100 and 100.")
    return share


def _chosen(question: Question, written: _Write) -> tuple[Kind, dict[str, Any]]:
    """Several answers are to be chosen where none is marked with =, as in Moodle."""
    choices = tuple(Choice(written(one.text), _share(one), written(one.feedback)) for one in question.answers)
    kind = Kind.SINGLE if any(answer.is_right for answer in question.answers) else Kind.MULTIPLE
    return kind, {"choices": choices}


def _truth(question: Question, written: _Write) -> tuple[Kind, dict[str, Any]]:
    """The first feedback is for the wrong answer, the second for the right one, whichever that is."""
    wrong, right = (written(feedback) for feedback in question.feedbacks)
    if question.is_true:
        return Kind.TRUE_FALSE, {"choices": true_false(True, if_true=right, if_false=wrong)}
    return Kind.TRUE_FALSE, {"choices": true_false(False, if_true=wrong, if_false=right)}


def _words(question: Question, written: _Write) -> tuple[Kind, dict[str, Any]]:
    accepted = tuple(Accepted(one.text.text, _share(one), written(one.feedback)) for one in question.answers)
    return Kind.SHORT, {"accepted": accepted}


def _numbers(question: Question, written: _Write) -> tuple[Kind, dict[str, Any]]:
    ranges = tuple(
        Range(one.number.low, one.number.high, _share(one), written(one.feedback))
        for one in question.answers
        if one.number is not None  # feedback for "anything else" has no place
    )
    return Kind.NUMERIC, {"ranges": ranges}


def _pairs(question: Question, written: _Write) -> tuple[Kind, dict[str, Any]]:
    return Kind.MATCHING, {"pairs": tuple(Pair(written(one.text), written(one.feedback)) for one in question.answers)}


_ANSWERED: dict[str, Callable[[Question, _Write], tuple[Kind, dict[str, Any]]]] = {
    "MC": _chosen,
    "TF": _truth,
    "Short": _words,
    "Numerical": _numbers,
    "Matching": _pairs,
}


def gift_of(item: Item) -> str:
    """The item as a GIFT block that ends with a blank line, its category line before it. Raises BadQuestion for what
    GIFT has no form for."""
    if item.kind is Kind.ORDERING:
        raise unsupported("ordering", "GIFT has no ordering questions.")
    lines = [f"$CATEGORY: {path_text(item.category)}", ""]
    if item.external_id:
        lines.append(f"// [id:{_bracketed(item.external_id)}]")
    tags = tags_with(tags=item.tags, references=item.references, difficulty=item.difficulty)
    lines += [f"// [tag:{_bracketed(tag)}]" for tag in tags]
    title = f"::{_escaped(item.title)}::" if item.title else ""
    form = _FORMS[item.markup]
    general = f"\n\t####{_part(item.explanation, form)}" if item.explanation else ""
    lines.append(f"{title}{form}{_escaped(item.stem)}{{{_answers(item, form)}{general}\n}}")
    return "\n".join(lines) + "\n\n"


def _bracketed(text: str) -> str:
    return text.replace("]", "\\]")


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\{match[0]}", text).replace("\n", "\\n")


def _part(text: str, form: str) -> str:
    """A text that begins like a format's name says its own format first."""
    return (form if _FORMAT.match(text) else "") + _escaped(text)


def _answers(item: Item, form: str) -> str:
    if item.kind is Kind.TRUE_FALSE:
        if_true, if_false = (_part(choice.feedback, form) for choice in item.choices)
        is_true = item.choices[0].share == 1
        wrong, right = (if_false, if_true) if is_true else (if_true, if_false)
        feedback = f"#{wrong}#{right}" if wrong or right else ""
        return ("TRUE" if is_true else "FALSE") + feedback
    if item.kind is Kind.NUMERIC:
        return "#" + "".join(_line("=", taken.share, _range(taken), taken.feedback, form) for taken in item.ranges)
    if item.kind is Kind.MATCHING:
        return "".join(f"\n\t={_part(pair.left, form)} -> {_escaped(pair.right)}" for pair in item.pairs)
    if item.kind is Kind.SHORT:
        return "".join(_line("=", one.share, _part(one.text, form), one.feedback, form) for one in item.accepted)
    return "".join(_choices(item.choices, form, is_single=item.kind is Kind.SINGLE))


def _choices(choices: Sequence[Choice], form: str, *, is_single: bool) -> Iterator[str]:
    """All right choices marked with = would be a question in words: then all but the first get a weight instead."""
    has_other = any(choice.share != 1 for choice in choices)
    is_marked = False
    for choice in choices:
        is_right = is_single and choice.share == 1 and (has_other or not is_marked)
        is_marked = is_marked or is_right
        yield _line("=" if is_right else "~", choice.share, _part(choice.text, form), choice.feedback, form)


def _line(mark: str, share: Decimal, text: str, feedback: str, form: str) -> str:
    is_plain = share == (1 if mark == "=" else 0) and not text.startswith("%")
    weight = "" if is_plain else f"%{percent(share)}%"
    return f"\n\t{mark}{weight}{text}" + (f"#{_part(feedback, form)}" if feedback else "")


def _range(taken: Range) -> str:
    low, high = plain_number(taken.low), plain_number(taken.high)
    return low if low == high else f"{low}..{high}"
