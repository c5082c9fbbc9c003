"""The tree of a budget's objects and sections, with what each holds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config.cache import get_or_set

from ..models import Position, Project
from ..models.budget import SECTION_SEPARATOR

MOST_NODES = 600  # a select with more of them is no help: then only the upper levels are offered
INDENT = "\u2003"


@dataclass(slots=True)
class SectionNode:
    """An object or a section. `key` stands for it in addresses; sums are of everything below it."""

    key: str
    object_code: str
    section: str  # "" for an object
    label: str
    depth: int
    positions: int = 0
    cost: Decimal = Decimal(0)

    @property
    def indented(self) -> str:
        return INDENT * self.depth + self.label


def section_key(object_code: str, section: str) -> str:
    return f"{object_code}|{section}"


def tree_of(project: Project, version: int | None = None) -> list[SectionNode]:
    """Objects, and the sections below each, in the order of the bill.

    Kept by version: a version never changes. Made of that version's rows, not of the current ones, which may be of a
    newer version by the time they are read.
    """
    number = version or project.version_number
    return get_or_set("sections", (project.pk, number), lambda: _built(project, number))


def _built(project: Project, number: int) -> list[SectionNode]:
    rows = Position.objects.filter(project=project).of_version(number).sections()
    has_objects = len({row["object_code"] for row in rows}) > 1
    nodes: dict[str, SectionNode] = {}
    for row in rows:
        code = row["object_code"]
        path = row["section"].split(SECTION_SEPARATOR) if row["section"] else []
        if has_objects or not path:
            _count(nodes, row, code, "", " ".join(filter(None, (code, row["object_name"]))) or "Without a section", 0)
        for depth, name in enumerate(path):
            section = SECTION_SEPARATOR.join(path[: depth + 1])
            _count(nodes, row, code, section, name, depth + has_objects)
    return _shortened(list(nodes.values()))


def _count(nodes: dict[str, SectionNode], row: dict[str, Any], code: str, section: str, label: str, depth: int) -> None:
    key = section_key(code, section)
    node = nodes.setdefault(key, SectionNode(key, code, section, label, depth))
    node.positions += row["positions"]
    node.cost += row["cost"]


def _shortened(nodes: list[SectionNode]) -> list[SectionNode]:
    deepest = max((node.depth for node in nodes), default=0)
    while len(nodes) > MOST_NODES and deepest > 0:
        nodes = [node for node in nodes if node.depth < deepest]
        deepest -= 1
    return nodes[:MOST_NODES]
