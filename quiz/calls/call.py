"""A cleaned transcript with what all measures and rules need to know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .speakers import speaker_key
from .timing import is_timed
from .tongues import Tongue, tongue_of
from .turns import Turn

# A call is verbatim if hesitations are written down at all: services that tidy up leave none.
_VERBATIM_COUNT = 2
_VERBATIM_PER_WORD = 0.002


@dataclass(frozen=True, slots=True)
class Call:
    """`learner`: spelled as in the turns; empty: not known. `tongue`: None: not known."""

    turns: tuple[Turn, ...]
    learner: str
    tongue: Tongue | None
    is_timed: bool

    @classmethod
    def of(cls, turns: Sequence[Turn], learner: str) -> Call:
        """`learner` in any spelling."""
        key = speaker_key(learner) if learner.strip() else ""
        spelled = next((turn.speaker for turn in turns if key and speaker_key(turn.speaker) == key), "")
        return cls(tuple(turns), spelled, tongue_of(turn.text for turn in turns), is_timed(turns))

    def own(self) -> Iterator[tuple[int, Turn]]:
        """The learner's turns, numbered from 0 among all."""
        return ((index, turn) for index, turn in enumerate(self.turns) if turn.speaker == self.learner)

    def speakers(self) -> list[str]:
        """In the order in which they first speak."""
        return list(dict.fromkeys(turn.speaker for turn in self.turns))

    def why_unknown(self) -> str:
        """Why nothing can be said of the learner; empty: it can."""
        if self.learner:
            return ""
        names = self.speakers()
        told = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        return f"It is not known who the learner is: {told}."


def is_verbatim(fillers: int, words: int) -> bool:
    return fillers >= max(_VERBATIM_COUNT, _VERBATIM_PER_WORD * words)
