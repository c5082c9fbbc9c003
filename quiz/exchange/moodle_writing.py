"""Our questions as Moodle XML."""

from __future__ import annotations

import base64
from decimal import Decimal

from lxml import etree

from .item import Item, Kind, Markup
from .pictures import Picture, readdressed
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
    write = _Writer(item)
    _texted(etree.SubElement(question, "name"), item.title)
    write.marked(question, "questiontext", item.stem, item.markup)
    write.marked(question, "generalfeedback", item.explanation, item.markup)
    _set(question, "defaultgrade", "1")
    _set(question, "idnumber", item.external_id)
    write.answers(question)
    tags = tags_with(tags=item.tags, references=item.references, difficulty=item.difficulty)
    if tags:
        listed = etree.SubElement(question, "tags")
        for tag in tags:
            _texted(etree.SubElement(listed, "tag"), tag)
    return "\n".join(etree.tostring(each, encoding="unicode", pretty_print=True) for each in (category, question))


class _Writer:
    """A question's texts, each with the files of the pictures that it shows."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self._pictures = {each.digest: each for each in item.pictures}

    def answers(self, question: etree._Element) -> None:
        item = self.item
        if item.kind in (Kind.SINGLE, Kind.MULTIPLE):
            _set(question, "single", "true" if item.kind is Kind.SINGLE else "false")
            _set(question, "shuffleanswers", "false")
            for choice in item.choices:
                self.answer(question, choice.text, choice.share, choice.feedback, item.markup)
        for choice in item.choices if item.kind is Kind.TRUE_FALSE else ():
            self.answer(question, choice.text.lower(), choice.share, choice.feedback)
        if item.kind is Kind.SHORT:
            _set(question, "usecase", "1" if item.is_case_sensitive else "0")
        for accepted in item.accepted:
            self.answer(question, accepted.text, accepted.share, accepted.feedback)
        for taken in item.ranges:
            middle = (taken.low + taken.high) / 2
            answer = self.answer(question, plain_number(middle), taken.share, taken.feedback)
            _set(answer, "tolerance", plain_number(taken.high - middle))
        for pair in item.pairs:
            subquestion = self.marked(question, "subquestion", pair.left, item.markup)
            _texted(etree.SubElement(subquestion, "answer"), pair.right)
        for text in item.sequence:
            self.answer(question, text, Decimal(1), "", item.markup)

    def answer(
        self, question: etree._Element, text: str, share: Decimal, feedback: str, markup: Markup = Markup.PLAIN
    ) -> etree._Element:
        answer = self.marked(question, "answer", text, markup)
        answer.set("fraction", percent(share))
        self.marked(answer, "feedback", feedback, self.item.markup)
        return answer

    def marked(self, parent: etree._Element, name: str, text: str, markup: Markup) -> etree._Element:
        element = etree.SubElement(parent, name, format=_FORMATS[markup])
        shown: dict[str, Picture] = {}

        def address(digest: str) -> str | None:
            if picture := self._pictures.get(digest):
                shown[digest] = picture
            return f"@@PLUGINFILE@@/{picture.file_name}" if picture else None

        _texted(element, readdressed(text, markup, address))
        for picture in shown.values():
            file = etree.SubElement(element, "file", name=picture.file_name, path="/", encoding="base64")
            file.text = base64.b64encode(picture.content).decode()
        return element


def _texted(element: etree._Element, text: str) -> None:
    _set(element, "text", text)


def _set(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def moodle_document(questions: list[str]) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n' + "\n".join(questions) + "\n</quiz>\n"
