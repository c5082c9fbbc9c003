"""What a batch of signals adds up to: what one transaction writes for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from math import log2

from .entries import LONGEST_QUERY, Signal
from .scoring import HOUR_S, half_lives, rank_of
from .trends import HOURS_OF

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(slots=True)
class Asked:
    """Of one entity: signals by hour (since 1970), and the first and last moment (ms)."""

    first_ms: int
    last_ms: int
    hours: dict[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.hours.values())


@dataclass(slots=True)
class Question:
    text: str
    last_ms: int
    asked: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class Sums:
    """`questions` by (organisation, folded text, day since 1970); `numbers` of all signals that are in it."""

    entities: dict[str, Asked] = field(default_factory=dict)
    questions: dict[tuple[str | None, str, int], Question] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)


def add_up(signals: Iterable[Signal]) -> Sums:
    sums = Sums()
    entities, questions, numbers = sums.entities, sums.questions, sums.numbers
    for number, entity, at_ms, organisation, query, found, stands in signals:
        numbers.append(number)
        if entity is not None:
            asked = entities.get(entity)
            if asked is None:
                asked = entities[entity] = Asked(at_ms, at_ms)
            elif at_ms > asked.last_ms:
                asked.last_ms = at_ms
            elif at_ms < asked.first_ms:
                asked.first_ms = at_ms
            hour = at_ms // HOUR_MS
            asked.hours[hour] = asked.hours.get(hour, 0) + 1
        if stands and query and (folded := fold(query)):
            key = (organisation, folded, at_ms // DAY_MS)
            question = questions.get(key)
            if question is None:
                question = questions[key] = Question(query, at_ms)
            elif at_ms >= question.last_ms:
                question.text, question.last_ms = query, at_ms
            question.asked += 1
            question.unanswered += not found
    return sums


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """Two spellings of one question are the same: without case, accents and more than one blank."""
    words = " ".join(text.split()).casefold()
    if not words.isascii():
        apart = unicodedata.normalize("NFKD", words)
        words = unicodedata.normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))
    return words[:LONGEST_QUERY]


@dataclass(slots=True)
class Columns:
    """A row per entity, in the order of their ids: what its EntityDemand grows by."""

    ids: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)
    last_s: list[float] = field(default_factory=list)
    windows: dict[str, tuple[list[int], list[int]]] = field(
        default_factory=lambda: {span: ([], []) for span in HOURS_OF}
    )
    bucket_ids: list[str] = field(default_factory=list)
    bucket_hours: list[int] = field(default_factory=list)
    bucket_counts: list[int] = field(default_factory=list)


def columns_of(sums: Sums, *, half_life_days: float, windows_at: int) -> Columns:
    """`windows_at`: the hour with which the windows end. What is later counts as current: time will catch up."""
    made, places = Columns(), _places(sums, half_life_days, windows_at)
    windows = [column for span in HOURS_OF for column in made.windows[span]]
    for entity in sorted(sums.entities):
        asked = sums.entities[entity]
        counted = [0] * len(windows)
        for hour, count in asked.hours.items():
            made.bucket_ids.append(entity)
            made.bucket_hours.append(hour)
            made.bucket_counts.append(count)
            for place in places[hour][1]:
                counted[place] += count
        made.ids.append(entity)
        made.counts.append(asked.count)
        made.ranks.append(_rank(asked.hours, places, half_life_days))
        made.first_s.append(asked.first_ms / 1000)
        made.last_s.append(asked.last_ms / 1000)
        for column, count in zip(windows, counted, strict=True):
            column.append(count)
    return made


def _rank(hours: dict[int, int], places: dict[int, tuple[float, list[int]]], half_life_days: float) -> float:
    if len(hours) > 1:
        return rank_of(hours.items(), half_life_days)
    [(hour, count)] = hours.items()  # by far most
    return places[hour][0] + log2(count)


def _places(sums: Sums, half_life_days: float, windows_at: int) -> dict[int, tuple[float, list[int]]]:
    """By hour: half-lives since the origin, and the windows that it is in (current and previous of each, in turn)."""
    made: dict[int, tuple[float, list[int]]] = {}
    for hour in {hour for asked in sums.entities.values() for hour in asked.hours}:
        age, within = windows_at - hour, []
        for number, hours in enumerate(HOURS_OF.values()):
            if age < hours:
                within.append(2 * number)
            elif age < 2 * hours:
                within.append(2 * number + 1)
        made[hour] = half_lives(hour * HOUR_S, half_life_days), within
    return made


def day_of(day: int) -> date:
    """Days since 1970."""
    return datetime.fromtimestamp(day * 86400, UTC).date()
