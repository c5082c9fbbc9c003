"""The learner's questions: by their marks, and which of them yes or no is no answer to."""

from __future__ import annotations

from dataclasses import dataclass

from .call import Call
from .evidence import MOST, Evidence
from .measure import BY_SECONDS, BY_WORDS, Measure, missing
from .tongues import NAMES, Tongue
from .words import Sentence, sentences_in, words_in

_MARKS = (".", "?", "!", "。", "？", "؟")
_LEADING_WORDS = 5  # "Okay, and so, at which …"


@dataclass(frozen=True, slots=True)
class Question:
    turn: int
    text: str
    is_open: bool

    def evidence(self) -> Evidence:
        return Evidence.of(self.turn, self.text)


def questions_in(call: Call) -> list[Question]:
    return [
        Question(index, sentence.text, call.tongue is not None and _is_open(sentence, call.tongue))
        for index, turn in call.own()
        for sentence in sentences_in(turn.text)
        if sentence.is_question
    ]


def measured(call: Call, duration_s: float | None) -> dict[str, Measure]:
    """questions, open_questions, questions_per_minute (of the call)."""
    why = call.why_unknown()
    if not why and not any(mark in turn.text for turn in call.turns for mark in _MARKS):
        why = "The transcript has no punctuation."
    if why:
        rate = missing("per minute", why)
        return {
            "questions": missing("count", why),
            "open_questions": missing("count", why),
            "questions_per_minute": rate,
        }
    found = questions_in(call)
    return {
        "questions": Measure(float(len(found)), "count", BY_WORDS, evidence=_shown(found)),
        "open_questions": _open(call, found),
        "questions_per_minute": _rate(len(found), duration_s if call.is_timed else None),
    }


def _open(call: Call, found: list[Question]) -> Measure:
    if call.tongue is None:
        return missing("count", f"The language is not known: open questions are told apart in {NAMES}.")
    open_ones = [question for question in found if question.is_open]
    return Measure(float(len(open_ones)), "count", BY_WORDS, evidence=_shown(open_ones))


def _rate(count: int, duration_s: float | None) -> Measure:
    if not duration_s:
        return missing("per minute", "The transcript has no times.")
    return Measure(round(count * 60 / duration_s, 2), "per minute", BY_SECONDS)


def _shown(found: list[Question]) -> tuple[Evidence, ...]:
    return tuple(question.evidence() for question in found[:MOST])


def _is_open(sentence: Sentence, tongue: Tongue) -> bool:
    for word in words_in(sentence.text)[: _LEADING_WORDS + 1]:
        if word.folded in tongue.asking or word.folded.split("'")[0] in tongue.asking:
            return True
        if word.folded not in tongue.leading:
            return False
    return False
