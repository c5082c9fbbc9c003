"""QTI 1.2, as question banks and Canvas write it: whole quizzes, banks and single items."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from lxml import etree

from .flows import html_text, pictures_in_html
from .item import Accepted, Choice, Item, Kind, Markup, Pair, Rejected
from .pictures import Find, with_pictures
from .qti1_scoring import choice_shares, conditions_of, numbered, worded
from .safexml import Damaged, child, elements, local, raw_of, text_in, within
from .soundness import TRUTHS, BadQuestion, sound, true_false, unsupported
from .texts import BLANK, Marked, as_markup, clean, in_one_markup

_UNSUPPORTED = {
    "essay_question": "essay",
    "file_upload_question": "upload",
    "text_only_question": "description",
    "calculated_question": "formula",
    "categorization_question": "categorization",
    "hot_spot_question": "hotspot",
}
_RENDERED = {"render_hotspot": "hotspot", "render_slider": "slider", "response_xy": "hotspot", "response_grp": "group"}
_RESPONSES = ("response_lid", "response_str", "response_num")
_NUMBERS = frozenset({"decimal", "integer", "scientific"})


def read_qti1(content: bytes, find: Find | None = None) -> Iterator[Item | Rejected]:
    """`find`: pictures beside the file, by address."""
    position = 0
    try:
        for element in elements(content, "item", "bankentry_item"):
            position += 1
            raw = raw_of(element)
            try:
                if local(element) == "bankentry_item":
                    raise unsupported("bank_entry", "The question itself is in another file, a bank.")
                yield sound(with_pictures(_Question(element, find).item(), find), position=position, raw=raw)
            except BadQuestion as bad:
                yield bad.rejected(position, raw)
    except Damaged as error:
        yield Rejected(position + 1, "damaged", f"{error}. What follows was not read.")


def _material(element: etree._Element, pictured: Callable[[etree._Element], Marked] | None = None) -> Marked:
    """All the mattext in the element, and what `pictured` makes of a matimage, in one markup."""
    names = ("mattext", "matimage") if pictured else ("mattext",)
    found = within(element, *names)
    parts = [pictured(each) if pictured and local(each) == "matimage" else _mattext(each) for each in found]
    parts = [part for part in parts if part.text]
    markup = in_one_markup(parts)
    return Marked("\n".join(as_markup(part, markup) for part in parts), markup)


def _mattext(element: etree._Element) -> Marked:
    source = "".join(str(piece) for piece in element.itertext())
    if "html" in element.get("texttype", "").lower():
        return html_text(source)
    return Marked(clean(source))


class _Question:
    """An <item>: its metadata, its responses, and what stands before them."""

    def __init__(self, element: etree._Element, find: Find | None) -> None:
        self.element, self._find = element, find
        self.type = self._said("question_type")
        presentation = child(element, "presentation")
        if self.type in _UNSUPPORTED:
            raise unsupported(_UNSUPPORTED[self.type])
        if within(element, "calculated"):
            raise unsupported("formula")
        if presentation is None:
            raise BadQuestion("no_question", "There is no presentation.")
        for name, code in _RENDERED.items():
            if within(presentation, name):
                raise unsupported(code)
        self.responses = within(presentation, *_RESPONSES)
        if not self.responses:
            raise unsupported("description", "There is nothing to answer.")
        self.conditions = conditions_of(element)
        labels = within(presentation, "response_label")
        self.labels = {each.get("ident", ""): _material(each, self._matimage) for each in labels}
        self.feedbacks = {each.get("ident", ""): _material(each) for each in within(element, "itemfeedback")}
        self.stem = self._stem(presentation)
        self.pictures = [f"figure:{each.get('uri')}" for each in within(presentation, "matimage") if each.get("uri")]
        for text in (self.stem, *self.labels.values()):
            self.pictures += pictures_in_html(text.text) if text.markup is Markup.HTML else []
        told = [text for name, text in self.feedbacks.items() if name.removesuffix("_fb") in {*self.labels, "general"}]
        lefts = [_material_before(each) for each in self.responses]
        self.markup = in_one_markup([self.stem, *self.labels.values(), *told, *lefts])

    def _said(self, name: str) -> str:
        for each in within(self.element, "qtimetadatafield"):
            if clean(text_in(child(each, "fieldlabel"))) == name:
                return clean(text_in(child(each, "fieldentry")))
        return ""

    def _stem(self, presentation: etree._Element) -> Marked:
        parts = [
            self._matimage(each) if local(each) == "matimage" else _mattext(each)
            for each in within(presentation, "mattext", "matimage")
            if not any(local(above) in _RESPONSES for above in each.iterancestors())
        ]
        markup = in_one_markup(parts)
        return Marked("\n".join(as_markup(part, markup) for part in parts if part.text), markup)

    def _matimage(self, image: etree._Element) -> Marked:
        """Nothing where the picture is not there: the question's tags name it."""
        uri = image.get("uri", "")
        if image.get("embedded") == "base64":
            uri = f"data:image/any;base64,{text_in(image)}"
        elif not (self._find and self._find(uri)):
            return Marked("")
        return Marked(f'<img src="{html.escape(uri)}" alt="{html.escape(image.get("label", ""))}">', Markup.HTML)

    def written(self, marked: Marked | None) -> str:
        return as_markup(marked, self.markup) if marked is not None else ""

    def feedback(self, name: str) -> str:
        return self.written(self.feedbacks.get(f"{name}_fb"))

    def item(self) -> Item:
        kind, answers = self._answers()
        stem = self.written(self.stem)
        if kind in (Kind.SHORT, Kind.SINGLE) and self.type in ("fill_in_multiple_blanks_question", _DROPDOWNS):
            name = clean(text_in(child(self.responses[0], "material")))
            stem = stem.replace(f"[{name}]", BLANK) if name else stem
        return Item(
            kind=kind,
            stem=stem,
            external_id=self.element.get("ident", ""),
            title=self.element.get("title", ""),
            markup=self.markup,
            explanation=self.feedback("general"),
            tags=tuple(self.pictures),
            **answers,
        )

    def _answers(self) -> tuple[Kind, dict[str, Any]]:
        first = self.responses[0]
        if len(self.responses) > 1:
            return self._several()
        if first.get("rcardinality", "").lower() == "ordered":
            return self._ordered()
        if local(first) == "response_lid":
            return self._words_listed() if self.type == "fill_in_multiple_blanks_question" else self._chosen()
        if not self.conditions and not self.type:
            raise unsupported("essay", "An answer in words that no rule marks.")
        return self._typed(first)

    def _chosen(self) -> tuple[Kind, dict[str, Any]]:
        response = self.responses[0]
        names = [each.get("ident", "") for each in within(response, "response_label")]
        is_single = response.get("rcardinality", "single").lower() != "multiple"
        # Exports of Canvas leave empty choices behind.
        names = [name for name in names if self.labels[name].text]
        shares = choice_shares(self.conditions, names, is_single=is_single)
        choices = tuple(Choice(self.written(self.labels[name]), shares[name], self.feedback(name)) for name in names)
        by_text = {choice.text.strip().capitalize(): choice for choice in choices}
        if is_single and len(choices) == 2 and set(by_text) == set(TRUTHS):
            yes, no = by_text["True"], by_text["False"]
            return Kind.TRUE_FALSE, {"choices": true_false(yes.share == 1, if_true=yes.feedback, if_false=no.feedback)}
        return Kind.SINGLE if is_single else Kind.MULTIPLE, {"choices": choices}

    def _typed(self, response: etree._Element) -> tuple[Kind, dict[str, Any]]:
        fibs = within(response, "render_fib")
        kinds = {each.get("fibtype", "").lower() for each in fibs}
        is_number = local(response) == "response_num" or self.type == "numerical_question" or kinds & _NUMBERS
        if is_number or any(condition.low and condition.high for condition in self.conditions):
            return Kind.NUMERIC, {"ranges": tuple(numbered(self.conditions))}
        accepted = tuple(Accepted(text, share) for text, share in worded(self.conditions))
        return Kind.SHORT, {
            "accepted": accepted,
            "is_case_sensitive": any(condition.is_case_sensitive for condition in self.conditions),
        }

    def _words_listed(self) -> tuple[Kind, dict[str, Any]]:
        """Canvas lists the words that a blank takes as if they were choices; all of them count."""
        accepted = tuple(
            Accepted(self.labels[each.get("ident", "")].text, feedback=self.feedback(each.get("ident", "")))
            for each in within(self.responses[0], "response_label")
        )
        return Kind.SHORT, {"accepted": accepted}

    def _ordered(self) -> tuple[Kind, dict[str, Any]]:
        right = next(([value for _, value in each.wanted] for each in self.conditions if each.score > 0), [])
        if sorted(right) != sorted(self.labels):
            raise BadQuestion("no_correct_answer", "The right order does not name every choice once.")
        return Kind.ORDERING, {"sequence": tuple(self.written(self.labels[name]) for name in right)}

    def _several(self) -> tuple[Kind, dict[str, Any]]:
        """Several responses that choose among the same texts are a question to match."""
        offered = [
            [self.labels[each.get("ident", "")] for each in within(one, "response_label")] for one in self.responses
        ]
        if self.type != "matching_question" and (self.type or any(texts != offered[0] for texts in offered)):
            raise unsupported(
                self.type.removesuffix("_question") or "composite", "It asks for several answers at once."
            )
        right = {
            (name, value): condition.score
            for condition in self.conditions
            for name, value in condition.wanted
            if condition.score > 0
        }
        pairs: list[Pair] = []
        for response in self.responses:
            left = self.written(_material_before(response))
            names = [each.get("ident", "") for each in within(response, "response_label")]
            best = max(names, key=lambda name: right.get((response.get("ident", ""), name), Decimal(0)), default="")
            if (response.get("ident", ""), best) not in right:
                raise BadQuestion("no_correct_answer", f"Nothing is right for '{left[:80]}'.")
            if left or self.labels[best].text:  # Canvas leaves empty pairs behind
                pairs.append(Pair(left, self.written(self.labels[best])))
        pairs = list(dict.fromkeys(pairs))
        used = {pair.right for pair in pairs}
        spare = dict.fromkeys(self.written(text) for text in offered[0])
        return Kind.MATCHING, {"pairs": (*pairs, *(Pair("", text) for text in spare if text and text not in used))}


_DROPDOWNS = "multiple_dropdowns_question"


def _material_before(response: etree._Element) -> Marked:
    """The texts of a response itself, not of its choices: the left side of a pair."""
    material = child(response, "material")
    return _material(material) if material is not None else Marked("", Markup.PLAIN)
