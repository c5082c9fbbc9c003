"""From commands to a proposal: who is meant is looked up; what names nobody, or more than one, is asked back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analytics.search.folding import folded

from ...exceptions import Refused
from ...models import Position, Project
from .commands import Command, Target, Unclear
from .phrases import money, number, say, signed
from .proposing import MOST, Plan, TooMany, planned, scope_of
from .reply import CLARIFY, COMPUTED, PROPOSAL, Citation, Reply, cite_position, cite_section
from .scope import not_alone, not_found
from .targets import MOST_CANDIDATES, nodes_of, positions_named, sections_named

CITED = 8


def proposal_for(
    *, project: Project, commands: Sequence[Command | Unclear], language: str, message: str, model: str = ""
) -> Reply:
    """A proposal, or a question back. `message`: what was asked, to be said again where it was left open."""
    if project.version_number == 0:
        return Reply(say(language, "empty"), COMPUTED, how="no version yet")
    operations: list[dict[str, Any]] = []
    citations: list[Citation] = []
    for command in commands:
        if isinstance(command, Unclear):
            return Reply(say(language, "unclear", text=command.text[:200]), CLARIFY)
        scope = _scope(project, command, language, message)
        if isinstance(scope, Reply):
            return scope
        operations.append(
            {
                "operation": command.operation,
                "value": None if command.value is None else f"{command.value:f}",
                "scope": scope[0],
                "text": command.text[:300],
            }
        )
        citations += scope[1]
    return _proposed(project, operations, citations, language, model)


def _proposed(
    project: Project, operations: list[dict[str, Any]], citations: list[Citation], language: str, model: str
) -> Reply:
    try:
        plan = planned(project, operations)
    except TooMany as error:
        text = say(language, "too_many", count=number(language, error.extra["count"]), most=number(language, MOST))
        return Reply(text, CLARIFY)
    except Refused:
        return Reply(say(language, "too_large"), CLARIFY)
    if not plan.actions:
        return Reply(
            say(language, "nothing_to_do"), COMPUTED, citations[:CITED], how="current figures of the positions"
        )
    remark = say(language, "unpriced", count=number(language, plan.skipped)) if plan.skipped else ""
    return Reply(
        said(plan, project, language), PROPOSAL, citations[:CITED], how=how(plan), remark=remark, model=model, plan=plan
    )


def said(plan: Plan, project: Project, language: str) -> str:
    return say(
        language,
        "proposal",
        count=number(language, len(plan.actions)),
        delta=signed(language, plan.delta, project.currency),
        total=money(language, plan.total_after, project.currency),
    )


def how(plan: Plan) -> str:
    words = {"scale_price": "unit price", "scale_quantity": "quantity"}
    scaled = {words[each["operation"]] for each in plan.operations if each["operation"] in words}
    rounding = f"; each {' and '.join(sorted(scaled))} rounded half up as its file rounds" if scaled else ""
    return f"totals are quantity × unit price in the rounding of the position’s file{rounding}; version {plan.based_on}"


def _scope(
    project: Project, command: Command, language: str, message: str
) -> tuple[dict[str, Any], list[Citation]] | Reply:
    target = command.target
    if target.kind == "all":
        return scope_of(), []
    if target.kind == "section":
        return _section(project, target.names[0], language, message)
    rows: list[Position] = []
    for name in target.names:
        found = positions_named(project.pk, name)
        if not found and target.kind == "any" and not command.operation.startswith("set"):
            nodes = nodes_of(project.pk)
            if sections_named(nodes, name):
                return _section(project, name, language, message)
        if not found:
            return Reply(say(language, "no_position", name=_original(message, name)), CLARIFY)
        if len(found) > 1:
            return _which(project, found, name, language, message)
        rows += found
    unique = {row.lineage: row for row in rows}
    return scope_of(lineages=list(unique)), [cite_position(row) for row in unique.values()]


def _section(project: Project, name: str, language: str, message: str) -> tuple[dict[str, Any], list[Citation]] | Reply:
    nodes = nodes_of(project.pk)
    found = sections_named(nodes, name)
    if not found:
        return replace(not_found(nodes, _original(message, name), language), source=CLARIFY, how="")
    if len(found) > 1:
        text = say(language, "which_section", name=_original(message, name))
        candidates = [
            {"label": node.path, "text": _again(message, name, node.path)} for node in found[:MOST_CANDIDATES]
        ]
        cited = [cite_section(project, node.object_code, node.section, node.path) for node in found[:MOST_CANDIDATES]]
        return Reply(text, CLARIFY, cited, candidates=candidates)
    node = found[0]
    return scope_of(node), [cite_section(project, node.object_code, node.section, node.label)]


def _which(project: Project, rows: list[Position], name: str, language: str, message: str) -> Reply:
    said = _original(message, name)
    return not_alone(project, rows, said, language, message)


def _original(message: str, name: str) -> str:
    """The name as it was written: names come folded."""
    at = folded(message).find(name)
    return message[at : at + len(name)] if at >= 0 else name


def _again(message: str, name: str, instead: str) -> str:
    """The message with the name, where it stands last, replaced."""
    at = folded(message).rfind(name)
    return message[:at] + instead + message[at + len(name) :] if at >= 0 else instead


def target_from(kind: str, name: str) -> Target:
    """Of a model's words."""
    if kind == "all":
        return Target("all")
    return Target("section" if kind == "section" else "positions", (folded(name).strip(),))
