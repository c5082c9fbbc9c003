"""Behaviours scored by rule: 0 to 100 by what was measured or said, with where it was said. Never how good it was.

    judge({"asks": {"measure": "questions", "low": 5}}, turns, learner="Jane")

docs/training.md lists the rules; `rule_kinds.RULES` has them for editors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import mentions
from .call import Call
from .evidence import Evidence
from .measure import BY_WORDS, Measure, Measures, missing
from .measuring import measure_call
from .rule_kinds import RULES, RuleKind, check_rule, kind_of
from .turns import Turn

__all__ = ["RULES", "VERSION", "Judged", "check_rule", "judge"]

# Changes when the same words would be scored otherwise: then calls are graded anew.
VERSION: Final = "rules 1"


@dataclass(frozen=True, slots=True)
class Judged:
    """`score` None: not measured, and `reason` says why. Else `reason` says by what."""

    score: int | None
    reason: str
    evidence: tuple[Evidence, ...] = ()


def judge(rules: Mapping[str, Mapping[str, Any]], turns: Sequence[Turn], *, learner: str) -> dict[str, Judged]:
    """By the rules' own keys. Of cleaned turns. A rule that is none is not measured: it was checked when written."""
    call = Call.of(turns, learner)
    measures = measure_call(call)
    return {key: _judged(rule, call, measures) for key, rule in rules.items()}


def _judged(rule: Mapping[str, Any], call: Call, measures: Measures) -> Judged:
    kind = kind_of(rule)
    if kind is None or check_rule(rule):
        return Judged(None, "Not measured: this rule is none. Write the rubric anew.")
    if why := call.why_unknown():
        return Judged(None, f"Not measured: {why}")
    if kind.is_band:
        return _by_band(kind, rule, measures)
    said = _SAID[kind.name](rule, call)
    return Judged(said.score, said.reason, said.evidence)


def _by_band(kind: RuleKind, rule: Mapping[str, Any], measures: Measures) -> Judged:
    measure, low, high = measures.measured[kind.name], rule.get("low"), rule.get("high")
    if measure.unit != kind.unit:  # a monologue in words
        low, high = None, rule.get("high_words")
        if high is None:
            measure = missing(kind.unit, "The transcript has no times.")
    elif low is None and high is None:
        return Judged(None, "Not measured: the rule is for transcripts without times.")
    if measure.value is None:
        return Judged(None, f"Not measured: {measure.why}")
    score = _score(measure.value, low, high, rule.get("fall", _usual_fall(kind)) if measure.unit == kind.unit else None)
    return Judged(score, f"{kind.label}: {_said(measure, low, high)}", measure.evidence)


def _usual_fall(kind: RuleKind) -> float | None:
    told = next(parameter.default for parameter in kind.parameters if parameter.name == "fall")
    return float(told) if isinstance(told, (int, float)) else None


def _score(value: float, low: float | None, high: float | None, fall: float | None) -> int:
    """100 within; falling evenly to 0 at `fall` outside. `fall` None: as far as the limit is from 0."""
    if low is not None and value < low:
        outside, limit = low - value, low
    elif high is not None and value > high:
        outside, limit = value - high, high
    else:
        return 100
    return round(100 * max(0.0, 1 - outside / (fall or limit or 1)))


def _said(measure: Measure, low: float | None, high: float | None) -> str:
    limits = [
        f"{word} {Measure(limit, measure.unit, None).shown}"
        for word, limit in (("at least", low), ("at most", high))
        if limit is not None
    ]
    basis = f" ({measure.basis})" if measure.basis == BY_WORDS and measure.unit in ("share", "words") else ""
    return f"{measure.shown}{basis}; wanted {' and '.join(limits)}."


_SAID = {
    "phrases": mentions.phrases_said,
    "avoid": mentions.phrases_avoided,
    "greeting": mentions.greeting,
    "summary": mentions.summary,
    "next_step": mentions.next_step,
}
