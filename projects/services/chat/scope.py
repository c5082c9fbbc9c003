"""What a question is narrowed to, and what is said where that names nothing, or more than one thing."""

from __future__ import annotations

from dataclasses import dataclass

from ...models import Position, Project
from ...querysets import PositionQuerySet
from .phrases import say
from .reply import CLARIFY, COMPUTED, Citation, Reply, cite_position, cite_section
from .targets import (
    MOST_CANDIDATES,
    Node,
    holding,
    live,
    nodes_of,
    positions_named,
    reference_of,
    sections_named,
)
from .understanding import Intent


@dataclass(frozen=True, slots=True)
class Scope:
    """`where`: for the sentence, in its language. `how`: for the note on the computation."""

    rows: PositionQuerySet
    where: str
    how: str
    said_words: str = ""
    node: Node | None = None

    def citations(self, project: Project) -> list[Citation]:
        if self.node is None:
            return []
        return [cite_section(project, self.node.object_code, self.node.section, self.node.label)]


def narrowed(project: Project, intent: Intent, language: str) -> Scope | Reply:
    """Positions of the section that is named, with the words that are named; a reply where there is no one section."""
    rows, where, how, node = live(project.pk), "", "", None
    if intent.section:
        nodes = nodes_of(project.pk)
        found = sections_named(nodes, intent.section)
        if not found:
            return not_found(nodes, intent.section, language)
        if len(found) > 1:
            labels = [{"label": each.path, "text": each.path} for each in found[:MOST_CANDIDATES]]
            text = say(language, "which_section", name=intent.section)
            return Reply(text, CLARIFY, [cite_section(project, n.object_code, n.section, n.label) for n in found[:8]],
                         candidates=labels)  # fmt: skip
        node = found[0]
        rows = node.positions_of(project.pk)
        where, how = say(language, "in_section", label=node.label), f" in “{node.path}” and below"
    said = " ".join(f"{root}…" for root in intent.words)
    if intent.words:
        rows = holding(rows, intent.words)
        where += say(language, "with_words", words=said)
        how += f" whose number, code or description has words that begin with {said}"
    return Scope(rows, where, how, said, node)


def not_found(nodes: list[Node], name: str, language: str) -> Reply:
    known = list(dict.fromkeys(node.label for node in nodes if node.section))[:12]
    text = say(language, "no_section", name=name, known=", ".join(known) or "–")
    return Reply(text, COMPUTED, how="names of the sections of the current version")


def position_or_reply(project: Project, name: str, language: str) -> Position | list[Position] | Reply:
    """The one position that is named; several; or a reply that there is none."""
    rows = positions_named(project.pk, name)
    if not rows:
        return Reply(say(language, "no_position", name=name), COMPUTED, how="numbers, codes and words of all positions")
    return rows[0] if len(rows) == 1 else rows


def not_alone(project: Project, rows: list[Position], name: str, language: str, message: str = "") -> Reply:
    """Asks which one is meant. `message`: what was said, to be said again with the reference in place of the name."""
    candidates = [
        {
            "label": " · ".join(filter(None, (row.number, row.object_code, row.section, row.description[:80]))),
            "text": message.replace(name, reference_of(row)) if name in message else f"position {reference_of(row)}",
        }
        for row in rows[:MOST_CANDIDATES]
    ]
    citations = [cite_position(row) for row in rows[:MOST_CANDIDATES]]
    return Reply(say(language, "which_position", name=name), CLARIFY, citations, candidates=candidates)
