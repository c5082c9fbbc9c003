"""When a question should come again: FSRS-6 (open-spaced-repetition, default parameters) through the package `fsrs`.

Its own fuzz is off: the same answers give the same days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from fsrs import Card, Rating, Scheduler, State

from .marking import Mark

DESIRED_RETENTION = 0.9
WORDS_PER_SECOND = 2.5  # of somebody who reads to understand
THINKING_S = 30.0
_scheduler = Scheduler(desired_retention=DESIRED_RETENTION, enable_fuzzing=False)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one person and one wording. `state`: 1 learning, 2 review, 3 relearning; `stability` in days; times in UTC."""

    due: datetime
    state: int = 1
    step: int | None = 0
    stability: float | None = None
    difficulty: float | None = None
    last_review: datetime | None = None


def rating_of(share: Decimal, *, is_unsure: bool = False, seconds: float | None = None, words: int = 0) -> int:
    """1 again, 2 hard, 3 good. Wrong, also in part: again. Right, but unsure or slow for its `words`: hard.

    Never easy: that nobody but the learner knows.
    """
    if not Mark(share).is_right:
        return int(Rating.Again)
    is_slow = seconds is not None and seconds > THINKING_S + words / WORDS_PER_SECOND
    return int(Rating.Hard if is_unsure or is_slow else Rating.Good)


def reviewed(memory: Memory, rating: int, at: datetime) -> Memory:
    """The memory after a review at `at` (aware), with its next `due`."""
    at = at.astimezone(UTC)
    if memory.last_review is not None:
        at = max(at, memory.last_review.astimezone(UTC))  # clocks of two servers differ
    card, _ = _scheduler.review_card(_card(memory), Rating(rating), at)
    return replace(
        memory,
        due=card.due,
        state=int(card.state),
        step=card.step,
        stability=card.stability,
        difficulty=card.difficulty,
        last_review=card.last_review,
    )


def recall_at(memory: Memory, at: datetime) -> float:
    """How likely it will be known at `at` if nothing is practised until then, 0 to 1."""
    return float(_scheduler.get_card_retrievability(_card(memory), at.astimezone(UTC)))


def _card(memory: Memory) -> Card:
    return Card(
        card_id=0,
        state=State(memory.state),
        step=memory.step,
        stability=memory.stability,
        difficulty=memory.difficulty,
        due=memory.due.astimezone(UTC),
        last_review=memory.last_review.astimezone(UTC) if memory.last_review else None,
    )
