"""What the right answer was, in the places that the learner saw."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from ..exchange.item import Kind
from .bodies import AcceptedBody, Body, RangeBody


def right_of(kind: str, body: Body, shown: Sequence[str]) -> dict[str, Any]:
    """`{"choices": ["2"]}`, `{"pairs": {"1": "3"}}`, `{"sequence": ["2", "1"]}` or `{"texts": ["3.1 to 3.3"]}`; of
    several answers in words or numbers those that earn most."""
    place = {one: str(index) for index, one in enumerate(shown, 1)}
    if kind == Kind.MATCHING:
        of_text = {pair["right"]: place[pair["id"]] for pair in body["pairs"] if pair["id"] in place}
        lefts = [pair for pair in body["pairs"] if pair["left"]]
        return {"pairs": {str(index): of_text[pair["right"]] for index, pair in enumerate(lefts, 1)}}
    if kind == Kind.ORDERING:
        return {"sequence": [place[part["id"]] for part in body["sequence"]]}
    if kind == Kind.SHORT:
        return {"texts": [each["text"] for each in _best(body["accepted"])]}
    if kind == Kind.NUMERIC:
        return {"texts": [_range(each) for each in _best(body["ranges"])]}
    choices = body["choices"]
    best = max(Decimal(choice["share"]) for choice in choices)
    right = [
        c["id"] for c in choices if Decimal(c["share"]) > 0 and (kind == Kind.MULTIPLE or Decimal(c["share"]) == best)
    ]
    return {"choices": sorted((place[one] for one in right), key=int)}


def _best(told: Sequence[Any]) -> list[Any]:
    best = max((Decimal(each["share"]) for each in told), default=Decimal(0))
    found: list[AcceptedBody | RangeBody] = [each for each in told if Decimal(each["share"]) == best]
    return found


def _range(told: RangeBody) -> str:
    low, high = Decimal(told["low"]), Decimal(told["high"])
    return f"{low:f}" if low == high else f"{low:f} to {high:f}"
