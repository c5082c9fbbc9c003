"""What each speaker says, counted in one pass over the words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from . import timing
from .call import Call, is_verbatim
from .words import sentences_in, words_in


@dataclass(slots=True)
class Tally:
    """`seconds`: None where the call is not timed. `is_verbatim_call`: of the whole call, the same for all."""

    speaker: str
    turns: int = 0
    words: int = 0
    seconds: float | None = None
    questions: int = 0
    fillers: Counter[str] = field(default_factory=Counter)
    is_verbatim_call: bool = False


def tallies(call: Call) -> dict[str, Tally]:
    """By speaker, in the order in which they first speak."""
    told = {speaker: Tally(speaker) for speaker in call.speakers()}
    fillers = call.tongue.fillers if call.tongue else frozenset()
    for turn in call.turns:
        tally = told[turn.speaker]
        tally.turns += 1
        for word in words_in(turn.text):
            tally.words += 1
            if word.folded in fillers:
                tally.fillers[word.folded] += 1
        tally.questions += sum(sentence.is_question for sentence in sentences_in(turn.text))
    seconds = timing.seconds_by_speaker(call.turns) if call.is_timed else {}
    count = sum(tally.fillers.total() for tally in told.values())
    words = sum(tally.words for tally in told.values())
    for tally in told.values():
        tally.seconds = seconds.get(tally.speaker)
        tally.is_verbatim_call = is_verbatim(count, words)
    return told
