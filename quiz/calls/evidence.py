"""Where in a call something was said: the turn, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from .words import beginning, quoted

MOST = 5  # shown of anything


class EvidenceJson(TypedDict):
    turn: int
    quote: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """`turn`: from 0. `quote`: a piece of the turn's text, letter for letter."""

    turn: int
    quote: str

    @classmethod
    def around(cls, turn: int, text: str, start: int, end: int) -> Evidence:
        """The sentence that holds `text[start:end]`."""
        return cls(turn, quoted(text, start, end))

    @classmethod
    def of(cls, turn: int, text: str) -> Evidence:
        """How the text begins."""
        return cls(turn, beginning(text))

    def to_json(self) -> EvidenceJson:
        return {"turn": self.turn, "quote": self.quote}
