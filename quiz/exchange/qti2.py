"""QTI 2.1 and 2.2: one question a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from lxml import etree

from .flows import flow_text, pictures_in
from .item import Accepted, Choice, Item, Kind, Pair, Rejected
from .pictures import Find, with_pictures
from .qti2_scoring import Declaration, ranges_of
from .safexml import Damaged, child, children, elements, local, raw_of, within
from .soundness import TRUTHS, BadQuestion, sound, true_false, unsupported
from .texts import BLANK, Marked, as_markup, clean, in_one_markup, parted_tags

TOOL = "Plumbline"
EXPLANATION = "EXPLANATION"
_UNSUPPORTED = {"extendedTextInteraction": "essay"}
_INLINE = ("textEntryInteraction", "inlineChoiceInteraction")
_ASIDE = ("rubricBlock", "feedbackBlock", "feedbackInline", "templateBlock", "templateInline", "infoControl")
_EXPLAINED = frozenset({"explanation", "general", "general_fb", "solution"})


@dataclass(frozen=True, slots=True)
class Told:
    """What a package's manifest says of a question."""

    category: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def read_qti2(content: bytes) -> Iterator[Item | Rejected]:
    yield from read_items(content, Told(), position=0)


def read_items(content: bytes, told: Told, *, position: int, find: Find | None = None) -> Iterator[Item | Rejected]:
    """The file's questions, counted on from `position`. `find`: pictures beside it, by address."""
    try:
        for element in elements(content, "assessmentItem"):
            position += 1
            raw = raw_of(element)
            try:
                item = with_pictures(_Question(element).item(told), find)
                yield sound(item, position=position, raw=raw)
            except BadQuestion as bad:
                yield bad.rejected(position, raw)
    except Damaged as error:
        yield Rejected(position + 1, "damaged", f"{error}.")


