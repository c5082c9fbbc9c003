"""A call in its own words, without a model: how it opens, what was said of what the call is about, the next step.

An extract: nothing in it is anybody's judgement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt

from .call import Call
from .evidence import Evidence
from .mentions import NextStep, find_next_step
from .turns import Turn
from .words import Sentence, sentences_in, words_in

MOST_SENTENCES = 4
LONGEST_STEP = 300
_LEAST_WORDS, _MOST_WORDS = 6, 60  # of a sentence that is taken over


@dataclass(frozen=True, slots=True)
class Extract:
    """`next_step`: the sentence that names it; empty: none was found."""

    text: str
    next_step: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    turn: int
    text: str
    weight: float


def extract(turns: Sequence[Turn], *, learner: str) -> Extract:
    """Of cleaned turns. Sentences stand in their order, each with its speaker."""
    call = Call.of(turns, learner)
    chosen = _chosen(turns)
    step = find_next_step(call)
    lines = [f"{turns[each.turn].speaker}: “{each.text}”" for each in chosen]
    told = Evidence(step.turn, _step_sentence(step)) if step else None
    return Extract(
        text="\n".join(["Extract, in the call's own words:", *lines]),
        next_step=told.quote[:LONGEST_STEP] if told else "",
        evidence=tuple(Evidence(each.turn, each.text) for each in chosen) + ((told,) if told else ()),
    )


def _step_sentence(step: NextStep) -> str:
    return step.evidence[0].quote


def _chosen(turns: Sequence[Turn]) -> list[_Candidate]:
    """The first sentence of substance, then those with most words that are rare in the call; in their order."""
    counts: Counter[str] = Counter()
    for turn in turns:
        counts.update(word.folded for word in words_in(turn.text))
    total = counts.total()
    found = [
        _Candidate(index, sentence.text, _weight(sentence, counts, total))
        for index, turn in enumerate(turns)
        for sentence in sentences_in(turn.text)
    ]
    candidates = [each for each in found if each.weight > 0]
    if not candidates:
        return [_Candidate(index, Evidence.of(index, turn.text).quote, 0.0) for index, turn in enumerate(turns[:2])]
    first, rest = candidates[0], sorted(candidates[1:], key=lambda each: (-each.weight, each.turn))
    chosen = [first]
    for each in rest:
        if len(chosen) < MOST_SENTENCES and all(each.text != other.text for other in chosen):
            chosen.append(each)
    place = {id(each): at for at, each in enumerate(candidates)}
    return sorted(chosen, key=lambda each: place[id(each)])


def _weight(sentence: Sentence, counts: Counter[str], total: int) -> float:
    """Rare words weigh most, and words that come twice or three times more than those that come once: what a call is
    about is said again. 0: too short or too long to stand alone."""
    words = {word.folded for word in words_in(sentence.text) if len(word.folded) > 3}
    length = sum(1 for _ in words_in(sentence.text))
    if not _LEAST_WORDS <= length <= _MOST_WORDS or not words:
        return 0.0
    return sum(log(total / counts[word]) * min(counts[word], 3) for word in words) / sqrt(length)
