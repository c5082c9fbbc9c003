"""A measure: its value, by what it was measured, or why it was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from .evidence import Evidence

BY_SECONDS: Final = "by seconds"
BY_WORDS: Final = "by words"

LABELS: Final[Mapping[str, str]] = {
    "talk_share": "Talk share",
    "questions": "Questions",
    "open_questions": "Open questions",
    "questions_per_minute": "Questions a minute",
    "longest_monologue": "Longest monologue",
    "pace": "Pace",
    "fillers": "Fillers",
    "interruptions": "Interruptions",
    "overlap": "Both at once",
}


@dataclass(frozen=True, slots=True)
class Measure:
    """`value` None: not measured, and `why` says why; with a value, `why` is what to know of it.

    unit: share (0 to 1), count, per minute, seconds, words, words per minute, per 100 words. basis: "by seconds" or
    "by words". detail: counts by word (fillers).
    """

    value: float | None
    unit: str
    basis: str | None
    why: str = ""
    evidence: tuple[Evidence, ...] = ()
    detail: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> str:
        """For people: "42 %", "1 min 05 s", "not measured"."""
        return "not measured" if self.value is None else _shown(self.value, self.unit)

    def to_json(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = {
            "label": LABELS[name], "value": self.value, "unit": self.unit, "basis": self.basis, "why": self.why,
            "shown": self.shown, "evidence": [each.to_json() for each in self.evidence],
        }  # fmt: skip
        return told | ({"detail": dict(self.detail)} if self.detail else {})


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one call. `measured`: by name, in the order of LABELS. `speakers`: all of them, in the order they speak."""

    learner: str
    language: str
    turns: int
    words: int
    duration_s: float | None
    speakers: list[dict[str, Any]]
    measured: Mapping[str, Measure]

    def to_json(self) -> dict[str, Any]:
        """{"learner", "language", "turns", "words", "duration_s", "speakers": [{speaker, is_learner, turns, words,
        seconds, share, questions, fillers}], and by name {label, value, unit, basis, why, shown, evidence}}."""
        return {
            "learner": self.learner,
            "language": self.language,
            "turns": self.turns,
            "words": self.words,
            "duration_s": None if self.duration_s is None else round(self.duration_s, 3),
            "speakers": self.speakers,
            **{name: self.measured[name].to_json(name) for name in LABELS},
        }


def missing(unit: str, why: str) -> Measure:
    return Measure(None, unit, None, why)


def _shown(value: float, unit: str) -> str:
    if unit == "share":
        return f"{value * 100:.0f} %"
    if unit == "seconds":
        minutes, seconds = divmod(round(value), 60)
        return f"{minutes} min {seconds:02d} s" if minutes else f"{value:.3g} s"
    if unit == "count":
        return f"{value:.0f}"
    digits = f"{value:.0f}" if unit in ("words", "words per minute") else f"{value:.1f}"
    return f"{digits} {unit}"
