"""How long jobs of a kind take in this process: what decides whether many of them are claimed in one go."""

from __future__ import annotations

from collections.abc import Iterable

from . import tuning

WEIGHT = 0.2  # of the latest run: one that takes a second makes its kind long for the next dozen runs


class Pace:
    """Moving averages, in seconds. A kind that has not run here yet counts as long."""

    def __init__(self) -> None:
        self._average_s: dict[str, float] = {}

    def note(self, kind: str, seconds: float) -> None:
        before = self._average_s.get(kind)
        self._average_s[kind] = seconds if before is None else before + WEIGHT * (seconds - before)

    def is_brief(self, kind: str) -> bool:
        return self._average_s.get(kind, tuning.BRIEF_S) < tuning.BRIEF_S

    def brief_kinds(self) -> list[str]:
        return [kind for kind in self._average_s if self.is_brief(kind)]

    def seconds_of(self, kinds: Iterable[str]) -> float:
        """The longest average among them; 0 without any."""
        return max((self._average_s.get(kind, 0.0) for kind in kinds), default=0.0)
