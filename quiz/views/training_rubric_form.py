"""The form of a rubric: rows of criteria as texts, changed step by step and read into drafts when they are kept.

Each row has a token; `c` names the tokens in their order, fields are called `<token>-<field>`. A button called `do`
changes the rows (`add:behaviour`, `up:3`, `remove:3`, `level:3`, `find:3`) and keeps nothing yet: it works without
script as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict

from accounts.models import User

from ..calls.rules import RULES
from ..models import Criterion
from ..services.training.access import clauses_for
from ..services.training.criteria import MOST_CRITERIA, CriterionDraft
from .training_shell import uuid_of

FOUND = 8
FIRST_RULE = "talk_share"
NO_LEVEL = {"score": "", "name": "", "description": ""}


@dataclass(slots=True)
class Row:
    """A criterion as it is being written; everything but its clauses as text."""

    token: str
    kind: str
    key: str = ""
    name: str = ""
    description: str = ""
    weight: str = "1"
    measure: str = FIRST_RULE
    rule: dict[str, str] = field(default_factory=dict)
    # Names that the stored rule has: saved unchanged, it stays as it is, with what goes without saying or without.
    told: str = ""
    levels: list[dict[str, str]] = field(default_factory=list)
    clause_ids: list[UUID] = field(default_factory=list)
    find: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    clauses: list[Any] = field(default_factory=list)
    found: list[Any] = field(default_factory=list)

    @property
    def is_behaviour(self) -> bool:
        return self.kind == Criterion.Kind.BEHAVIOUR

    @property
    def rule_kind(self) -> Any:
        return RULES.get(self.measure, RULES[FIRST_RULE])

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """What the rule takes, each with what is written in its field."""
        return [{"it": each, "value": self.rule.get(each.name, "")} for each in self.rule_kind.parameters]


def rows_of(drafts: Sequence[CriterionDraft]) -> list[Row]:
    return [_row(str(number), draft) for number, draft in enumerate(drafts, 1)]


def rows_sent(sent: QueryDict) -> list[Row]:
    """As they stand in the form."""
    return [_sent(token, sent) for token in dict.fromkeys(sent.getlist("c")[:MOST_CRITERIA]) if token.isalnum()]


def changed(rows: list[Row], what: str) -> list[Row]:
    """What a button does to them; one that is not known does nothing."""
    verb, _, which = what.partition(":")
    if verb == "add" and len(rows) < MOST_CRITERIA:
        token = str(max([int(row.token) for row in rows if row.token.isdigit()], default=0) + 1)
        kind = Criterion.Kind.QUALITY if which == "quality" else Criterion.Kind.BEHAVIOUR
        levels = [dict(NO_LEVEL) for _ in range(3)] if kind == Criterion.Kind.QUALITY else []
        return [*rows, Row(token, kind.value, levels=levels)]
    at = next((place for place, row in enumerate(rows) if row.token == which), None)
    if at is None:
        return rows
    if verb == "remove":
        return rows[:at] + rows[at + 1 :]
    if verb == "level":
        rows[at].levels.append(dict(NO_LEVEL))
    to = at + {"up": -1, "down": 1}.get(verb, 0)
    if 0 <= to < len(rows):
        rows[at], rows[to] = rows[to], rows[at]
    return rows


def drafts_of(rows: Sequence[Row]) -> list[CriterionDraft]:
    """What can't be read stays text: whoever checks it says so."""
    return [
        CriterionDraft(
            name=row.name,
            kind=row.kind,
            key=row.key,
            description=row.description,
            weight=_number(row.weight),
            rule=_rule(row) if row.is_behaviour else {},
            levels=[] if row.is_behaviour else _levels(row),
            clause_ids=tuple(row.clause_ids),
        )
        for row in rows
    ]


def with_clauses(rows: list[Row], *, user: User, organisation_id: UUID) -> list[Row]:
    """The chosen ones themselves, and what is found for those who look. One query, and one for each who looks."""
    allowed = clauses_for(user=user, organisation_id=organisation_id)
    allowed = allowed.select_related("edition__standard").defer("text", "search")
    known = allowed.in_bulk([pk for row in rows for pk in row.clause_ids])
    for row in rows:
        row.clauses = [known[pk] for pk in row.clause_ids if pk in known]
        if wanted := row.find.strip():
            hits = allowed.filter(Q(number__istartswith=wanted) | Q(title__icontains=wanted))
            row.found = list(hits.exclude(pk__in=row.clause_ids).order_by("edition_id", "position")[:FOUND])
    return rows


def with_errors(rows: list[Row], told: Any) -> list[str]:
    """Errors by row go to their rows; those about all of them are given back."""
    if not isinstance(told, list):
        return []
    for row, errors in zip(rows, told, strict=False):
        if isinstance(errors, Mapping):
            row.errors = {name: list(texts) for name, texts in errors.items()}
    return [text for text in told if isinstance(text, str)]


def _row(token: str, draft: CriterionDraft) -> Row:
    rule = {name: _text(value) for name, value in draft.rule.items() if name != "measure"}
    levels = [{name: str(level.get(name, "")) for name in NO_LEVEL} for level in draft.levels]
    return Row(
        token=token,
        kind=draft.kind,
        key=draft.key,
        name=draft.name,
        description=draft.description,
        weight=str(draft.weight),
        measure=str(draft.rule.get("measure", "phrases" if "phrases" in draft.rule else FIRST_RULE)),
        rule=rule,
        told=",".join(draft.rule),
        levels=levels,
        clause_ids=list(draft.clause_ids),
    )


def _sent(token: str, sent: QueryDict) -> Row:
    def told(name: str, default: str = "") -> str:
        return sent.get(f"{token}-{name}", default).replace("\r\n", "\n")

    columns = [sent.getlist(f"{token}-level-{name}") for name in NO_LEVEL]
    measure = told("measure", FIRST_RULE)
    names = [each.name for each in RULES.get(measure, RULES[FIRST_RULE]).parameters]
    ids = [uuid_of(text) for text in sent.getlist(f"{token}-clause")]
    return Row(
        token=token,
        kind=told("kind", Criterion.Kind.BEHAVIOUR),
        key=told("key"),
        name=told("name"),
        description=told("description"),
        weight=told("weight", "1"),
        measure=measure,
        rule={name: told(f"rule-{name}") for name in names},
        told=told("told"),
        levels=[dict(zip(NO_LEVEL, level, strict=True)) for level in zip(*columns, strict=False)],
        clause_ids=[pk for pk in ids if pk],
        find=told("find"),
    )


def _rule(row: Row) -> dict[str, Any]:
    stored = row.told.split(",")
    is_plain = row.measure == "phrases" and "measure" not in stored
    rule: dict[str, Any] = {} if is_plain else {"measure": row.measure}
    for parameter in row.rule_kind.parameters:
        text = row.rule.get(parameter.name, "").strip()
        if parameter.kind == "phrases":
            rule[parameter.name] = [line.strip() for line in text.split("\n") if line.strip()]
        elif text and (text != parameter.default or parameter.name in stored):
            rule[parameter.name] = _number(text) if parameter.kind in ("number", "whole") else text
    return rule


def _levels(row: Row) -> list[dict[str, Any]]:
    """Lowest first; lines that nobody wrote in are none."""
    told = [level for level in row.levels if any(value.strip() for value in level.values())]
    levels: list[dict[str, Any]] = [level | {"score": _number(level["score"])} for level in told]
    return sorted(levels, key=lambda level: level["score"] if isinstance(level["score"], int) else -1)


def _number(text: str) -> Any:
    """As JSON would read it; text that is no number stays text."""
    text = text.strip().replace(",", ".")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
