"""Our questions as Moodle XML."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from .item import Item, Kind, Markup
from .texts import path_text, percent, plain_number, tags_with

_FORMATS = {Markup.HTML: "html", Markup.MARKDOWN: "markdown", Markup.PLAIN: "plain_text"}
_TYPES = {
    Kind.SINGLE: "multichoice",
    Kind.MULTIPLE: "multichoice",
    Kind.TRUE_FALSE: "truefalse",
    Kind.SHORT: "shortanswer",
    Kind.NUMERIC: "numerical",
    Kind.MATCHING: "matching",
    Kind.ORDERING: "ordering",
}


def moodle_of(item: Item) -> str:
    """The item's <question>, after the one that sets its category."""
    category = etree.Element("question", type="category")
    _texted(etree.SubElement(category, "category"), path_text(item.category))
    question = etree.Element("question", type=_TYPES[item.kind])
    _texted(etree.SubElement(question, "name"), item.title)
    _marked(question, "questiontext", item.stem, item.markup)
    _marked(question, "generalfeedback", item.explanation, item.markup)
    _set(question, "defaultgrade", "1")
    _set(question, "idnumber", item.external_id)
    _answers(question, item)
    tags = tags_with(tags=item.tags, references=item.references, difficulty=item.difficulty)
    if tags:
        listed = etree.SubElement(question, "tags")
        for tag in tags:
            _texted(etree.SubElement(listed, "tag"), tag)
    return "\n".join(etree.tostring(each, encoding="unicode", pretty_print=True) for each in (category, question))


def _answers(question: etree._Element, item: Item) -> None:
    if item.kind in (Kind.SINGLE, Kind.MULTIPLE):
        _set(question, "single", "true" if item.kind is Kind.SINGLE else "false")
        _set(question, "shuffleanswers", "false")
        for choice in item.choices:
            _answer(question, choice.text, choice.share, choice.feedback, item.markup)
    for choice in item.choices if item.kind is Kind.TRUE_FALSE else ():
        _answer(question, choice.text.lower(), choice.share, choice.feedback, item.markup, is_plain=True)
    if item.kind is Kind.SHORT:
        _set(question, "usecase", "1" if item.is_case_sensitive else "0")
    for accepted in item.accepted:
        _answer(question, accepted.text, accepted.share, accepted.feedback, item.markup, is_plain=True)
    for taken in item.ranges:
        middle = (taken.low + taken.high) / 2
        answer = _answer(question, plain_number(middle), taken.share, taken.feedback, item.markup, is_plain=True)
        _set(answer, "tolerance", plain_number(taken.high - middle))
    for pair in item.pairs:
        subquestion = _marked(question, "subquestion", pair.left, item.markup)
        _texted(etree.SubElement(subquestion, "answer"), pair.right)
    for text in item.sequence:
        _answer(question, text, Decimal(1), "", item.markup)


def _answer(
    question: etree._Element, text: str, share: Decimal, feedback: str, markup: Markup, *, is_plain: bool = False
) -> etree._Element:
    answer = _marked(question, "answer", text, Markup.PLAIN if is_plain else markup)
    answer.set("fraction", percent(share))
    _marked(answer, "feedback", feedback, markup)
    return answer


def _marked(parent: etree._Element, name: str, text: str, markup: Markup) -> etree._Element:
    element = etree.SubElement(parent, name, format=_FORMATS[markup])
    _texted(element, text)
    return element


def _texted(element: etree._Element, text: str) -> None:
    _set(element, "text", text)


def _set(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def moodle_document(questions: list[str]) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n' + "\n".join(questions) + "\n</quiz>\n"
