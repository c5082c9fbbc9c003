"""Moodle's XML question banks: read, and written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from lxml import etree

from .item import Accepted, Choice, Item, Kind, Markup, Pair, Range, Rejected
from .pictures import FIGURE, Picture, from_data, taken_from
from .safexml import Damaged, child, children, elements, raw_of, text_in
from .soundness import BadQuestion, sound, true_false, unsupported
from .texts import (
    Marked,
    as_markup,
    clean,
    in_one_markup,
    looks_like_html,
    number_of,
    parted_tags,
    path_of,
    share_of,
)

_PLUGIN = "@@PLUGINFILE@@/"
_FORMATS = {"html": Markup.HTML, "markdown": Markup.MARKDOWN, "plain_text": Markup.PLAIN}


def read_moodle(content: bytes) -> Iterator[Item | Rejected]:
    category: tuple[str, ...] = ()
    position = 0
    try:
        for element in elements(content, "question"):
            kind = element.get("type", "")
            if kind == "category":
                category = path_of(_text(child(element, "category")))
                continue
            position += 1
            raw = raw_of(element)
            try:
                yield sound(_Question(element).item(category), position=position, raw=raw)
            except BadQuestion as bad:
                yield bad.rejected(position, raw)
    except Damaged as error:
        yield Rejected(position + 1, "damaged", f"{error}. What follows was not read.")


def _text(element: etree._Element | None) -> str:
    """The <text> of an element, or its own."""
    if element is None:
        return ""
    inner = child(element, "text")
    return clean(text_in(inner if inner is not None else element))


class _Question:
    """A <question>: its texts in one markup, however each was written."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        stem = child(element, "questiontext")
        self.form = stem.get("format", "") if stem is not None else ""
        told = [stem, child(element, "generalfeedback"), *children(element, "subquestion")]
        told += [child(answer, "feedback") for answer in children(element, "answer")]
        if element.get("type") in ("multichoice", "ordering"):
            told += children(element, "answer")
        self.pictures: dict[str, Picture] = {}
        self.missing: list[str] = []
        self._read: dict[etree._Element, Marked] = {}
        self.markup = in_one_markup(self._marked(each) for each in told if each is not None)

    def _marked(self, element: etree._Element) -> Marked:
        if element not in self._read:
            self._read[element] = self._with_files(element, self._as_written(element))
        return self._read[element]

    def _as_written(self, element: etree._Element) -> Marked:
        form = element.get("format") or self.form
        text = _text(element)
        if form in _FORMATS:
            return Marked(text, _FORMATS[form])
        return Marked(text, Markup.HTML if looks_like_html(text) else Markup.PLAIN)

    def _with_files(self, element: etree._Element, marked: Marked) -> Marked:
        """Each text has files of its own: the same name may be another picture in another text."""
        files = {_file_name(file): file for file in children(element, "file")}
        if not files:
            return marked
        found: dict[str, Picture | None] = {}

        def find(address: str) -> Picture | None:
            name = unquote(address.partition("?")[0]).removeprefix(_PLUGIN)
            if address.startswith(_PLUGIN) and name in files and name not in found:
                found[name] = _picture(files[name])
            return found.get(name)

        text, pictures = taken_from(marked.text, marked.markup, find)
        self.pictures |= {each.digest: each for each in pictures}
        self.missing += [f"{FIGURE}{file.get('name', '')}" for name, file in files.items() if not found.get(name)]
        return Marked(text, marked.markup)

    def written(self, element: etree._Element | None) -> str:
        return as_markup(self._marked(element), self.markup) if element is not None else ""

    def item(self, category: tuple[str, ...]) -> Item:
        kind = self.element.get("type", "")
        if kind not in _READ:
            raise unsupported(kind[:40] or "untyped")
        asked, answers = _READ[kind](self)
        stem = self.written(child(self.element, "questiontext"))
        explanation = self.written(child(self.element, "generalfeedback"))
        tags, references, difficulty = parted_tags(self._tags())  # now all texts have been read
        return Item(
            kind=asked,
            stem=stem,
            external_id=_text(child(self.element, "idnumber")),
            title=_text(child(self.element, "name")),
            markup=self.markup,
            explanation=explanation,
            category=category,
            references=references,
            tags=tags,
            difficulty=difficulty,
            pictures=tuple(self.pictures.values()),
            **answers,
        )

    def _tags(self) -> list[str]:
        """With the files named that could not be taken as pictures."""
        listed = child(self.element, "tags")
        tags = [_text(tag) for tag in children(listed, "tag")] if listed is not None else []
        return tags + self.missing

    def flag(self, name: str) -> bool:
        return _text(child(self.element, name)).lower() in ("1", "true")

    def answers(self) -> Iterator[tuple[str, Decimal, str, etree._Element]]:
        """(text as it stands, share, feedback, element) of each answer."""
        for answer in children(self.element, "answer"):
            share = share_of(answer.get("fraction", "0"))
            if share is None:
                raise BadQuestion("bad_shares", f"The fraction '{answer.get('fraction')}' is not between -100 and 100.")
            yield _text(answer), share, self.written(child(answer, "feedback")), answer


