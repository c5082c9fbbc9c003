"""What two readings of one tender say, set side by side: factor by factor, and what only one of them found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..analysis import Assessment
from ..analysis.schema import Fact, KeyDate
from .comparing import Comparison

_SPACE = re.compile(r"\s+")
TITLES = {"key_dates": "Dates", "qualifications": "What bidders must have", "risks": "Risks"}


@dataclass(frozen=True, slots=True)
class Side:
    """Of one factor, as one reading has it. `value`: how far it holds; `contribution`: its share of the score."""

    value: float
    contribution: float
    why: str
    quote: str


@dataclass(frozen=True, slots=True)
class FactorRow:
    """None: that reading does not name the factor."""

    name: str
    rules: Side | None
    model: Side | None


@dataclass(frozen=True, slots=True)
class Found:
    """Something that a reading found in the notice, with the words it found it in. `by`: rules, model or both."""

    text: str
    quote: str
    by: str


@dataclass(frozen=True, slots=True)
class FoundGroup:
    title: str
    items: list[Found]


def factors_of(comparison: Comparison) -> list[FactorRow]:
    """What counts most in either reading first."""
    rules, model = _sides(comparison.rules), _sides(comparison.model)
    rows = [FactorRow(name, rules.get(name), model.get(name)) for name in dict.fromkeys([*rules, *model])]
    return sorted(rows, key=lambda row: -max(abs(side.contribution) for side in (row.rules, row.model) if side))


def _sides(reading: Assessment) -> dict[str, Side]:
    return {
        factor.name: Side(factor.value, factor.contribution, factor.why, factor.quote) for factor in reading.factors
    }


def found_by(comparison: Comparison) -> list[FoundGroup]:
    """Dates, qualifications and risks: those that both found, then those of the rules alone, of the model alone."""
    groups = []
    for name, title in TITLES.items():
        ours: list[Fact | KeyDate] = getattr(comparison.rules, name)
        theirs: list[Fact | KeyDate] = getattr(comparison.model, name)
        if ours or theirs:
            groups.append(FoundGroup(title, _found(ours, theirs)))
    return groups


def _found(ours: Sequence[Fact | KeyDate], theirs: Sequence[Fact | KeyDate]) -> list[Found]:
    both = [item for item in theirs if any(_are_same(item, other) for other in ours)]
    rules = [item for item in ours if not any(_are_same(item, other) for other in theirs)]
    model = [item for item in theirs if item not in both]
    return [_told(item, by) for by, items in (("both", both), ("rules", rules), ("model", model)) for item in items]


def _told(item: Fact | KeyDate, by: str) -> Found:
    text = f"{item.on:%-d %b %Y}: {item.what}" if isinstance(item, KeyDate) else item.text
    return Found(text, item.quote if _plain(item.quote) != _plain(text) else "", by)


def _are_same(one: Fact | KeyDate, other: Fact | KeyDate) -> bool:
    """The same day; or the words of one are among those of the other."""
    if isinstance(one, KeyDate) and isinstance(other, KeyDate):
        return one.on == other.on
    first, second = _plain(one.quote), _plain(other.quote)
    return bool(first and second) and (first in second or second in first)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()
