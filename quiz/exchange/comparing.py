"""Two editions side by side: what is new, gone, different, and what may have become of what is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from .clauses import Clause
from .item import Item

# Below, two questions share words and no more: on two editions of a real pool, the right successors are above.
LEAST_SCORE = 0.6
# The stem counts for more than the right answer: "All of these" is the answer to anything.
STEM_COUNTS = 0.8
# Where a key lives on with another text, only what is nearly the old text is proposed.
LEAST_MOVED = 0.8
MOST_SUCCESSORS = 3


@dataclass(frozen=True, slots=True)
class Successor:
    """What may have replaced something. `score` from 0 to 1 says how alike the stems and right answers (or texts and
    titles) are, letter by letter: a heuristic, which proposes and does not decide."""

    key: str
    score: float


@dataclass(frozen=True, slots=True)
class Gone:
    key: str
    successors: tuple[Successor, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """`fields` that differ; `score` from 0 to 1, how alike the texts are. `successors`: others of the new edition that
    are nearly the old text, where what has its key now is not: keys are dealt out anew."""

    key: str
    fields: tuple[str, ...]
    score: float
    successors: tuple[Successor, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Keys in the order of their edition: external ids of questions, numbers of clauses."""

    identical: tuple[str, ...]
    changed: tuple[Changed, ...]
    added: tuple[str, ...]
    removed: tuple[Gone, ...]


def compare_clauses(
    old: Iterable[Clause], new: Iterable[Clause], *, successors_of: Collection[str] | None = None
) -> Comparison:
    """By number. A clause is changed where its own title or text is, blanks aside: not because of what is under it,
    nor because it moved to another parent.

    `successors_of`: propose successors of these keys only (None: of all). Proposing takes a search of the whole new
    edition for each key, all else one pass.
    """
    before = {clause.number: _fields_of_clause(clause) for clause in old}
    after = {clause.number: _fields_of_clause(clause) for clause in new}
    return _compared(before, after, successors_of)


def compare_items(
    old: Iterable[Item], new: Iterable[Item], *, successors_of: Collection[str] | None = None
) -> Comparison:
    """By external id; items without one can't be compared and are left out. `successors_of` as above.

    A question is identical where it asks the same: kind, stem and answers with their shares and order, blanks aside.
    Its references, explanation and category may differ.
    """
    before = {item.external_id: _fields_of_item(item) for item in old if item.external_id}
    after = {item.external_id: _fields_of_item(item) for item in new if item.external_id}
    return _compared(before, after, successors_of)


def _one(text: str) -> str:
    return " ".join(text.split())


def _fields_of_clause(clause: Clause) -> dict[str, str]:
    return {"text": _one(clause.text), "title": _one(clause.title)}


def _fields_of_item(item: Item) -> dict[str, str]:
    """First what likeness is measured by, the stem and the right answer; then the rest of what is asked."""
    right = [choice.text for choice in item.choices if choice.share > 0]
    right += [accepted.text for accepted in item.accepted if accepted.share > 0]
    right += [f"{taken.low}..{taken.high}" for taken in item.ranges if taken.share > 0]
    right += [f"{pair.left} -> {pair.right}" for pair in item.pairs] + list(item.sequence)
    choices = [f"{choice.share.normalize() + 0} {_one(choice.text)}" for choice in item.choices]
    return {
        "stem": _one(item.stem),
        "right_answer": _one(" / ".join(right)),
        "choices": "\n".join(choices),
        "kind": str(item.kind),
    }


def _compared(
    before: Mapping[str, dict[str, str]], after: Mapping[str, dict[str, str]], successors_of: Collection[str] | None
) -> Comparison:
    def is_wanted(key: str) -> bool:
        return successors_of is None or key in successors_of

    shared = [key for key in before if key in after]
    identical = [key for key in shared if before[key] == after[key]]
    settled = set(identical)
    # What is identical under its own key has replaced nothing else.
    candidates = {key: _main(fields) for key, fields in after.items() if key not in settled}
    changed = [
        _changed(key, before[key], after, candidates if is_wanted(key) else {}) for key in shared if key not in settled
    ]
    removed = [
        Gone(key, _successors(fields, after, candidates) if is_wanted(key) else ())
        for key, fields in before.items()
        if key not in after
    ]
    return Comparison(
        tuple(identical), tuple(changed), tuple(key for key in after if key not in before), tuple(removed)
    )


def _main(fields: Mapping[str, str]) -> str:
    return next(iter(fields.values())).lower()


def _likeness(old: Mapping[str, str], new: Mapping[str, str]) -> float:
    (stem, answer), (other_stem, other_answer) = list(old.values())[:2], list(new.values())[:2]
    score = STEM_COUNTS * fuzz.ratio(stem.lower(), other_stem.lower())
    score += (1 - STEM_COUNTS) * fuzz.ratio(answer.lower(), other_answer.lower())
    return round(score / 100, 3)


def _changed(
    key: str, old: dict[str, str], after: Mapping[str, dict[str, str]], candidates: Mapping[str, str]
) -> Changed:
    new = after[key]
    score = _likeness(old, new)
    better: Sequence[Successor] = ()
    if score < LEAST_SCORE:
        better = [each for each in _successors(old, after, candidates) if each.key != key and each.score >= LEAST_MOVED]
    return Changed(key, tuple(name for name in old if old[name] != new[name]), score, tuple(better))


def _successors(
    old: Mapping[str, str], after: Mapping[str, dict[str, str]], candidates: Mapping[str, str]
) -> tuple[Successor, ...]:
    """The best of those whose stems alone could still reach LEAST_SCORE."""
    least = (LEAST_SCORE - (1 - STEM_COUNTS)) / STEM_COUNTS * 100
    near = process.extract(_main(old), dict(candidates), scorer=fuzz.ratio, limit=20, score_cutoff=least)
    found = [Successor(key, _likeness(old, after[key])) for _, _, key in near]
    found = [successor for successor in found if successor.score >= LEAST_SCORE]
    return tuple(sorted(found, key=lambda successor: -successor.score)[:MOST_SUCCESSORS])
