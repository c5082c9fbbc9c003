"""What an answer is worth: a share of the mark from 0 to 1, never below, and what is to be said of it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ..exchange.item import Kind
from .asking import BadAnswer
from .bodies import Body, ChoiceBody, Given

NOTHING, ALL = Decimal(0), Decimal(1)
PLACES = Decimal("0.0001")
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
ESCAPED = re.compile(r"\\(.)|(\*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mark:
    """`share` has four places; `feedback` is what the question's keeper says of what was given."""

    share: Decimal
    feedback: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Wholly: thirds that add up to 0.9999 are all of it."""
        return self.share >= ALL - 10 * PLACES


def mark(kind: str, body: Body, given: Given | None) -> Mark:
    """Nothing given earns nothing. BadAnswer: numeric, and it is no number."""
    if not given:
        return Mark(NOTHING)
    if kind in (Kind.SINGLE, Kind.TRUE_FALSE):
        return _of_choices(body["choices"], [given["choice"]])
    if kind == Kind.MULTIPLE:
        return _of_several(body["choices"], given["choices"])
    if kind == Kind.SHORT:
        return _of_words(body, given["text"])
    if kind == Kind.NUMERIC:
        return _of_number(body, number_of(given["text"]))
    if kind == Kind.MATCHING:
        return _of_pairs(body, given["pairs"])
    return _of_sequence(body, given["sequence"])


def number_of(text: str) -> Decimal:
    """A number as people write it: "3,14", "1 234.5", "1.234,5", "−2e3". BadAnswer.

    Of a comma and a point the last one is the decimal sign; one that occurs twice groups thousands.
    """
    bare = "".join(text.split()).replace("−", "-").replace("'", "")
    points, commas = bare.count("."), bare.count(",")
    if points and commas:
        decimal = max(".", ",", key=bare.rfind)
        bare = bare.replace("," if decimal == "." else ".", "")
        bare = bare.replace(decimal, "") if bare.count(decimal) > 1 else bare.replace(decimal, ".")
    elif points > 1 or commas > 1:
        bare = bare.replace(".", "").replace(",", "")
    else:
        bare = bare.replace(",", ".")
    if not NUMBER.match(bare):
        raise BadAnswer(f"“{text[:40]}” is no number: write digits alone, such as 3.5 or 3,5.")
    try:
        return Decimal(bare)
    except InvalidOperation:
        raise BadAnswer("This number can't be read.") from None


def matches(pattern: str, text: str, *, is_case_sensitive: bool = False) -> bool:
    """Whether a text is what an accepted answer says: `*` stands for anything, `\\*` for a star.

    Spaces count as one; case, and how a letter is encoded, do not count unless `is_case_sensitive`. Linear in time
    for each star: an answer can't make it hang.
    """
    parts = [_folded(part, is_case_sensitive) for part in _split_at_stars(pattern)]
    told = _folded(text, is_case_sensitive).strip()
    first, *others = parts
    if not others:
        return told == first.strip()
    first, last = first.lstrip(), others[-1].rstrip()
    if not told.startswith(first) or not told.endswith(last) or len(told) < len(first) + len(last):
        return False
    at, end = len(first), len(told) - len(last)
    for part in others[:-1]:
        found = told.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _of_choices(choices: Sequence[ChoiceBody], taken: Iterable[str]) -> Mark:
    wanted = set(taken)
    chosen = [choice for choice in choices if choice["id"] in wanted]
    return Mark(_bounded(sum((Decimal(each["share"]) for each in chosen), NOTHING)), _feedback(chosen))


def _of_several(choices: Sequence[ChoiceBody], taken: Iterable[str]) -> Mark:
    """Where nothing is said of wrong choices, each takes its part of the mark away: ticking all earns nothing."""
    wrong = [choice for choice in choices if Decimal(choice["share"]) <= 0]
    if any(Decimal(choice["share"]) < 0 for choice in wrong):
        return _of_choices(choices, taken)
    wanted = set(taken)
    chosen = [choice for choice in choices if choice["id"] in wanted]
    earned = sum((Decimal(choice["share"]) for choice in chosen), NOTHING)
    lost = Decimal(sum(choice["id"] in wanted for choice in wrong)) / max(1, len(wrong))
    return Mark(_bounded(earned - lost), _feedback(chosen))


def _of_words(body: Body, text: str) -> Mark:
    is_strict = bool(body.get("is_case_sensitive"))
    fitting = [each for each in body["accepted"] if matches(each["text"], text, is_case_sensitive=is_strict)]
    if not fitting:
        return Mark(NOTHING)
    best = max(fitting, key=lambda each: Decimal(each["share"]))
    return Mark(_bounded(Decimal(best["share"])), _feedback([best]))


def _of_number(body: Body, number: Decimal) -> Mark:
    fitting = [each for each in body["ranges"] if Decimal(each["low"]) <= number <= Decimal(each["high"])]
    if not fitting:
        return Mark(NOTHING)
    best = max(fitting, key=lambda each: Decimal(each["share"]))
    return Mark(_bounded(Decimal(best["share"])), _feedback([best]))


def _of_pairs(body: Body, given: dict[str, str]) -> Mark:
    """Each left counts alike; rights that read alike are one."""
    texts = {pair["id"]: pair["right"] for pair in body["pairs"]}
    lefts = [pair for pair in body["pairs"] if pair["left"]]
    right = sum(texts.get(given.get(pair["id"], "")) == pair["right"] for pair in lefts)
    return Mark(_bounded(Decimal(right) / max(1, len(lefts))))


def _of_sequence(body: Body, given: Sequence[str]) -> Mark:
    """By the longest run of parts that stand in the right order among themselves: one part at a wrong place costs one
    step, not all that it has moved. The reverse order earns nothing."""
    ranks = {part["id"]: rank for rank, part in enumerate(body["sequence"])}
    tails: list[int] = []
    for rank in (ranks[one] for one in given):
        at = bisect_right(tails, rank)
        tails[at : at + 1] = [rank]
    steps = len(ranks) - 1
    return Mark(_bounded(Decimal(len(tails) - 1) / steps) if steps > 0 else ALL)


def _bounded(share: Decimal) -> Decimal:
    return min(ALL, max(NOTHING, share)).quantize(PLACES)


def _feedback(told: Iterable[object]) -> tuple[str, ...]:
    texts = (str(each.get("feedback") or "") for each in told if isinstance(each, dict))
    return tuple(text for text in texts if text)


def _folded(text: str, is_case_sensitive: bool) -> str:
    text = re.sub(r"\s+", " ", unicodedata.normalize("NFC" if is_case_sensitive else "NFKC", text))
    return text if is_case_sensitive else unicodedata.normalize("NFC", text.casefold())


def _split_at_stars(pattern: str) -> list[str]:
    parts, at = [""], 0
    for found in ESCAPED.finditer(pattern):
        parts[-1] += pattern[at : found.start()]
        if found[2]:
            parts.append("")
        else:
            parts[-1] += found[1] if found[1] in "*\\" else found[0]
        at = found.end()
    parts[-1] += pattern[at:]
    return parts
