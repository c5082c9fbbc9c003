"""Which responses a QTI 2.x item takes, and for how much of the mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from .item import Range
from .safexml import child, children, local, text_in, within
from .soundness import NEARLY, BadQuestion
from .texts import SHARE_PLACES, clean, equal_share, number_of

_CONDITIONS = ("responseIf", "responseElseIf")


@dataclass(slots=True)
class Declaration:
    """A responseDeclaration: the right values in their order, and what the mapping gives for each."""

    identifier: str
    cardinality: str
    base_type: str
    right: list[str]
    mapped: dict[str, Decimal] = field(default_factory=dict)
    is_case_sensitive: bool = True  # as the specification has it where nothing is said
    otherwise: Decimal = Decimal(0)

    @classmethod
    def of(cls, element: etree._Element, item: etree._Element) -> Declaration:
        correct, mapping = child(element, "correctResponse"), child(element, "mapping")
        processing = child(item, "responseProcessing")
        found = cls(
            element.get("identifier", ""),
            element.get("cardinality", "single"),
            element.get("baseType", "identifier"),
            [clean(text_in(value)) for value in children(correct, "value")] if correct is not None else [],
        )
        is_matched = processing is not None and processing.get("template", "").endswith("/match_correct")
        if mapping is not None and not is_matched:
            entries = children(mapping, "mapEntry")
            found.mapped = {clean(each.get("mapKey", "")): _number(each.get("mappedValue")) for each in entries}
            found.is_case_sensitive = any(each.get("caseSensitive", "true") == "true" for each in entries)
            found.otherwise = _number(mapping.get("defaultValue", "0"))
        return found

    def shares(self, names: Sequence[str], *, is_single: bool) -> dict[str, Decimal]:
        """The share of the mark of each choice. Raises BadQuestion where none is right."""
        given = {name: self.mapped.get(name, self.otherwise) for name in names} if self.mapped else {}
        positive = [value for value in given.values() if value > 0]
        if not positive:
            if not self.right:
                raise BadQuestion("no_correct_answer", "No response is declared as correct.")
            share = Decimal(1) if is_single else equal_share(len(self.right))
            return {name: share if name in self.right else Decimal(0) for name in names}
        whole = max(positive) if is_single else sum(positive, Decimal(0))
        if abs(whole - 1) <= (0 if is_single else NEARLY):
            return given
        return {name: scaled(value, whole) for name, value in given.items()}


def scaled(value: Decimal, whole: Decimal) -> Decimal:
    return max(Decimal(-1), (value / whole).quantize(SHARE_PLACES)).normalize() + 0


def _number(text: str | None) -> Decimal:
    number = number_of(text or "")
    if number is None:
        raise BadQuestion("bad_number", f"'{(text or '')[:80]}' is no number.")
    return number


def ranges_of(item: etree._Element, declaration: Declaration) -> list[Range]:
    """The numbers taken: by the conditions of the response processing, else by mapping, else the right one exactly."""
    found = list(_conditions(item, declaration))
    if not found and declaration.mapped:
        found = [Range(number, number, share) for key, share in declaration.mapped.items()
                 if (number := number_of(key)) is not None]  # fmt: skip
    if not found:
        found = [Range(number, number) for number in map(_number, declaration.right)]
    whole = max((taken.share for taken in found), default=Decimal(1))
    if whole in (0, 1):
        return found
    return [Range(taken.low, taken.high, scaled(taken.share, whole)) for taken in found]


def _conditions(item: etree._Element, declaration: Declaration) -> Iterator[Range]:
    for branch in within(item, *_CONDITIONS):
        score = _score(branch)
        if score is None:
            continue
        span = _equal(branch, declaration) or _between(branch, declaration)
        if span:
            yield Range(*span, score)


def _score(branch: etree._Element) -> Decimal | None:
    """What the branch itself sets SCORE to, or adds to it."""
    for each in children(branch, "setOutcomeValue"):
        values = within(each, "baseValue")
        if each.get("identifier") == "SCORE" and values:
            return _number(text_in(values[-1]))
    return None


def _equal(branch: etree._Element, declaration: Declaration) -> tuple[Decimal, Decimal] | None:
    for each in [node for node in branch if local(node) != "setOutcomeValue"]:
        for equal in [each, *within(each, "equal")] if local(each) != "not" else []:
            if local(equal) == "equal" and _asks(equal, declaration):
                return _tolerated(equal, declaration)
    return None


def _asks(node: etree._Element, declaration: Declaration) -> bool:
    return any(each.get("identifier") == declaration.identifier for each in within(node, "variable"))


def _tolerated(equal: etree._Element, declaration: Declaration) -> tuple[Decimal, Decimal]:
    values = within(equal, "baseValue")
    if not values and not declaration.right:
        raise BadQuestion("no_correct_answer", "No number is declared as correct.")
    number = _number(text_in(values[0]) if values else declaration.right[0])
    bounds = [_number(part) for part in equal.get("tolerance", "0").split()] or [Decimal(0)]
    below, above = bounds[0], bounds[-1]
    if equal.get("toleranceMode", "exact") == "exact":
        below = above = Decimal(0)
    elif equal.get("toleranceMode") == "relative":
        below, above = abs(number) * below / 100, abs(number) * above / 100
    return number - below, number + above


def _between(branch: etree._Element, declaration: Declaration) -> tuple[Decimal, Decimal] | None:
    low, high = (
        [_number(text_in(value)) for each in within(branch, *names) if _asks(each, declaration)
         for value in children(each, "baseValue")]
        for names in (("gte", "gt"), ("lte", "lt"))
    )  # fmt: skip
    return (low[0], high[0]) if low and high else None
