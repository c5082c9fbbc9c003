"""Who talked when: seconds of each, both at once, interruptions, stretches. Of turns in the order they begin in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .turns import Turn
from .words import count_words

# As much of both talking at once is no interruption: turns overlap a little wherever people take them.
SLACK_S = 0.3


@dataclass(frozen=True, slots=True)
class Stretch:
    """One speaker's turns with nobody else's in between. `seconds`: talked, without pauses between the turns; None:
    not all of them are timed."""

    speaker: str
    first: int
    words: int
    seconds: float | None


def is_timed(turns: Sequence[Turn]) -> bool:
    """All of them, and they take some time at all."""
    return all(turn.seconds is not None for turn in turns) and any(turn.seconds for turn in turns)


def duration_s(turns: Sequence[Turn]) -> float | None:
    """From the first beginning to the last end that is known."""
    starts = [turn.start_s for turn in turns if turn.start_s is not None]
    ends = [turn.end_s for turn in turns if turn.end_s is not None]
    return max(ends) - min(starts) if starts and ends and max(ends) > min(starts) else None


def seconds_by_speaker(turns: Sequence[Turn]) -> dict[str, float]:
    """What one says twice at once counts once."""
    talked: dict[str, float] = {}
    until: dict[str, float] = {}
    for start_s, end_s, speaker in _intervals(turns):
        begins = max(start_s, until.get(speaker, start_s))
        talked[speaker] = talked.get(speaker, 0.0) + max(0.0, end_s - begins)
        until[speaker] = max(end_s, until.get(speaker, end_s))
    return talked


def overlap_s(turns: Sequence[Turn], speaker: str) -> float:
    """How long the speaker and anybody else talk at once: own and others' time, less the time that either talks."""
    own = [turn for turn in turns if turn.speaker == speaker]
    others = [turn for turn in turns if turn.speaker != speaker]
    return max(0.0, _covered(own) + _covered(others) - _covered(turns))


def interruptions(turns: Sequence[Turn], speaker: str) -> list[int]:
    """Turns that the speaker begins while another still talks, who then stops before the speaker does."""
    found = []
    other_until = float("-inf")
    for index, turn in enumerate(turns):
        start_s, end_s = turn.start_s or 0.0, turn.end_s or 0.0
        if turn.speaker != speaker:
            other_until = max(other_until, end_s)
        elif start_s + SLACK_S <= other_until < end_s:
            found.append(index)
    return found


def stretches(turns: Sequence[Turn]) -> Iterator[Stretch]:
    first, words, seconds = 0, 0, 0.0
    is_known = True
    for index, turn in enumerate(turns):
        if index and turn.speaker != turns[index - 1].speaker:
            yield Stretch(turns[first].speaker, first, words, seconds if is_known else None)
            first, words, seconds, is_known = index, 0, 0.0, True
        words += count_words(turn.text)
        seconds += turn.seconds or 0.0
        is_known = is_known and turn.seconds is not None
    if turns:
        yield Stretch(turns[first].speaker, first, words, seconds if is_known else None)


def _covered(turns: Sequence[Turn]) -> float:
    covered, until = 0.0, float("-inf")
    for start_s, end_s, _ in _intervals(turns):
        covered += max(0.0, end_s - max(start_s, until))
        until = max(until, end_s)
    return covered


def _intervals(turns: Sequence[Turn]) -> list[tuple[float, float, str]]:
    return sorted(
        (turn.start_s, turn.end_s, turn.speaker)
        for turn in turns
        if turn.start_s is not None and turn.end_s is not None
    )