def _file_name(file: etree._Element) -> str:
    """With its folders, as texts name it after @@PLUGINFILE@@/."""
    return (file.get("path", "/") + file.get("name", "")).lstrip("/")


def _picture(file: etree._Element) -> Picture | None:
    if file.get("encoding") != "base64":
        return None
    picture = from_data(f"data:image/any;base64,{text_in(file)}")
    return replace(picture, name=file.get("name", "")[:200]) if picture else None


def _chosen(question: _Question) -> tuple[Kind, dict[str, Any]]:
    choices = tuple(
        Choice(question.written(answer), share, feedback) for _, share, feedback, answer in question.answers()
    )
    is_single = child(question.element, "single") is None or question.flag("single")
    return Kind.SINGLE if is_single else Kind.MULTIPLE, {"choices": choices}


def _truth(question: _Question) -> tuple[Kind, dict[str, Any]]:
    told = {text.lower(): (share, feedback) for text, share, feedback, _ in question.answers()}
    if not {"true", "false"} <= told.keys():
        raise BadQuestion("bad_choices", "A true/false question has the answers true and false.")
    if (told["true"][0] == 1) == (told["false"][0] == 1):
        raise BadQuestion("no_correct_answer", "Neither true nor false, or both, are marked as right.")
    return Kind.TRUE_FALSE, {
        "choices": true_false(told["true"][0] == 1, if_true=told["true"][1], if_false=told["false"][1])
    }


def _words(question: _Question) -> tuple[Kind, dict[str, Any]]:
    accepted = tuple(Accepted(text, share, feedback) for text, share, feedback, _ in question.answers())
    return Kind.SHORT, {"accepted": accepted, "is_case_sensitive": question.flag("usecase")}


def _numbers(question: _Question) -> tuple[Kind, dict[str, Any]]:
    """Answers in the question's own unit; "*" (anything else) has no place."""
    ranges = []
    for text, share, feedback, answer in question.answers():
        if text == "*":
            continue
        number = number_of(text)
        tolerance = number_of(_text(child(answer, "tolerance")) or "0")
        if number is None or tolerance is None:
            raise BadQuestion("bad_number", f"'{text[:80]}' or its tolerance is no number.")
        ranges.append(Range(number - abs(tolerance), number + abs(tolerance), share, feedback))
    return Kind.NUMERIC, {"ranges": tuple(ranges)}


def _pairs(question: _Question) -> tuple[Kind, dict[str, Any]]:
    return Kind.MATCHING, {
        "pairs": tuple(
            Pair(question.written(each), _text(child(each, "answer")))
            for each in children(question.element, "subquestion")
        )
    }


def _ordered(question: _Question) -> tuple[Kind, dict[str, Any]]:
    return Kind.ORDERING, {"sequence": tuple(question.written(one) for one in children(question.element, "answer"))}


_READ: dict[str, Callable[[_Question], tuple[Kind, dict[str, Any]]]] = {
    "multichoice": _chosen,
    "truefalse": _truth,
    "shortanswer": _words,
    "numerical": _numbers,
    "matching": _pairs,
    "ordering": _ordered,
}
