"""What a learner is shown of a question, and their answers turned back into its ids.

Choices, rights and parts go out under their place in the order shown ("1", "2", …): ids of the body could tell what is
right (a part's its place, a right's its left).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Any

from ..exchange.item import Kind
from .bodies import Body, Given

LONGEST_TEXT = 500
CHOOSING = (Kind.SINGLE, Kind.MULTIPLE, Kind.TRUE_FALSE)
# "Both A and C": letters name places, so the order stays.
LETTERS = re.compile(r"\b[A-Ha-h]\b\s*(?:,|and\b|or\b|&|\+)\s*[A-Ha-h]\b")
# "All of the above", "None of these answers": they make sense at the end.
CLOSING = re.compile(
    r"\b(?:all|none|both|neither|either|any)\b.{0,20}\b(?:above|these|those|other|listed|mentioned)\b", re.IGNORECASE
)


class BadAnswer(ValueError):
    """The answer does not fit the question; the message says to a person what it takes."""


def order_of(kind: str, body: Body, seed: str) -> list[str]:
    """Ids of choices, rights or parts in the order to show them, the same for the same seed; [] for the other kinds.

    True and false stay as they are, so do choices that name each other by letter; "all of the above" stays at the end.
    """
    draw = random.Random(seed)  # noqa: S311  # an order, no secret
    if kind == Kind.MATCHING:
        return _rights(body, draw)
    if kind == Kind.ORDERING:
        return _shuffled([part["id"] for part in body["sequence"]], draw)
    if kind not in CHOOSING:
        return []
    choices = body["choices"]
    if kind == Kind.TRUE_FALSE or any(LETTERS.search(choice["text"]) for choice in choices):
        return [choice["id"] for choice in choices]
    closing = [choice["id"] for choice in choices if CLOSING.search(choice["text"])]
    return [*_shuffled([choice["id"] for choice in choices if choice["id"] not in closing], draw), *closing]


def asked(kind: str, body: Body, shown: Sequence[str]) -> dict[str, Any]:
    """What goes out of the body: `{"choices": [{"id", "text"}]}`, `{"lefts": […], "rights": […]}`, `{"parts": […]}`,
    or nothing; ids are places."""
    if kind in CHOOSING:
        return {"choices": _placed(shown, {choice["id"]: choice["text"] for choice in body["choices"]})}
    if kind == Kind.ORDERING:
        return {"parts": _placed(shown, {part["id"]: part["text"] for part in body["sequence"]})}
    if kind == Kind.MATCHING:
        lefts = [pair for pair in body["pairs"] if pair["left"]]
        return {
            "lefts": [{"id": str(place), "text": pair["left"]} for place, pair in enumerate(lefts, 1)],
            "rights": _placed(shown, {pair["id"]: pair["right"] for pair in body["pairs"]}),
        }
    return {}


def given_of(kind: str, body: Body, shown: Sequence[str], answer: Any) -> Given:
    """An answer by places (`Given`'s shape) as ids of the body. BadAnswer."""
    if not isinstance(answer, dict):
        raise BadAnswer('An answer is an object, such as {"choice": "2"}.')
    if kind in (Kind.SINGLE, Kind.TRUE_FALSE):
        return {"choice": _id_at(shown, answer.get("choice"))}
    if kind == Kind.MULTIPLE:
        places = _several(answer.get("choices"), "choices")
        return {"choices": sorted({_id_at(shown, place) for place in places})}
    if kind == Kind.ORDERING:
        ids = [_id_at(shown, place) for place in _several(answer.get("sequence"), "sequence")]
        if sorted(ids) != sorted(shown):
            raise BadAnswer("Give every part once, in your order.")
        return {"sequence": ids}
    if kind == Kind.MATCHING:
        return {"pairs": _pairs(body, shown, answer.get("pairs"))}
    return {"text": _text(answer.get("text"))}


def places_of(kind: str, body: Body, shown: Sequence[str], given: Given) -> dict[str, Any]:
    """The way back: an answer by ids as the learner gave it, by places."""
    place = {one: str(index) for index, one in enumerate(shown, 1)}
    if "choice" in given:
        return {"choice": place[given["choice"]]}
    if "choices" in given:
        return {"choices": sorted((place[one] for one in given["choices"]), key=int)}
    if "sequence" in given:
        return {"sequence": [place[one] for one in given["sequence"]]}
    if "pairs" in given:
        lefts = {pair["id"]: str(index) for index, pair in enumerate((p for p in body["pairs"] if p["left"]), 1)}
        return {"pairs": {lefts[left]: place[right] for left, right in given["pairs"].items()}}
    return {"text": given.get("text", "")}


def _rights(body: Body, draw: random.Random) -> list[str]:
    """One of each wording: rights that read alike are one to whoever chooses."""
    unique = {pair["right"]: pair["id"] for pair in reversed(body["pairs"])}
    return _shuffled(sorted(unique.values()), draw)


def _shuffled(ids: list[str], draw: random.Random) -> list[str]:
    return draw.sample(ids, len(ids))


def _placed(shown: Sequence[str], texts: dict[str, str]) -> list[dict[str, str]]:
    return [{"id": str(place), "text": texts[one]} for place, one in enumerate(shown, 1)]


def _id_at(shown: Sequence[str], place: Any) -> str:
    text = str(place) if isinstance(place, str | int) else ""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= len(shown):
        raise BadAnswer(f"Choose one of 1 to {len(shown)}.")
    return shown[int(text[:4]) - 1]


def _several(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > 100:
        raise BadAnswer(f'Give a list: {{"{name}": ["2", "1"]}}.')
    return value


def _pairs(body: Body, shown: Sequence[str], value: Any) -> dict[str, str]:
    lefts = [pair["id"] for pair in body["pairs"] if pair["left"]]
    if not isinstance(value, dict) or len(value) > len(lefts):
        raise BadAnswer('Give the right of each left: {"pairs": {"1": "3"}}.')
    return {_id_at(lefts, left): _id_at(shown, right) for left, right in value.items()}


def _text(value: Any) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise BadAnswer('Give the answer as text: {"text": "…"}.')
    text = str(value).strip()
    if not text:
        raise BadAnswer("Write an answer.")
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise BadAnswer(f"An answer has at most {LONGEST_TEXT} characters.")
    return text