class _Question:
    """An <assessmentItem> with one interaction that we know."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element
        body = child(element, "itemBody")
        if body is None:
            raise BadQuestion("no_question", "There is no itemBody.")
        self.body = body
        self.interaction = self._interaction()
        self.declaration = self._declaration()
        self.feedbacks = {each.get("identifier", ""): flow_text(each) for each in within(element, "modalFeedback")}
        for each in within(body, "feedbackInline"):
            self.feedbacks.setdefault(each.get("identifier", ""), flow_text(each))
        blocks = [flow_text(each) for each in within(body, "feedbackBlock") if self._is_solution(each)]
        explained = [text for name, text in self.feedbacks.items() if name.lower() in _EXPLAINED]
        self.explanation = (explained + blocks + [Marked("")])[0]
        self.stem = self._stem()
        self.parts = {each.get("identifier", ""): flow_text(each, drop=_ASIDE) for each in within(
            self.interaction, "simpleChoice", "inlineChoice", "simpleAssociableChoice")}  # fmt: skip
        self.markup = in_one_markup([self.stem, self.explanation, *self.parts.values(), *self._used()])

    def _interaction(self) -> etree._Element:
        if self.element.get("adaptive") == "true":
            raise unsupported("adaptive")
        if within(self.element, "templateDeclaration"):
            raise unsupported("template")
        found = [each for each in self.body.iterdescendants() if local(each).endswith("Interaction")]
        found = [each for each in found if local(each) != "endAttemptInteraction"]
        if not found:
            raise unsupported("description", "There is nothing to answer.")
        if len(found) > 1:
            raise unsupported("composite", "The question asks for several answers at once.")
        name = local(found[0])
        if name not in _READ:
            raise unsupported(_UNSUPPORTED.get(name) or _snake(name.removesuffix("Interaction")))
        return found[0]

    def _declaration(self) -> Declaration:
        wanted = self.interaction.get("responseIdentifier", "RESPONSE")
        for each in children(self.element, "responseDeclaration"):
            if each.get("identifier") == wanted:
                return Declaration.of(each, self.element)
        raise BadQuestion("no_correct_answer", "The response is not declared.")

    @staticmethod
    def _is_solution(block: etree._Element) -> bool:
        return "solution" in block.get("identifier", "").lower()

    def _stem(self) -> Marked:
        """The body without the interaction, then its prompt; a blank where text goes on after an inline interaction."""
        drop = [*_ASIDE, "endAttemptInteraction"]
        if local(self.interaction) in _INLINE and self._goes_on():
            mark = etree.Element("span")
            mark.text, mark.tail = BLANK, self.interaction.tail
            parent = self.interaction.getparent()
            if parent is not None:
                parent.replace(self.interaction, mark)
            return flow_text(self.body, drop=drop)
        prompt = child(self.interaction, "prompt")
        parts = [flow_text(self.body, drop=[*drop, local(self.interaction)])]
        parts += [flow_text(prompt, drop=_ASIDE)] if prompt is not None else []
        parts = [part for part in parts if part.text]
        markup = in_one_markup(parts)
        return Marked("\n".join(as_markup(part, markup) for part in parts), markup)

    def _goes_on(self) -> bool:
        """Whether any text of the body stands behind the interaction."""
        inside = set(self.interaction.iter())
        is_behind = False
        for node in self.body.iter():
            if node is self.interaction:
                is_behind = True
                if (node.tail or "").strip():
                    return True
            elif node not in inside and is_behind and ((node.text or "").strip() or (node.tail or "").strip()):
                return True
        ancestors = [self.interaction, *self.interaction.iterancestors()]
        return any((node.tail or "").strip() for node in ancestors[: ancestors.index(self.body)])

    def _used(self) -> list[Marked]:
        return [self.feedbacks[name] for name in self._named() if name in self.feedbacks]

    def _named(self) -> list[str]:
        return [*self.parts, *(f"A{at}" for at in range(1, len(self.declaration.mapped) + 30))]

    def written(self, marked: Marked | None) -> str:
        return as_markup(marked, self.markup) if marked is not None else ""

    def feedback(self, name: str) -> str:
        return self.written(self.feedbacks.get(name))

    def item(self, told: Told) -> Item:
        is_ours = self.element.get("toolName") == TOOL
        tags, references, difficulty = parted_tags([*told.tags, *pictures_in(self.body)])
        kind, answers = _READ[local(self.interaction)](self)
        return Item(
            kind=kind,
            stem=self.written(self.stem),
            external_id=self.element.get("label" if is_ours else "identifier", ""),
            title=self.element.get("title", ""),
            markup=self.markup,
            explanation=self.written(self.explanation),
            category=told.category,
            references=references,
            tags=tags,
            difficulty=difficulty,
            **answers,
        )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _chosen(question: _Question) -> tuple[Kind, dict[str, Any]]:
    declaration = question.declaration
    names = list(question.parts)
    kind = Kind.MULTIPLE if declaration.cardinality == "multiple" else Kind.SINGLE
    if question.interaction.get("maxChoices") == "1" and len(declaration.right) == 1:
        kind = Kind.SINGLE
    shares = declaration.shares(names, is_single=kind is Kind.SINGLE)
    choices = tuple(
        Choice(question.written(question.parts[name]), shares[name], question.feedback(name)) for name in names
    )
    if kind is Kind.SINGLE and _is_truth(names, choices):
        told = {name.lower(): choice for name, choice in zip(names, choices, strict=True)}
        yes, no = told["true"], told["false"]
        return Kind.TRUE_FALSE, {"choices": true_false(yes.share == 1, if_true=yes.feedback, if_false=no.feedback)}
    return kind, {"choices": choices}


def _is_truth(names: Sequence[str], choices: Sequence[Choice]) -> bool:
    """Named and written so: a question that only happens to have the choices True and False stays as it is."""
    wanted = sorted(TRUTHS)
    return (
        sorted(name.capitalize() for name in names) == wanted
        and sorted(choice.text for choice in choices) == wanted
        and sorted(choice.share for choice in choices) == [0, 1]
    )


def _typed(question: _Question) -> tuple[Kind, dict[str, Any]]:
    declaration = question.declaration
    if declaration.base_type in ("float", "integer"):
        taken = enumerate(ranges_of(question.element, declaration), 1)
        return Kind.NUMERIC, {
            "ranges": tuple(replace(each, feedback=question.feedback(f"A{at}")) for at, each in taken)
        }
    shares = declaration.mapped or {answer: Decimal(1) for answer in declaration.right}
    most = max(shares.values(), default=Decimal(0))
    accepted = tuple(
        Accepted(text, share if most == 1 or most <= 0 else share / most, question.feedback(f"A{at}"))
        for at, (text, share) in enumerate(shares.items(), 1)
    )
    return Kind.SHORT, {"accepted": accepted, "is_case_sensitive": declaration.is_case_sensitive}


def _pairs(question: _Question) -> tuple[Kind, dict[str, Any]]:
    sets = [
        [each.get("identifier", "") for each in children(one, "simpleAssociableChoice")]
        for one in children(question.interaction, "simpleMatchSet")
    ]
    if len(sets) != 2:
        raise BadQuestion("bad_pair", "A question to match has two sets.")
    belongs: dict[str, str] = {}
    for pair in question.declaration.right:
        left, _, right = clean(pair).partition(" ")
        if left in belongs:
            raise unsupported("match_multiple", "One left side belongs to several right ones.")
        belongs[left] = right.strip()
    unknown = [name for pair in belongs.items() for name in pair if name not in question.parts]
    if unknown or set(sets[0]) - belongs.keys():
        raise BadQuestion("bad_pair", "Not every left side has a right one that exists.")
    texts = {name: question.written(part) for name, part in question.parts.items()}
    pairs = [Pair(texts[name], texts[belongs[name]]) for name in sets[0]]
    spare = [Pair("", texts[name]) for name in sets[1] if name not in belongs.values()]
    return Kind.MATCHING, {"pairs": tuple(pairs + spare)}


def _ordered(question: _Question) -> tuple[Kind, dict[str, Any]]:
    right = question.declaration.right
    if sorted(right) != sorted(question.parts):
        raise BadQuestion("no_correct_answer", "The right order does not name every choice once.")
    return Kind.ORDERING, {"sequence": tuple(question.written(question.parts[name]) for name in right)}


_READ: dict[str, Callable[[_Question], tuple[Kind, dict[str, Any]]]] = {
    "choiceInteraction": _chosen,
    "inlineChoiceInteraction": _chosen,
    "textEntryInteraction": _typed,
    "matchInteraction": _pairs,
    "orderInteraction": _ordered,
}
