"""What a QTI 1.2 item gives marks for: its respconditions as plain facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from lxml import etree

from .item import Range
from .qti2_scoring import scaled
from .safexml import child, local, text_in, within
from .soundness import NEARLY, BadQuestion
from .texts import clean, equal_share, number_of


@dataclass(slots=True)
class Condition:
    """A respcondition that sets a score: which (response, value) it wants, which it does not, between what numbers."""

    score: Decimal
    wanted: list[tuple[str, str]] = field(default_factory=list)
    unwanted: list[tuple[str, str]] = field(default_factory=list)
    low: list[Decimal] = field(default_factory=list)
    high: list[Decimal] = field(default_factory=list)
    is_any: bool = False  # one of the wanted is enough
    is_case_sensitive: bool = False


def conditions_of(item: etree._Element) -> list[Condition]:
    return [found for each in within(item, "respcondition") if (found := _condition(each)) is not None]


def _condition(element: etree._Element) -> Condition | None:
    asked, given = child(element, "conditionvar"), child(element, "setvar")
    score = number_of(text_in(given)) if given is not None else None
    if asked is None or score is None:
        return None
    found = Condition(score, is_any=bool(within(asked, "or")))
    for each in within(asked, "varequal", "vargt", "vargte", "varlt", "varlte", "varsubset"):
        name, value = each.get("respident", ""), clean(text_in(each))
        if local(each) == "varequal":
            is_refused = any(local(above) == "not" for above in each.iterancestors() if above is not element)
            (found.unwanted if is_refused else found.wanted).append((name, value))
            found.is_case_sensitive |= each.get("case", "").lower() == "yes"
        elif (number := number_of(value)) is not None:
            (found.low if local(each).startswith("vargt") else found.high).append(number)
    return found


def choice_shares(conditions: list[Condition], names: list[str], *, is_single: bool) -> dict[str, Decimal]:
    """The share of the mark of each choice. Raises BadQuestion where none gets any."""
    given = dict.fromkeys(names, Decimal(0))
    for condition in conditions:
        wanted = [value for _, value in condition.wanted if value in given]
        if len(wanted) > 1 and not is_single and not condition.is_any and condition.score > 0:
            share = equal_share(len(wanted))  # the whole set is the answer
            return {name: share if name in wanted else Decimal(0) for name in names}
        for name in wanted:
            given[name] = (
                max(given[name], condition.score) if condition.score > 0 else min(given[name], condition.score)
            )
    positive = [value for value in given.values() if value > 0]
    if not positive:
        raise BadQuestion("no_correct_answer", "No response gets any points.")
    whole = max(positive) if is_single else sum(positive, Decimal(0))
    if abs(whole - 1) <= (0 if is_single else NEARLY):
        return given
    if not is_single and len(set(positive)) == 1:
        given = {
            name: equal_share(len(positive)) if value > 0 else scaled(value, whole) for name, value in given.items()
        }
        return given
    return {name: scaled(value, whole) for name, value in given.items()}


def worded(conditions: list[Condition]) -> Iterator[tuple[str, Decimal]]:
    """(text, share) of the answers that are taken, each once."""
    best = max((condition.score for condition in conditions), default=Decimal(0))
    told: set[str] = set()
    for condition in conditions:
        for _, text in condition.wanted if condition.score > 0 else ():
            if text and text not in told:
                told.add(text)
                yield text, scaled(condition.score, best)


def numbered(conditions: list[Condition]) -> Iterator[Range]:
    """The ranges that are taken. A bound that is itself not taken (vargt) counts as taken: ranges have their ends."""
    best = max((condition.score for condition in conditions), default=Decimal(0))
    for condition in conditions:
        if condition.score <= 0:
            continue
        share = scaled(condition.score, best)
        if condition.low and condition.high:
            yield Range(max(condition.low), min(condition.high), share)
            continue
        for _, text in condition.wanted:
            number = number_of(text)
            if number is None:
                raise BadQuestion("bad_number", f"'{text[:80]}' is no number.")
            yield Range(number, number, share)
