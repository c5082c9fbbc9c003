"""What a rubric is made of, as it is written: checked, given its keys, compared.

A criterion is known by its key through all versions of its rubric, so scores of years can be compared: a key stays with
its name, and never becomes another kind of criterion.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeGuard
from uuid import UUID

from django.utils.text import slugify

from ...calls.rules import check_rule
from ...models import Criterion, Rubric
from ...training_exceptions import BadTemplate

MOST_CRITERIA, MOST_CLAUSES, MOST_LEVELS = 30, 10, 10
LONGEST_NAME, LONGEST_KEY, LONGEST_DESCRIPTION, LONGEST_LEVEL = 120, 60, 2000, 60
HEAVIEST = 100
LEVEL_FIELDS = {"score", "name", "description"}
Errors = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """`key`: "" takes that of the criterion with this name, or makes one. `levels`: [{"score": 0-100, "name",
    "description"}], ascending, of qualities."""

    name: str
    kind: str
    key: str = ""
    description: str = ""
    weight: int = 1
    rule: Mapping[str, Any] = field(default_factory=dict)
    levels: Sequence[Mapping[str, Any]] = ()
    clause_ids: tuple[UUID, ...] = ()


def drafts_of(rubric: Rubric | None) -> list[CriterionDraft]:
    """What an editor begins with. Two queries."""
    if rubric is None:
        return []
    rows = rubric.criteria.order_by("position").prefetch_related("clauses")
    return [
        CriterionDraft(
            name=row.name,
            kind=row.kind,
            key=row.key,
            description=row.description,
            weight=row.weight,
            rule=row.rule,
            levels=row.levels,
            clause_ids=tuple(clause.pk for clause in row.clauses.all()),
        )
        for row in rows
    ]


def checked(drafts: Sequence[CriterionDraft], *, clause_ids: Iterable[UUID]) -> list[CriterionDraft]:
    """As they are stored. `clause_ids`: those that may be named. Raises BadTemplate with all there is to say: `errors`
    holds under "criteria" a list as long as theirs, or, where it is about all of them, of messages."""
    if not 1 <= len(drafts) <= MOST_CRITERIA:
        raise _bad([f"A rubric has 1 to {MOST_CRITERIA} criteria."])
    allowed = set(clause_ids)
    tidy = [_tidied(draft) for draft in drafts]
    errors = [_problems(draft, allowed) for draft in tidy]
    for name in ("name", "key"):
        told = [str(getattr(draft, name)).casefold() for draft in tidy]
        for at, value in enumerate(told):
            if value and told.index(value) < at:
                errors[at].setdefault(name, []).append(f"Another criterion has this {name} already.")
    if any(errors):
        raise _bad(errors)
    return tidy


def keyed(drafts: Sequence[CriterionDraft], *, former: Iterable[Criterion]) -> list[CriterionDraft]:
    """With a key for each. `former`: all criteria that the template ever had, the newest last. Raises BadTemplate."""
    kinds: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for row in former:
        kinds[row.key] = row.kind
        by_name[row.name.casefold()] = row.key
    taken = {draft.key for draft in drafts if draft.key}
    found, errors = [], []
    for draft in drafts:
        key, problem = draft.key, {}
        if not key:
            known = by_name.get(draft.name.casefold(), "")
            is_same = bool(known) and known not in taken and kinds[known] == draft.kind
            key = known if is_same else _made(draft.name, taken | kinds.keys())
        elif kinds.get(key, draft.kind) != draft.kind:
            told = f"{key} has been a {kinds[key]}: its scores could not be compared. Give this one a key of its own."
            problem = {"key": [told]}
        taken.add(key)
        found.append(replace(draft, key=key))
        errors.append(problem)
    if any(errors):
        raise _bad(errors)
    return found


def hash_of(drafts: Sequence[CriterionDraft]) -> str:
    """Of all that judges and the weights need; the same for the same criteria in the same order."""
    told = [
        [
            draft.key, draft.name, draft.description, draft.kind, draft.weight, dict(draft.rule),
            [dict(level) for level in draft.levels], sorted(map(str, draft.clause_ids)),
        ]
        for draft in drafts
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _tidied(draft: CriterionDraft) -> CriterionDraft:
    levels: Any = draft.levels
    if _is_list_of_levels(levels):
        levels = [
            {"description": "", **level, "name": " ".join(str(level.get("name", "")).split())} for level in levels
        ]
    return replace(
        draft,
        name=" ".join(draft.name.split()),
        key=draft.key.strip(),
        description=draft.description.strip(),
        levels=levels,
        clause_ids=tuple(dict.fromkeys(draft.clause_ids)),
    )


def _problems(draft: CriterionDraft, allowed: set[UUID]) -> Errors:
    told: Errors = {}
    if not 1 <= len(draft.name) <= LONGEST_NAME:
        told["name"] = [f"1 to {LONGEST_NAME} characters."]
    if draft.key and (draft.key != slugify(draft.key) or len(draft.key) > LONGEST_KEY):
        told["key"] = [f"Small letters, digits and hyphens, at most {LONGEST_KEY}."]
    if len(draft.description) > LONGEST_DESCRIPTION:
        told["description"] = [f"At most {LONGEST_DESCRIPTION:,} characters."]
    if draft.kind not in Criterion.Kind.values:
        told["kind"] = ["behaviour or quality."]
    if not _is_whole(draft.weight) or not 1 <= draft.weight <= HEAVIEST:
        told["weight"] = [f"A whole number from 1 to {HEAVIEST}."]
    if len(draft.clause_ids) > MOST_CLAUSES:
        told["clauses"] = [f"At most {MOST_CLAUSES}."]
    elif not allowed.issuperset(draft.clause_ids):
        told["clauses"] = ["There is no such clause, or not all members of the organisation can see it."]
    told |= _behaviour_problems(draft) if draft.kind == Criterion.Kind.BEHAVIOUR else _quality_problems(draft)
    return told


def _behaviour_problems(draft: CriterionDraft) -> Errors:
    told: Errors = {}
    if not isinstance(draft.rule, Mapping) or not draft.rule:
        told["rule"] = ["A behaviour is measured: say by which rule."]
    elif problems := check_rule(dict(draft.rule)):
        told["rule"] = list(problems)
    if draft.levels:
        told["levels"] = ["A behaviour is measured by its rule; levels are for qualities."]
    return told


def _quality_problems(draft: CriterionDraft) -> Errors:
    told: Errors = {}
    if draft.rule:
        told["rule"] = ["Rules measure behaviours; a quality is judged by its levels."]
    if problem := _level_problem(draft.levels):
        told["levels"] = [problem]
    return told


def _level_problem(levels: Any) -> str:
    """ "" if they can be judged by; no levels at all are fine: then judges give any score from 0 to 100."""
    if not _is_list_of_levels(levels):
        return "A list of levels, each with a score, a name and a description."
    if not levels:
        return ""
    if not 2 <= len(levels) <= MOST_LEVELS:
        return f"2 to {MOST_LEVELS} levels, or none."
    scores: list[Any] = [level.get("score") for level in levels]
    if any(not _is_whole(score) or not 0 <= score <= 100 for score in scores):
        return "The score of each level is a whole number from 0 to 100."
    if any(left >= right for left, right in pairwise(scores)):
        return "Levels go up: each has a higher score than the one before."
    names = [str(level["name"]).casefold() for level in levels]
    if any(not 1 <= len(name) <= LONGEST_LEVEL for name in names) or len(set(names)) < len(names):
        return f"Each level has a name of its own, of at most {LONGEST_LEVEL} characters."
    told = [level.get("description", "") for level in levels]
    if any(not isinstance(text, str) or len(text) > LONGEST_DESCRIPTION for text in told):
        return f"The description of a level is a text of at most {LONGEST_DESCRIPTION:,} characters."
    return ""


def _is_list_of_levels(levels: Any) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    if not isinstance(levels, list | tuple):
        return False
    return all(isinstance(level, Mapping) and level.keys() <= LEVEL_FIELDS for level in levels)


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _made(name: str, taken: Iterable[str]) -> str:
    """A key of the name's words that nobody has."""
    base = slugify(name)[: LONGEST_KEY - 4].strip("-") or "criterion"
    known, key, number = set(taken), base, 2
    while key in known:
        key, number = f"{base}-{number}", number + 1
    return key


def _bad(errors: list[Errors] | list[str]) -> BadTemplate:
    return BadTemplate("The rubric can't be like that: see errors.", extra={"errors": {"criteria": errors}})
