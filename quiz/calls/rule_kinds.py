"""The rules that there are: their names, what they take, in which units; and whether a rule that is written is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Final

from .words import phrase_of

MOST_PHRASES, LONGEST_PHRASE = 30, 100
WHO: Final = {"learner": "the learner", "other": "the other side", "anyone": "anyone"}
WHERE: Final = {"anywhere": "anywhere", "opening": "in the opening", "closing": "towards the end"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """kind: number, whole, phrases, choice. `least` and `most`: what a number may be. `default` None: there is none."""

    name: str
    label: str
    kind: str
    unit: str = ""
    required: bool = False
    default: float | str | None = None
    least: float | None = None
    most: float | None = None
    choices: Mapping[str, str] | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class RuleKind:
    """`is_band`: it takes low or high, or both, of a measure."""

    name: str
    label: str
    description: str
    parameters: tuple[Parameter, ...]
    unit: str = ""
    is_band: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the editor of rubrics."""
        return {**asdict(self), "parameters": [asdict(parameter) for parameter in self.parameters]}


def _band(
    name: str, label: str, description: str, unit: str, most: float, fall: float | None, *more: Parameter
) -> RuleKind:
    told = "How far outside the score is 0; between, it falls evenly."
    usual = "as far as the limit itself" if fall is None else f"{fall:g}"
    return RuleKind(
        name,
        label,
        description,
        (
            Parameter("low", "At least", "number", unit, least=0, most=most),
            Parameter("high", "At most", "number", unit, least=0, most=most),
            *more,
            Parameter("fall", "Zero at", "number", unit, default=fall, least=0.001, most=most,
                      help=f"{told} Usually {usual}."),
        ),
        unit,
        is_band=True,
    )  # fmt: skip


_PHRASES = Parameter(
    "phrases", "Phrases", "phrases", required=True,
    help="Whole words, without regard to case and accents. “a | b”: either of them counts.",
)  # fmt: skip
_BY = Parameter("by", "Said by", "choice", default="learner", choices=WHO)
_IN = Parameter("where", "Where", "choice", default="anywhere", choices=WHERE)
_WORDS_INSTEAD = Parameter(
    "high_words", "At most (without times)", "number", "words", least=1, most=100_000,
    help="Counts where the transcript has no times. Left out: such calls are not scored.",
)  # fmt: skip

_KINDS = (
    _band(
        "talk_share", "Talk share", "The learner's share of the talk: by seconds, without times by words.",
        "share", 1, 0.2,
    ),
    _band("questions", "Questions", "Sentences of the learner that end in a question mark.", "count", 1000, None),
    _band(
        "open_questions", "Open questions", "Questions that begin with a question word: yes is no answer.",
        "count", 1000, None,
    ),
    _band("questions_per_minute", "Questions a minute", "Of the whole call. Needs times.", "per minute", 100, None),
    _band(
        "longest_monologue", "Longest monologue", "The longest that nobody else says anything.",
        "seconds", 7200, None, _WORDS_INSTEAD,
    ),
    _band("pace", "Pace", "Words a minute while the learner talks. Needs times.", "words per minute", 1000, 50),
    _band(
        "fillers", "Fillers", "Hesitations (um, äh, euh). Needs a transcript that writes them down.",
        "per 100 words", 100, 3,
    ),
    _band(
        "interruptions", "Interruptions", "The learner begins while another talks, who then stops. Needs times.",
        "count", 1000, 3,
    ),
    RuleKind(
        "phrases", "Phrases said", "The share of the phrases that are said.",
        (
            _PHRASES, _BY, _IN,
            Parameter("at_least", "So many are enough", "whole", least=1, most=MOST_PHRASES, help="Usually all."),
        ),
    ),
    RuleKind("avoid", "Phrases not said", "100 where none of the phrases is said, else 0.", (_PHRASES, _BY, _IN)),
    RuleKind("greeting", "Greeting", "The learner greets within the first three turns of their own.", ()),
    RuleKind(
        "summary", "Summary at the end", "The learner says that they sum up, in the last quarter of their turns.", (),
    ),
    RuleKind(
        "next_step", "Next step agreed",
        "50 where a next step is named, 25 more with a day or time, 25 more where the other side agrees to it.", (),
    ),
)  # fmt: skip
RULES: Final[Mapping[str, RuleKind]] = {kind.name: kind for kind in _KINDS}


def kind_of(rule: Mapping[str, Any]) -> RuleKind | None:
    """A rule that names no measure and has phrases is of phrases. None: there is no such rule."""
    name = rule.get("measure", "phrases" if "phrases" in rule else "")
    return RULES.get(name) if isinstance(name, str) else None


def check_rule(rule: Any) -> list[str]:
    """What is wrong with it, for people; empty: nothing."""
    if not isinstance(rule, Mapping):
        return ["A rule is an object: {“measure”: …}."]
    kind = kind_of(rule)
    if kind is None:
        return [f"Say what is measured: “measure” is one of {', '.join(RULES)}."]
    known = {parameter.name: parameter for parameter in kind.parameters}
    told = [f"{kind.label} takes no “{name}”." for name in map(str, rule) if name not in known and name != "measure"]
    for parameter in kind.parameters:
        if parameter.name in rule:
            told += _problems(parameter, rule[parameter.name])
        elif parameter.required:
            told.append(f"“{parameter.name}” is missing.")
    if not told and kind.is_band:
        told += _band_problems(kind, rule)
    if not told and rule.get("at_least", 1) > len(rule.get("phrases", [""])):
        told.append("“at_least” is more than there are phrases.")
    return told


def _problems(parameter: Parameter, value: Any) -> list[str]:
    name = f"“{parameter.name}”"
    if parameter.kind == "phrases":
        return _phrase_problems(value)
    if parameter.choices is not None:
        is_one = isinstance(value, str) and value in parameter.choices
        return [] if is_one else [f"{name} is one of {', '.join(parameter.choices)}."]
    is_number = not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and isfinite(value))
    )
    if not is_number or (parameter.kind == "whole" and value != int(value)):
        return [f"{name} is a {'whole ' if parameter.kind == 'whole' else ''}number."]
    least, most = parameter.least, parameter.most
    if (least is not None and value < least) or (most is not None and value > most):
        return [f"{name} is from {least:g} to {most:g}{f' ({parameter.unit})' if parameter.unit else ''}."]
    return []


def _phrase_problems(value: Any) -> list[str]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not 1 <= len(value) <= MOST_PHRASES:
        return [f"“phrases” is a list of 1 to {MOST_PHRASES} phrases."]
    for phrase in value:
        if not isinstance(phrase, str) or len(phrase) > LONGEST_PHRASE:
            return [f"A phrase is a text of at most {LONGEST_PHRASE} characters."]
        if not all(phrase_of(each) for each in phrase.split("|")):
            return [f"There are no words in the phrase “{phrase}”."]
    return []


def _band_problems(kind: RuleKind, rule: Mapping[str, Any]) -> list[str]:
    low, high = rule.get("low"), rule.get("high")
    if low is None and high is None and "high_words" not in rule:
        return [f"{kind.label} needs “low” or “high”, or both."]
    if low is not None and high is not None and low > high:
        return ["“low” is more than “high”."]
    return []
