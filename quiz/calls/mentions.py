"""What was said, in which words: phrases, a greeting, a summary, a next step. With the quote and the turn of each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .call import Call
from .evidence import MOST, Evidence
from .tongues import NAMES, Phrases, Tongue
from .turns import Turn
from .words import Word, find_phrase, phrase_of, words_in

OPENING_TURNS = 3
CLOSING_SHARE = 4  # the last quarter
ANSWER_TURNS = 2  # within so many turns somebody agrees
ASSENT_WORDS = 6  # an assent stands at the beginning of a turn
STEP, TIME, ASSENT = 50, 25, 25
_CLOCK = re.compile(
    r"\b\d{1,2}[:.]\d{2}\b|\b\d{1,2}\s?(?:am|pm|a\.m|p\.m|uhr|h)\b|\b\d{1,2}\.\s?\d{1,2}\.|\b\d{4}-\d\d-\d\d\b"
    r"|\b(?:in|within|innerhalb von|en|dans)\s(?:\w+\s){0,2}(?:minutes?|hours?|days?|weeks?|stunden?|tagen?|wochen?|"
    r"días|semanas?|jours?|semaines?)\b",
    re.IGNORECASE,
)
Numbered = Sequence[tuple[int, Turn]]


@dataclass(frozen=True, slots=True)
class Said:
    score: int | None
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """`turn`: in which it is named. `answer`: in which it is agreed to; None: nobody does."""

    turn: int
    evidence: tuple[Evidence, ...]
    has_time: bool
    answer: int | None

    @property
    def score(self) -> int:
        return STEP + TIME * self.has_time + ASSENT * (self.answer is not None)


def phrases_said(rule: Mapping[str, Any], call: Call) -> Said:
    told: list[str] = rule["phrases"]
    needed = int(rule.get("at_least", len(told)))
    found = _mentions(told, _considered(rule, call))
    said = [phrase for phrase in told if phrase in found]
    left = [phrase for phrase in told if phrase not in found]
    reason = f"{len(said)} of {len(told)} said" + (f", {needed} are enough" if needed < len(told) else "") + "."
    if left and len(said) < needed:
        reason += f" Not said: {_listed(left)}."
    shown = tuple(dict.fromkeys(found[phrase] for phrase in said))[:MOST]
    return Said(round(100 * min(1.0, len(said) / needed)), reason, shown)


def phrases_avoided(rule: Mapping[str, Any], call: Call) -> Said:
    found = _mentions(rule["phrases"], _considered(rule, call))
    if not found:
        return Said(100, "None of the phrases is said.")
    return Said(0, f"Said: {_listed(found)}.", tuple(dict.fromkeys(found.values()))[:MOST])


def greeting(rule: Mapping[str, Any], call: Call) -> Said:
    return _built_in(call, "opening", lambda tongue: tongue.greetings, "Greets", "No greeting in the first turns")


def summary(rule: Mapping[str, Any], call: Call) -> Said:
    return _built_in(
        call, "closing", lambda tongue: tongue.summaries, "Sums up", "Nothing that sums up towards the end"
    )


def next_step(rule: Mapping[str, Any], call: Call) -> Said:
    if call.tongue is None:
        return _unknown_language()
    best = find_next_step(call)
    if best is None:
        return Said(0, "No next step is named.")
    told = ["A next step is named", "with a day or time" if best.has_time else "without a day or time"]
    told.append("and the other side agrees" if best.answer is not None else "and nobody says yes to it")
    return Said(best.score, " ".join(told) + ".", best.evidence)


def find_next_step(call: Call) -> NextStep | None:
    """The one with most to it; of these the last. None: there is none, or the language is not known."""
    if call.tongue is None:
        return None
    best: NextStep | None = None
    for index, turn in enumerate(call.turns):
        place = _first(words_in(turn.text), call.tongue.steps)
        if place is None:
            continue
        found = _next_step_at(call, index, turn, place, call.tongue)
        if best is None or found.score >= best.score:
            best = found
    return best


def _next_step_at(call: Call, index: int, turn: Turn, place: tuple[int, int], tongue: Tongue) -> NextStep:
    named = Evidence.around(index, turn.text, *place)
    following = list(enumerate(call.turns[index + 1 : index + 1 + ANSWER_TURNS], index + 1))
    answer = next((at for at, other in following if other.speaker != turn.speaker and _assents(other, tongue)), None)
    has_time = _has_time(turn.text, tongue) or any(_has_time(other.text, tongue) for _, other in following)
    evidence = (named,) if answer is None else (named, Evidence.of(answer, call.turns[answer].text))
    return NextStep(index, evidence, has_time, answer)


def _assents(turn: Turn, tongue: Tongue) -> bool:
    return _first(words_in(turn.text[:200])[:ASSENT_WORDS], tongue.assents) is not None


def _has_time(text: str, tongue: Tongue) -> bool:
    return _CLOCK.search(text) is not None or _first(words_in(text), tongue.times) is not None


def _built_in(call: Call, where: str, phrases: Any, yes: str, no: str) -> Said:
    if call.tongue is None:
        return _unknown_language()
    for index, turn in _considered({"where": where}, call):
        place = _first(words_in(turn.text), phrases(call.tongue))
        if place is not None:
            found = Evidence.around(index, turn.text, *place)
            return Said(100, f"{yes}: “{turn.text[slice(*place)]}”.", (found,))
    return Said(0, f"{no}.")


def _unknown_language() -> Said:
    return Said(None, f"Not measured: the language is not known; it is looked for in {NAMES}.")


def _considered(rule: Mapping[str, Any], call: Call) -> Numbered:
    """The turns that a rule is about."""
    by, where = rule.get("by", "learner"), rule.get("where", "anywhere")
    turns = [
        (index, turn)
        for index, turn in enumerate(call.turns)
        if by == "anyone" or (turn.speaker == call.learner) == (by == "learner")
    ]
    if where == "opening":
        return turns[:OPENING_TURNS]
    if where == "closing":
        return turns[-max(OPENING_TURNS, len(turns) // CLOSING_SHARE) :]
    return turns


def _mentions(phrases: Iterable[str], turns: Numbered) -> dict[str, Evidence]:
    """By phrase, where it is said first."""
    wanted = {phrase: [phrase_of(each) for each in phrase.split("|")] for phrase in phrases}
    found: dict[str, Evidence] = {}
    for index, turn in turns:
        words = words_in(turn.text)
        for phrase in wanted.keys() - found.keys():
            place = _first(words, tuple(wanted[phrase]))
            if place is not None:
                found[phrase] = Evidence.around(index, turn.text, *place)
        if len(found) == len(wanted):
            break
    return found


def _first(words: list[Word], phrases: Phrases) -> tuple[int, int] | None:
    """Where any of them stands; of several the one that stands first in the list of phrases."""
    present = {word.folded for word in words}
    for phrase in phrases:
        if present.issuperset(phrase) and (place := find_phrase(words, phrase)) is not None:
            return place
    return None


def _listed(phrases: Iterable[str]) -> str:
    names = list(phrases)
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(f"“{name}”" for name in names[:MOST]) + more
