"""How an exam on a given day would go, from what is remembered and what was never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .memory import Memory, recall_at


@dataclass(frozen=True, slots=True)
class Readiness:
    """`expected`: the share of the marks to expect, 0 to 1; `seen`: the share of the questions practised so far.

    A model's estimate: each practised question counts with its chance of being recalled that day, each other one with
    that of a guess.
    """

    expected: float
    seen: float


def readiness(memories: Sequence[Memory], *, unseen: int, guessed: float, at: datetime) -> Readiness | None:
    """`unseen` questions would earn `guessed` marks by guessing, in sum. None: there are no questions."""
    questions = len(memories) + unseen
    if questions == 0:
        return None
    recalled = sum(recall_at(memory, at) for memory in memories)
    return Readiness((recalled + guessed) / questions, len(memories) / questions)
