"""What a model says of a call's qualities, and how much of it is kept: a score without a quote that stands in the
transcript is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, Field

from .backing import backed
from .evidence import MOST, Evidence
from .rules import Judged
from .turns import Turn

LEARNER: Final = "LEARNER"
OTHER: Final = "OTHER"
LONGEST_CALL: Final = 120_000  # characters: two hours of talk


class Quote(BaseModel):
    turn: int = Field(description="The number in brackets before the turn")
    quote: str = Field(description="Copied letter for letter from that turn, three words or more")


class QualityScore(BaseModel):
    key: str = Field(description="Of the criterion")
    score: int | None = Field(ge=0, le=100, description="null where the call does not show it")
    why: str = Field(max_length=900, description="One to three plain sentences")
    quotes: list[Quote] = Field(max_length=MOST, description="What in the call shows it")


class Judgement(BaseModel):
    scores: list[QualityScore] = Field(max_length=40)
    feedback: str = Field(max_length=3000, description="To the learner: what to keep, what to do differently next time")


def script_of(turns: Sequence[Turn], learner: str) -> str:
    """The call as it is shown to a model: turns numbered from 0, people by their parts, for their names are none of its
    business."""
    others = [name for name in dict.fromkeys(turn.speaker for turn in turns) if name != learner]
    parts = {name: OTHER if len(others) == 1 else f"{OTHER} {number}" for number, name in enumerate(others, 1)}
    parts[learner] = LEARNER
    return "\n".join(f"[{number}] {parts[turn.speaker]}: {turn.text}" for number, turn in enumerate(turns))


def kept(judgement: Judgement, turns: Sequence[Turn], *, keys: Sequence[str]) -> dict[str, Judged]:
    """For each of the keys, what stands up. Of two judgements about one key the first counts."""
    told: Mapping[str, QualityScore] = {each.key.strip(): each for each in reversed(judgement.scores)}
    return {key: _kept(told.get(key), turns) for key in keys}


def _kept(told: QualityScore | None, turns: Sequence[Turn]) -> Judged:
    if told is None:
        return Judged(None, "Not judged: the model says nothing of it.")
    found = [backed(turns, turn=each.turn, quote=each.quote) for each in told.quotes]
    evidence: tuple[Evidence, ...] = tuple(dict.fromkeys(each for each in found if each))
    why = " ".join(told.why.split())
    if told.score is None:
        return Judged(None, f"Not judged: {why or 'the call does not show it.'}", evidence)
    if not evidence:
        reason = "quotes nothing" if not told.quotes else "quotes what is not in the transcript"
        return Judged(None, f"Rejected: the model gave {told.score}, but {reason}.")
    return Judged(told.score, why, evidence)
