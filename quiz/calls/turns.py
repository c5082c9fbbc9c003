"""A call's transcript: who said what, in order, and when if it was timed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypedDict


class Unreadable(Exception):
    """A transcript that cannot be read. `reason` is for people and says what to do about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TurnJson(TypedDict):
    speaker: str
    text: str
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker says at a stretch. Times are seconds from the start of the call; None: not timed."""

    speaker: str
    text: str
    start_s: float | None = None
    end_s: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long it takes; None where either time is missing."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s

    def to_json(self) -> TurnJson:
        return {"speaker": self.speaker, "text": self.text, "start_s": self.start_s, "end_s": self.end_s}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Turn:
        """Reads what `to_json` wrote; a time that is no finite number is none."""
        return cls(
            speaker=str(told.get("speaker") or ""),
            text=str(told.get("text") or ""),
            start_s=_time(told.get("start_s")),
            end_s=_time(told.get("end_s")),
        )


@dataclass(frozen=True, slots=True)
class Transcript:
    """All turns of a call. `format`: what they were read from (json, vapi, text, vtt, srt)."""

    turns: tuple[Turn, ...]
    format: str


def turns_from_json(told: Iterable[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """As a session's `clean` holds them, or the turns of its `raw`."""
    return tuple(Turn.from_json(turn) for turn in told)


def _time(told: Any) -> float | None:
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    return float(told) if isfinite(told) else None
