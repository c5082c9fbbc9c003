"""What a batch of signals adds up to: what one transaction writes for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache

from .entries import LONGEST_QUERY, Signal
from .scoring import HOUR_S, half_lives
from .trends import HOURS_OF

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(slots=True)
class Question:
    text: str
    last_ms: int
    asked: int = 0
    unanswered: int = 0


@dataclass(slots=True)
class Sums:
    """`hours`: by hour since 1970 and entity [signals, first ms, last ms]. `questions` by (organisation, folded text,
    day since 1970). `numbers` of all signals that are in it."""

    hours: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    questions: dict[tuple[str | None, str, int], Question] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)

    @property
    def entities(self) -> set[str]:
        return set().union(*self.hours.values())


def add_up(signals: Sequence[Signal]) -> Sums:
    """Run for every signal: a microsecond here is a tenth of what counting one may take."""
    sums = Sums(numbers=[signal[0] for signal in signals])
    hours, questions = sums.hours, sums.questions
    for _, entity, at_ms, organisation, query, found, stands in signals:
        if entity is not None:
            counts = hours.get(at_ms // HOUR_MS)
            if counts is None:
                counts = hours[at_ms // HOUR_MS] = {}
            count = counts.get(entity)
            if count is None:
                counts[entity] = [1, at_ms, at_ms]
            else:
                count[0] += 1
                if at_ms > count[2]:
                    count[2] = at_ms
                elif at_ms < count[1]:
                    count[1] = at_ms
        if stands and query and (folded := fold(query)):
            key = (organisation, folded, at_ms // DAY_MS)
            question = questions.get(key)
            if question is None:
                question = questions[key] = Question(query, at_ms)
            elif at_ms >= question.last_ms:
                question.text, question.last_ms = query, at_ms
            question.asked += 1
            if not found:
                question.unanswered += 1
    return sums


@lru_cache(maxsize=16_384)
def fold(text: str) -> str:
    """Two spellings of one question are the same: without case, accents and more than one blank."""
    words = " ".join(text.split()).casefold()
    if not words.isascii():
        apart = unicodedata.normalize("NFKD", words)
        words = unicodedata.normalize("NFC", "".join(char for char in apart if not unicodedata.combining(char)))
    return words[:LONGEST_QUERY]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a signal of an hour adds: half-lives since the origin, and 1 to each window it is in (current and previous
    of each span, in turn)."""

    half_lives: float
    windows: tuple[int, ...]


def weights(hours: Iterable[int], *, half_life_days: float, windows_at: int) -> dict[int, Weight]:
    """By hour. `windows_at`: the hour with which the windows end. What is later counts as current: time will catch
    up."""
    made = {}
    for hour in hours:
        age, within = windows_at - hour, []
        for length in HOURS_OF.values():
            within += [int(age < length), int(length <= age < 2 * length)]
        made[hour] = Weight(half_lives(hour * HOUR_S, half_life_days), tuple(within))
    return made


def day_of(day: int) -> date:
    """Days since 1970."""
    return datetime.fromtimestamp(day * 86400, UTC).date()
