"""What can be counted in a call, of the learner: never how good it is.

Each measure says by what it was measured, or why it could not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import questions, timing
from .call import Call
from .counting import Tally, tallies
from .evidence import MOST, Evidence
from .measure import BY_SECONDS, BY_WORDS, Measure, Measures, missing
from .turns import Turn

__all__ = ["Measure", "Measures", "measure", "measure_call"]

_LEAST_WORDS = 30  # below, a pace says nothing
_LEAST_S = 5.0


def measure(turns: Sequence[Turn], *, learner: str) -> Measures:
    """Of cleaned turns. `learner`: the speaker, in any spelling; empty or unknown: only what is of all is measured."""
    return measure_call(Call.of(turns, learner))


def measure_call(call: Call) -> Measures:
    told = tallies(call)
    own = told.get(call.learner)
    duration_s = timing.duration_s(call.turns)
    measured: dict[str, Measure] = {
        "talk_share": _talk_share(call, told),
        **questions.measured(call, duration_s),
        "longest_monologue": _monologue(call),
        "pace": _pace(call, own),
        "fillers": _fillers(call, told),
        **_at_once(call),
    }
    return Measures(
        learner=call.learner,
        language=call.tongue.code if call.tongue else "",
        turns=len(call.turns),
        words=sum(each.words for each in told.values()),
        duration_s=duration_s,
        speakers=[_speaker(each, call, told) for each in told.values()],
        measured=measured,
    )


def _speaker(tally: Tally, call: Call, told: dict[str, Tally]) -> dict[str, Any]:
    return {
        "speaker": tally.speaker,
        "is_learner": tally.speaker == call.learner,
        "turns": tally.turns,
        "words": tally.words,
        "seconds": _rounded(tally.seconds, 2),
        "share": _rounded(_share(tally, told, is_timed=call.is_timed), 4),
        "questions": tally.questions,
        "fillers": dict(sorted(tally.fillers.items())),
    }


def _share(tally: Tally, told: dict[str, Tally], *, is_timed: bool) -> float | None:
    if is_timed:
        total = sum(each.seconds or 0.0 for each in told.values())
        return (tally.seconds or 0.0) / total if total else None
    words = sum(each.words for each in told.values())
    return tally.words / words if words else None


def _talk_share(call: Call, told: dict[str, Tally]) -> Measure:
    if why := call.why_unknown():
        return missing("share", why)
    share = _share(told[call.learner], told, is_timed=call.is_timed)
    if share is None:
        return missing("share", "Nobody says a word.")
    if call.is_timed:
        return Measure(round(share, 4), "share", BY_SECONDS)
    untimed = sum(turn.seconds is None for turn in call.turns)
    some = "1 turn has no times." if untimed == 1 else f"{untimed} turns have no times."
    why = "The transcript has no times." if untimed in (0, len(call.turns)) else some
    return Measure(round(share, 4), "share", BY_WORDS, why)


def _monologue(call: Call) -> Measure:
    """In seconds where all is timed, else in words."""
    if why := call.why_unknown():
        return missing("seconds", why)
    own = [each for each in timing.stretches(call.turns) if each.speaker == call.learner]
    if call.is_timed:
        longest = max(own, key=lambda stretch: stretch.seconds or 0.0)
        value, unit, basis = round(longest.seconds or 0.0, 2), "seconds", BY_SECONDS
    else:
        longest = max(own, key=lambda stretch: stretch.words)
        value, unit, basis = float(longest.words), "words", BY_WORDS
    found = Evidence.of(longest.first, call.turns[longest.first].text)
    return Measure(value, unit, basis, evidence=(found,))


def _pace(call: Call, own: Tally | None) -> Measure:
    unit = "words per minute"
    if own is None:
        return missing(unit, call.why_unknown())
    if not call.is_timed or own.seconds is None:
        return missing(unit, "The transcript has no times.")
    if own.words < _LEAST_WORDS or own.seconds < _LEAST_S:
        return missing(unit, f"The learner says too little to tell: {own.words} words in {own.seconds:.0f} seconds.")
    return Measure(round(own.words * 60 / own.seconds, 1), unit, BY_SECONDS)


def _fillers(call: Call, told: dict[str, Tally]) -> Measure:
    unit = "per 100 words"
    if why := call.why_unknown() or _why_no_fillers(call, told):
        return missing(unit, why)
    own = told[call.learner]
    value = 100 * own.fillers.total() / own.words if own.words else 0.0
    return Measure(round(value, 2), unit, BY_WORDS, detail=dict(sorted(own.fillers.items())))


def _why_no_fillers(call: Call, told: dict[str, Tally]) -> str:
    if call.tongue is None:
        return "The language is not known."
    if not any(each.is_verbatim_call for each in told.values()):
        return "The transcript is not verbatim: no hesitations of anybody are written down."
    return ""


def _at_once(call: Call) -> dict[str, Measure]:
    why = call.why_unknown() or ("" if call.is_timed else "The transcript has no times.")
    if why:
        return {"interruptions": missing("count", why), "overlap": missing("seconds", why)}
    overlap = timing.overlap_s(call.turns, call.learner)
    found = timing.interruptions(call.turns, call.learner)
    note = "" if overlap else "No two turns overlap; some services never write that they do."
    shown = tuple(Evidence.of(index, call.turns[index].text) for index in found[:MOST])
    return {
        "interruptions": Measure(float(len(found)), "count", BY_SECONDS, note, shown),
        "overlap": Measure(round(overlap, 2), "seconds", BY_SECONDS, note),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
